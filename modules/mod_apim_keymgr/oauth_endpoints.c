/* SPDX-License-Identifier: Apache-2.0 */
#include "oauth_endpoints.h"

#include <apr_strings.h>
#include <string.h>

#include "apim_crypto.h"
#include "apim_text.h"
#include "client_auth.h"
#include "client_input.h"
#include "device_code.h"
#include "httpd/audit.h"
#include "httpd/db_pool.h"
#include "keymgr_log.h"
#include "oauth_error.h"
#include "resource_target.h"
#include "revocation.h"
#include "scope_service.h"
#include "signing_keys.h"
#include "token_exchange.h"
#include "token_lookup.h"
#include "token_service.h"

#define MAX_FORM 65536

/* -- what the form endpoints share
 * --------------------------------------------------------------------------------- */

apim_error_t *km_check_method(const km_call_t *call, const char *methods)
{
    const char *list = methods, *allow = "", *word;
    char *state, *copy = apr_pstrdup(call->pool, list);
    if (apim_word_in_list(call->r->header_only ? "GET" : call->r->method, methods)) {
        return NULL;
    }
    for (word = apr_strtok(copy, " ", &state); word; word = apr_strtok(NULL, " ", &state)) {
        allow = apr_pstrcat(call->pool, allow, *allow ? ", " : "", word, NULL);
    }
    apr_table_setn(call->r->err_headers_out, "Allow", allow);
    return km_oauth_error(call->pool, HTTP_METHOD_NOT_ALLOWED, "invalid_request",
                          "This endpoint answers %s only.", allow);
}

/* What ends up in access logs and histories: not in the query (RFC 6749 section 2.3.1). */
static apim_error_t *check_query(const km_call_t *call)
{
    static const char *const secrets[] = {"client_secret", "password",      "refresh_token", "token",
                                          "access_token",  "client_id",     "username",      "grant_type",
                                          "code",          "code_verifier", "device_code",   "subject_token",
                                          "actor_token",   "assertion"};
    apr_table_t *query;
    apr_size_t i;
    if (!call->r->args) {
        return NULL;
    }
    APIM_TRY(rest_query(call->r, &query));
    for (i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++) {
        if (apr_table_get(query, secrets[i])) {
            return km_oauth_error(call->pool, HTTP_BAD_REQUEST, "invalid_request",
                                  "Parameters belong into the body, not into the URL: %s.", secrets[i]);
        }
    }
    return NULL;
}

apim_error_t *km_read_form(const km_call_t *call, apr_table_t **form)
{
    APIM_TRY(km_check_method(call, "POST"));
    APIM_TRY(check_query(call));
    return rest_read_form(call->r, MAX_FORM, form);
}

/* A parameter without a value counts as absent (RFC 6749 section 3.1). */
static const char *param(const apr_table_t *form, const char *name)
{
    const char *value = apr_table_get(form, name);
    return value && *value ? value : NULL;
}

static apim_error_t *needed(const km_call_t *call, const apr_table_t *form, const char *name,
                            const char **out)
{
    *out = param(form, name);
    return *out ? NULL
                : km_oauth_error(call->pool, HTTP_BAD_REQUEST, "invalid_request",
                                 "The parameter %s is missing.", name);
}

/* -- token
 * ---------------------------------------------------------------------------------------------------------
 */

typedef apim_error_t *(grant_fn)(const km_call_t *call, const km_client_t *client, const apr_table_t *form,
                                 const km_wanted_t *wanted, km_issued_t **out);

static apim_error_t *by_client_credentials(const km_call_t *call, const km_client_t *client,
                                           const apr_table_t *form, const km_wanted_t *wanted,
                                           km_issued_t **out)
{
    return km_issue_application_token(call, client, wanted, out);
}

static apim_error_t *by_password(const km_call_t *call, const km_client_t *client, const apr_table_t *form,
                                 const km_wanted_t *wanted, km_issued_t **out)
{
    const char *username, *password;
    km_user_t *user;
    APIM_TRY(needed(call, form, "username", &username));
    APIM_TRY(needed(call, form, "password", &password));
    APIM_TRY(km_scope_check(call->pool, wanted->scopes));
    APIM_TRY(km_user_authenticate(call, username, password, &user));
    if (!user) {
        return km_oauth_error(call->pool, HTTP_BAD_REQUEST, "invalid_grant",
                              "The user name or the password is wrong.");
    }
    return km_issue_user_token(call, client, user, wanted, out);
}

static apim_error_t *by_code(const km_call_t *call, const km_client_t *client, const apr_table_t *form,
                             const km_wanted_t *wanted, km_issued_t **out)
{
    const char *code, *redirect_uri;
    APIM_TRY(needed(call, form, "code", &code));
    APIM_TRY(needed(call, form, "redirect_uri", &redirect_uri));
    return km_redeem_code(call, client, code, redirect_uri, param(form, "code_verifier"), wanted->audience,
                          out);
}

