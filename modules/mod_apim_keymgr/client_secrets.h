/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KM_CLIENT_SECRETS_H
#define KM_CLIENT_SECRETS_H

#include "client_store.h"

/*
 * The secrets of a client: the present one, and older ones that are still good for a while, so that a secret
 * can be changed where it is used at a time of one's choosing.
 *
 * A secret is derived from the cluster secret, the consumer key and a salt in the row (HKDF-SHA256); the row
 * holds its SHA-256. So nothing in the database gives it away, and a Key Manager can hand it out again where
 * WSO2's registration does so.
 */
#define KM_MAX_SECRETS     5
#define KM_SECRETS_FOREVER (-1)

/* A secret to be made. */
typedef struct km_new_secret_t {
    apr_int64_t
        overlap; /* ms that those there are stay good: 0: not at all, KM_SECRETS_FOREVER: as they are */
    const char *description; /* NULL: none */
    apr_int64_t expires_at;  /* ms; 0: never */
} km_new_secret_t;

/** Makes the first secret of a client that is about to be inserted; NULL if that fails. */
const char *km_client_first_secret(const km_call_t *call, km_client_t *client);

/** Makes a further secret, which is the present one from then on. 409 if there would be more than
 * KM_MAX_SECRETS. Hold the client before (km_client_hold). */
apim_error_t *km_client_new_secret(const km_call_t *call, apim_db_t *db, km_client_t *client,
                                   const km_new_secret_t *how, const char **secret);

/** Ends one secret at once. 404 if there is none of that id, 409 if it is the last. Hold the client before.
 */
apim_error_t *km_client_drop_secret(const km_call_t *call, apim_db_t *db, km_client_t *client,
                                    const char *id);

/** What may be told of the secrets that are good, the present one first: secretId, createdAt, expiresAt (ms,
 * null: never), description. The caller owns it. */
json_t *km_client_secrets(const km_call_t *call, const km_client_t *client);

/** The i-th secret that is good, the present one first; NULL past the end. *secret NULL if it cannot be told
 * (the cluster secret changed since). */
const json_t *km_client_secret_at(const km_call_t *call, const km_client_t *client, int i,
                                  const char **secret);

/** The client's present secret, NULL if it cannot be told. */
const char *km_client_secret_of(const km_call_t *call, const km_client_t *client);

/** 1 if secret is one of the client's. With client NULL it does the work of one look and says 0. */
int km_client_secret_matches(const km_call_t *call, const km_client_t *client, const char *secret);

#endif
