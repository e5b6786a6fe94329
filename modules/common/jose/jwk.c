/* SPDX-License-Identifier: Apache-2.0 */
#include "jwk.h"

#include <apr_strings.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <string.h>

#include "apim_crypto.h"
#include "apim_text.h"

#define EC_BYTES     32
#define ED_BYTES     32
#define RSA_MIN_BITS 2048
#define RSA_MAX_BITS 8192

static const char *const alg_names[] = {NULL, "ES256", "RS256", "PS256", "EdDSA"};

/* JWK members of an RSA key and OpenSSL's names of them; the first two are public. */
static const struct {
    const char *member;
    const char *param;
} rsa_members[] = {{"n", OSSL_PKEY_PARAM_RSA_N},          {"e", OSSL_PKEY_PARAM_RSA_E},
                   {"d", OSSL_PKEY_PARAM_RSA_D},          {"p", OSSL_PKEY_PARAM_RSA_FACTOR1},
                   {"q", OSSL_PKEY_PARAM_RSA_FACTOR2},    {"dp", OSSL_PKEY_PARAM_RSA_EXPONENT1},
                   {"dq", OSSL_PKEY_PARAM_RSA_EXPONENT2}, {"qi", OSSL_PKEY_PARAM_RSA_COEFFICIENT1}};
#define RSA_PUBLIC  2
#define RSA_MEMBERS 8

const char *apim_alg_name(apim_alg_e alg)
{
    return alg_names[alg];
}

apim_alg_e apim_alg_parse(const char *name)
{
    int i;
    for (i = APIM_ALG_ES256; name && i <= APIM_ALG_EDDSA; i++) {
        if (strcmp(name, alg_names[i]) == 0) {
            return (apim_alg_e)i;
        }
    }
    return APIM_ALG_NONE;
}

static apr_status_t free_pkey(void *pkey)
{
    EVP_PKEY_free(pkey);
    return APR_SUCCESS;
}

static apr_status_t free_bn(void *bn)
{
    BN_clear_free(bn);
    return APR_SUCCESS;
}

static apr_status_t free_params(void *params)
{
    OSSL_PARAM_free(params);
    return APR_SUCCESS;
}

static apr_status_t free_builder(void *builder)
{
    OSSL_PARAM_BLD_free(builder);
    return APR_SUCCESS;
}

/* -- printing
 * ---------------------------------------------------------------------------------------------------- */

/* A number of the key as base64url, left-padded to `width` bytes if width is not 0; NULL if the key has none
 * such. */
static const char *number_of(apr_pool_t *p, const EVP_PKEY *pkey, const char *param, int width)
{
    BIGNUM *bn = NULL;
    unsigned char *bytes;
    int len;
    if (EVP_PKEY_get_bn_param(pkey, param, &bn) != 1) {
        return NULL;
    }
    len = width ? width : BN_num_bytes(bn);
    bytes = apr_palloc(p, (apr_size_t)len + 1);
    len = BN_bn2binpad(bn, bytes, len);
    BN_clear_free(bn);
    return len < 0 ? NULL : apim_b64url(p, bytes, (apr_size_t)len);
}

static const char *octets_of(apr_pool_t *p, const EVP_PKEY *pkey, const char *param)
{
    unsigned char bytes[ED_BYTES];
    apr_size_t len = 0;
    if (EVP_PKEY_get_octet_string_param(pkey, param, bytes, sizeof(bytes), &len) != 1) {
        return NULL;
    }
    return apim_b64url(p, bytes, len);
}

static int add(json_t *object, const char *member, const char *value)
{
    return value && json_object_set_new(object, member, json_string(value)) == 0;
}

static int add_rsa(apr_pool_t *p, const EVP_PKEY *pkey, int count, json_t *to)
{
    int i, ok = 1;
    for (i = 0; ok && i < count; i++) {
        ok = add(to, rsa_members[i].member, number_of(p, pkey, rsa_members[i].param, 0));
    }
    return ok;
}

/* The members that RFC 7638 hashes (names in order, no others), and with them the public key. */
static json_t *required_members(apr_pool_t *p, const apim_jwk_t *jwk)
{
    json_t *j = json_object();
    int ok;
    switch (jwk->alg) {
    case APIM_ALG_ES256:
        ok = add(j, "crv", "P-256") && add(j, "kty", "EC") &&
             add(j, "x", number_of(p, jwk->pkey, OSSL_PKEY_PARAM_EC_PUB_X, EC_BYTES)) &&
             add(j, "y", number_of(p, jwk->pkey, OSSL_PKEY_PARAM_EC_PUB_Y, EC_BYTES));
        break;
    case APIM_ALG_EDDSA:
        ok = add(j, "crv", "Ed25519") && add(j, "kty", "OKP") &&
             add(j, "x", octets_of(p, jwk->pkey, OSSL_PKEY_PARAM_PUB_KEY));
        break;
    default:
        ok = add(j, "kty", "RSA") && add_rsa(p, jwk->pkey, RSA_PUBLIC, j);
    }
    if (!ok) {
        json_decref(j);
        return NULL;
    }
    return j;
}

