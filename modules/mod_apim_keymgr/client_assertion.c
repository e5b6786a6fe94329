/* SPDX-License-Identifier: Apache-2.0 */
#include "client_assertion.h"

#include <apr_strings.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

#include "apim_crypto.h"
#include "apim_text.h"
#include "client_secrets.h"
#include "httpd/db_pool.h"
#include "jose/jws.h"
#include "keymgr_log.h"
#include "keymgr_sql.h"
#include "keymgr_stats.h"
#include "oauth_error.h"

#define MAX_KEYS 8
#define MAX_JTI  256
#define SKEW     60  /* s */
#define LONGEST  300 /* s that an assertion may live */

/* -- registered keys
 * ------------------------------------------------------------------------------------------------- */

apim_error_t *km_check_jwks(apr_pool_t *p, const json_t *jwks)
{
    const json_t *keys = json_object_get(jwks, "keys");
    apr_size_t i;
    if (!jwks || json_is_null(jwks)) {
        return NULL;
    }
    if (!json_is_array(keys) || !json_array_size(keys) || json_array_size(keys) > MAX_KEYS) {
        return apim_bad_request(p, "jwks must be an object with 1 to %d keys.", MAX_KEYS);
    }
    for (i = 0; i < json_array_size(keys); i++) {
        apim_jwk_t *jwk;
        APIM_TRY(apim_jwk_parse(p, json_array_get(keys, i), &jwk));
        if (jwk->is_private) {
            return apim_bad_request(
                p, "jwks holds a private key: keep it to yourself and register its public half.");
        }
    }
    return NULL;
}

static int signed_by_key(apr_pool_t *p, const apim_jws_t *jws, const km_client_t *client)
{
    const json_t *keys = json_object_get(json_object_get(client->metadata, "jwks"), "keys");
    apr_size_t i;
    for (i = 0; i < json_array_size(keys); i++) {
        const json_t *key = json_array_get(keys, i);
        const char *kid = apim_json_str(key, "kid", NULL);
        apim_jwk_t *jwk;
        if (kid && jws->kid && strcmp(kid, jws->kid) != 0) {
            continue;
        }
        if (!apim_jwk_parse(p, key, &jwk) && apim_jws_verify(p, jws, jwk)) {
            return 1;
        }
    }
    return 0;
}

static int signed_with(const apim_jws_t *jws, const char *secret)
{
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned int len = 0;
    return HMAC(EVP_sha256(), secret, (int)strlen(secret), (const unsigned char *)jws->signed_part,
                jws->signed_len, mac, &len) &&
           len == jws->signature_len && CRYPTO_memcmp(mac, jws->signature, len) == 0;
}

/* With any of the secrets that are good. */
static int signed_by_secret(const km_call_t *call, const apim_jws_t *jws, const km_client_t *client)
{
    const char *secret;
    int i;
    if (!jws->alg || strcmp(jws->alg, "HS256") != 0) {
        return 0;
    }
    for (i = 0; km_client_secret_at(call, client, i, &secret); i++) {
        if (secret && signed_with(jws, secret)) {
            return 1;
        }
    }
    return 0;
}

static int is_signed(const km_call_t *call, const apim_jws_t *jws, const km_client_t *client)
{
    const char *method = apim_json_str(client->metadata, "token_endpoint_auth_method", "");
    if (strcmp(method, "private_key_jwt") == 0) {
        return signed_by_key(call->pool, jws, client);
    }
    return strcmp(method, "client_secret_jwt") == 0 && signed_by_secret(call, jws, client);
}

/* -- claims
 * ----------------------------------------------------------------------------------------------------------
 */

/* The issuer; also the URL of the token endpoint or of the one called, as older clients write it. */
static int is_us(const km_call_t *call, const json_t *aud)
{
    const char *text = json_string_value(aud), *issuer = km_issuer(call);
    return text && (strcmp(text, issuer) == 0 ||
                    strcmp(text, apr_pstrcat(call->pool, issuer, call->r->uri, NULL)) == 0 ||
                    strcmp(text, apr_pstrcat(call->pool, issuer, "/oauth2/token", NULL)) == 0);
}

