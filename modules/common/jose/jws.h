/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APIM_JWS_H
#define APIM_JWS_H

#include "jwk.h"

/*
 * Compact JWS (RFC 7515) that carry JSON: access tokens, API keys. Verifying is two steps, because the key
 * has to be looked up in between: apim_jws_parse takes a text apart and refuses whatever is malformed;
 * apim_jws_verify checks it against a key that the caller trusts. Keys inside the header (jwk, jku, x5u, x5c)
 * are never looked at.
 */
#define APIM_JWS_MAX_BYTES 8192 /* of a whole compact JWS */
#define APIM_JWS_MAX_DEPTH 8    /* nesting of header and payload */

typedef struct apim_jws_t {
    const char *kid; /* header member, NULL if absent; nothing is known about it yet */
    const char *typ; /* header member, NULL if absent */
    const char *alg; /* what the token claims; only ever compared with the key's own */
    json_t *claims;  /* payload; worth nothing before apim_jws_verify said yes. Lives with the pool. */
    const char *signed_part;
    apr_size_t signed_len;
    const unsigned char *signature;
    apr_size_t signature_len;
} apim_jws_t;

/** 1 if the text has the shape of a compact JWS (three non-empty parts of base64url characters). Cheap: for
 * telling a JWT from an opaque token. */
int apim_jws_looks_like(const char *text);

/** Takes a compact JWS apart: exactly three parts in strict base64url, header and payload JSON objects within
 * the limits and without duplicate members, no "crit" and no "b64". 401 with a sentence for the log
 * otherwise. Trusts nothing. */
apim_error_t *apim_jws_parse(apr_pool_t *p, const char *text, apim_jws_t **out);

/** 1 if jws was signed by the private half of jwk with jwk's algorithm, else 0. Any thread. */
int apim_jws_verify(apr_pool_t *p, const apim_jws_t *jws, const apim_jwk_t *jwk);

/** Signs claims as a compact JWS with header alg, kid and typ. Any thread. 500 if OpenSSL refuses. */
apim_error_t *apim_jws_sign(apr_pool_t *p, const apim_jwk_t *jwk, const char *typ, const json_t *claims,
                            const char **out);

#endif
