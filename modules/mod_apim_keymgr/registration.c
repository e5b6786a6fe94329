/* SPDX-License-Identifier: Apache-2.0 */
#include "registration.h"

#include <apr_strings.h>
#include <string.h>

#include "apim_crypto.h"
#include "apim_text.h"
#include "authorization_request.h"
#include "client_assertion.h"
#include "client_input.h"
#include "client_secrets.h"
#include "httpd/audit.h"
#include "httpd/db_pool.h"
#include "oauth_endpoints.h"
#include "oauth_error.h"
#include "operation_input.h"
#include "registrant.h"
#include "token_exchange.h"
#include "token_store.h"

#define MAX_BODY  (64 * 1024)
#define MAX_TEXT  2048
#define TOKEN_LEN 32

/* Members of RFC 7591 section 2 that we keep and give back but do not act on. */
static const char *const kept_texts[] = {"client_uri", "logo_uri",    "tos_uri",
                                         "policy_uri", "software_id", "software_version"};
#define PUSHED_ONLY "require_pushed_authorization_requests"
#define LOGOUT_URIS "post_logout_redirect_uris"
#define KEPT_TEXTS  (sizeof(kept_texts) / sizeof(kept_texts[0]))

static apim_error_t *read_body(const km_call_t *call, json_t **out)
{
    static const apim_json_limits_t limits = {MAX_BODY, 8};
    APIM_TRY(rest_read_json(call->r, &limits, out));
    return json_is_object(*out) ? NULL : apim_bad_request(call->pool, "The body must be a JSON object.");
}

/* A 400 about a member as RFC 7591 section 3.2.2 wants it. */
static apim_error_t *as_metadata_error(apr_pool_t *p, apim_error_t *err, const char *word)
{
    return err && err->status == HTTP_BAD_REQUEST
               ? km_oauth_error(p, err->status, word, "%s", err->description)
               : err;
}

/* -- reading metadata
 * ------------------------------------------------------------------------------------------------ */

/* Who registers anew is told at once what an administrator has not turned on. */
static apim_error_t *check_offered(const km_call_t *call, const km_client_t *c)
{
    const char *missing =
        km_client_may(c, "password") && !km_offers(call->conf, KM_OLDER_PASSWORD)   ? "password"
        : km_client_may(c, "implicit") && !km_offers(call->conf, KM_OLDER_IMPLICIT) ? "implicit"
                                                                                    : NULL;
    return missing ? apim_bad_request(call->pool, "The grant type %s is not offered here (ApimOlderGrants).",
                                      missing)
                   : NULL;
}

/* Grants that need a proof are not for clients without one; and who has a secret goes on to have one. */
static apim_error_t *check_method(const km_call_t *call, const json_t *in, const km_client_t *c,
                                  const char *method)
{
    int is_public = strcmp(method, "none") == 0, by_key = strcmp(method, "private_key_jwt") == 0;
    char *state, *word, *copy = apr_pstrdup(call->pool, c->grant_types);
    APIM_TRY(km_check_jwks(call->pool, json_object_get(in, "jwks")));
    if (by_key && !json_is_object(json_object_get(in, "jwks"))) {
        return apim_bad_request(call->pool, "private_key_jwt needs the client's public keys in jwks.");
    }
    if (json_object_get(in, "jwks_uri")) {
        return apim_bad_request(call->pool, "jwks_uri is not supported: send the keys themselves in jwks.");
    }
    if (c->consumer_key && (is_public || by_key) == (c->secret_hash != NULL)) {
        return apim_bad_request(call->pool,
                                "token_endpoint_auth_method cannot change between those with and without a "
                                "secret; register a new client.");
    }
    for (word = apr_strtok(copy, " ", &state); word && is_public; word = apr_strtok(NULL, " ", &state)) {
        if (!km_grant_fits_public(word)) {
            return apim_bad_request(call->pool, "A client without a secret cannot use the grant type %s.",
                                    word);
        }
    }
    return NULL;
}

static void keep(json_t *metadata, const json_t *in, const char *name)
{
    json_object_del(metadata, name);
    if (json_object_get(in, name) && !json_is_null(json_object_get(in, name))) {
        json_object_set(metadata, name, json_object_get(in, name));
    }
}

