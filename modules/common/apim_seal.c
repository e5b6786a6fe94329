/* SPDX-License-Identifier: Apache-2.0 */
#include "apim_seal.h"

#include <apr_strings.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <string.h>

#include "apim_text.h"

#define KEY_BYTES   32
#define NONCE_BYTES 12
#define TAG_BYTES   16

/* HKDF-SHA256 (RFC 5869); the secret is random of at least 32 characters, so no salt is needed. */
static int derive(const char *secret, const char *info, unsigned char key[KEY_BYTES])
{
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
    EVP_KDF_CTX *ctx = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
    char digest[] = "SHA256";
    OSSL_PARAM params[4];
    int ok;
    params[0] = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0);
    params[1] = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)secret, strlen(secret));
    params[2] = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)info, strlen(info));
    params[3] = OSSL_PARAM_construct_end();
    ok = ctx && EVP_KDF_derive(ctx, key, KEY_BYTES, params) == 1;
    EVP_KDF_CTX_free(ctx);
    EVP_KDF_free(kdf);
    return ok;
}

const char *apim_derive(apr_pool_t *p, const char *secret, const char *purpose, const char *context)
{
    unsigned char key[KEY_BYTES];
    const char *out = NULL;
    ERR_clear_error();
    if (derive(secret, apr_pstrcat(p, purpose, "\n", context, NULL), key)) {
        out = apim_b64url(p, key, sizeof(key));
    }
    OPENSSL_cleanse(key, sizeof(key));
    ERR_clear_error();
    return out;
}

static int encrypt(EVP_CIPHER_CTX *ctx, const unsigned char *key, const unsigned char *nonce, const char *aad,
                   const char *text, int len, unsigned char *out)
{
    int n, m;
    return ctx && EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, nonce) == 1 &&
           EVP_EncryptUpdate(ctx, NULL, &n, (const unsigned char *)aad, (int)strlen(aad)) == 1 &&
           EVP_EncryptUpdate(ctx, out, &n, (const unsigned char *)text, len) == 1 &&
           EVP_EncryptFinal_ex(ctx, out + n, &m) == 1 &&
           EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, TAG_BYTES, out + len) == 1;
}

static int decrypt(EVP_CIPHER_CTX *ctx, const unsigned char *key, const unsigned char *nonce, const char *aad,
                   const unsigned char *in, int len, unsigned char *out)
{
    int n, m;
    return ctx && EVP_DecryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, nonce) == 1 &&
           EVP_DecryptUpdate(ctx, NULL, &n, (const unsigned char *)aad, (int)strlen(aad)) == 1 &&
           EVP_DecryptUpdate(ctx, out, &n, in, len) == 1 &&
           EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, TAG_BYTES, (void *)(in + len)) == 1 &&
           EVP_DecryptFinal_ex(ctx, out + n, &m) == 1;
}

apim_error_t *apim_seal(apr_pool_t *p, const char *secret, const char *purpose, const char *context,
                        const char *text, const char **sealed)
{
    unsigned char key[KEY_BYTES], nonce[NONCE_BYTES];
    apr_size_t len = strlen(text);
    unsigned char *out = apr_palloc(p, len + TAG_BYTES);
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int ok;
    ERR_clear_error();
    ok = derive(secret, purpose, key) && RAND_bytes(nonce, sizeof(nonce)) == 1 &&
         encrypt(ctx, key, nonce, context, text, (int)len, out);
    EVP_CIPHER_CTX_free(ctx);
    OPENSSL_cleanse(key, sizeof(key));
    ERR_clear_error();
    if (!ok) {
        return apim_internal(p, "OpenSSL refused to encrypt");
    }
    *sealed = apr_pstrcat(p, "v1.", apim_b64url(p, nonce, sizeof(nonce)), ".",
                          apim_b64url(p, out, len + TAG_BYTES), NULL);
    return NULL;
}

apim_error_t *apim_unseal(apr_pool_t *p, const char *secret, const char *purpose, const char *context,
                          const char *sealed, const char **text)
{
    unsigned char key[KEY_BYTES], *nonce = NULL, *in = NULL, *out;
    apr_size_t nonce_len = 0, len = 0;
    const char *dot = strncmp(sealed, "v1.", 3) == 0 ? strchr(sealed + 3, '.') : NULL;
    EVP_CIPHER_CTX *ctx;
    int ok;
    if (dot) {
        nonce = apim_b64url_decode(p, sealed + 3, (apr_size_t)(dot - sealed - 3), &nonce_len);
        in = apim_b64url_decode(p, dot + 1, strlen(dot + 1), &len);
    }
    if (!nonce || !in || nonce_len != NONCE_BYTES || len < TAG_BYTES) {
        return apim_internal(p, "a sealed text is malformed");
    }
    len -= TAG_BYTES;
    out = apr_palloc(p, len + 1);
    ERR_clear_error();
    ctx = EVP_CIPHER_CTX_new();
    ok = derive(secret, purpose, key) && decrypt(ctx, key, nonce, context, in, (int)len, out);
    EVP_CIPHER_CTX_free(ctx);
    OPENSSL_cleanse(key, sizeof(key));
    ERR_clear_error();
    if (!ok) {
        return apim_internal(
            p, "a sealed text does not open: it was sealed with another cluster secret, or changed");
    }
    out[len] = '\0';
    *text = (const char *)out;
    return NULL;
}