static int add_private(apr_pool_t *p, const apim_jwk_t *jwk, json_t *to)
{
    switch (jwk->alg) {
    case APIM_ALG_ES256:
        return add(to, "d", number_of(p, jwk->pkey, OSSL_PKEY_PARAM_PRIV_KEY, EC_BYTES));
    case APIM_ALG_EDDSA:
        return add(to, "d", octets_of(p, jwk->pkey, OSSL_PKEY_PARAM_PRIV_KEY));
    default:
        return add_rsa(p, jwk->pkey, RSA_MEMBERS, to);
    }
}

json_t *apim_jwk_json(apr_pool_t *p, const apim_jwk_t *jwk, int with_private)
{
    json_t *j;
    ERR_clear_error();
    j = required_members(p, jwk);
    if (j && (!add(j, "alg", apim_alg_name(jwk->alg)) || !add(j, "use", "sig") || !add(j, "kid", jwk->kid) ||
              (with_private && (!jwk->is_private || !add_private(p, jwk, j))))) {
        json_decref(j);
        j = NULL;
    }
    ERR_clear_error();
    return j;
}

static const char *thumbprint(apr_pool_t *p, const apim_jwk_t *jwk)
{
    unsigned char digest[32];
    json_t *j = required_members(p, jwk);
    char *text = j ? json_dumps(j, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
    int failed = !text || apim_sha256(text, strlen(text), digest);
    free(text);
    json_decref(j);
    return failed ? NULL : apim_b64url(p, digest, sizeof(digest));
}

/* -- making
 * ------------------------------------------------------------------------------------------------------ */

/* Takes over pkey. */
static apim_error_t *finish(apr_pool_t *p, EVP_PKEY *pkey, apim_alg_e alg, int is_private, apim_jwk_t **out)
{
    apim_jwk_t *jwk = apr_pcalloc(p, sizeof(*jwk));
    apr_pool_cleanup_register(p, pkey, free_pkey, apr_pool_cleanup_null);
    jwk->alg = alg;
    jwk->pkey = pkey;
    jwk->is_private = is_private;
    jwk->kid = thumbprint(p, jwk);
    ERR_clear_error();
    if (!jwk->kid) {
        return apim_internal(p, "no thumbprint could be made of a key");
    }
    *out = jwk;
    return NULL;
}

apim_error_t *apim_jwk_generate(apr_pool_t *p, apim_alg_e alg, apim_jwk_t **out)
{
    EVP_PKEY *pkey;
    ERR_clear_error();
    if (alg == APIM_ALG_ES256) {
        pkey = EVP_EC_gen("P-256");
    }
    else if (alg == APIM_ALG_EDDSA) {
        pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    }
    else {
        pkey = EVP_RSA_gen(RSA_MIN_BITS);
    }
    if (!pkey) {
        ERR_clear_error();
        return apim_internal(p, "OpenSSL generated no %s key", apim_alg_name(alg));
    }
    return finish(p, pkey, alg, 1, out);
}

apim_jwk_t *apim_jwk_share(apr_pool_t *p, const apim_jwk_t *jwk)
{
    apim_jwk_t *copy = apr_pmemdup(p, jwk, sizeof(*jwk));
    copy->kid = apr_pstrdup(p, jwk->kid);
    EVP_PKEY_up_ref(copy->pkey);
    apr_pool_cleanup_register(p, copy->pkey, free_pkey, apr_pool_cleanup_null);
    return copy;
}

/* -- reading
 * ----------------------------------------------------------------------------------------------------- */

/* A base64url member; NULL if absent or broken. */
static unsigned char *bytes_member(apr_pool_t *p, const json_t *jwk, const char *name, apr_size_t *len)
{
    const char *text = apim_json_str(jwk, name, NULL);
    return text ? apim_b64url_decode(p, text, strlen(text), len) : NULL;
}

static EVP_PKEY *pkey_from(apr_pool_t *p, const char *type, int is_private, OSSL_PARAM_BLD *builder)
{
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(builder);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    EVP_PKEY *pkey = NULL;
    if (params) {
        apr_pool_cleanup_register(p, params, free_params, apr_pool_cleanup_null);
    }
    if (!params || !ctx || EVP_PKEY_fromdata_init(ctx) != 1 ||
        EVP_PKEY_fromdata(ctx, &pkey, is_private ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY, params) != 1) {
        pkey = NULL;
    }
    EVP_PKEY_CTX_free(ctx);
    return pkey;
}

static OSSL_PARAM_BLD *builder_in(apr_pool_t *p)
{
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    if (builder) {
        apr_pool_cleanup_register(p, builder, free_builder, apr_pool_cleanup_null);
    }
    return builder;
}

static int push_number(apr_pool_t *p, OSSL_PARAM_BLD *builder, const char *param, const unsigned char *bytes,
                       apr_size_t len)
{
    BIGNUM *bn = bytes ? BN_bin2bn(bytes, (int)len, NULL) : NULL;
    if (!bn) {
        return 0;
    }
    apr_pool_cleanup_register(p, bn, free_bn, apr_pool_cleanup_null);
    return OSSL_PARAM_BLD_push_BN(builder, param, bn) == 1;
}

static EVP_PKEY *ec_key(apr_pool_t *p, const json_t *jwk, int is_private)
{
    unsigned char point[1 + 2 * EC_BYTES] = {POINT_CONVERSION_UNCOMPRESSED};
    apr_size_t nx = 0, ny = 0, nd = 0;
    unsigned char *x = bytes_member(p, jwk, "x", &nx), *y = bytes_member(p, jwk, "y", &ny);
    unsigned char *d = bytes_member(p, jwk, "d", &nd);
    OSSL_PARAM_BLD *builder = builder_in(p);
    if (!builder || !x || !y || nx != EC_BYTES || ny != EC_BYTES || (is_private && nd != EC_BYTES)) {
        return NULL;
    }
    memcpy(point + 1, x, EC_BYTES);
    memcpy(point + 1 + EC_BYTES, y, EC_BYTES);
    if (OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0) != 1 ||
        OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point)) != 1 ||
        (is_private && !push_number(p, builder, OSSL_PKEY_PARAM_PRIV_KEY, d, nd))) {
        return NULL;
    }
    return pkey_from(p, "EC", is_private, builder);
}