/* What OpenID Connect adds (Dynamic Client Registration section 2, RP-Initiated Logout section 3.1). */
static apim_error_t *read_identity(const km_call_t *call, const json_t *in, km_client_t *c)
{
    const char *const algorithms[] = {apim_alg_name(km_algorithm(call->conf)), NULL};
    const char *algorithm;
    json_t *uris;
    APIM_TRY(
        km_in_choice(call->pool, in, "id_token_signed_response_alg", algorithms, algorithms[0], &algorithm));
    APIM_TRY(km_check_redirect_uris(call->pool, json_object_get(in, LOGOUT_URIS), &uris));
    json_object_del(c->metadata, LOGOUT_URIS);
    if (json_array_size(uris)) {
        json_object_set(c->metadata, LOGOUT_URIS, uris);
    }
    return NULL;
}

static apim_error_t *read_members(const km_call_t *call, const json_t *in, km_client_t *c)
{
    apr_pool_t *p = call->pool;
    static const char *const methods[] = {"client_secret_basic", "client_secret_post", "none",
                                          "private_key_jwt",     "client_secret_jwt",  NULL};
    static const char *const token_types[] = {"JWT", "OAUTH", NULL};
    const char *grants, *text, *method;
    apr_size_t i;
    int is_public;
    APIM_TRY(km_in_text(p, in, "client_name", KM_MAX_CLIENT_NAME, &c->name));
    APIM_TRY(km_in_words(p, in, "grant_types", MAX_TEXT, &grants));
    APIM_TRY(km_in_choice(p, in, "token_endpoint_auth_method", methods, methods[0], &method));
    is_public = strcmp(method, "none") == 0;
    grants = grants ? grants : is_public ? "authorization_code" : "client_credentials";
    APIM_TRY(km_check_grant_types(p, grants, 0, &c->grant_types));
    APIM_TRY(check_offered(call, c));
    APIM_TRY(check_method(call, in, c, method));
    APIM_TRY(km_in_text(p, in, "scope", MAX_TEXT, &c->scopes));
    APIM_TRY(km_in_choice(p, in, "token_type_extension", token_types, "JWT", &c->token_type));
    c->metadata = c->metadata ? c->metadata : apim_json_own(p, json_object());
    apim_json_set_str(c->metadata, "token_endpoint_auth_method", method);
    keep(c->metadata, in, "jwks");
    APIM_TRY(km_check_may_act(p, json_object_get(in, "may_act")));
    keep(c->metadata, in, "may_act");
    json_object_set_new(c->metadata, PUSHED_ONLY, json_boolean(apim_json_bool(in, PUSHED_ONLY, 0)));
    APIM_TRY(read_identity(call, in, c));
    for (i = 0; i < KEPT_TEXTS; i++) {
        APIM_TRY(km_in_text(p, in, kept_texts[i], MAX_TEXT, &text));
        json_object_del(c->metadata, kept_texts[i]);
        if (text) {
            apim_json_set_str(c->metadata, kept_texts[i], text);
        }
    }
    return NULL;
}

static apim_error_t *read_metadata(const km_call_t *call, const json_t *in, km_client_t *c)
{
    APIM_TRY(as_metadata_error(call->pool, read_members(call, in, c), "invalid_client_metadata"));
    return as_metadata_error(
        call->pool,
        km_check_redirect_uris(call->pool, json_object_get(in, "redirect_uris"), &c->redirect_uris),
        "invalid_redirect_uri");
}

/* -- answers
 * ---------------------------------------------------------------------------------------------------------
 */

static json_t *words_array(apr_pool_t *p, const char *words)
{
    json_t *array = json_array();
    char *state, *word, *copy = apr_pstrdup(p, words);
    for (word = apr_strtok(copy, " ", &state); word; word = apr_strtok(NULL, " ", &state)) {
        json_array_append_new(array, json_string(word));
    }
    return array;
}

