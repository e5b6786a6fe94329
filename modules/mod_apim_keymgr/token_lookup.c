/* SPDX-License-Identifier: Apache-2.0 */
#include "token_lookup.h"

#include <apr_strings.h>
#include <http_log.h>
#include <string.h>

#include "apim_crypto.h"
#include "apim_text.h"
#include "httpd/db_pool.h"
#include "jose/jws.h"
#include "keymgr_log.h"
#include "keymgr_sql.h"
#include "recall.h"
#include "resource_target.h"
#include "signature_cache.h"
#include "signing_keys.h"
#include "token_id.h"
#include "token_service.h"
#include "user_store.h"

#define SKEW      60000 /* ms that another Key Manager's clock may be ahead of ours */
#define MAX_TOKEN 8192

/* Columns of the three km_verify_* statements; what follows EXTRA differs. */
enum {
    COL_CONSUMER_KEY,
    COL_KEY_TYPE,
    COL_OWNER,
    COL_REVOKED,
    COL_CLIENT_REVOKED,
    COL_USER_REVOKED,
    COL_APPLICATION_REVOKED,
    COL_APPLICATION_ID,
    COL_APPLICATION_NAME,
    COL_APPLICATION_TIER,
    COL_APPLICATION_OWNER,
    COL_APPLICATION_STATUS,
    COL_SUBSCRIPTION_ID,
    COL_SUBSCRIPTION_TIER,
    COL_SUBSCRIPTION_STATUS,
    COL_EXTRA
};

static apr_int64_t number(const char *text)
{
    apr_int64_t value = 0;
    return text && apim_parse_i64(text, &value) == 0 ? value : 0;
}

/* -- JWTs
 * -------------------------------------------------------------------------------------------------------- */

static apr_int64_t seconds_claim(const json_t *claims, const char *name)
{
    apr_int64_t seconds = apim_json_int(claims, name, 0);
    return seconds > 0 && seconds < APR_INT64_C(100000000000) ? seconds * 1000 : 0;
}

/* 1 if the token was signed by key. */
static int signed_by(const km_call_t *call, const char *token, const apim_jws_t *jws, const apim_jwk_t *key)
{
    unsigned char digest[32];
    if (km_signature_known(token, strlen(token), digest)) {
        return 1;
    }
    if (!apim_jws_verify(call->pool, jws, key)) {
        return 0;
    }
    km_signature_remember(digest);
    return 1;
}

/* Checks signature, type, issuer and times. NULL in *claims: the token is worth nothing; info->state says
 * whether because of age. */
static apim_error_t *check_jwt(const km_call_t *call, const char *token, const char *typ,
                               km_token_info_t *info, const json_t **claims)
{
    apim_jws_t *jws;
    apim_jwk_t *key;
    apim_error_t *malformed;
    const char *iss;
    *claims = NULL;
    info->state = KM_INVALID;
    malformed = apim_jws_parse(call->pool, token, &jws);
    if (malformed) {
        ap_log_rerror(APLOG_MARK, APLOG_DEBUG, 0, call->r, "APIM-KM0030: %s", malformed->description);
        return NULL;
    }
    APIM_TRY(km_keys_find(call, jws->kid, &key));
    if (!key || !jws->typ || strcasecmp(jws->typ, typ) != 0 || !signed_by(call, token, jws, key)) {
        return NULL;
    }
    iss = apim_json_str(jws->claims, "iss", NULL);
    info->token_id = apim_json_str(jws->claims, "jti", NULL);
    info->expires_at = seconds_claim(jws->claims, "exp");
    if (!iss || !info->token_id || (call->conf->issuer && strcmp(iss, call->conf->issuer) != 0) ||
        seconds_claim(jws->claims, "nbf") > call->now + SKEW) {
        return NULL;
    }
    info->issued_at = km_token_id_time(info->token_id, seconds_claim(jws->claims, "iat"));
    *claims = jws->claims;
    info->state = info->expires_at && info->expires_at <= call->now ? KM_EXPIRED : KM_ACTIVE;
    return NULL;
}

/* -- rows
 * -------------------------------------------------------------------------------------------------------- */

