/* SPDX-License-Identifier: Apache-2.0 */
#include "health.h"

#include <apr_optional.h>
#include <apr_strings.h>
#include <http_config.h>
#include <http_protocol.h>
#include <stdlib.h>
#include <string.h>

#define NAME   "apim-health"
#define PREFIX "apim_health_" /* of the optional functions */

static const char *const roles[] = {"gateway", "keymgr", "portal"};

int apim_health_ask(request_rec *r, const char *role, json_t *about)
{
    apim_health_fn *ask = (apim_health_fn *)apr_dynamic_fn_retrieve(apr_pstrcat(r->pool, PREFIX, role, NULL));
    json_t *own = about ? NULL : json_object();
    int can = ask && (about || own) ? ask(r, about ? about : own) : -1;
    json_decref(own);
    return can;
}

/* 1 if all that are on can serve. */
static int ask_roles(request_rec *r, json_t *about)
{
    size_t i;
    int all = 1;
    for (i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
        json_t *role = json_object();
        int can = role ? apim_health_ask(r, roles[i], role) : -1;
        if (can < 0) {
            json_decref(role);
            continue;
        }
        json_object_set_new(role, "status", json_string(can ? "UP" : "DOWN"));
        json_object_set_new(about, roles[i], role);
        all = all && can;
    }
    return all;
}

static int handler(request_rec *r)
{
    json_t *answer, *about;
    char *text;
    int up;
    if (!r->handler || strcmp(r->handler, NAME) != 0) {
        return DECLINED;
    }
    r->allowed |= AP_METHOD_BIT << M_GET;
    if (r->method_number != M_GET) {
        return HTTP_METHOD_NOT_ALLOWED;
    }
    about = json_object();
    up = ask_roles(r, about);
    answer =
        json_pack("{s:s, s:s, s:o}", "status", up ? "UP" : "DOWN", "version", APIM_VERSION, "roles", about);
    text = answer ? json_dumps(answer, JSON_COMPACT) : NULL;
    json_decref(answer);
    if (!text) {
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    r->status = up ? HTTP_OK : HTTP_SERVICE_UNAVAILABLE;
    apr_table_setn(r->headers_out, "Cache-Control", "no-store");
    ap_set_content_type(r, "application/json");
    ap_rputs(text, r);
    ap_rputs("\n", r);
    free(text);
    return OK;
}

void apim_health_register(const char *role, apim_health_fn *fn)
{
    static const char *const before[] = {"mod_proxy.c", NULL};
    const char *const name = strcmp(role, "gateway") == 0  ? PREFIX "gateway"
                             : strcmp(role, "keymgr") == 0 ? PREFIX "keymgr"
                                                           : PREFIX "portal";
    apr_dynamic_fn_register(name, (apr_opt_fn_t *)fn);
    ap_hook_handler(handler, NULL, before, APR_HOOK_FIRST);
}
