/* SPDX-License-Identifier: Apache-2.0 */
#include "token_service.h"

#include <apr_strings.h>
#include <string.h>

#include "apim_crypto.h"
#include "apim_text.h"
#include "code_store.h"
#include "httpd/db_pool.h"
#include "id_token.h"
#include "jose/jws.h"
#include "keymgr_log.h"
#include "keymgr_stats.h"
#include "oauth_error.h"
#include "resource_target.h"
#include "scope_service.h"
#include "signing_keys.h"
#include "token_id.h"

#define TOKEN_BYTES 32

/* What a token is to stand for. */
typedef struct grant_t {
    const km_client_t *client;
    const char *username; /* NULL: application token */
    const char *grant_type;
    const char *scopes;
    const char *refresh_scopes;   /* NULL: as scopes */
    const char *audience;         /* NULL: the default */
    const char *refresh_audience; /* of what the refresh token stands for; NULL: the default */
    const char *family;           /* NULL: a new one */
    apr_int64_t issued_at;        /* ms */
    apr_int64_t lifetime;         /* seconds */
    const json_t *act;            /* who acts for the user; NULL: nobody else */
    const char *derived_from;     /* NULL: no other token */
    int with_refresh;
    int with_row; /* even if nothing else needs it */
} grant_t;

/* -- making
 * ------------------------------------------------------------------------------------------------------ */

static apim_error_t *make_jwt(const km_call_t *call, const grant_t *g, const char *id, const char **token)
{
    const json_t *may_act = json_object_get(g->client->metadata, "may_act");
    apim_jwk_t *key;
    json_t *claims;
    json_int_t iat = g->issued_at / 1000;
    APIM_TRY(km_keys_active(call, &key));
    claims =
        json_pack("{s:s, s:s, s:o, s:s, s:I, s:I, s:I, s:s, s:s, s:s, s:s}", "iss", km_issuer(call), "sub",
                  g->username ? g->username : g->client->consumer_key, "aud",
                  km_audience_json(call, g->audience), "client_id", g->client->consumer_key, "iat", iat,
                  "nbf", iat, "exp", iat + (json_int_t)g->lifetime, "jti", id, "scope", g->scopes, "keytype",
                  g->client->key_type, "aut", g->username ? "APPLICATION_USER" : "APPLICATION");
    if (!apim_json_own(call->pool, claims)) {
        return apim_internal(call->pool,
                             "claims could not be made (is the Host header or a name not UTF-8?)");
    }
    if (g->act) {
        json_object_set_new(claims, "act", json_deep_copy(g->act));
    }
    if (g->username && json_is_object(may_act)) {
        json_object_set_new(claims, "may_act", json_deep_copy(may_act));
    }
    return apim_jws_sign(call->pool, key, KM_TYP_ACCESS, claims, token);
}

/* A random token behind a prefix that leak scanners can find; NULL if there is no randomness. */
static const char *random_token(apr_pool_t *p, const char *prefix)
{
    const char *random = apim_random_token(p, TOKEN_BYTES);
    return random ? apr_pstrcat(p, prefix, random, NULL) : NULL;
}

/* What a row says of the refresh token's audience: nothing if it is that of the access token. */
static const char *difference(const char *audience, const char *refresh_audience)
{
    if (!refresh_audience) {
        return audience ? "" : NULL;
    }
    return audience && strcmp(audience, refresh_audience) == 0 ? NULL : refresh_audience;
}

/* Makes the texts and the row that goes with them; *row NULL if none has to be stored. Asks the database only
 * for signing keys, so it must not run while another connection is held. */
