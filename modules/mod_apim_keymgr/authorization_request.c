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

/* The response types there are, and the grants that a client needs for them. */
static const struct {
    const char *name;
    int wants;
} response_types[] = {{"code", KM_WANTS_CODE},
                      {"token", KM_WANTS_TOKEN},
                      {"id_token", KM_WANTS_ID_TOKEN},
                      {"id_token token", KM_WANTS_ID_TOKEN | KM_WANTS_TOKEN},
                      {"code id_token", KM_WANTS_CODE | KM_WANTS_ID_TOKEN},
                      {"code token", KM_WANTS_CODE | KM_WANTS_TOKEN},
                      {"code id_token token", KM_WANTS_CODE | KM_WANTS_ID_TOKEN | KM_WANTS_TOKEN}};
#define RESPONSE_TYPES (sizeof(response_types) / sizeof(response_types[0]))
#define FROM_FRONT     (KM_WANTS_TOKEN | KM_WANTS_ID_TOKEN)

json_t *km_authz_response_types(const km_call_t *call)
{
    json_t *list = json_array();
    apr_size_t i;
    for (i = 0; i < RESPONSE_TYPES; i++) {
        if (!(response_types[i].wants & FROM_FRONT) || km_offers(call->conf, KM_OLDER_IMPLICIT)) {
            json_array_append_new(list, json_string(response_types[i].name));
        }
    }
    return list;
}

static int has_grants(const km_client_t *client, int wants)
{
    return (!(wants & KM_WANTS_CODE) || km_client_may(client, "authorization_code")) &&
           (!(wants & FROM_FRONT) || km_client_may(client, "implicit"));
}

json_t *km_authz_client_types(const km_client_t *client)
{
    json_t *list = json_array();
    apr_size_t i;
    for (i = 0; i < RESPONSE_TYPES; i++) {
        if (has_grants(client, response_types[i].wants)) {
            json_array_append_new(list, json_string(response_types[i].name));
        }
    }
    return list;
}

/* The words of response_type in any order, each once; 0 if they are none that there is. */
static int parse_type(const km_call_t *call, const char *type)
{
    char *state, *word, *copy = apr_pstrdup(call->pool, type);
    int wants = 0;
    for (word = apr_strtok(copy, " ", &state); word; word = apr_strtok(NULL, " ", &state)) {
        int bit = strcmp(word, "code") == 0       ? KM_WANTS_CODE
                  : strcmp(word, "token") == 0    ? KM_WANTS_TOKEN
                  : strcmp(word, "id_token") == 0 ? KM_WANTS_ID_TOKEN
                                                  : 0;
        if (!bit || wants & bit) {
            return 0;
        }
        wants |= bit;
    }
    return wants & FROM_FRONT && !km_offers(call->conf, KM_OLDER_IMPLICIT) ? 0 : wants;
}

/* Tokens never travel in a query (OAuth 2.0 Multiple Response Types section 3). */
static apim_error_t *check_mode(const km_call_t *call, const apr_table_t *params, km_authz_t *a)
{
    const char *mode = param(params, "response_mode");
    a->mode = a->wants & FROM_FRONT ? KM_MODE_FRAGMENT : KM_MODE_QUERY;
    if (!mode) {
        return NULL;
    }
    if (strcmp(mode, "form_post") == 0) {
        a->mode = KM_MODE_FORM_POST;
        return NULL;
    }
    if (strcmp(mode, "fragment") == 0) {
        a->mode = KM_MODE_FRAGMENT;
        return NULL;
    }
    return strcmp(mode, "query") == 0 && !(a->wants & FROM_FRONT)
               ? NULL
               : invalid(call, "response_mode must be query (for codes alone), fragment or form_post.");
}

static apim_error_t *check_kind(const km_call_t *call, const apr_table_t *params, km_authz_t *a)
{
    const char *type = param(params, "response_type");
    a->wants = type ? parse_type(call, type) : 0;
    APIM_TRY(check_mode(call, params, a));
    if (!type) {
        return invalid(call, "The parameter response_type is missing.");
    }
    if (!a->wants) {
        return km_oauth_error(call->pool, HTTP_BAD_REQUEST, "unsupported_response_type",
                              "response_type is none that is offered here; code is.");
    }
    if (param(params, "request")) {
        return km_oauth_error(call->pool, HTTP_BAD_REQUEST, "request_not_supported",
                              "request is not supported.");
    }
    if (param(params, "request_uri")) {
        return km_oauth_error(call->pool, HTTP_BAD_REQUEST, "request_uri_not_supported",
                              "request_uri is not supported.");
    }
    return has_grants(a->client, a->wants)
               ? NULL
               : km_oauth_error(call->pool, HTTP_BAD_REQUEST, "unauthorized_client",
                                "This client is not registered for the grant types of this response_type.");
}

/* Whom an ID token in the browser's hands is for, and that it is fresh (OpenID Connect Core sections 3.2.2.1
 * and 3.3.2.11). */
static apim_error_t *check_identity(const km_call_t *call, const km_authz_t *a)
{
    if (!(a->wants & KM_WANTS_ID_TOKEN)) {
        return NULL;
    }
    if (!a->scope || !apim_word_in_list("openid", a->scope)) {
        return km_oauth_error(call->pool, HTTP_BAD_REQUEST, "invalid_scope",
                              "An ID token is for requests with the scope openid.");
    }
    return a->nonce ? NULL : invalid(call, "nonce is missing: an ID token from this endpoint needs one.");
}

static apim_error_t *check_pkce(const km_call_t *call, const apr_table_t *params, km_authz_t *a)
{
    const char *method = param(params, "code_challenge_method");
    apr_size_t len;
    a->challenge = param(params, "code_challenge");
    if (!(a->wants & KM_WANTS_CODE)) {
        return NULL;
    }
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
    APIM_TRY(check_identity(call, a));
    a->login_hint = param(params, "login_hint");
    APIM_TRY(check_hint(call, params, a));
    a->max_age = -1;
    if (max_age && (apim_parse_i64(max_age, &a->max_age) || a->max_age < 0 || a->max_age > 1000000000)) {
        return invalid(call, "max_age must be a number of seconds.");
    }
    return NULL;
}
