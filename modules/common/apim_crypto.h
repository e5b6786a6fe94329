/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APIM_CRYPTO_H
#define APIM_CRYPTO_H

#include "apim_error.h"

/** SHA-256 as 64 lower-case hex digits: how tokens and generated secrets (>= 128 bits of entropy) are stored.
 */
const char *apim_sha256_hex(apr_pool_t *p, const char *s);

/** SHA-256 into 32 bytes. Returns 0, -1 if the library refuses. */
int apim_sha256(const void *data, apr_size_t len, unsigned char out[32]);

/** n random bytes (n <= 64) as base64url, from the operating system's generator; NULL if it fails: treat as
 * 500. */
const char *apim_random_token(apr_pool_t *p, int n);

/** A random UUID (RFC 9562 version 4) as text; NULL if the generator fails. */
const char *apim_uuid(apr_pool_t *p);

/** 1 if both texts are equal; the time taken does not tell where they differ. NULL never equals anything. */
int apim_equal_secret(const char *a, const char *b);

/** bcrypt hash ("$2y$12$...") of a password, as htpasswd -B writes. Takes tens of milliseconds by design. */
apim_error_t *apim_password_hash(apr_pool_t *p, const char *password, const char **hash);

/** 1 if the password fits the hash. Only bcrypt hashes are accepted. With hash == NULL it does the same work
 * against a dummy and says 0, so that an unknown user takes as long as a wrong password. */
int apim_password_matches(const char *password, const char *hash);

#endif