static apim_error_t *by_refresh_token(const km_call_t *call, const km_client_t *client,
                                      const apr_table_t *form, const km_wanted_t *wanted, km_issued_t **out)
{
    const char *token;
    APIM_TRY(needed(call, form, "refresh_token", &token));
    return km_refresh(call, client, token, wanted, out);
}

static apim_error_t *by_device_code(const km_call_t *call, const km_client_t *client, const apr_table_t *form,
                                    const km_wanted_t *wanted, km_issued_t **out)
{
    const char *code;
    km_device_t *device;
    APIM_TRY(needed(call, form, "device_code", &code));
    APIM_TRY(km_device_poll(call, client, code, &device));
    return km_redeem_device(call, client, device, wanted->audience, out);
}

static const struct {
    const char *type;
    grant_fn *fn;
} grants[] = {{"authorization_code", by_code},
              {"client_credentials", by_client_credentials},
              {"password", by_password},
              {"refresh_token", by_refresh_token},
              {KM_GRANT_DEVICE, by_device_code},
              {KM_GRANT_EXCHANGE, km_exchange},
              {NULL, NULL}};

static int is_offered(const km_call_t *call, const char *type)
{
    return strcmp(type, "password") != 0 || km_offers(call->conf, KM_OLDER_PASSWORD);
}

const char *km_grant_names(const km_call_t *call)
{
    const char *names = "";
    int i;
    for (i = 0; grants[i].type; i++) {
        if (is_offered(call, grants[i].type)) {
            names = apr_pstrcat(call->pool, names, *names ? " " : "", grants[i].type, NULL);
        }
    }
    return km_offers(call->conf, KM_OLDER_IMPLICIT) ? apr_pstrcat(call->pool, names, " implicit", NULL)
                                                    : names;
}

static grant_fn *find_grant(const km_call_t *call, const char *type)
{
    int i;
    for (i = 0; grants[i].type; i++) {
        if (strcmp(type, grants[i].type) == 0 && is_offered(call, type)) {
            return grants[i].fn;
        }
    }
    return NULL;
}

/* validity_period: seconds, WSO2's extension of the request; shorter than the configured one only. */
static apim_error_t *wanted_lifetime(const km_call_t *call, const km_client_t *client,
                                     const apr_table_t *form, apr_int64_t *lifetime)
{
    const char *text = param(form, "validity_period");
    apr_int64_t most = km_client_access_lifetime(call, client, 0);
    *lifetime = 0;
    if (!text) {
        return NULL;
    }
    if (apim_parse_i64(text, lifetime) || *lifetime < 1) {
        return km_oauth_error(call->pool, HTTP_BAD_REQUEST, "invalid_request",
                              "validity_period must be a whole number of seconds above 0.");
    }
    *lifetime = *lifetime > most ? most : *lifetime;
    return NULL;
}

static apim_error_t *answer_token(const km_call_t *call, km_issued_t **issued)
{
    apr_table_t *form;
    km_client_t *client;
    const char *type;
    km_wanted_t wanted = {0};
    grant_fn *grant;
    APIM_TRY(km_read_form(call, &form));
    APIM_TRY(km_client_authenticate(call, form, &client));
    apim_audit_about(call->r, "client", client->consumer_key);
    APIM_TRY(needed(call, form, "grant_type", &type));
    grant = find_grant(call, type);
    if (!grant) {
        return km_oauth_error(call->pool, HTTP_BAD_REQUEST, "unsupported_grant_type",
                              "The grant type must be one of: %s.", km_grant_names(call));
    }
    apim_audit_about(call->r, "grant", type);
    if (!km_client_may(client, type) || (km_client_is_public(client) && !km_grant_fits_public(type))) {
        return km_oauth_error(call->pool, HTTP_BAD_REQUEST, "unauthorized_client",
                              "This client is not registered for the grant type %s.", type);
    }
    wanted.scopes = param(form, "scope");
    APIM_TRY(wanted_lifetime(call, client, form, &wanted.lifetime));
    APIM_TRY(km_targets_read(call, form,
                             strcmp(type, KM_GRANT_EXCHANGE) == 0 ? KM_TARGET_ANY : KM_TARGET_RESOURCE,
                             &wanted.audience));
    return grant(call, client, form, &wanted, issued);
}

int km_endpoint_token(const km_call_t *call)
{
    km_issued_t *issued = NULL;
    apim_error_t *err = answer_token(call, &issued);
    if (!err || strcmp(km_oauth_word(err), "authorization_pending") != 0) { /* a device asks every 5 s */
        apim_audit(call->r, &call->conf->common, "token", err);
    }
    if (err) {
        return km_oauth_reply_error(call->r, err);
    }
    return km_oauth_reply(call->r, HTTP_OK, km_issued_json(issued));
}

/* -- revoke
 * -------------------------------------------------------------------------------------------------------- */

static apim_error_t *answer_revoke(const km_call_t *call)
{
    apr_table_t *form;
    km_client_t *client;
    const char *token;
    APIM_TRY(km_read_form(call, &form));
    APIM_TRY(km_client_authenticate(call, form, &client));
    apim_audit_about(call->r, "client", client->consumer_key);
    APIM_TRY(needed(call, form, "token", &token));
    return km_revoke_token(call, token, client->consumer_key);
}

