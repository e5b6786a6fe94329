/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APIM_JWK_H
#define APIM_JWK_H

#include <openssl/types.h>

#include "apim_json.h"

/*
 * Keys for signatures (RFC 7517, 7518, 8037) on OpenSSL 3 EVP: EC P-256, RSA of at least 2048 bits, Ed25519.
 *
 * A key knows the one algorithm it is used with. What a token says about its algorithm is compared with it
 * and never chooses anything. OpenSSL's error queue belongs to the thread and is shared with mod_ssl: every
 * call here empties it before and after.
 */
typedef enum { APIM_ALG_NONE, APIM_ALG_ES256, APIM_ALG_RS256, APIM_ALG_PS256, APIM_ALG_EDDSA } apim_alg_e;

typedef struct apim_jwk_t {
    const char *kid; /* RFC 7638 thumbprint, SHA-256, base64url: 43 characters */
    apim_alg_e alg;
    EVP_PKEY *pkey; /* reference counted; shared by threads for signing and verifying */
    int is_private;
} apim_jwk_t;

/** "ES256", ...; NULL for APIM_ALG_NONE. */
const char *apim_alg_name(apim_alg_e alg);

/** The algorithm of that exact name, APIM_ALG_NONE if there is none such. */
apim_alg_e apim_alg_parse(const char *name);

/** A new private key for alg (P-256, RSA 2048, Ed25519). Released with p. RSA takes a few hundred
 * milliseconds. */
apim_error_t *apim_jwk_generate(apr_pool_t *p, apim_alg_e alg, apim_jwk_t **out);

/** Reads a public or private JWK. Its algorithm is its "alg" member, or what its type stands for (RSA:
 * RS256). 400 names what is wrong: unknown type or curve, a point off the curve, an RSA key below 2048 bits
 * or with exponent 1. */
apim_error_t *apim_jwk_parse(apr_pool_t *p, const json_t *jwk, apim_jwk_t **out);

/** The JWK as JSON; with_private adds the private members. The caller owns the result; NULL if OpenSSL
 * refuses. */
json_t *apim_jwk_json(apr_pool_t *p, const apim_jwk_t *jwk, int with_private);

/** A reference of its own in p to a key that lives elsewhere (takes a count of the EVP_PKEY). */
apim_jwk_t *apim_jwk_share(apr_pool_t *p, const apim_jwk_t *jwk);

#endif