/* RFC 7591 section 3.2.1 */
static json_t *information(const km_call_t *call, const km_client_t *c, const char *secret, const char *token)
{
    const char *uri = apr_pstrcat(call->pool, km_issuer(call), KM_REGISTER_PATH "/", c->consumer_key, NULL);
    int by_code = km_client_may(c, "authorization_code") || km_client_may(c, "implicit");
    json_t *j = json_pack("{s:s, s:I, s:s, s:o, s:O, s:s, s:o, s:s, s:s, s:s}", "client_id", c->consumer_key,
                          "client_id_issued_at", (json_int_t)(c->created_at / 1000), "client_name", c->name,
                          "grant_types", words_array(call->pool, c->grant_types), "redirect_uris",
                          c->redirect_uris, "token_endpoint_auth_method",
                          apim_json_str(c->metadata, "token_endpoint_auth_method", "client_secret_basic"),
                          "response_types", km_authz_client_types(c), "token_type_extension", c->token_type,
                          "registration_client_uri", uri, "registration_access_token", token);
    apr_size_t i;
    if (j && secret) {
        apim_json_set_str(j, "client_secret", secret);
        json_object_set_new(j, "client_secret_expires_at", json_integer(0));
    }
    if (j && by_code) {
        apim_json_set_str(j, "id_token_signed_response_alg", apim_alg_name(km_algorithm(call->conf)));
    }
    if (j && apim_json_bool(c->metadata, PUSHED_ONLY, 0)) {
        keep(j, c->metadata, PUSHED_ONLY);
    }
    if (j) {
        keep(j, c->metadata, LOGOUT_URIS);
        keep(j, c->metadata, "jwks");
        keep(j, c->metadata, "may_act");
    }
    if (j && c->scopes) {
        apim_json_set_str(j, "scope", c->scopes);
    }
    for (i = 0; j && i < KEPT_TEXTS; i++) {
        const char *text = apim_json_str(c->metadata, kept_texts[i], NULL);
        if (text) {
            apim_json_set_str(j, kept_texts[i], text);
        }
    }
    return j;
}

static void note_event(const km_call_t *call, const char *client, const apim_error_t *err)
{
    apim_audit_about(call->r, "client", client);
    apim_audit(call->r, &call->conf->common, "client-registration", err);
}

static int reply(const km_call_t *call, apim_error_t *err, int status, json_t *j)
{
    if (err) {
        return km_oauth_reply_error(call->r, err);
    }
    return km_oauth_reply(call->r, status, j);
}

/* -- RFC 7591
 * -------------------------------------------------------------------------------------------------------- */

static apim_error_t *insert(const km_call_t *call, km_client_t *c, const char **secret)
{
    apim_db_t *db;
    apim_error_t *err;
    APIM_TRY(apim_db_open(call->pool, &call->conf->common, APIM_DB_API_MANAGER, &db));
    err = km_client_insert(call, db, c, secret);
    apim_db_close(db);
    return err;
}

static apim_error_t *register_client(const km_call_t *call, json_t **out)
{
    km_client_t c = {0};
    km_user_t *user;
    const char *token = apim_random_token(call->pool, TOKEN_LEN), *secret;
    json_t *in;
    APIM_TRY(km_check_method(call, "POST"));
    APIM_TRY(km_registrant(call, &user));
    APIM_TRY(as_metadata_error(call->pool, read_body(call, &in), "invalid_client_metadata"));
    APIM_TRY(read_metadata(call, in, &c));
    if (!token) {
        return apim_internal(call->pool, "no random bytes");
    }
    c.owner = user->username;
    c.name = c.name ? c.name : apr_pstrcat(call->pool, "client of ", user->username, NULL);
    c.registration_token_hash = apim_sha256_hex(call->pool, token);
    APIM_TRY(insert(call, &c, &secret));
    *out = information(call, &c, secret, token);
    return NULL;
}

int km_endpoint_register(const km_call_t *call)
{
    json_t *out = NULL;
    apim_error_t *err = register_client(call, &out);
    note_event(call, apim_json_str(out, "client_id", NULL), err);
    return reply(call, err, HTTP_CREATED, out);
}

/* -- RFC 7592
 * -------------------------------------------------------------------------------------------------------- */

/* The client whose registration access token is shown. Unknown clients and wrong tokens are alike
 * (section 2.1). */
static apim_error_t *own_client(const km_call_t *call, const char **token, km_client_t **out)
{
    const char *key = call->r->uri + sizeof(KM_REGISTER_PATH);
    km_client_t *client = NULL;
    apim_db_t *db;
    apim_error_t *err;
    *token = km_bearer(call->r);
    if (*token && km_is_consumer_key(key)) {
        APIM_TRY(apim_db_open(call->pool, &call->conf->common, APIM_DB_API_MANAGER, &db));
        err = km_client_find(call->pool, db, key, &client);
        apim_db_close(db);
        if (err) {
            return err;
        }
    }
    if (!client || !client->registration_token_hash ||
        !apim_equal_secret(apim_sha256_hex(call->pool, *token), client->registration_token_hash)) {
        apr_table_setn(call->r->err_headers_out, "WWW-Authenticate",
                       "Bearer realm=\"API Manager\", error=\"invalid_token\"");
        return km_oauth_error(call->pool, HTTP_UNAUTHORIZED, "invalid_token",
                              "The registration access token is not valid.");
    }
    *out = client;
    return NULL;
}