static int for_us(const km_call_t *call, const json_t *aud)
{
    return is_us(call, aud) ||
           (json_is_array(aud) && json_array_size(aud) == 1 && is_us(call, json_array_get(aud, 0)));
}

/* What is wrong with the claims, NULL if nothing is. */
static const char *wrong_claims(const km_call_t *call, const json_t *claims, const char *client_id)
{
    apr_int64_t now = call->now / 1000, exp = apim_json_int(claims, "exp", 0);
    const char *jti = apim_json_str(claims, "jti", "");
    if (strcmp(apim_json_str(claims, "sub", ""), client_id) != 0) {
        return "sub is not iss";
    }
    if (!for_us(call, json_object_get(claims, "aud"))) {
        return "aud is not this issuer";
    }
    if (exp + SKEW / 2 <= now) {
        return "it has expired or has no exp";
    }
    if (exp > now + LONGEST + SKEW) {
        return "it lives too long";
    }
    if (apim_json_int(claims, "nbf", 0) > now + SKEW || apim_json_int(claims, "iat", 0) > now + SKEW) {
        return "it is from the future";
    }
    return *jti && strlen(jti) <= MAX_JTI ? NULL : "it has no jti";
}

apim_error_t *km_use_once(const km_call_t *call, const char *kind, const char *subject, apr_int64_t until,
                          int *first)
{
    const char *hash = apim_sha256_hex(call->pool, apr_pstrcat(call->pool, kind, "\n", subject, NULL));
    apim_error_t *err;
    apim_db_t *db;
    APIM_TRY(apim_db_open(call->pool, &call->conf->common, APIM_DB_API_MANAGER, &db));
    err = apim_db_query(db, &km_use_once_insert, first, APIM_ARGS(hash, apim_i64(call->pool, until)));
    apim_db_close(db);
    return err;
}

static apim_error_t *find_client(const km_call_t *call, const char *id, km_client_t **out)
{
    apim_error_t *err;
    apim_db_t *db;
    *out = NULL;
    if (!km_is_consumer_key(id)) {
        return NULL;
    }
    APIM_TRY(apim_db_open(call->pool, &call->conf->common, APIM_DB_API_MANAGER, &db));
    err = km_client_find(call->pool, db, id, out);
    apim_db_close(db);
    return err;
}

static apim_error_t *refused(const km_call_t *call, const char *why)
{
    ap_log_rerror(APLOG_MARK, APLOG_DEBUG, 0, call->r, "APIM-KM0032: client assertion refused: %s", why);
    km_count(KM_CLIENTS_REFUSED);
    return km_invalid_client(call->pool);
}

apim_error_t *km_client_by_assertion(const km_call_t *call, const char *assertion, const char *client_id,
                                     km_client_t **out)
{
    const char *id, *why;
    km_client_t *client;
    apim_jws_t *jws;
    int first;
    if (!apim_jws_looks_like(assertion) || apim_jws_parse(call->pool, assertion, &jws)) {
        return refused(call, "it is no JWT");
    }
    id = apim_json_str(jws->claims, "iss", "");
    if (client_id && strcmp(client_id, id) != 0) {
        return refused(call, "client_id is not iss");
    }
    APIM_TRY(find_client(call, id, &client));
    if (!client || !is_signed(call, jws, client)) {
        return refused(call, "no such client signed it");
    }
    why = wrong_claims(call, jws->claims, id);
    if (why) {
        return refused(call, why);
    }
    APIM_TRY(km_use_once(call, id, apim_json_str(jws->claims, "jti", ""),
                         (apim_json_int(jws->claims, "exp", 0) + SKEW) * 1000, &first));
    if (!first) {
        return refused(call, "it was used before");
    }
    *out = client;
    return NULL;
}
