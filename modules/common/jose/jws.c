/* SPDX-License-Identifier: Apache-2.0 */
#include "jws.h"

#include <apr_strings.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "apim_text.h"

#define EC_BYTES      32
#define EC_SIGNATURE  (2 * EC_BYTES)
#define MAX_SIGNATURE 1024 /* RSA of 8192 bits */

/* Fetched once: looking a digest up in the provider takes locks that all threads share. */
static EVP_MD *sha256;
static pthread_once_t sha256_once = PTHREAD_ONCE_INIT;

static void fetch_sha256(void)
{
    sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
}

/* -- reading
 * ----------------------------------------------------------------------------------------------------- */

/* The three parts; 0 unless there are exactly three non-empty ones. */
static int split(const char *text, apr_size_t len[3])
{
    const char *s = text;
    int i;
    for (i = 0; i < 3; i++) {
        len[i] = strcspn(s, ".");
        s += len[i];
        if (!len[i] || (i < 2 && *s++ != '.')) {
            return 0;
        }
    }
    return *s == '\0';
}

int apim_jws_looks_like(const char *text)
{
    apr_size_t len[3];
    return text && strncmp(text, "eyJ", 3) == 0 && split(text, len);
}

static apim_error_t *refuse(apr_pool_t *p, const char *why)
{
    return apim_error(p, 401, APIM_E_UNAUTHORIZED, "Invalid token",
                      "The token is not a well-formed signed JWT: %s.", why);
}

static apim_error_t *json_part(apr_pool_t *p, const char *part, apr_size_t len, json_t **out)
{
    static const apim_json_limits_t limits = {APIM_JWS_MAX_BYTES, APIM_JWS_MAX_DEPTH};
    apr_size_t n;
    unsigned char *text = apim_b64url_decode(p, part, len, &n);
    if (!text) {
        return refuse(p, "a part is not base64url");
    }
    if (apim_json_parse(p, (const char *)text, n, &limits, out) || !json_is_object(*out)) {
        return refuse(p, "a part is not a JSON object within the limits");
    }
    return NULL;
}

apim_error_t *apim_jws_parse(apr_pool_t *p, const char *text, apim_jws_t **out)
{
    apim_jws_t *jws = apr_pcalloc(p, sizeof(*jws));
    apr_size_t len[3];
    json_t *header = NULL;
    if (strnlen(text, APIM_JWS_MAX_BYTES + 1) > APIM_JWS_MAX_BYTES) {
        return refuse(p, "it is too long");
    }
    if (!split(text, len)) {
        return refuse(p, "it has not three parts");
    }
    APIM_TRY(json_part(p, text, len[0], &header));
    if (json_object_get(header, "crit") || json_object_get(header, "b64")) {
        return refuse(p, "its header asks for extensions");
    }
    APIM_TRY(json_part(p, text + len[0] + 1, len[1], &jws->claims));
    jws->alg = apim_json_str(header, "alg", NULL);
    jws->kid = apim_json_str(header, "kid", NULL);
    jws->typ = apim_json_str(header, "typ", NULL);
    jws->signed_part = text;
    jws->signed_len = len[0] + 1 + len[1];
    jws->signature = apim_b64url_decode(p, text + jws->signed_len + 1, len[2], &jws->signature_len);
    if (!jws->signature || !jws->alg) {
        return refuse(p, "its signature or algorithm is missing");
    }
    *out = jws;
    return NULL;
}

/* -- signatures
 * -------------------------------------------------------------------------------------------------- */

/* The r||s of RFC 7518 section 3.4 as the DER that OpenSSL wants. *der is freed by the caller. */
static int raw_to_der(const unsigned char *raw, unsigned char **der)
{
    ECDSA_SIG *sig = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(raw, EC_BYTES, NULL), *s = BN_bin2bn(raw + EC_BYTES, EC_BYTES, NULL);
    int len = -1;
    if (sig && r && s && !BN_is_zero(r) && !BN_is_zero(s) && ECDSA_SIG_set0(sig, r, s) == 1) {
        r = s = NULL; /* now the signature's */
        len = i2d_ECDSA_SIG(sig, der);
    }
    BN_free(r);
    BN_free(s);
    ECDSA_SIG_free(sig);
    return len;
}

static int der_to_raw(const unsigned char *der, apr_size_t len, unsigned char raw[EC_SIGNATURE])
{
    ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &der, (long)len);
    int ok = sig && BN_bn2binpad(ECDSA_SIG_get0_r(sig), raw, EC_BYTES) == EC_BYTES &&
             BN_bn2binpad(ECDSA_SIG_get0_s(sig), raw + EC_BYTES, EC_BYTES) == EC_BYTES;
    ECDSA_SIG_free(sig);
    return ok;
}