static apim_error_t *change_step(const km_call_t *call, apim_db_t *db, const km_client_t *c, int drop)
{
    APIM_TRY(apim_db_begin(db));
    APIM_TRY(drop ? km_client_remove(call, db, c->consumer_key) : km_client_save(call, db, c));
    APIM_TRY(drop ? km_revoke_client(call, db, c->consumer_key)
                  : km_invalidate(call, db, "client", c->consumer_key));
    return apim_db_commit(db);
}

static apim_error_t *change(const km_call_t *call, const km_client_t *c, int drop)
{
    apim_db_t *db;
    apim_error_t *err;
    APIM_TRY(apim_db_open(call->pool, &call->conf->common, APIM_DB_API_MANAGER, &db));
    err = change_step(call, db, c, drop);
    apim_db_close(db);
    return err;
}

/* Replaces all metadata (section 2.2): what is left out goes back to its default. */
static apim_error_t *replace(const km_call_t *call, km_client_t *c)
{
    const char *id, *secret;
    json_t *in;
    APIM_TRY(as_metadata_error(call->pool, read_body(call, &in), "invalid_client_metadata"));
    id = apim_json_str(in, "client_id", NULL);
    secret = apim_json_str(in, "client_secret", NULL);
    if (!id || strcmp(id, c->consumer_key) != 0 || (secret && !km_client_secret_matches(call, c, secret)) ||
        json_object_get(in, "registration_access_token") || json_object_get(in, "registration_client_uri")) {
        return km_oauth_error(call->pool, HTTP_BAD_REQUEST, "invalid_client_metadata",
                              "client_id must be this client's, client_secret (if given) its present one, "
                              "and the members of the "
                              "registration itself must be left out.");
    }
    APIM_TRY(read_metadata(call, in, c));
    c->name = c->name ? c->name : c->consumer_key;
    return change(call, c, 0);
}

int km_endpoint_registered(const km_call_t *call)
{
    const char *token = NULL;
    km_client_t *client = NULL;
    apim_error_t *err = km_check_method(call, "GET PUT DELETE");
    if (!err) {
        err = own_client(call, &token, &client);
    }
    if (!err && strcmp(call->r->method, "DELETE") == 0) {
        err = change(call, client, 1);
        if (!err) {
            note_event(call, client->consumer_key, NULL);
            rest_reply_empty(call->r, HTTP_NO_CONTENT);
            return OK;
        }
    }
    if (!err && strcmp(call->r->method, "PUT") == 0) {
        err = replace(call, client);
    }
    if (err || call->r->method_number == M_PUT) {
        note_event(call, client ? client->consumer_key : NULL, err);
    }
    return reply(call, err, HTTP_OK,
                 err ? NULL : information(call, client, km_client_secret_of(call, client), token));
}

/* -- WSO2's registration
 * ----------------------------------------------------------------------------------------------- */

/* The owner may be named; only an admin may name someone else. */
static apim_error_t *wso2_owner(const km_call_t *call, const json_t *in, const km_user_t *user,
                                const char **owner)
{
    km_user_t *other;
    APIM_TRY(km_in_text(call->pool, in, "owner", 255, owner));
    if (!*owner || strcmp(*owner, user->username) == 0) {
        *owner = user->username;
        return NULL;
    }
    if (!km_user_has_role(user, "admin")) {
        return apim_error(call->pool, HTTP_FORBIDDEN, APIM_E_FORBIDDEN, "Forbidden",
                          "Only an administrator registers clients for another owner.");
    }
    APIM_TRY(km_user_find(call, *owner, &other));
    return other ? NULL : apim_bad_request(call->pool, "The owner '%s' is not an active user.", *owner);
}

