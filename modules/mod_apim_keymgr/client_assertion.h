/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KM_CLIENT_ASSERTION_H
#define KM_CLIENT_ASSERTION_H

#include "client_store.h"

/*
 * Clients that show a JWT instead of their secret (RFC 7523 section 2.2): private_key_jwt, signed with a key
 * whose public half they registered (jwks), and client_secret_jwt, signed with the secret (HS256). Which of
 * them a client uses is part of its registration, and the key decides the algorithm, not the JWT.
 */
#define KM_ASSERTION_TYPE "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

/** Checks a registered jwks: an object with up to 8 public keys that can verify; 400 names what is wrong.
 * NULL is fine. */
apim_error_t *km_check_jwks(apr_pool_t *p, const json_t *jwks);

/** The client that an assertion was made by. 401 invalid_client (the log says why) if it was not, is too old
 * or too new, is for another server, or was used before. */
apim_error_t *km_client_by_assertion(const km_call_t *call, const char *assertion, const char *client_id,
                                     km_client_t **out);

/** Marks something as used until then (ms): *first 0 if it was before. */
apim_error_t *km_use_once(const km_call_t *call, const char *kind, const char *subject, apr_int64_t until,
                          int *first);

#endif