static int set_padding(EVP_PKEY_CTX *pctx, apim_alg_e alg)
{
    if (alg == APIM_ALG_RS256) {
        return EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PADDING) == 1;
    }
    if (alg == APIM_ALG_PS256) {
        return EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING) == 1 &&
               EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, RSA_PSS_SALTLEN_DIGEST) == 1;
    }
    return 1;
}

/* EdDSA hashes by itself. */
static const EVP_MD *digest_for(apim_alg_e alg)
{
    return alg == APIM_ALG_EDDSA ? NULL : sha256;
}

static int check(EVP_MD_CTX *ctx, const apim_jws_t *jws, const apim_jwk_t *jwk, const unsigned char *sig,
                 apr_size_t len)
{
    EVP_PKEY_CTX *pctx = NULL;
    return ctx && EVP_DigestVerifyInit(ctx, &pctx, digest_for(jwk->alg), NULL, jwk->pkey) == 1 &&
           set_padding(pctx, jwk->alg) &&
           EVP_DigestVerify(ctx, sig, len, (const unsigned char *)jws->signed_part, jws->signed_len) == 1;
}

int apim_jws_verify(apr_pool_t *p, const apim_jws_t *jws, const apim_jwk_t *jwk)
{
    EVP_MD_CTX *ctx;
    unsigned char *der = NULL;
    const unsigned char *sig = jws->signature;
    int len = (int)jws->signature_len, ok = 0;
    if (apim_alg_parse(jws->alg) != jwk->alg || jwk->alg == APIM_ALG_NONE) {
        return 0;
    }
    pthread_once(&sha256_once, fetch_sha256);
    ERR_clear_error();
    if (jwk->alg == APIM_ALG_ES256) {
        len = jws->signature_len == EC_SIGNATURE ? raw_to_der(jws->signature, &der) : -1;
        sig = der;
    }
    if (len > 0) {
        ctx = EVP_MD_CTX_new();
        ok = check(ctx, jws, jwk, sig, (apr_size_t)len);
        EVP_MD_CTX_free(ctx);
    }
    OPENSSL_free(der);
    ERR_clear_error();
    return ok;
}

static const char *make_signature(apr_pool_t *p, const apim_jwk_t *jwk, const char *text)
{
    unsigned char sig[MAX_SIGNATURE], raw[EC_SIGNATURE];
    apr_size_t len = sizeof(sig);
    EVP_PKEY_CTX *pctx = NULL;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    int ok = ctx && EVP_DigestSignInit(ctx, &pctx, digest_for(jwk->alg), NULL, jwk->pkey) == 1 &&
             set_padding(pctx, jwk->alg) &&
             EVP_DigestSign(ctx, sig, &len, (const unsigned char *)text, strlen(text)) == 1;
    EVP_MD_CTX_free(ctx);
    if (!ok) {
        return NULL;
    }
    if (jwk->alg == APIM_ALG_ES256) {
        return der_to_raw(sig, len, raw) ? apim_b64url(p, raw, sizeof(raw)) : NULL;
    }
    return apim_b64url(p, sig, len);
}

apim_error_t *apim_jws_sign(apr_pool_t *p, const apim_jwk_t *jwk, const char *typ, const json_t *claims,
                            const char **out)
{
    /* No member of the header needs escaping: all three are our own constants or base64url. */
    const char *header = apr_psprintf(p, "{\"alg\":\"%s\",\"typ\":\"%s\",\"kid\":\"%s\"}",
                                      apim_alg_name(jwk->alg), typ, jwk->kid);
    const char *payload = apim_json_text(p, claims), *text, *signature;
    if (!payload || !jwk->is_private) {
        return apim_internal(p, "a token could not be printed or the key is not private");
    }
    text = apr_pstrcat(p, apim_b64url(p, header, strlen(header)), ".",
                       apim_b64url(p, payload, strlen(payload)), NULL);
    pthread_once(&sha256_once, fetch_sha256);
    ERR_clear_error();
    signature = make_signature(p, jwk, text);
    ERR_clear_error();
    if (!signature) {
        return apim_internal(p, "OpenSSL refused to sign with key %s", jwk->kid);
    }
    *out = apr_pstrcat(p, text, ".", signature, NULL);
    return NULL;
}