static apim_error_t *make(const km_call_t *call, const grant_t *g, km_issued_t **out, km_token_row_t **row)
{
    apr_pool_t *p = call->pool;
    int opaque = strcmp(g->client->token_type, "OAUTH") == 0;
    const char *id = km_token_id(p, g->issued_at);
    km_issued_t *issued = apr_pcalloc(p, sizeof(*issued));
    km_token_row_t *t = apr_pcalloc(p, sizeof(*t));
    issued->scopes = g->scopes;
    issued->lifetime = g->lifetime;
    if (opaque) {
        issued->access_token = random_token(p, KM_ACCESS_PREFIX);
    }
    else {
        APIM_TRY(make_jwt(call, g, id, &issued->access_token));
    }
    issued->refresh_token = g->with_refresh ? random_token(p, KM_REFRESH_PREFIX) : NULL;
    if (!id || !issued->access_token || (g->with_refresh && !issued->refresh_token)) {
        return apim_internal(p, "no random bytes");
    }
    t->id = id;
    t->token_hash = apim_sha256_hex(p, opaque ? issued->access_token : id);
    t->refresh_hash = issued->refresh_token ? apim_sha256_hex(p, issued->refresh_token) : NULL;
    t->family = g->family ? g->family : id;
    t->consumer_key = g->client->consumer_key;
    t->username = g->username;
    t->scopes = g->scopes;
    t->refresh_scopes = g->refresh_scopes;
    t->grant_type = g->grant_type;
    t->audience = g->audience;
    t->act = g->act ? apim_json_text(p, g->act) : NULL;
    t->derived_from = g->derived_from;
    t->refresh_audience = difference(g->audience, g->refresh_audience);
    t->issued_at = g->issued_at;
    t->expires_at = (g->issued_at / 1000 + g->lifetime) * 1000;
    if (g->with_refresh) {
        t->refresh_expires_at = g->issued_at + km_client_refresh_lifetime(call, g->client) * 1000;
    }
    *out = issued;
    *row = opaque || g->with_refresh || g->with_row ? t : NULL;
    return NULL;
}

static apim_error_t *issue(const km_call_t *call, const grant_t *g, km_issued_t **out)
{
    km_token_row_t *row;
    apim_db_t *db;
    apim_error_t *err;
    APIM_TRY(make(call, g, out, &row));
    km_count(KM_TOKENS_ISSUED);
    if (!row) {
        return NULL;
    }
    APIM_TRY(apim_db_open(call->pool, &call->conf->common, APIM_DB_API_MANAGER, &db));
    err = km_token_insert(call->pool, db, row);
    apim_db_close(db);
    return err;
}

apim_error_t *km_issue_application_token(const km_call_t *call, const km_client_t *client,
                                         const km_wanted_t *wanted, km_issued_t **out)
{
    grant_t g = {.client = client, .grant_type = "client_credentials", .issued_at = call->now};
    g.lifetime = km_client_access_lifetime(call, client, wanted->lifetime);
    APIM_TRY(km_targets_narrow(call, NULL, wanted->audience, &g.audience));
    APIM_TRY(km_scope_grant(call, client, NULL, NULL, wanted->scopes, &g.scopes));
    return issue(call, &g, out);
}

apim_error_t *km_issue_user_token(const km_call_t *call, const km_client_t *client, const km_user_t *user,
                                  const km_wanted_t *wanted, km_issued_t **out)
{
    grant_t g = {
        .client = client, .username = user->username, .grant_type = "password", .issued_at = call->now};
    g.lifetime = km_client_access_lifetime(call, client, wanted->lifetime);
    g.with_refresh = km_client_may(client, "refresh_token");
    APIM_TRY(km_targets_narrow(call, NULL, wanted->audience, &g.audience));
    g.refresh_audience = g.audience;
    APIM_TRY(km_scope_grant(call, client, user->username, user, wanted->scopes, &g.scopes));
    return issue(call, &g, out);
}

/* The audiences of what a person granted: of the access token what the client wants now, of the refresh token
 * all. */
static apim_error_t *granted_targets(const km_call_t *call, const char *granted, const char *wanted,
                                     grant_t *g)
{
    APIM_TRY(km_targets_narrow(call, NULL, granted, &g->refresh_audience));
    return km_targets_narrow(call, g->refresh_audience, wanted, &g->audience);
}

