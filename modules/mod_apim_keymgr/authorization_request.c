/* SPDX-License-Identifier: Apache-2.0 */
#include "authorization_request.h"

#include <apr_strings.h>
#include <string.h>

#include "apim_text.h"
#include "httpd/db_pool.h"
#include "id_token.h"
#include "login_service.h"
#include "oauth_error.h"
#include "resource_target.h"
#include "scope_service.h"

#define CHALLENGE_LENGTH 43
#define MAX_TEXT         16384

/* A parameter without a value counts as absent (RFC 6749 section 3.1). */
static const char *param(const apr_table_t *params, const char *name)
{
    const char *value = apr_table_get(params, name);
    return value && *value ? value : NULL;
}

static int append_param(void *text, const char *name, const char *value)
{
    const char **to = text;
    apr_pool_t *p = (apr_pool_t *)to[1];
    to[0] = apr_pstrcat(p, to[0], *to[0] ? "&" : "", apim_urlencode(p, name), "=", apim_urlencode(p, value),
                        NULL);
    return 1;
}

const char *km_params_text(apr_pool_t *p, const apr_table_t *params)
{
    const void *state[2] = {"", p};
    apr_table_do(append_param, (void *)state, params, NULL);
    return state[0];
}

/* -- where answers go
 * ------------------------------------------------------------------------------------------------ */

/* What stands before the port of http://127.0.0.1:1234/path or http://[::1]/path; 0 for other URIs. */
static apr_size_t loopback_host(const char *uri)
{
    static const char *const hosts[] = {"http://127.0.0.1", "http://[::1]"};
    apr_size_t i;
    for (i = 0; i < 2; i++) {
        apr_size_t n = strlen(hosts[i]);
        if (strncmp(uri, hosts[i], n) == 0 && (uri[n] == ':' || uri[n] == '/' || uri[n] == '\0')) {
            return n;
        }
    }
    return 0;
}

/* Past ":port", if there is one of digits alone. */
static const char *past_port(const char *s)
{
    apr_size_t digits = *s == ':' ? strspn(s + 1, "0123456789") : 0;
    return *s == ':' && digits >= 1 && digits <= 5 ? s + 1 + digits : s;
}

/* Byte for byte; but a program on the person's device chooses its port as it starts (RFC 8252 section 7.3).
 */
static int uri_matches(const km_client_t *client, const char *registered, const char *uri)
{
    apr_size_t n = loopback_host(registered);
    if (strcmp(registered, uri) == 0) {
        return 1;
    }
    return n && km_client_is_public(client) && loopback_host(uri) == n && strncmp(registered, uri, n) == 0 &&
           strcmp(past_port(registered + n), past_port(uri + n)) == 0;
}

static int is_registered(const km_client_t *client, const char *uri)
{
    apr_size_t i;
    for (i = 0; i < json_array_size(client->redirect_uris); i++) {
        const char *registered = json_string_value(json_array_get(client->redirect_uris, i));
        if (registered && uri_matches(client, registered, uri)) {
            return 1;
        }
    }
    return 0;
}

apim_error_t *km_authz_begin(const km_call_t *call, const apr_table_t *params, km_authz_t **out)
{
    apr_pool_t *p = call->pool;
    const char *id = param(params, "client_id"), *uri = param(params, "redirect_uri");
    const int is_portal = km_login_is_portal(params, id);
    km_authz_t *a = apr_pcalloc(p, sizeof(*a));
    apim_error_t *err;
    apim_db_t *db;
    if (!id || !uri) {
        return km_oauth_error(p, HTTP_BAD_REQUEST, "invalid_request", "The application did not say %s.",
                              id ? "where to send you back to (redirect_uri)" : "who it is (client_id)");
    }
    APIM_TRY(apim_db_open(p, &call->conf->common, APIM_DB_API_MANAGER, &db));
    err = km_is_consumer_key(id) || is_portal ? km_client_find(p, db, id, &a->client) : NULL;
    apim_db_close(db);
    if (err) {
        return err;
    }
    if (!a->client) {
        return km_oauth_error(p, HTTP_BAD_REQUEST, "invalid_request",
                              "No application is registered under this client_id.");
    }
    if ((!is_registered(a->client, uri) && !is_portal) || apim_has_control(uri, NULL)) {
        return km_oauth_error(
            p, HTTP_BAD_REQUEST, "invalid_request",
            "The address to send you back to is not one that the application has registered "
            "(redirect_uri must be the same to the letter).");
    }
    a->redirect_uri = uri;
    a->state = param(params, "state");
    a->params = params;
    a->text = km_params_text(p, params);
    *out = a;
    return NULL;
}

int km_authz_is_native(const km_authz_t *a)
{
    return km_client_is_public(a->client) && strncmp(a->redirect_uri, "https:", 6) != 0;
}

/* -- what is asked for
 * ----------------------------------------------------------------------------------------------- */

static apim_error_t *invalid(const km_call_t *call, const char *text)
{
    return km_oauth_error(call->pool, HTTP_BAD_REQUEST, "invalid_request", "%s", text);
}