int km_endpoint_revoke(const km_call_t *call)
{
    apim_error_t *err = answer_revoke(call);
    apim_audit(call->r, &call->conf->common, "token-revocation", err);
    if (err) {
        return km_oauth_reply_error(call->r, err);
    }
    apr_table_setn(call->r->headers_out, "Pragma", "no-cache");
    rest_reply_empty(call->r, HTTP_OK);
    return OK;
}

/* -- introspect
 * ---------------------------------------------------------------------------------------------------- */

static json_t *describe(const km_call_t *call, const km_token_info_t *info)
{
    json_t *j =
        json_pack("{s:b, s:s, s:s, s:s, s:s, s:o, s:I, s:I, s:I, s:s, s:s, s:O*}", "active", 1, "client_id",
                  info->consumer_key, "scope", info->scopes, "token_type", "Bearer", "iss", km_issuer(call),
                  "aud", km_audience_json(call, info->audience), "iat", (json_int_t)(info->issued_at / 1000),
                  "nbf", (json_int_t)(info->issued_at / 1000), "exp", (json_int_t)(info->expires_at / 1000),
                  "sub", info->username ? info->username : info->consumer_key, "aut",
                  info->username ? "APPLICATION_USER" : "APPLICATION", "act", info->act);
    if (j && info->username) {
        apim_json_set_str(j, "username", info->username);
    }
    if (j && info->kind == KM_KIND_JWT) {
        apim_json_set_str(j, "jti", info->token_id);
    }
    return j;
}

static apim_error_t *find_refresh_row(const km_call_t *call, const char *token, km_token_row_t **row)
{
    apim_db_t *db;
    apim_error_t *err;
    APIM_TRY(apim_db_open(call->pool, &call->conf->common, APIM_DB_API_MANAGER, &db));
    err = km_token_find_refresh(call->pool, db, apim_sha256_hex(call->pool, token), row);
    apim_db_close(db);
    return err;
}

/* A refresh token is active if it could be redeemed. */
static apim_error_t *describe_refresh(const km_call_t *call, const km_client_t *client, const char *token,
                                      json_t **out)
{
    km_token_row_t *row;
    APIM_TRY(find_refresh_row(call, token, &row));
    if (row && strcmp(row->status, "ACTIVE") == 0 && row->refresh_expires_at > call->now &&
        strcmp(row->consumer_key, client->consumer_key) == 0) {
        *out = json_pack("{s:b, s:s, s:s, s:s, s:I}", "active", 1, "client_id", row->consumer_key, "scope",
                         row->scopes, "token_type", "refresh_token", "exp",
                         (json_int_t)(row->refresh_expires_at / 1000));
    }
    return NULL;
}

/* A client sees tokens that were issued to it or are meant for it, and nothing of others (RFC 7662
 * section 4). */
static int may_see(const km_client_t *client, const km_token_info_t *info)
{
    return strcmp(info->consumer_key, client->consumer_key) == 0 ||
           (info->audience && apim_word_in_list(client->consumer_key, info->audience));
}

static apim_error_t *answer_introspect(const km_call_t *call, json_t **out)
{
    apr_table_t *form;
    km_client_t *client;
    km_token_info_t *info;
    const char *token;
    *out = NULL;
    APIM_TRY(km_read_form(call, &form));
    APIM_TRY(km_client_authenticate(call, form, &client));
    APIM_TRY(needed(call, form, "token", &token));
    if (km_client_is_public(client)) {
        return km_invalid_client(call->pool); /* anyone could say to be a public client */
    }
    if (strncmp(token, KM_REFRESH_PREFIX, sizeof(KM_REFRESH_PREFIX) - 1) == 0) {
        return describe_refresh(call, client, token, out);
    }
    APIM_TRY(km_lookup_token(call, token, NULL, NULL, &info));
    if (info->state == KM_ACTIVE && may_see(client, info)) {
        *out = describe(call, info);
    }
    return NULL;
}

int km_endpoint_introspect(const km_call_t *call)
{
    json_t *j;
    apim_error_t *err = answer_introspect(call, &j);
    if (err) {
        apim_audit(call->r, &call->conf->common, "introspection", err);
        return km_oauth_reply_error(call->r, err);
    }
    return km_oauth_reply(call->r, HTTP_OK, j ? j : json_pack("{s:b}", "active", 0));
}

/* -- what anyone may read
 * ------------------------------------------------------------------------------------------ */

int km_endpoint_jwks(const km_call_t *call)
{
    json_t *j = NULL;
    apim_error_t *err = km_check_method(call, "GET");
    if (!err) {
        err = km_keys_jwks(call, &j);
    }
    if (err) {
        return km_oauth_reply_error(call->r, err);
    }
    apr_table_setn(call->r->headers_out, "Cache-Control", "public, max-age=60");
    rest_reply_json(call->r, HTTP_OK, j);
    return OK;
}
