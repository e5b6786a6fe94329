/* SPDX-License-Identifier: Apache-2.0 */
#include "pushed_request.h"

#include <apr_strings.h>
#include <string.h>

#include "apim_crypto.h"
#include "apim_seal.h"
#include "apim_text.h"
#include "authorization_request.h"
#include "client_assertion.h"
#include "client_auth.h"
#include "httpd/audit.h"
#include "oauth_endpoints.h"
#include "oauth_error.h"

#define PURPOSE   "apim pushed request"
#define PREFIX    "urn:ietf:params:oauth:request_uri:"
#define PUSHED_ID "apim_pushed"
#define MAX_FORM  65536
#define MAX_TEXT  4096          /* sealed, it has to fit into a URL */
#define USED_FOR  (3600 * 1000) /* ms that a used one is known: longer than any form of it lives */

static const char *const credentials[] = {"client_secret", "client_assertion", "client_assertion_type",
                                          PUSHED_ID};

int km_pushed_is(const apr_table_t *params)
{
    return apr_table_get(params, PUSHED_ID) != NULL;
}

/* "<expires> <parameters>" under the client's name. */
apim_error_t *km_pushed_seal(const km_call_t *call, const char *client_id, apr_table_t *form,
                             const char **uri)
{
    apr_pool_t *p = call->pool;
    const char *text, *id = apim_random_token(p, 16);
    apr_size_t i;
    for (i = 0; i < sizeof(credentials) / sizeof(credentials[0]); i++) {
        apr_table_unset(form, credentials[i]);
    }
    if (!id) {
        return apim_internal(p, "no random bytes");
    }
    apr_table_setn(form, "client_id", client_id);
    apr_table_setn(form, PUSHED_ID, id);
    text = km_params_text(p, form);
    if (strlen(text) > MAX_TEXT) {
        return km_oauth_error(p, HTTP_BAD_REQUEST, "invalid_request", "The request is longer than %d bytes.",
                              MAX_TEXT);
    }
    text = apr_pstrcat(p, apim_i64(p, call->now + KM_PUSHED_LIFETIME * 1000), " ", text, NULL);
    APIM_TRY(apim_seal(p, call->conf->common.cluster_secret, PURPOSE, client_id, text, uri));
    *uri = apr_pstrcat(p, PREFIX, *uri, NULL);
    return NULL;
}

static apim_error_t *push(const km_call_t *call, const char **uri)
{
    apr_table_t *form;
    km_client_t *client;
    km_authz_t *a;
    const char *id;
    APIM_TRY(km_check_method(call, "POST"));
    APIM_TRY(rest_read_form(call->r, MAX_FORM, &form));
    APIM_TRY(km_client_authenticate(call, form, &client));
    id = apr_table_get(form, "client_id");
    if (id && strcmp(id, client->consumer_key) != 0) {
        return km_oauth_error(call->pool, HTTP_BAD_REQUEST, "invalid_request",
                              "client_id is another client's.");
    }
    apr_table_setn(form, "client_id", client->consumer_key);
    APIM_TRY(km_authz_begin(call, form, &a));
    APIM_TRY(km_authz_check(call, form, a));
    return km_pushed_seal(call, client->consumer_key, form, uri);
}

int km_endpoint_par(const km_call_t *call)
{
    const char *uri;
    apim_error_t *err = push(call, &uri);
    if (err) {
        apim_audit(call->r, &call->conf->common, "pushed-request", err);
    }
    return err ? km_oauth_reply_error(call->r, err)
               : km_oauth_reply(
                     call->r, HTTP_CREATED,
                     json_pack("{s:s, s:i}", "request_uri", uri, "expires_in", KM_PUSHED_LIFETIME));
}

static apim_error_t *not_known(const km_call_t *call)
{
    return km_oauth_error(call->pool, HTTP_BAD_REQUEST, "invalid_request",
                          "The request_uri is unknown, too old, or another application's.");
}

apim_error_t *km_pushed_resolve(const km_call_t *call, apr_table_t **params, int *pushed)
{
    const char *uri = apr_table_get(*params, "request_uri"), *id = apr_table_get(*params, "client_id"), *text;
    apr_size_t n = sizeof(PREFIX) - 1;
    apr_int64_t expires;
    char *blank;
    *pushed = uri && strncmp(uri, PREFIX, n) == 0;
    apr_table_unset(*params, PUSHED_ID);
    if (!*pushed) {
        return NULL;
    }
    if (!id || apim_unseal(call->pool, call->conf->common.cluster_secret, PURPOSE, id, uri + n, &text)) {
        return not_known(call);
    }
    blank = strchr(text, ' ');
    if (!blank || apim_parse_i64(apr_pstrmemdup(call->pool, text, (apr_size_t)(blank - text)), &expires) ||
        expires <= call->now) {
        return not_known(call);
    }
    return rest_parse_form(call->pool, blank + 1, params);
}

apim_error_t *km_pushed_use(const km_call_t *call, const apr_table_t *params)
{
    const char *id = apr_table_get(params, PUSHED_ID);
    int first = 1;
    if (id) {
        APIM_TRY(km_use_once(call, "pushed", id, call->now + USED_FOR, &first));
    }
    return first ? NULL
                 : km_oauth_error(call->pool, HTTP_BAD_REQUEST, "invalid_request",
                                  "This request has been used already; start again at the application.");
}
