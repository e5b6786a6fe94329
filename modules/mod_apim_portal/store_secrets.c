/* SPDX-License-Identifier: Apache-2.0 */
#include <apr_strings.h>
#include <string.h>

#include "store.h"

/*
 * The secrets of an application's keys, where there are several: each is shown when it is made and never
 * again.
 */

/* WSO2's ConsumerSecretDTO from what the Key Manager says. */
static json_t *secret_json(const json_t *secret)
{
    const json_t *until = json_object_get(secret, "expiresAt");
    return json_pack("{s:s, s:s, s:{s:s, s:O?, s:O?}}", "secretId", apim_json_str(secret, "secretId", ""),
                     "secretValue", apim_json_str(secret, "secretValue", ""), "additionalProperties",
                     "description", apim_json_str(secret, "description", ""), "createdAt",
                     json_object_get(secret, "createdAt"), "expiresAt", until);
}

apim_error_t *st_secrets_list(rest_request_t *rq)
{
    json_t *out, *secrets, *secret, *list;
    const char *key;
    size_t i;
    APIM_TRY(st_key_of_request(rq, &key));
    APIM_TRY(st_ask_keymgr(rq, "client-list-secrets", json_pack("{s:s}", "consumerKey", key), &out));
    secrets = json_object_get(out, "secrets");
    list = json_array();
    json_array_foreach(secrets, i, secret)
    {
        json_array_append_new(list, secret_json(secret));
    }
    return rest_reply_json(rq->r, 200,
                           json_pack("{s:i, s:o}", "count", (int)json_array_size(list), "list", list));
}

apim_error_t *st_secret_generate(rest_request_t *rq)
{
    json_t *body, *in, *out;
    const json_t *more;
    const char *key;
    APIM_TRY(st_key_of_request(rq, &key));
    APIM_TRY(rest_read_json(rq->r, NULL, &body));
    if (!json_is_object(body)) {
        return apim_bad_request(rq->pool, "The body must be a JSON object.");
    }
    more = json_object_get(body, "additionalProperties");
    in = json_pack("{s:s, s:O*, s:O*}", "consumerKey", key, "description",
                   json_object_get(more, "description"), "expiresIn", json_object_get(more, "expiresIn"));
    APIM_TRY(st_ask_keymgr(rq, "client-add-secret", in, &out));
    apr_table_setn(rq->r->headers_out, "Location",
                   apr_pstrcat(rq->pool, rest_self_url(rq->r), PO_STORE_BASE "/applications/", rq->param[0],
                               "/oauth-keys/", rq->param[1], "/secrets", NULL));
    return rest_reply_json(rq->r, 201, secret_json(out));
}

apim_error_t *st_secret_revoke(rest_request_t *rq)
{
    json_t *body, *out;
    const char *key, *id;
    APIM_TRY(st_key_of_request(rq, &key));
    APIM_TRY(rest_read_json(rq->r, NULL, &body));
    APIM_TRY(st_needed_text(rq, body, "secretId", 64, &id));
    APIM_TRY(st_ask_keymgr(rq, "client-revoke-secret",
                           json_pack("{s:s, s:s}", "consumerKey", key, "secretId", id), &out));
    return rest_reply_empty(rq->r, 204);
}
