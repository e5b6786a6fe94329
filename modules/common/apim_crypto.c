/* SPDX-License-Identifier: Apache-2.0 */
#include "apim_crypto.h"

#include <apr_strings.h>

#include <apr_md5.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <string.h>

#include "apim_text.h"

#define BCRYPT_COST 10

int apim_sha256(const void *data, apr_size_t len, unsigned char out[32])
{
    unsigned int n = 32;
    return EVP_Digest(data, len, out, &n, EVP_sha256(), NULL) == 1 ? 0 : -1;
}

const char *apim_sha256_hex(apr_pool_t *p, const char *s)
{
    unsigned char digest[32];
    if (apim_sha256(s, strlen(s), digest)) {
        return "";
    }
    return apim_hex(p, digest, sizeof(digest));
}

const char *apim_random_token(apr_pool_t *p, int n)
{
    unsigned char bytes[64];
    if (n < 1 || n > 64 || RAND_priv_bytes(bytes, n) != 1) {
        return NULL;
    }
    return apim_b64url(p, bytes, (apr_size_t)n);
}

const char *apim_uuid(apr_pool_t *p)
{
    unsigned char b[16];
    const char *h;
    char *out = apr_palloc(p, 37);
    if (RAND_bytes(b, sizeof(b)) != 1) {
        return NULL;
    }
    b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
    b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
    h = apim_hex(p, b, sizeof(b));
    memcpy(out, h, 8);
    out[8] = '-';
    memcpy(out + 9, h + 8, 4);
    out[13] = '-';
    memcpy(out + 14, h + 12, 4);
    out[18] = '-';
    memcpy(out + 19, h + 16, 4);
    out[23] = '-';
    memcpy(out + 24, h + 20, 13);
    return out;
}

int apim_equal_secret(const char *a, const char *b)
{
    unsigned char da[32], db[32];
    if (!a || !b || apim_sha256(a, strlen(a), da) || apim_sha256(b, strlen(b), db)) {
        return 0;
    }
    /* Digests are compared, so neither content nor length shows in the time taken. */
    return CRYPTO_memcmp(da, db, sizeof(da)) == 0;
}

apim_error_t *apim_password_hash(apr_pool_t *p, const char *password, const char **hash)
{
    unsigned char salt[16];
    char out[128];
    if (RAND_bytes(salt, sizeof(salt)) != 1 ||
        apr_bcrypt_encode(password, BCRYPT_COST, salt, sizeof(salt), out, sizeof(out)) != APR_SUCCESS) {
        return apim_internal(p, "bcrypt failed");
    }
    *hash = apr_pstrmemdup(p, out, strlen(out));
    return NULL;
}

int apim_password_matches(const char *password, const char *hash)
{
    /* bcrypt of a random value that was thrown away. */
    static const char dummy[] = "$2y$10$4v8aTzYb3NfQ0m8n1pQxRuJ0p7l9e0cQbqf0J0mYI0l3kq3vY8E8a";
    int usable = hash && strncmp(hash, "$2", 2) == 0;
    int matches = apr_password_validate(password, usable ? hash : dummy) == APR_SUCCESS;
    return usable && matches;
}
