/* SPDX-License-Identifier: Apache-2.0 */
#include "keymgr_call.h"

#include <apr_strings.h>
#include <http_config.h>
#include <string.h>

#include "keymgr_http.h"

/* What a Key Manager says to a caller without the cluster's secret: that there is nothing here. */
#define NOTHING_HERE "There is no resource at this path."

static APR_OPTIONAL_FN_TYPE(apim_keymgr_operation) * in_process;

void apim_keymgr_call_setup(void)
{
    in_process = APR_RETRIEVE_OPTIONAL_FN(apim_keymgr_operation);
}

static int is_remote(const apim_common_config_t *conf)
{
    return conf->keymgr_url && *conf->keymgr_url;
}

int apim_keymgr_call_possible(const apim_common_config_t *conf)
{
    return is_remote(conf) || in_process != NULL;
}

const char *apim_keymgr_call_prepare(apr_pool_t *pconf, server_rec *s, apim_common_config_t *conf)
{
    apim_keymgr_call_setup();
    return apim_keymgr_http_setup(pconf, s, conf);
}

/* Asking twice does no harm. The others get a fresh connection, on which a request cannot be lost unnoticed.
 */
static int is_idempotent(const char *operation)
{
    static const char *const names[] = {"verify",       "introspect",     "grant-types",
                                        "client-get",   "client-update",  "client-delete",
                                        "token-revoke", "api-key-revoke", NULL};
    int i;
    for (i = 0; names[i]; i++) {
        if (strcmp(operation, names[i]) == 0) {
            return 1;
        }
    }
    return 0;
}

static apim_error_t *no_sense(request_rec *r, const char *url, int status, const char *why)
{
    apim_error_t *err = apim_unavailable(r->pool, "The Key Manager", "%s answered %d: %s", url, status, why);
    err->retry_after = 2;
    return err;
}

/* An answer that is not 200 is an error in the REST format. */
static apim_error_t *error_of(request_rec *r, const char *url, int status, const json_t *answer)
{
    const char *description = apim_json_str(answer, "description", "");
    apr_int64_t code = apim_json_int(answer, "code", 0);
    apim_error_t *err;
    if (status < 400 || !code) {
        return no_sense(r, url, status, "not an answer of a Key Manager");
    }
    if (status == 404 && strcmp(description, NOTHING_HERE) == 0) {
        return no_sense(r, url, status,
                        "it knows no such operation, or its ApimClusterSecret is another one");
    }
    err = apim_error(r->pool, status, (int)code, apr_pstrdup(r->pool, apim_json_str(answer, "message", "")),
                     "%s", description);
    err->retry_after = status == 503 ? 2 : 0;
    return err;
}

static apim_error_t *call_remote(request_rec *r, const apim_common_config_t *conf, const char *operation,
                                 json_t *in, json_t **out)
{
    static const apim_json_limits_t limits = {256 * 1024, 16};
    const char *url = apr_pstrcat(r->pool, conf->keymgr_url, APIM_KEYMGR_INTERNAL_PATH, operation, NULL),
               *text;
    apr_size_t len;
    json_t *answer;
    int status;
    APIM_TRY(apim_keymgr_http_post(r, conf, url, apim_json_text(r->pool, in), is_idempotent(operation),
                                   &status, &text, &len));
    if (apim_json_parse(r->pool, text, len, &limits, &answer) || !json_is_object(answer)) {
        return no_sense(r, url, status, "not JSON");
    }
    if (status != HTTP_OK) {
        return error_of(r, url, status, answer);
    }
    *out = answer;
    return NULL;
}

apim_error_t *apim_keymgr_call(request_rec *r, const apim_common_config_t *conf, const char *operation,
                               json_t *in, json_t **out)
{
    if (is_remote(conf)) {
        return call_remote(r, conf, operation, in, out);
    }
    if (in_process) {
        return in_process(r, operation, in, out);
    }
    return apim_unavailable(r->pool, "The Key Manager",
                            "ApimKeyManager is not set and no Key Manager is in this process");
}
