/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KM_DEVICE_CODE_H
#define KM_DEVICE_CODE_H

#include "apim_db.h"
#include "client_store.h"

/*
 * Device authorization (RFC 8628): am_device_code. A device without a browser holds the device code and asks
 * for tokens with it; a person types the user code in elsewhere and decides. Both are stored as hashes, so
 * that any Key Manager can take any step. A code is redeemed once.
 */
#define KM_GRANT_DEVICE    "urn:ietf:params:oauth:grant-type:device_code"
#define KM_DEVICE_LIFETIME 600000 /* ms */
#define KM_DEVICE_INTERVAL 5000   /* ms between two questions; each that comes too early adds as much */

typedef struct km_device_t {
    const char *hash;
    const char *consumer_key;
    const char *scopes;
    const char *audience;  /* blank-separated; NULL: the default */
    const char *status;    /* PENDING, ALLOWED, DENIED, USED */
    const char *username;  /* NULL: nobody has decided */
    apr_int64_t auth_time; /* ms */
    apr_int64_t interval;  /* ms */
    apr_int64_t polled_at; /* ms; 0: not asked yet */
    apr_int64_t expires_at;
} km_device_t;

/** Makes a pair of codes. audience: as in km_device_t. device_code: 256 random bits; user_code: XXXX-XXXX of
 * 20 consonants (34 bits). */
apim_error_t *km_device_make(const km_call_t *call, const km_client_t *client, const char *scopes,
                             const char *audience, const char **device_code, const char **user_code);

/** A user code as km_device_make writes it, of what a person typed (either case, any separators); NULL if it
 * cannot be one. */
const char *km_user_code(apr_pool_t *p, const char *typed);

/** What waits for a user code, alive and not decided; *out NULL if nothing does. */
apim_error_t *km_device_by_user_code(const km_call_t *call, const char *user_code, km_device_t **out);

/** Decides, once. scopes NULL: denied. *done 0 if it was too late. auth_time: ms. */
apim_error_t *km_device_decide(const km_call_t *call, const char *user_code, const char *username,
                               apr_int64_t auth_time, const char *scopes, int *done);

/**
 * The row of an allowed device code, to be redeemed (km_redeem_device). Else 400: invalid_grant if it is
 * unknown, used or another client's; expired_token, access_denied, authorization_pending; slow_down if the
 * device asks too often.
 */
apim_error_t *km_device_poll(const km_call_t *call, const km_client_t *client, const char *device_code,
                             km_device_t **out);

/** Uses the code up in the caller's transaction; *taken 0 if it was before. */
apim_error_t *km_device_take(apim_db_t *db, const km_device_t *device, int *taken);

/** POST /oauth2/device_authorization (RFC 8628 section 3.1). Writes the answer to call->r and returns OK. */
#define KM_DEVICE_AUTHORIZATION_PATH "/oauth2/device_authorization"
int km_endpoint_device_authorization(const km_call_t *call);

#endif
