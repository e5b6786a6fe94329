/* SPDX-License-Identifier: Apache-2.0 */
#include "client_auth.h"

#include <apr_base64.h>
#include <apr_strings.h>
#include <string.h>

#include "apim_text.h"
#include "client_assertion.h"
#include "client_secrets.h"
#include "keymgr_stats.h"
#include "oauth_error.h"

#define MAX_HEADER 4096
#define MAX_ID     255

/* Basic's user-id and password (RFC 7617): base64 of id:password. */
static char *decode_basic(apr_pool_t *p, const char *text)
{
    apr_size_t n = strlen(text);
    char *out;
    int len;
    if (!n || n > MAX_HEADER || n % 4 ||
        strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=") != n) {
        return NULL;
    }
    out = apr_palloc(p, (apr_size_t)apr_base64_decode_len(text) + 1);
    len = apr_base64_decode(out, text);
    out[len] = '\0';
    return strlen(out) == (apr_size_t)len && apim_utf8_valid(out, (apr_size_t)len) ? out : NULL;
}

apim_error_t *km_basic_credentials(request_rec *r, int decode_form, const char **name, const char **password)
{
    const char *header = apr_table_get(r->headers_in, "Authorization");
    char *text, *colon;
    *name = *password = NULL;
    if (!header) {
        return NULL;
    }
    if (strncasecmp(header, "Basic ", 6) != 0) {
        return km_invalid_client(r->pool);
    }
    header += 6;
    header += strspn(header, " ");
    text = decode_basic(r->pool, header);
    colon = text ? strchr(text, ':') : NULL;
    if (!colon) {
        return km_invalid_client(r->pool);
    }
    *colon = '\0';
    *name = decode_form ? apim_urldecode(r->pool, text, strlen(text), 1) : text;
    *password = decode_form ? apim_urldecode(r->pool, colon + 1, strlen(colon + 1), 1) : colon + 1;
    return *name && *password ? NULL : km_invalid_client(r->pool);
}

static apim_error_t *from_form(const km_call_t *call, const apr_table_t *form, int by_header, const char **id,
                               const char **secret)
{
    const char *form_id = apr_table_get(form, "client_id"),
               *form_secret = apr_table_get(form, "client_secret");
    if (!by_header) {
        *id = form_id;
        *secret = form_secret;
        return NULL;
    }
    if (form_secret || (form_id && strcmp(form_id, *id) != 0)) {
        return km_oauth_error(
            call->pool, HTTP_BAD_REQUEST, "invalid_request",
            "Give the client's credentials in the Authorization header or in the body, not in both.");
    }
    return NULL;
}

static apim_error_t *by_assertion(const km_call_t *call, const apr_table_t *form, int by_header,
                                  const char *assertion, km_client_t **out)
{
    const char *type = apr_table_get(form, "client_assertion_type");
    if (by_header || apr_table_get(form, "client_secret")) {
        return km_oauth_error(call->pool, HTTP_BAD_REQUEST, "invalid_request",
                              "Give the client's secret or an assertion, not both.");
    }
    if (!assertion || !type || strcmp(type, KM_ASSERTION_TYPE) != 0) {
        return km_oauth_error(call->pool, HTTP_BAD_REQUEST, "invalid_request",
                              "client_assertion goes with client_assertion_type " KM_ASSERTION_TYPE ".");
    }
    return km_client_by_assertion(call, assertion, apr_table_get(form, "client_id"), out);
}

/* Who has registered to sign does not show the secret. */
static int shows_secret(const km_client_t *client)
{
    return client && strcmp(apim_json_str(client->metadata, "token_endpoint_auth_method", ""),
                            "client_secret_jwt") != 0;
}

apim_error_t *km_client_authenticate(const km_call_t *call, const apr_table_t *form, km_client_t **out)
{
    const char *id, *secret;
    km_client_t *client = NULL;
    const char *assertion = apr_table_get(form, "client_assertion");
    APIM_TRY(km_basic_credentials(call->r, 1, &id, &secret));
    if (assertion || apr_table_get(form, "client_assertion_type")) {
        return by_assertion(call, form, id != NULL, assertion, out);
    }
    APIM_TRY(from_form(call, form, id != NULL, &id, &secret));
    if (!id || !*id || strlen(id) > MAX_ID) {
        km_count(KM_CLIENTS_REFUSED);
        return km_invalid_client(call->pool);
    }
    APIM_TRY(km_client_recall(call, id, &client));
    if (!secret && client && km_client_is_public(client)) {
        *out = client;
        return NULL;
    }
    if (!km_client_secret_matches(call, client, secret ? secret : "") || !secret || !shows_secret(client)) {
        km_count(KM_CLIENTS_REFUSED);
        return km_invalid_client(call->pool);
    }
    *out = client;
    return NULL;
}
