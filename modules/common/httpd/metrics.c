/* SPDX-License-Identifier: Apache-2.0 */
#include "metrics.h"

#include <apr_lib.h>
#include <apr_optional.h>
#include <apr_strings.h>
#include <http_config.h>
#include <http_protocol.h>
#include <string.h>

#include "health.h"

#define NAME   "apim-metrics"
#define PREFIX "apim_metrics_" /* of the optional functions */
#define TYPE   "text/plain; version=0.0.4; charset=utf-8"

static const char *const roles[] = {"gateway", "keymgr", "portal"};
#define ROLES (sizeof(roles) / sizeof(roles[0]))

void apim_metrics_family(request_rec *r, const char *name, const char *type, const char *help)
{
    ap_rprintf(r, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

void apim_metrics_sample(request_rec *r, const char *name, const char *labels, double value)
{
    const char *open = *labels ? "{" : "", *close = *labels ? "}" : "";
    if (value == (double)(apr_int64_t)value) {
        ap_rprintf(r, "%s%s%s%s %" APR_INT64_T_FMT "\n", name, open, labels, close, (apr_int64_t)value);
    }
    else {
        ap_rprintf(r, "%s%s%s%s %.6f\n", name, open, labels, close, value);
    }
}

const char *apim_metrics_label(request_rec *r, const char *value)
{
    char *out = apr_palloc(r->pool, 2 * strlen(value) + 1), *to = out;
    for (; *value; value++) {
        if (*value == '\\' || *value == '"' || *value == '\n') {
            *to++ = '\\';
        }
        *to++ = *value == '\n' ? 'n' : *value;
    }
    *to = '\0';
    return out;
}

void apim_metrics_fact(request_rec *r, const char *role, const char *key, const char *title,
                       apr_int64_t value)
{
    char *name = apr_palloc(r->pool, 2 * strlen(key) + 1), *to = name;
    const char *from;
    for (from = key; *from; from++) {
        if (apr_isupper(*from) && from != key && !apr_isupper(from[-1])) {
            *to++ = '_';
        }
        *to++ = (char)apr_tolower(*from);
    }
    *to = '\0';
    name = apr_pstrcat(r->pool, "apim_", role, "_", name, NULL);
    apim_metrics_family(r, name, "untyped", title);
    apim_metrics_sample(r, name, "", (double)value);
}

static void tell_up(request_rec *r)
{
    size_t i;
    apim_metrics_family(r, "apim_up", "gauge", "1 if the role can serve, as apim-health tells");
    for (i = 0; i < ROLES; i++) {
        int can = apim_health_ask(r, roles[i], NULL);
        if (can >= 0) {
            apim_metrics_sample(
                r, "apim_up",
                apr_pstrcat(r->pool, "role=\"", roles[i], "\",version=\"", APIM_VERSION, "\"", NULL), can);
        }
    }
}

static int handler(request_rec *r)
{
    size_t i;
    if (!r->handler || strcmp(r->handler, NAME) != 0) {
        return DECLINED;
    }
    r->allowed |= AP_METHOD_BIT << M_GET;
    if (r->method_number != M_GET) {
        return HTTP_METHOD_NOT_ALLOWED;
    }
    apr_table_setn(r->headers_out, "Cache-Control", "no-store");
    ap_set_content_type(r, TYPE);
    if (r->header_only) {
        return OK;
    }
    tell_up(r);
    for (i = 0; i < ROLES; i++) {
        apim_metrics_fn *tell =
            (apim_metrics_fn *)apr_dynamic_fn_retrieve(apr_pstrcat(r->pool, PREFIX, roles[i], NULL));
        if (tell && apim_health_ask(r, roles[i], NULL) >= 0) {
            tell(r);
        }
    }
    return OK;
}

void apim_metrics_register(const char *role, apim_metrics_fn *fn)
{
    static const char *const before[] = {"mod_proxy.c", NULL};
    const char *const name = strcmp(role, "gateway") == 0  ? PREFIX "gateway"
                             : strcmp(role, "keymgr") == 0 ? PREFIX "keymgr"
                                                           : PREFIX "portal";
    apr_dynamic_fn_register(name, (apr_opt_fn_t *)fn);
    ap_hook_handler(handler, NULL, before, APR_HOOK_FIRST);
}
