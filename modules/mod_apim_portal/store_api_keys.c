/* SPDX-License-Identifier: Apache-2.0 */
#include <apr_strings.h>
#include <string.h>

#include "store.h"

/* API keys of an application: made and revoked by the Key Manager, shown once. */

static apim_error_t *check_type(rest_request_t *rq)
{
    const char *type = rq->param[1];
    return strcmp(type, "PRODUCTION") == 0 || strcmp(type, "SANDBOX") == 0
               ? NULL
               : apim_bad_request(rq->pool, "The key type must be PRODUCTION or SANDBOX.");
}

static apim_error_t *optional_text(rest_request_t *rq, const json_t *object, const char *name, int max,
                                   const char **out)
{
    const json_t *value = json_object_get(object, name);
    *out = "";
    return !value || json_is_null(value) || (json_is_string(value) && !*json_string_value(value))
               ? NULL
               : st_needed_text(rq, object, name, max, out);
}

apim_error_t *st_api_key_generate(rest_request_t *rq)
{
    const char *ip, *referer, *name;
    const json_t *more, *validity;
    json_t *body, *in, *out;
    st_application_t a;
    APIM_TRY(check_type(rq));
    APIM_TRY(st_application_of_caller(rq, rq->param[0], &a));
    APIM_TRY(rest_read_json(rq->r, NULL, &body));
    more = json_object_get(body, "additionalProperties");
    APIM_TRY(optional_text(rq, more, "permittedIP", 2000, &ip));
    APIM_TRY(optional_text(rq, more, "permittedReferer", 2000, &referer));
    APIM_TRY(optional_text(rq, body, "keyName", 100, &name));
    validity = json_object_get(body, "validityPeriod");
    if (validity && !json_is_null(validity) && !json_is_integer(validity)) {
        return apim_bad_request(
            rq->pool, "validityPeriod must be a number of seconds, or -1 for a key that never expires.");
    }
    in = apim_json_own(rq->pool,
                       json_pack("{s:s, s:s, s:s, s:I, s:s, s:s, s:s}", "applicationId", a.id, "keyType",
                                 rq->param[1], "name", name, "validityPeriod",
                                 (json_int_t)(json_is_integer(validity) ? json_integer_value(validity) : -1),
                                 "permittedIp", ip, "permittedReferer", referer, "username", rq->username));
    APIM_TRY(apim_keymgr_call(rq->r, &po_config(rq->r)->common, "api-key-generate", in, &out));
    return rest_reply_json(rq->r, 200,
                           json_pack("{s:s, s:I}", "apikey", apim_json_str(out, "apikey", ""), "validityTime",
                                     (json_int_t)apim_json_int(out, "validityTime", -1)));
}

apim_error_t *st_api_key_revoke(rest_request_t *rq)
{
    json_t *body, *in, *out;
    st_application_t a;
    const char *key;
    APIM_TRY(check_type(rq));
    APIM_TRY(st_application_of_caller(rq, rq->param[0], &a));
    APIM_TRY(rest_read_json(rq->r, NULL, &body));
    APIM_TRY(st_needed_text(rq, body, "apikey", 8000, &key));
    in = apim_json_own(rq->pool, json_pack("{s:s, s:s}", "apikey", key, "applicationId", a.id));
    APIM_TRY(apim_keymgr_call(rq->r, &po_config(rq->r)->common, "api-key-revoke", in, &out));
    return rest_reply_empty(rq->r, 200);
}