static apim_error_t *wso2_read(const km_call_t *call, const json_t *in, const km_user_t *user, km_client_t *c)
{
    apr_pool_t *p = call->pool;
    const char *grants, *callback, *type;
    json_t *uris;
    APIM_TRY(km_in_needed(p, in, "clientName", KM_MAX_CLIENT_NAME, &c->name));
    APIM_TRY(wso2_owner(call, in, user, &c->owner));
    APIM_TRY(km_in_text(p, in, "grantType", MAX_TEXT, &grants));
    APIM_TRY(km_check_grant_types(p, grants ? grants : "client_credentials password refresh_token", 1,
                                  &c->grant_types));
    APIM_TRY(km_in_text(p, in, "callbackUrl", MAX_TEXT, &callback));
    APIM_TRY(km_in_text(p, in, "tokenType", 64, &type));
    c->token_type = type && strcmp(type, "OAUTH") == 0 ? "OAUTH" : "JWT";
    c->metadata =
        apim_json_own(p, json_pack("{s:b, s:b}", "dcr", 1, "saas", apim_json_bool(in, "saasApp", 0)));
    apim_json_set_str(c->metadata, "callbackUrl", callback ? callback : "");
    /* Examples everywhere have "www.google.lk" here: kept for the answer, but never a place to redirect to.
     */
    uris = json_string(callback ? callback : "");
    if (km_check_redirect_uris(p, apim_json_own(p, uris), &c->redirect_uris)) {
        c->redirect_uris = apim_json_own(p, json_array());
    }
    return NULL;
}

/* Inside a transaction: the client that is there, brought up to date, or a new one. */
static apim_error_t *wso2_store(const km_call_t *call, apim_db_t *db, km_client_t *c, const char **secret)
{
    static const km_new_secret_t replaced = {0, NULL, 0};
    km_client_t *found;
    APIM_TRY(km_client_find_registered(call->pool, db, c->owner, c->name, &found));
    if (!found) {
        return km_client_insert(call, db, c, secret);
    }
    found->grant_types = c->grant_types;
    found->token_type = c->token_type;
    found->redirect_uris = c->redirect_uris;
    APIM_TRY(km_client_save(call, db, found));
    *c = *found;
    *secret = km_client_secret_of(call, found);
    if (!*secret) {
        APIM_TRY(km_client_new_secret(call, db, c, &replaced, secret));
    }
    return km_invalidate(call, db, "client", c->consumer_key);
}

static json_t *wso2_answer(const km_call_t *call, const km_client_t *c, const char *secret)
{
    const char *grants = apim_json_text(
        call->pool, apim_json_own(call->pool, json_pack("{s:s}", "grant_types", c->grant_types)));
    return json_pack("{s:s, s:s, s:s, s:s, s:b, s:s, s:s, s:s, s:s}", "clientId", c->consumer_key,
                     "clientName", c->name, "callBackURL", apim_json_str(c->metadata, "callbackUrl", ""),
                     "clientSecret", secret, "isSaasApplication", apim_json_bool(c->metadata, "saas", 0),
                     "appOwner", c->owner, "jsonString", grants, "jsonAppAttribute", "{}", "tokenType",
                     strcmp(c->token_type, "JWT") == 0 ? "JWT" : "OAUTH");
}

static apim_error_t *wso2_register(const km_call_t *call, json_t **out)
{
    km_client_t c = {0};
    km_user_t *user;
    const char *secret = NULL;
    apim_db_t *db;
    apim_error_t *err;
    json_t *in;
    APIM_TRY(km_check_method(call, "POST"));
    APIM_TRY(km_registrant(call, &user));
    APIM_TRY(read_body(call, &in));
    APIM_TRY(wso2_read(call, in, user, &c));
    APIM_TRY(apim_db_open(call->pool, &call->conf->common, APIM_DB_API_MANAGER, &db));
    err = apim_db_begin(db);
    if (!err) {
        err = wso2_store(call, db, &c, &secret);
    }
    if (!err) {
        err = apim_db_commit(db);
    }
    apim_db_close(db);
    if (!err) {
        *out = wso2_answer(call, &c, secret);
    }
    return err;
}

int km_endpoint_wso2_register(const km_call_t *call)
{
    json_t *out = NULL;
    apim_error_t *err = wso2_register(call, &out);
    note_event(call, apim_json_str(out, "clientId", NULL), err);
    if (err) {
        rest_log_error(call->r, "APIM-KM0005", err);
        rest_reply_error(call->r, err);
        return OK;
    }
    rest_reply_json(call->r, HTTP_OK, out);
    return OK;
}