static apim_error_t *check_kind(const km_call_t *call, const apr_table_t *params, const km_authz_t *a)
{
    const char *type = param(params, "response_type"), *mode = param(params, "response_mode");
    if (!type) {
        return invalid(call, "The parameter response_type is missing.");
    }
    if (strcmp(type, "code") != 0) {
        return km_oauth_error(call->pool, HTTP_BAD_REQUEST, "unsupported_response_type",
                              "response_type must be code.");
    }
    if (mode && strcmp(mode, "query") != 0) {
        return invalid(call, "response_mode must be query.");
    }
    if (param(params, "request")) {
        return km_oauth_error(call->pool, HTTP_BAD_REQUEST, "request_not_supported",
                              "request is not supported.");
    }
    if (param(params, "request_uri")) {
        return km_oauth_error(call->pool, HTTP_BAD_REQUEST, "request_uri_not_supported",
                              "request_uri is not supported.");
    }
    return km_client_may(a->client, "authorization_code")
               ? NULL
               : km_oauth_error(call->pool, HTTP_BAD_REQUEST, "unauthorized_client",
                                "This client is not registered for the grant type authorization_code.");
}

static apim_error_t *check_pkce(const km_call_t *call, const apr_table_t *params, km_authz_t *a)
{
    const char *method = param(params, "code_challenge_method");
    apr_size_t len;
    a->challenge = param(params, "code_challenge");
    if (!a->challenge) {
        if (method || km_client_is_public(a->client)) {
            return invalid(
                call,
                "code_challenge is missing: this client must use PKCE with code_challenge_method S256.");
        }
        return NULL;
    }
    if (!method || strcmp(method, "S256") != 0) {
        return invalid(call, "code_challenge_method must be S256.");
    }
    if (strlen(a->challenge) != CHALLENGE_LENGTH ||
        !apim_b64url_decode(call->pool, a->challenge, CHALLENGE_LENGTH, &len)) {
        return invalid(call, "code_challenge must be the base64url of a SHA-256.");
    }
    return NULL;
}

static apim_error_t *check_prompt(const km_call_t *call, const apr_table_t *params, km_authz_t *a)
{
    const char *prompt = param(params, "prompt");
    char *state, *word, *copy = apr_pstrdup(call->pool, prompt ? prompt : "");
    for (word = apr_strtok(copy, " ", &state); word; word = apr_strtok(NULL, " ", &state)) {
        if (strcmp(word, "none") == 0) {
            a->no_pages = 1;
        }
        else if (strcmp(word, "login") == 0 || strcmp(word, "select_account") == 0) {
            a->login = 1;
        }
        else if (strcmp(word, "consent") == 0) {
            a->consent = 1;
        }
        else {
            return invalid(call, "prompt may hold none, login, select_account and consent.");
        }
    }
    return a->no_pages && (a->login || a->consent) ? invalid(call, "prompt=none stands alone.") : NULL;
}

/* An ID token that this client was given: whose log-in it expects. */
static apim_error_t *check_hint(const km_call_t *call, const apr_table_t *params, km_authz_t *a)
{
    const char *hint = param(params, "id_token_hint"), *audience;
    if (!hint) {
        return NULL;
    }
    APIM_TRY(km_id_token_read(call, hint, &a->username, &audience));
    return a->username && strcmp(audience, a->client->consumer_key) == 0
               ? NULL
               : invalid(call, "id_token_hint is not an ID token that this client was given here.");
}

apim_error_t *km_authz_check(const km_call_t *call, const apr_table_t *params, km_authz_t *a)
{
    const char *max_age = param(params, "max_age");
    if (strlen(a->text) > MAX_TEXT) {
        return invalid(call, "The request is too long.");
    }
    APIM_TRY(check_kind(call, params, a));
    APIM_TRY(check_pkce(call, params, a));
    APIM_TRY(check_prompt(call, params, a));
    a->scope = param(params, "scope");
    APIM_TRY(km_scope_check(call->pool, a->scope));
    APIM_TRY(km_targets_read(call, params, KM_TARGET_RESOURCE, &a->audience));
    a->nonce = param(params, "nonce");
    if (a->nonce && strlen(a->nonce) > 1024) {
        return invalid(call, "nonce is longer than 1024 bytes.");
    }
    a->login_hint = param(params, "login_hint");
    APIM_TRY(check_hint(call, params, a));
    a->max_age = -1;
    if (max_age && (apim_parse_i64(max_age, &a->max_age) || a->max_age < 0 || a->max_age > 1000000000)) {
        return invalid(call, "max_age must be a number of seconds.");
    }
    return NULL;
}

/* -- answers
 * ---------------------------------------------------------------------------------------------------------
 */

static const char *with_query(apr_pool_t *p, const char *uri, const char *query)
{
    const char *mark = strchr(uri, '?');
    const char *separator = !mark ? "?" : mark[1] ? "&" : "";
    return apr_pstrcat(p, uri, separator, query, NULL);
}

static const char *answer(const km_call_t *call, const km_authz_t *a, const char *query)
{
    apr_pool_t *p = call->pool;
    query = apr_pstrcat(p, query, "&iss=", apim_urlencode(p, km_issuer(call)), a->state ? "&state=" : "",
                        a->state ? apim_urlencode(p, a->state) : "", NULL);
    return with_query(p, a->redirect_uri, query);
}

const char *km_authz_code_url(const km_call_t *call, const km_authz_t *a, const char *code)
{
    return answer(call, a, apr_pstrcat(call->pool, "code=", apim_urlencode(call->pool, code), NULL));
}

const char *km_authz_error_url(const km_call_t *call, const km_authz_t *a, const apim_error_t *err)
{
    apr_pool_t *p = call->pool;
    return answer(call, a,
                  apr_pstrcat(p, "error=", km_oauth_word(err),
                              "&error_description=", apim_urlencode(p, km_oauth_description(p, err)), NULL));
}