static apim_error_t *one_row(const km_call_t *call, const apim_stmt_t *stmt, const char *const *args,
                             int nargs, const char *const **row)
{
    apim_db_t *db;
    apim_rows_t *rows = NULL;
    apim_error_t *err;
    APIM_TRY(apim_db_open(call->pool, &call->conf->common, APIM_DB_API_MANAGER, &db));
    err = apim_db_select(db, call->pool, stmt, &rows, args, nargs);
    apim_db_close(db);
    *row = !err && rows->count ? rows->row[0] : NULL;
    return err;
}

static void jwt_subjects(const char *const *args, const char *const *row, km_subjects_t *subjects)
{
    km_subject_add(subjects, APIM_MARK_TOKEN, args[0]);
    km_subject_add(subjects, APIM_MARK_USER, args[1]);
    km_subject_add(subjects, APIM_MARK_CLIENT, row[COL_CONSUMER_KEY]);
    km_subject_add(subjects, APIM_MARK_APPLICATION, row[COL_APPLICATION_ID]);
}

static void opaque_subjects(const char *const *args, const char *const *row, km_subjects_t *subjects)
{
    km_subject_add(subjects, APIM_MARK_TOKEN, args[2]);
    km_subject_add(subjects, APIM_MARK_USER, row[COL_EXTRA]);
    km_subject_add(subjects, APIM_MARK_CLIENT, row[COL_CONSUMER_KEY]);
    km_subject_add(subjects, APIM_MARK_APPLICATION, row[COL_APPLICATION_ID]);
}

/* recall: what is remembered will do (recall.h); never for gateways, who keep what they are told. */
static apim_error_t *find_row(const km_call_t *call, const apim_stmt_t *stmt, km_subjects_fn *subjects_of,
                              const char *const *args, int nargs, int recall, const char *const **row)
{
    return recall ? km_recall_row(call, stmt, subjects_of, args, nargs, row)
                  : one_row(call, stmt, args, nargs, row);
}

/* 1 if tokens issued until `revoked_at` are dead and this one is among them. */
static int dead_since(const char *revoked_at, apr_int64_t issued_at)
{
    return revoked_at && issued_at <= number(revoked_at);
}

static void take_row(km_token_info_t *info, const char *const *row)
{
    info->consumer_key = row[COL_CONSUMER_KEY];
    info->client_owner = row[COL_OWNER];
    info->key_type = row[COL_KEY_TYPE] ? row[COL_KEY_TYPE] : "PRODUCTION";
    info->application_id = row[COL_APPLICATION_ID];
    info->application_name = row[COL_APPLICATION_NAME];
    info->application_tier = row[COL_APPLICATION_TIER];
    info->application_owner = row[COL_APPLICATION_OWNER];
    info->application_status = row[COL_APPLICATION_STATUS];
    info->subscription_id = row[COL_SUBSCRIPTION_ID];
    info->subscription_tier = row[COL_SUBSCRIPTION_TIER];
    info->subscription_status = row[COL_SUBSCRIPTION_STATUS];
}

static void judge_row(const km_call_t *call, km_token_info_t *info, const char *const *row)
{
    if (row[COL_REVOKED] || dead_since(row[COL_CLIENT_REVOKED], info->issued_at) ||
        dead_since(row[COL_USER_REVOKED], info->issued_at) ||
        dead_since(row[COL_APPLICATION_REVOKED], info->issued_at)) {
        info->state = KM_INVALID;
    }
    else if (info->expires_at && info->expires_at <= call->now) {
        info->state = KM_EXPIRED;
    }
    else {
        info->state = KM_ACTIVE;
    }
}

/* A user's token is worth as much as the user. */
static apim_error_t *judge_user(const km_call_t *call, km_token_info_t *info)
{
    int active = 1;
    if (info->state == KM_ACTIVE && info->username) {
        APIM_TRY(km_user_is_active(call, info->username, &active));
        if (!active) {
            info->state = KM_INVALID;
        }
    }
    return NULL;
}

