/* SPDX-License-Identifier: Apache-2.0 */
#include "revocation.h"

#include <string.h>

#include "apim_crypto.h"
#include "httpd/db_pool.h"
#include "keymgr_stats.h"
#include "token_lookup.h"
#include "token_service.h"

static int has_prefix(const char *token, const char *prefix)
{
    return strncmp(token, prefix, strlen(prefix)) == 0;
}

static int may(const char *owner, const char *consumer_key)
{
    return !consumer_key || (owner && strcmp(owner, consumer_key) == 0);
}

/* A token that has a row: its family dies. */
static apim_error_t *revoke_row(const km_call_t *call, apim_db_t *db, const km_token_row_t *row)
{
    APIM_TRY(apim_db_begin(db));
    APIM_TRY(km_token_family_lock(db, row->family));
    APIM_TRY(km_token_family_kill(call, db, row->family, 0));
    km_count(KM_TOKENS_REVOKED);
    return apim_db_commit(db);
}

static apim_error_t *revoke_jti(const km_call_t *call, apim_db_t *db, const km_token_info_t *info)
{
    APIM_TRY(apim_db_begin(db));
    APIM_TRY(km_revoke_jti(call, db, info->token_id, info->expires_at));
    APIM_TRY(km_token_derived_kill(call, db, info->token_id));
    km_count(KM_TOKENS_REVOKED);
    return apim_db_commit(db);
}

/* info: of a JWT that is active, else NULL. */
static apim_error_t *revoke_in(const km_call_t *call, apim_db_t *db, const char *token,
                               const char *consumer_key, const km_token_info_t *info)
{
    km_token_row_t *row;
    const char *hash = apim_sha256_hex(call->pool, info ? info->token_id : token);
    APIM_TRY(has_prefix(token, KM_REFRESH_PREFIX) ? km_token_find_refresh(call->pool, db, hash, &row)
                                                  : km_token_find(call->pool, db, hash, &row));
    if (row) {
        return may(row->consumer_key, consumer_key) ? revoke_row(call, db, row) : NULL;
    }
    return info ? revoke_jti(call, db, info) : NULL;
}

apim_error_t *km_revoke_token(const km_call_t *call, const char *token, const char *consumer_key)
{
    km_token_info_t *info = NULL;
    apim_db_t *db;
    apim_error_t *err;
    if (!has_prefix(token, KM_ACCESS_PREFIX) && !has_prefix(token, KM_REFRESH_PREFIX)) {
        APIM_TRY(km_lookup_token(call, token, NULL, NULL, &info));
        if (info->state != KM_ACTIVE || !may(info->consumer_key, consumer_key)) {
            return NULL;
        }
    }
    APIM_TRY(apim_db_open(call->pool, &call->conf->common, APIM_DB_API_MANAGER, &db));
    err = revoke_in(call, db, token, consumer_key, info);
    apim_db_close(db);
    return err;
}
