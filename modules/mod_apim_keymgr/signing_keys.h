/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KM_SIGNING_KEYS_H
#define KM_SIGNING_KEYS_H

#include "jose/jwk.h"
#include "keymgr_config.h"

/*
 * The keys that tokens are signed with. They live in am_signing_key, shared by all Key Managers of a
 * database; a process keeps a copy in memory and reads the table again when the copy is old (a minute, or a
 * fraction of a short rotation) or a key id appears that it does not know (not more often than every two
 * seconds, whatever callers send).
 *
 * Life of a key: NEXT (published in the JWKS, so that everyone knows it before it is used), ACTIVE for
 * ApimKeyRotation, RETIRED (private half erased; published for one rotation more, longer than any token
 * lives; its public half is kept, because API keys may live on). Transitions happen in a transaction that
 * holds the row of am_feed_head, so that Key Managers never disagree.
 *
 * Any thread may call. No lock is held while the database is asked.
 */
typedef struct km_keys_t km_keys_t;

/** The process's copy for one database. Call from child_init. pool: lives as long as the process. */
km_keys_t *km_keys_create(apr_pool_t *pool, const km_config_t *conf);

/** 1 if both configurations may share one km_keys_t. */
int km_keys_same(const km_config_t *a, const km_config_t *b);

/** The key to sign with now. Makes the first keys and rotates when it is time. 503 while the database is away
 * and no usable key is in memory. The key belongs to call->pool. */
apim_error_t *km_keys_active(const km_call_t *call, apim_jwk_t **out);

/** The public key of that id, *out NULL if there is none. */
apim_error_t *km_keys_find(const km_call_t *call, const char *kid, apim_jwk_t **out);

/** The JWK Set (RFC 7517 section 5) that is published. The caller owns the result. */
apim_error_t *km_keys_jwks(const km_call_t *call, json_t **out);

/** For mod_status: how many keys are in memory and when they were read (ms). */
void km_keys_counts(km_keys_t *keys, int *count, apr_int64_t *loaded_at);

#endif