static apim_error_t *lookup_jwt(const km_call_t *call, const char *token, const char *api_id,
                                const char *context, km_token_info_t *info)
{
    const json_t *claims;
    const char *client, *const *row;
    info->kind = KM_KIND_JWT;
    APIM_TRY(check_jwt(call, token, KM_TYP_ACCESS, info, &claims));
    client = claims ? apim_json_str(claims, "client_id", NULL) : NULL;
    if (!client || !info->expires_at) {
        info->state = KM_INVALID;
        return NULL;
    }
    if (info->state == KM_EXPIRED) {
        info->consumer_key = client;
        return NULL;
    }
    if (strcmp(apim_json_str(claims, "aut", ""), "APPLICATION_USER") == 0) {
        info->username = apim_json_str(claims, "sub", NULL);
    }
    info->scopes = apim_json_str(claims, "scope", "");
    info->audience = km_audience_of(call, claims);
    info->act = json_object_get(claims, "act");
    APIM_TRY(find_row(call, &km_verify_jwt, jwt_subjects,
                      APIM_ARGS(info->token_id, info->username, api_id, context, client), !api_id && !context,
                      &row));
    if (!row) {
        info->state = KM_INVALID; /* the client was deleted */
        return NULL;
    }
    take_row(info, row);
    judge_row(call, info, row);
    return judge_user(call, info);
}

static apim_error_t *lookup_opaque(const km_call_t *call, const char *token, const char *api_id,
                                   const char *context, km_token_info_t *info)
{
    const char *const *row;
    info->kind = KM_KIND_OPAQUE;
    info->token_id = apim_sha256_hex(call->pool, token);
    APIM_TRY(find_row(call, &km_verify_opaque, opaque_subjects, APIM_ARGS(api_id, context, info->token_id),
                      !api_id && !context, &row));
    if (!row) {
        return NULL;
    }
    take_row(info, row);
    info->username = row[COL_EXTRA];
    info->scopes = row[COL_EXTRA + 1];
    info->issued_at = number(row[COL_EXTRA + 2]);
    info->expires_at = number(row[COL_EXTRA + 3]);
    info->grant_type = row[COL_EXTRA + 4];
    info->audience = row[COL_EXTRA + 5];
    info->act =
        row[COL_EXTRA + 6] ? apim_json_own(call->pool, json_loads(row[COL_EXTRA + 6], 0, NULL)) : NULL;
    judge_row(call, info, row);
    return judge_user(call, info);
}

static km_token_info_t *new_info(const km_call_t *call)
{
    km_token_info_t *info = apr_pcalloc(call->pool, sizeof(*info));
    info->state = KM_INVALID;
    return info;
}

apim_error_t *km_lookup_token(const km_call_t *call, const char *token, const char *api_id,
                              const char *context, km_token_info_t **out)
{
    *out = new_info(call);
    if (apim_jws_looks_like(token)) {
        return lookup_jwt(call, token, api_id, context, *out);
    }
    if (strncmp(token, KM_ACCESS_PREFIX, sizeof(KM_ACCESS_PREFIX) - 1) == 0 && strlen(token) < 256) {
        return lookup_opaque(call, token, api_id, context, *out);
    }
    return NULL;
}

apim_error_t *km_lookup_api_key(const km_call_t *call, const char *api_key, const char *api_id,
                                const char *context, km_token_info_t **out)
{
    km_token_info_t *info = new_info(call);
    const json_t *claims;
    const char *const *row;
    *out = info;
    info->kind = KM_KIND_API_KEY;
    if (!apim_jws_looks_like(api_key)) {
        return NULL;
    }
    APIM_TRY(check_jwt(call, api_key, KM_TYP_API_KEY, info, &claims));
    if (info->state != KM_ACTIVE) {
        return NULL;
    }
    APIM_TRY(one_row(call, &km_verify_api_key, APIM_ARGS(api_id, context, info->token_id), &row));
    if (!row) {
        info->state = KM_INVALID; /* revoked */
        return NULL;
    }
    take_row(info, row);
    info->scopes = "";
    info->permitted_ips = row[COL_EXTRA];
    info->permitted_referers = row[COL_EXTRA + 1];
    info->username = row[COL_EXTRA + 2];
    info->issued_at = number(row[COL_EXTRA + 3]);
    judge_row(call, info, row);
    return NULL;
}