static apim_error_t *add_id_token(const km_call_t *call, const grant_t *g, const char *nonce,
                                  apr_int64_t auth_time, km_issued_t *out)
{
    const km_id_token_t id = {.consumer_key = g->client->consumer_key,
                              .username = g->username,
                              .nonce = nonce,
                              .auth_time = auth_time,
                              .lifetime = g->lifetime,
                              .access_token = out->access_token};
    return km_id_token_make(call, &id, &out->id_token);
}

apim_error_t *km_issue_implicit(const km_call_t *call, const km_client_t *client, const char *username,
                                const char *scopes, const char *audience, km_issued_t **out)
{
    grant_t g = {.client = client,
                 .username = username,
                 .grant_type = "implicit",
                 .scopes = scopes,
                 .issued_at = call->now};
    g.lifetime = km_client_access_lifetime(call, client, 0);
    APIM_TRY(km_targets_narrow(call, NULL, audience, &g.audience));
    return issue(call, &g, out);
}

/* -- authorization codes
 * ----------------------------------------------------------------------------------------------- */

static apim_error_t *invalid_code(apr_pool_t *p)
{
    return km_oauth_error(
        p, HTTP_BAD_REQUEST, "invalid_grant",
        "The code is unknown, expired or used, or was issued to another client, for another redirect_uri "
        "or another code_verifier.");
}

/* RFC 7636 section 4.6; a verifier without a challenge is a downgrade (RFC 9700 section 4.8.2). */
static int verifier_fits(apr_pool_t *p, const char *challenge, const char *verifier)
{
    unsigned char digest[32];
    apr_size_t n = verifier ? strlen(verifier) : 0;
    if (!challenge || !verifier) {
        return !challenge && !verifier;
    }
    return n >= 43 && n <= 128 && apim_sha256(verifier, n, digest) == 0 &&
           apim_equal_secret(challenge, apim_b64url(p, digest, sizeof(digest)));
}

/* Whoever comes second, and whatever came of the first: its tokens are dead. */
static apim_error_t *code_reused(const km_call_t *call, apim_db_t *db, const char *family)
{
    ap_log_rerror(
        APLOG_MARK, APLOG_WARNING, 0, call->r,
        "APIM-KM0021: an authorization code was used a second time; the tokens it was used for are revoked");
    APIM_TRY(km_token_family_lock(db, family));
    return km_token_family_kill(call, db, family, 0);
}

static apim_error_t *use_code(const km_call_t *call, apim_db_t *db, const km_code_t *code,
                              const km_token_row_t *row, int *reused)
{
    const char *before;
    APIM_TRY(apim_db_begin(db));
    APIM_TRY(km_code_use(call, db, code, row ? row->family : "", &before));
    *reused = before != NULL;
    APIM_TRY(before ? code_reused(call, db, before) : km_token_insert(call->pool, db, row));
    return apim_db_commit(db);
}

static apim_error_t *code_exchange(const km_call_t *call, const km_code_t *code, const km_token_row_t *row)
{
    apim_error_t *err;
    apim_db_t *db;
    int reused = 0;
    APIM_TRY(apim_db_open(call->pool, &call->conf->common, APIM_DB_API_MANAGER, &db));
    err = use_code(call, db, code, row, &reused);
    apim_db_close(db);
    return err ? err : reused ? invalid_code(call->pool) : NULL;
}

