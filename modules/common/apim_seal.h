/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APIM_SEAL_H
#define APIM_SEAL_H

#include "apim_error.h"

/*
 * What has to be stored but not readable: AES-256-GCM under a key derived from the cluster secret
 * (HKDF-SHA256, one key for each purpose). context is bound to the text but not stored with it: what was
 * sealed for one row does not open in another.
 */

/** Seals text. The result is printable ("v1.<nonce>.<text and tag>"). */
apim_error_t *apim_seal(apr_pool_t *p, const char *secret, const char *purpose, const char *context,
                        const char *text, const char **sealed);

/** Opens it again; 500 if secret, purpose or context differ or a bit was changed. */
apim_error_t *apim_unseal(apr_pool_t *p, const char *secret, const char *purpose, const char *context,
                          const char *sealed, const char **text);

/** 32 bytes derived from secret, purpose and context, as base64url: the same again for the same input, and
 * not to be guessed without the secret. NULL if OpenSSL refuses. */
const char *apim_derive(apr_pool_t *p, const char *secret, const char *purpose, const char *context);

#endif