static EVP_PKEY *rsa_key(apr_pool_t *p, const json_t *jwk, int is_private)
{
    OSSL_PARAM_BLD *builder = builder_in(p);
    EVP_PKEY *pkey = NULL;
    BIGNUM *e = NULL;
    int i, ok = builder != NULL, count = is_private ? RSA_MEMBERS : RSA_PUBLIC;
    for (i = 0; ok && i < count; i++) {
        apr_size_t len = 0;
        unsigned char *bytes = bytes_member(p, jwk, rsa_members[i].member, &len);
        ok = bytes && len <= RSA_MAX_BITS / 8 && push_number(p, builder, rsa_members[i].param, bytes, len);
    }
    pkey = ok ? pkey_from(p, "RSA", is_private, builder) : NULL;
    ok = pkey && EVP_PKEY_get_bits(pkey) >= RSA_MIN_BITS &&
         EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &e) == 1 && BN_is_odd(e) && !BN_is_one(e);
    BN_free(e);
    if (!ok) {
        EVP_PKEY_free(pkey);
        return NULL;
    }
    return pkey;
}

static EVP_PKEY *ed25519_key(apr_pool_t *p, const json_t *jwk, int is_private)
{
    apr_size_t len = 0;
    unsigned char *bytes = bytes_member(p, jwk, is_private ? "d" : "x", &len);
    if (!bytes || len != ED_BYTES) {
        return NULL;
    }
    return is_private ? EVP_PKEY_new_raw_private_key_ex(NULL, "ED25519", NULL, bytes, len)
                      : EVP_PKEY_new_raw_public_key_ex(NULL, "ED25519", NULL, bytes, len);
}

static apim_alg_e alg_of(const json_t *jwk, const char *kty, const char *crv)
{
    const char *named = apim_json_str(jwk, "alg", NULL);
    apim_alg_e alg = APIM_ALG_NONE, wanted = apim_alg_parse(named);
    if (strcmp(kty, "EC") == 0 && strcmp(crv, "P-256") == 0) {
        alg = APIM_ALG_ES256;
    }
    else if (strcmp(kty, "OKP") == 0 && strcmp(crv, "Ed25519") == 0) {
        alg = APIM_ALG_EDDSA;
    }
    else if (strcmp(kty, "RSA") == 0) {
        alg = wanted == APIM_ALG_PS256 ? APIM_ALG_PS256 : APIM_ALG_RS256;
    }
    return !named || wanted == alg ? alg : APIM_ALG_NONE;
}

apim_error_t *apim_jwk_parse(apr_pool_t *p, const json_t *jwk, apim_jwk_t **out)
{
    const char *kty = apim_json_str(jwk, "kty", ""), *crv = apim_json_str(jwk, "crv", "");
    apim_alg_e alg = alg_of(jwk, kty, crv);
    int is_private = apim_json_str(jwk, "d", NULL) != NULL;
    EVP_PKEY *pkey;
    ERR_clear_error();
    switch (alg) {
    case APIM_ALG_ES256:
        pkey = ec_key(p, jwk, is_private);
        break;
    case APIM_ALG_EDDSA:
        pkey = ed25519_key(p, jwk, is_private);
        break;
    case APIM_ALG_RS256:
    case APIM_ALG_PS256:
        pkey = rsa_key(p, jwk, is_private);
        break;
    default:
        return apim_bad_request(
            p, "The key's type, curve and algorithm are not one of EC P-256 (ES256), RSA (RS256, PS256), "
               "OKP Ed25519 (EdDSA).");
    }
    if (!pkey) {
        ERR_clear_error();
        return apim_bad_request(p, "The %s key is not usable: a member is missing or out of range.",
                                apim_alg_name(alg));
    }
    return finish(p, pkey, alg, is_private, out);
}