apim_error_t *km_redeem_code(const km_call_t *call, const km_client_t *client, const char *text,
                             const char *redirect_uri, const char *verifier, const char *audience,
                             km_issued_t **out)
{
    grant_t g = {.client = client, .grant_type = "authorization_code", .issued_at = call->now, .with_row = 1};
    km_token_row_t *row = NULL;
    km_code_t *code;
    int active;
    APIM_TRY(km_code_find(call, text, &code));
    if (!code || strcmp(code->consumer_key, client->consumer_key) != 0) {
        return invalid_code(call->pool);
    }
    if (code->family) {
        return code_exchange(call, code, NULL);
    }
    if (code->expires_at <= call->now || strcmp(code->redirect_uri, redirect_uri) != 0 ||
        !verifier_fits(call->pool, code->challenge, verifier)) {
        return invalid_code(call->pool);
    }
    APIM_TRY(km_user_is_active(call, code->username, &active));
    if (!active) {
        return invalid_code(call->pool);
    }
    APIM_TRY(granted_targets(call, code->audience, audience, &g));
    g.username = code->username;
    g.scopes = code->scopes;
    g.lifetime = km_client_access_lifetime(call, client, 0);
    g.with_refresh = km_client_may(client, "refresh_token");
    APIM_TRY(make(call, &g, out, &row));
    if (apim_word_in_list("openid", code->scopes)) {
        APIM_TRY(add_id_token(call, &g, code->nonce, code->auth_time, *out));
    }
    APIM_TRY(code_exchange(call, code, row));
    km_count(KM_TOKENS_ISSUED);
    return NULL;
}

/* -- devices
 * ----------------------------------------------------------------------------------------------------- */

static apim_error_t *invalid_device(apr_pool_t *p)
{
    return km_oauth_error(p, HTTP_BAD_REQUEST, "invalid_grant",
                          "The device code was used already, or its user is no longer active.");
}

static apim_error_t *use_device(const km_call_t *call, apim_db_t *db, const km_device_t *device,
                                const km_token_row_t *row, int *taken)
{
    APIM_TRY(apim_db_begin(db));
    APIM_TRY(km_device_take(db, device, taken));
    if (*taken) {
        APIM_TRY(km_token_insert(call->pool, db, row));
    }
    return apim_db_commit(db);
}

static apim_error_t *device_exchange(const km_call_t *call, const km_device_t *device,
                                     const km_token_row_t *row)
{
    apim_error_t *err;
    apim_db_t *db;
    int taken = 0;
    APIM_TRY(apim_db_open(call->pool, &call->conf->common, APIM_DB_API_MANAGER, &db));
    err = use_device(call, db, device, row, &taken);
    apim_db_close(db);
    return err || taken ? err : invalid_device(call->pool);
}

apim_error_t *km_redeem_device(const km_call_t *call, const km_client_t *client, const km_device_t *device,
                               const char *audience, km_issued_t **out)
{
    grant_t g = {.client = client, .grant_type = KM_GRANT_DEVICE, .issued_at = call->now, .with_row = 1};
    km_token_row_t *row = NULL;
    int active;
    APIM_TRY(km_user_is_active(call, device->username, &active));
    if (!active) {
        return invalid_device(call->pool);
    }
    APIM_TRY(granted_targets(call, device->audience, audience, &g));
    g.username = device->username;
    g.scopes = device->scopes;
    g.lifetime = km_client_access_lifetime(call, client, 0);
    g.with_refresh = km_client_may(client, "refresh_token");
    APIM_TRY(make(call, &g, out, &row));
    if (apim_word_in_list("openid", g.scopes)) {
        APIM_TRY(add_id_token(call, &g, NULL, device->auth_time, *out));
    }
    APIM_TRY(device_exchange(call, device, row));
    km_count(KM_TOKENS_ISSUED);
    return NULL;
}

/* -- refreshing
 * -------------------------------------------------------------------------------------------------- */

static apim_error_t *invalid_grant(apr_pool_t *p)
{
    return km_oauth_error(
        p, HTTP_BAD_REQUEST, "invalid_grant",
        "The refresh token is unknown, expired, revoked, used, or was issued to another client.");
}

static apim_error_t *find_refresh(const km_call_t *call, const char *token, km_token_row_t **row)
{
    apim_db_t *db;
    apim_error_t *err;
    APIM_TRY(apim_db_open(call->pool, &call->conf->common, APIM_DB_API_MANAGER, &db));
    err = km_token_find_refresh(call->pool, db, apim_sha256_hex(call->pool, token), row);
    apim_db_close(db);
    return err;
}

