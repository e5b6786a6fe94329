/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KM_TOKEN_STORE_H
#define KM_TOKEN_STORE_H

#include "apim_db.h"
#include "keymgr_config.h"

/*
 * Rows of am_token (opaque and refreshable tokens, hashed), am_revocation (self-contained tokens that died
 * early) and am_invalidation (what gateways must forget). Everything here runs inside the caller's
 * transaction: what is revoked and what gateways are told of it is committed together.
 */
typedef struct km_token_row_t {
    const char *id; /* of a JWT: its jti */
    const char *token_hash;
    const char *refresh_hash; /* NULL: no refresh token */
    const char *family;
    const char *consumer_key;
    const char *username; /* NULL: application token */
    const char *scopes;
    const char *refresh_scopes; /* NULL: as scopes */
    const char *grant_type;
    const char *status;
    apr_int64_t issued_at, expires_at; /* ms */
    apr_int64_t refresh_expires_at;    /* ms; 0: no refresh token */
    const char *audience;              /* blank-separated; NULL: the default (resource_target.h) */
    const char *refresh_audience;      /* NULL: as audience; "": no restriction */
    const char *act;                   /* JSON of the actor; NULL: none */
    const char *derived_from;          /* family or id of the token that this was exchanged for; NULL: none */
} km_token_row_t;

apim_error_t *km_token_insert(apr_pool_t *p, apim_db_t *db, const km_token_row_t *row);

/** The row of a refresh token's hash (scopes and audience: what the refresh token stands for); *out NULL if
 * there is none. */
apim_error_t *km_token_find_refresh(apr_pool_t *p, apim_db_t *db, const char *hash, km_token_row_t **out);
/** The row of an access token's hash. */
apim_error_t *km_token_find(apr_pool_t *p, apim_db_t *db, const char *hash, km_token_row_t **out);

/** Holds the family until the end of the transaction: whoever refreshes or revokes it meanwhile waits. */
apim_error_t *km_token_family_lock(apim_db_t *db, const char *family);
/** As km_token_family_lock; and the family's first row, which is kept as long as any other, says so: until
 * then (ms) the clean-up passes it by. */
apim_error_t *km_token_family_keep(apr_pool_t *p, apim_db_t *db, const char *family, apr_int64_t until);

/** What came after a refresh token in its family. */
typedef struct km_successors_t {
    int count, used, live;
    apr_int64_t first_at; /* ms */
    int after_rotation;   /* the token itself was used up; 0: it was revoked or replaced unused */
} km_successors_t;
apim_error_t *km_token_family_successors(apr_pool_t *p, apim_db_t *db, const km_token_row_t *row,
                                         km_successors_t *out);

/** ACTIVE becomes ROTATED; *rotated 0 if it was not ACTIVE. Its access token is dead. */
apim_error_t *km_token_rotated(const km_call_t *call, apim_db_t *db, const km_token_row_t *row, int *rotated);

/** Kills what is live in the family (only_live), or all of it and what was exchanged for its tokens. Access
 * tokens die with it. */
apim_error_t *km_token_family_kill(const km_call_t *call, apim_db_t *db, const char *family, int only_live);

/** Kills what was exchanged for tokens of that family (or for the token without a row of that id), and what
 * was exchanged for those. */
apim_error_t *km_token_derived_kill(const km_call_t *call, apim_db_t *db, const char *origin);

/** Kills a self-contained token. expires_at: when it would have died by itself (ms). */
apim_error_t *km_revoke_jti(const km_call_t *call, apim_db_t *db, const char *jti, apr_int64_t expires_at);

/** Kills every token of a client or of a user issued until now. */
apim_error_t *km_revoke_client(const km_call_t *call, apim_db_t *db, const char *consumer_key);
apim_error_t *km_revoke_user(const km_call_t *call, apim_db_t *db, const char *username);

/** Tells gateways to forget what they know of a "token", "client", "application", "api" or "user". Takes the
 * feed's row lock: do it last. */
apim_error_t *km_invalidate(const km_call_t *call, apim_db_t *db, const char *kind, const char *subject);

#endif
