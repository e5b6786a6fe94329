/* SPDX-License-Identifier: Apache-2.0 */
#include "id_token.h"

#include <string.h>

#include "apim_crypto.h"
#include "apim_text.h"
#include "jose/jws.h"
#include "signing_keys.h"

#define TYP_ID "JWT"

/* The left half of a token's or code's hash (sections 3.1.3.6, 3.3.2.11). Of EdDSA the specification does not
 * say which hash: left out. */
static apim_error_t *add_hash(const km_call_t *call, const apim_jwk_t *key, const char *name,
                              const char *text, json_t *claims)
{
    unsigned char digest[32];
    if (key->alg == APIM_ALG_EDDSA || !text) {
        return NULL;
    }
    if (apim_sha256(text, strlen(text), digest)) {
        return apim_internal(call->pool, "no SHA-256");
    }
    apim_json_set_str(claims, name, apim_b64url(call->pool, digest, 16));
    return NULL;
}

apim_error_t *km_id_token_make(const km_call_t *call, const km_id_token_t *id, const char **out)
{
    json_int_t iat = call->now / 1000;
    apim_jwk_t *key;
    json_t *claims;
    APIM_TRY(km_keys_active(call, &key));
    claims = json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:s*}", "iss", km_issuer(call), "sub",
                       id->username, "aud", id->consumer_key, "azp", id->consumer_key, "iat", iat, "exp",
                       iat + (json_int_t)id->lifetime, "auth_time", (json_int_t)(id->auth_time / 1000),
                       "nonce", id->nonce);
    if (!apim_json_own(call->pool, claims)) {
        return apim_internal(call->pool,
                             "claims could not be made (is the Host header or a name not UTF-8?)");
    }
    APIM_TRY(add_hash(call, key, "at_hash", id->access_token, claims));
    APIM_TRY(add_hash(call, key, "c_hash", id->code, claims));
    if (id->claims) {
        json_object_update_missing(claims, (json_t *)id->claims);
    }
    return apim_jws_sign(call->pool, key, TYP_ID, claims, out);
}

apim_error_t *km_id_token_claims(const km_call_t *call, const char *token, const json_t **claims)
{
    apim_jws_t *jws;
    apim_jwk_t *key;
    *claims = NULL;
    if (!apim_jws_looks_like(token) || apim_jws_parse(call->pool, token, &jws) || !jws->kid || !jws->typ ||
        strcmp(jws->typ, TYP_ID) != 0) {
        return NULL;
    }
    APIM_TRY(km_keys_find(call, jws->kid, &key));
    if (!key || !apim_jws_verify(call->pool, jws, key)) {
        return NULL;
    }
    if (strcmp(apim_json_str(jws->claims, "iss", ""), km_issuer(call)) == 0 &&
        apim_json_str(jws->claims, "aud", NULL)) {
        *claims = jws->claims;
    }
    return NULL;
}

apim_error_t *km_id_token_read(const km_call_t *call, const char *token, const char **username,
                               const char **consumer_key)
{
    const json_t *claims;
    APIM_TRY(km_id_token_claims(call, token, &claims));
    *username = apim_json_str(claims, "sub", NULL);
    *consumer_key = apim_json_str(claims, "aud", NULL);
    return NULL;
}