/* Scopes of the new access token: what was asked for, of what the refresh token stands for, of what the user
 * may still have. */
static apim_error_t *refreshed_scopes(const km_call_t *call, const km_client_t *client,
                                      const km_token_row_t *old, const char *requested, grant_t *g)
{
    APIM_TRY(km_scope_check(call->pool, requested));
    if (requested && !km_scope_subset(call->pool, requested, old->scopes)) {
        return km_oauth_error(call->pool, HTTP_BAD_REQUEST, "invalid_scope",
                              "A refresh cannot ask for scopes that were not granted before.");
    }
    APIM_TRY(
        km_scope_grant(call, client, old->username, NULL, requested ? requested : old->scopes, &g->scopes));
    g->refresh_scopes = requested ? old->scopes : NULL;
    return NULL;
}

typedef enum { TAKEN, REFUSED } outcome_e;

/* Inside the transaction: uses the old token up, or decides what its second use means. until: when its
 * successor ends (ms). */
static apim_error_t *take(const km_call_t *call, apim_db_t *db, const km_token_row_t *old, apr_int64_t until,
                          outcome_e *outcome)
{
    km_successors_t next;
    int rotated;
    *outcome = TAKEN;
    APIM_TRY(km_token_family_keep(call->pool, db, old->family, until));
    APIM_TRY(km_token_rotated(call, db, old, &rotated));
    if (rotated) {
        return NULL;
    }
    APIM_TRY(km_token_family_successors(call->pool, db, old, &next));
    if (next.after_rotation && next.live == 1 && !next.used && call->now - next.first_at <= KM_RETRY_WINDOW) {
        return km_token_family_kill(call, db, old->family,
                                    1); /* the answer was lost: the unused successor is replaced */
    }
    *outcome = REFUSED;
    if (next.live) {
        ap_log_rerror(APLOG_MARK, APLOG_WARNING, 0, call->r,
                      "APIM-KM0020: a refresh token of client %s was used a second time; all tokens of that "
                      "grant are revoked",
                      old->consumer_key);
        km_count(KM_REFRESH_REUSED);
    }
    return km_token_family_kill(call, db, old->family, 0);
}

static apim_error_t *exchange(const km_call_t *call, const km_token_row_t *old, const km_token_row_t *fresh,
                              outcome_e *outcome)
{
    apim_db_t *db;
    apim_error_t *err;
    APIM_TRY(apim_db_open(call->pool, &call->conf->common, APIM_DB_API_MANAGER, &db));
    err = apim_db_begin(db);
    if (!err) {
        err = take(call, db, old, fresh->refresh_expires_at, outcome);
    }
    if (!err && *outcome == TAKEN) {
        err = km_token_insert(call->pool, db, fresh);
    }
    if (!err) {
        err = apim_db_commit(db);
    }
    apim_db_close(db);
    return err;
}

apim_error_t *km_refresh(const km_call_t *call, const km_client_t *client, const char *refresh_token,
                         const km_wanted_t *wanted, km_issued_t **out)
{
    apr_pool_t *p = call->pool;
    grant_t g = {.client = client, .grant_type = "refresh_token", .with_refresh = 1};
    km_token_row_t *old, *fresh;
    outcome_e outcome;
    int active = 1;
    APIM_TRY(find_refresh(call, refresh_token, &old));
    if (!old || strcmp(old->consumer_key, client->consumer_key) != 0 ||
        old->refresh_expires_at <= call->now) {
        return invalid_grant(p);
    }
    if (old->username) {
        APIM_TRY(km_user_is_active(call, old->username, &active));
        if (!active) {
            return invalid_grant(p);
        }
    }
    g.username = old->username;
    g.family = old->family;
    /* Strictly later than its predecessor: order in the family is by time. */
    g.issued_at = call->now > old->issued_at ? call->now : old->issued_at + 1;
    g.lifetime = km_client_access_lifetime(call, client, 0);
    APIM_TRY(refreshed_scopes(call, client, old, wanted->scopes, &g));
    APIM_TRY(granted_targets(call, old->audience, wanted->audience, &g));
    APIM_TRY(make(call, &g, out, &fresh));
    if (!fresh) {
        return apim_internal(p, "a token that can be refreshed was made without a row");
    }
    APIM_TRY(exchange(call, old, fresh, &outcome));
    if (outcome == REFUSED) {
        return invalid_grant(p);
    }
    km_count(KM_TOKENS_REFRESHED);
    return NULL;
}

