/* SPDX-License-Identifier: Apache-2.0 */
#include "api_key_service.h"

#include <apr_network_io.h>
#include <apr_strings.h>
#include <string.h>

#include "apim_text.h"
#include "httpd/db_pool.h"
#include "jose/jws.h"
#include "keymgr_sql.h"
#include "keymgr_stats.h"
#include "operation_input.h"
#include "signing_keys.h"
#include "token_lookup.h"
#include "token_id.h"
#include "token_service.h"

#define MAX_LIST 1024
#define MAX_NAME 255
#define LONGEST  (APR_INT64_C(100) * 366 * 86400) /* seconds; longer is "never" */

static const char *const key_types[] = {"PRODUCTION", "SANDBOX", NULL};

typedef struct api_key_t {
    const char *id, *application_id, *key_type, *name, *ips, *referers, *username;
    apr_int64_t validity; /* seconds, -1: never expires */
} api_key_t;

/* Addresses that could never fit would make a key that never works: say so at once. */
static apim_error_t *check_addresses(apr_pool_t *p, const char *list)
{
    char *state, *item, *copy = apr_pstrdup(p, list);
    for (item = apr_strtok(copy, ", ", &state); item; item = apr_strtok(NULL, ", ", &state)) {
        apr_ipsubnet_t *subnet;
        char *mask = strchr(item, '/');
        if (mask) {
            *mask++ = '\0';
        }
        if (apr_ipsubnet_create(&subnet, item, mask, p) != APR_SUCCESS) {
            return apim_bad_request(p, "permittedIp: '%s' is no IP address or CIDR block.", item);
        }
    }
    return NULL;
}

static apim_error_t *read_input(const km_call_t *call, const json_t *in, api_key_t *k)
{
    apr_pool_t *p = call->pool;
    APIM_TRY(km_in_needed(p, in, "applicationId", 64, &k->application_id));
    APIM_TRY(km_in_choice(p, in, "keyType", key_types, NULL, &k->key_type));
    APIM_TRY(km_in_text(p, in, "name", MAX_NAME, &k->name));
    APIM_TRY(km_in_text(p, in, "permittedIp", MAX_LIST, &k->ips));
    APIM_TRY(km_in_text(p, in, "permittedReferer", MAX_LIST, &k->referers));
    APIM_TRY(km_in_needed(p, in, "username", MAX_NAME, &k->username));
    APIM_TRY(km_in_integer(p, in, "validityPeriod", -1, &k->validity));
    if (k->validity == 0 || k->validity < -1) {
        return apim_bad_request(
            p, "validityPeriod must be a number of seconds above 0, or -1 for a key that never expires.");
    }
    if (k->validity > LONGEST) {
        k->validity = -1;
    }
    return k->ips ? check_addresses(p, k->ips) : NULL;
}

static apim_error_t *sign(const km_call_t *call, const api_key_t *k, const char **text)
{
    apim_jwk_t *key;
    json_t *claims;
    APIM_TRY(km_keys_active(call, &key));
    claims = json_pack("{s:s, s:s, s:s, s:I, s:s, s:s}", "iss", km_issuer(call), "sub", k->username, "jti",
                       k->id, "iat", (json_int_t)(call->now / 1000), "application", k->application_id,
                       "keytype", k->key_type);
    if (!apim_json_own(call->pool, claims)) {
        return apim_internal(call->pool, "claims of an API key could not be made");
    }
    if (k->validity > 0) {
        json_object_set_new(claims, "exp", json_integer((json_int_t)(call->now / 1000 + k->validity)));
    }
    if (k->ips) {
        apim_json_set_str(claims, "permittedIP", k->ips);
    }
    if (k->referers) {
        apim_json_set_str(claims, "permittedReferer", k->referers);
    }
    return apim_jws_sign(call->pool, key, KM_TYP_API_KEY, claims, text);
}

static apim_error_t *store(const km_call_t *call, apim_db_t *db, const api_key_t *k)
{
    apr_pool_t *p = call->pool;
    apim_rows_t *rows;
    APIM_TRY(apim_db_select(db, p, &km_application_status, &rows, APIM_ARGS(k->application_id)));
    if (!rows->count) {
        return apim_not_found(p, "Application", k->application_id);
    }
    return apim_db_query(
        db, &km_api_key_insert, NULL,
        APIM_ARGS(k->id, k->application_id, k->key_type, k->name ? k->name : "", k->ips ? k->ips : "",
                  k->referers ? k->referers : "", k->username, apim_i64(p, call->now),
                  k->validity > 0 ? apim_i64(p, (call->now / 1000 + k->validity) * 1000) : NULL));
}

apim_error_t *km_api_key_generate(const km_call_t *call, const json_t *in, json_t **out)
{
    api_key_t k = {0};
    const char *text;
    apim_db_t *db;
    apim_error_t *err;
    APIM_TRY(read_input(call, in, &k));
    k.id = km_token_id(call->pool, call->now);
    if (!k.id) {
        return apim_internal(call->pool, "no random bytes");
    }
    APIM_TRY(sign(call, &k, &text));
    APIM_TRY(apim_db_open(call->pool, &call->conf->common, APIM_DB_API_MANAGER, &db));
    err = store(call, db, &k);
    apim_db_close(db);
    if (err) {
        return err;
    }
    *out = apim_json_own(call->pool, json_pack("{s:s, s:s, s:I}", "apikey", text, "id", k.id, "validityTime",
                                               (json_int_t)k.validity));
    return NULL;
}

static apim_error_t *revoke_in(const km_call_t *call, apim_db_t *db, const char *id,
                               const char *application_id)
{
    apim_rows_t *rows;
    APIM_TRY(apim_db_begin(db));
    APIM_TRY(apim_db_select(db, call->pool, &km_api_key_delete, &rows, APIM_ARGS(id, application_id)));
    if (rows->count) {
        APIM_TRY(apim_db_query(db, &km_revocation_put, NULL,
                               APIM_ARGS("api_key", id, apim_i64(call->pool, call->now),
                                         apim_i64(call->pool, call->now + APR_INT64_C(86400000)))));
        APIM_TRY(km_invalidate(call, db, "token", id));
        km_count(KM_TOKENS_REVOKED);
    }
    return apim_db_commit(db);
}

apim_error_t *km_api_key_revoke(const km_call_t *call, const json_t *in, json_t **out)
{
    const char *id, *text, *application_id;
    apim_db_t *db;
    apim_error_t *err;
    APIM_TRY(km_in_needed(call->pool, in, "applicationId", 64, &application_id));
    APIM_TRY(km_in_text(call->pool, in, "id", 64, &id));
    APIM_TRY(km_in_text(call->pool, in, "apikey", APIM_JWS_MAX_BYTES, &text));
    if (!id && text) {
        km_token_info_t *info;
        APIM_TRY(km_lookup_api_key(call, text, NULL, NULL, &info));
        id = info->token_id;
    }
    if (!id) {
        return apim_bad_request(call->pool, "Give the API key (apikey) or its id.");
    }
    APIM_TRY(apim_db_open(call->pool, &call->conf->common, APIM_DB_API_MANAGER, &db));
    err = revoke_in(call, db, id, application_id);
    apim_db_close(db);
    *out = apim_json_own(call->pool, json_object());
    return err;
}