/* -- exchanged tokens
 * -------------------------------------------------------------------------------------------- */

static apim_error_t *find_subject(const km_call_t *call, const char *hash, km_token_row_t **row)
{
    apim_db_t *db;
    apim_error_t *err;
    *row = NULL;
    if (!hash) {
        return NULL;
    }
    APIM_TRY(apim_db_open(call->pool, &call->conf->common, APIM_DB_API_MANAGER, &db));
    err = km_token_find(call->pool, db, hash, row);
    apim_db_close(db);
    return err;
}

/* Inside the transaction: the subject token is held, so that it cannot be revoked between the look at it and
 * the row that dies with it. */
static apim_error_t *insert_derived(const km_call_t *call, apim_db_t *db, const char *hash,
                                    const km_token_row_t *subject, const km_token_row_t *row, int *alive)
{
    km_token_row_t *now = NULL;
    APIM_TRY(apim_db_begin(db));
    if (subject) {
        APIM_TRY(km_token_family_lock(db, subject->family));
        APIM_TRY(km_token_find(call->pool, db, hash, &now));
    }
    *alive = !subject || (now && strcmp(now->status, "ACTIVE") == 0);
    if (*alive) {
        APIM_TRY(km_token_insert(call->pool, db, row));
    }
    return apim_db_commit(db);
}

apim_error_t *km_issue_exchanged(const km_call_t *call, const km_client_t *client, const km_exchange_t *x,
                                 km_issued_t **out)
{
    grant_t g = {.client = client, .grant_type = "token-exchange", .issued_at = call->now, .with_row = 1};
    km_token_row_t *subject, *row = NULL;
    apim_db_t *db;
    apim_error_t *err;
    int alive = 0;
    APIM_TRY(find_subject(call, x->subject_hash, &subject));
    APIM_TRY(km_scope_grant(call, client, x->username, NULL, x->scopes, &g.scopes));
    g.username = x->username;
    g.audience = x->audience;
    g.refresh_audience = x->audience;
    g.act = x->act;
    g.lifetime = x->lifetime;
    g.derived_from = subject ? subject->family : x->subject_id;
    APIM_TRY(make(call, &g, out, &row));
    APIM_TRY(apim_db_open(call->pool, &call->conf->common, APIM_DB_API_MANAGER, &db));
    err = insert_derived(call, db, x->subject_hash, subject, row, &alive);
    apim_db_close(db);
    *out = alive ? *out : NULL;
    km_count(KM_TOKENS_ISSUED);
    return err;
}

json_t *km_issued_json(const km_issued_t *issued)
{
    json_t *j = json_pack("{s:s, s:s, s:I, s:s}", "access_token", issued->access_token, "token_type",
                          "Bearer", "expires_in", (json_int_t)issued->lifetime, "scope", issued->scopes);
    if (j && issued->refresh_token) {
        apim_json_set_str(j, "refresh_token", issued->refresh_token);
    }
    if (j && issued->token_type_uri) {
        apim_json_set_str(j, "issued_token_type", issued->token_type_uri);
    }
    if (j && issued->id_token) {
        apim_json_set_str(j, "id_token", issued->id_token);
    }
    return j;
}
