/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <apr_strings.h>
#include <openssl/err.h>

#include "apim_seal.h"
#include "apim_text.h"
#include "jose/jws.h"

/* RFC 7515 appendix A.3 (and A.2, which has the same payload) */
#define EC_X      "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
#define EC_Y      "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
#define EC_D      "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"
#define ES_HEADER "eyJhbGciOiJFUzI1NiJ9"
#define PAYLOAD                                                                                              \
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
#define ES_SIG    "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
#define RS_HEADER "eyJhbGciOiJSUzI1NiJ9"
#define RS_SIG                                                                                               \
    "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJ" \
    "dbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN" \
    "9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXL" \
    "IhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"
#define RS_N                                                                                                 \
    "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-" \
    "SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS" \
    "-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2" \
    "ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"
/* RFC 7638 section 3.1 */
#define THUMB_N                                                                                              \
    "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZC" \
    "iFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZg" \
    "nYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIq" \
    "bw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"

static const apim_alg_e algs[] = {APIM_ALG_ES256, APIM_ALG_RS256, APIM_ALG_PS256, APIM_ALG_EDDSA};

static apim_error_t *parse_key(apr_pool_t *p, const char *text, apim_jwk_t **jwk)
{
    json_t *j;
    APIM_TRY(apim_json_parse(p, text, strlen(text), NULL, &j));
    return apim_jwk_parse(p, j, jwk);
}

static apim_jwk_t *key(apr_pool_t *p, const char *text)
{
    apim_jwk_t *jwk = NULL;
    assert_null(parse_key(p, text, &jwk));
    return jwk;
}

static apim_jwk_t *ec_public(apr_pool_t *p)
{
    return key(p, "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" EC_X "\",\"y\":\"" EC_Y "\"}");
}

static apim_jwk_t *rsa_public(apr_pool_t *p)
{
    return key(p, "{\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"" RS_N "\"}");
}

/* 1 if the text is a JWS that verifies. */
static int verifies(apr_pool_t *p, const char *text, const apim_jwk_t *jwk)
{
    apim_jws_t *jws;
    return !apim_jws_parse(p, text, &jws) && apim_jws_verify(p, jws, jwk);
}

static const char *b64(apr_pool_t *p, const char *text)
{
    return apim_b64url(p, text, strlen(text));
}

static void test_rfc7515_vectors(void **state)
{
    apr_pool_t *p = *state;
    apim_jws_t *jws;
    assert_true(verifies(p, ES_HEADER "." PAYLOAD "." ES_SIG, ec_public(p)));
    assert_true(verifies(p, RS_HEADER "." PAYLOAD "." RS_SIG, rsa_public(p)));
    assert_null(apim_jws_parse(p, ES_HEADER "." PAYLOAD "." ES_SIG, &jws));
    assert_string_equal(apim_json_str(jws->claims, "iss", ""), "joe");
    assert_string_equal(jws->alg, "ES256");
    assert_null(jws->kid);
}

static void test_rfc7638_and_8037_thumbprints(void **state)
{
    apr_pool_t *p = *state;
    apim_jwk_t *rsa = key(
        p, "{\"kty\":\"RSA\",\"alg\":\"RS256\",\"kid\":\"2011-04-29\",\"e\":\"AQAB\",\"n\":\"" THUMB_N "\"}");
    apim_jwk_t *ed =
        key(p, "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"d\":\"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A\","
               "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}");
    assert_string_equal(rsa->kid, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    assert_string_equal(ed->kid, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    assert_true(ed->is_private);
}

static void test_rfc8037_signature(void **state)
{
    apr_pool_t *p = *state;
    static const char text[] = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
    static const char sig[] =
        "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    apim_jwk_t *ed =
        key(p, "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}");
    apim_jws_t jws = {.alg = "EdDSA", .signed_part = text, .signed_len = strlen(text)};
    jws.signature = apim_b64url_decode(p, sig, strlen(sig), &jws.signature_len);
    assert_true(apim_jws_verify(p, &jws, ed)); /* its payload is no JSON, so it is not parsed here */
}

static void test_round_trip(void **state)
{
    apr_pool_t *p = *state;
    json_t *claims = apim_json_own(p, json_pack("{s:s, s:I}", "sub",
                                                "p\xc3\xa4"
                                                "p\"x",
                                                "exp", (json_int_t)4102444800));
    unsigned int i, j;
    for (i = 0; i < sizeof(algs) / sizeof(algs[0]); i++) {
        apim_jwk_t *jwk, *other, *again, *public_half;
        const char *text;
        char *changed;
        apim_jws_t *jws;
        assert_null(apim_jwk_generate(p, algs[i], &jwk));
        assert_null(apim_jwk_generate(p, algs[(i + 1) % 4], &other));
        assert_null(apim_jws_sign(p, jwk, "at+jwt", claims, &text));
        assert_true(verifies(p, text, jwk));
        assert_false(verifies(p, text, other));
        assert_null(apim_jws_parse(p, text, &jws));
        assert_string_equal(jws->typ, "at+jwt");
        assert_string_equal(jws->kid, jwk->kid);
        assert_string_equal(apim_json_str(jws->claims, "sub", ""), "p\xc3\xa4"
                                                                   "p\"x");
        again = key(p, apim_json_text(p, apim_json_own(p, apim_jwk_json(p, jwk, 1))));
        public_half = key(p, apim_json_text(p, apim_json_own(p, apim_jwk_json(p, jwk, 0))));
        assert_string_equal(again->kid, jwk->kid);
        assert_true(again->is_private && !public_half->is_private);
        assert_true(verifies(p, text, public_half));
        assert_null(apim_jwk_json(p, public_half, 1));
        assert_non_null(apim_jws_sign(p, public_half, "at+jwt", claims, &text));
        assert_null(apim_jws_sign(p, again, "at+jwt", claims, &text));
        for (j = 0; text[j]; j++) { /* every character counts */
            changed = apr_pstrdup(p, text);
            changed[j] = changed[j] == 'A' ? 'B' : 'A';
            if (j % 7 == 0 || j > strlen(text) - 4) {
                assert_false(verifies(p, changed, jwk));
            }
        }
    }
    assert_int_equal(ERR_peek_error(), 0);
}

static void test_algorithm_is_the_keys(void **state)
{
    apr_pool_t *p = *state;
    static const char *const headers[] = {"{\"alg\":\"none\"}",   "{\"alg\":\"None\"}",
                                          "{\"alg\":\"nOnE\"}",   "{\"alg\":\"HS256\"}",
                                          "{\"alg\":\"\"}",       "{\"alg\":\"RS256\"}",
                                          "{\"alg\":\"es256\"}",  "{\"alg\":\"ES384\"}",
                                          "{\"alg\":null}",       "{}",
                                          "{\"alg\":[\"ES256\"]}"};
    unsigned int i;
    for (i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        const char *head = b64(p, headers[i]);
        assert_false(verifies(p, apr_pstrcat(p, head, "." PAYLOAD "." ES_SIG, NULL), ec_public(p)));
        assert_false(verifies(p, apr_pstrcat(p, head, "." PAYLOAD ".", NULL), ec_public(p)));
        assert_false(verifies(p, apr_pstrcat(p, head, "." PAYLOAD "." ES_SIG, NULL), rsa_public(p)));
    }
    /* PS256 and RS256 may share a key type, never a key. */
    assert_false(verifies(p, apr_pstrcat(p, b64(p, "{\"alg\":\"PS256\"}"), "." PAYLOAD "." RS_SIG, NULL),
                          rsa_public(p)));
}

static void test_headers_that_are_refused(void **state)
{
    apr_pool_t *p = *state;
    static const char *const headers[] = {"{\"alg\":\"ES256\",\"crit\":[\"exp\"]}",
                                          "{\"alg\":\"ES256\",\"crit\":[]}",
                                          "{\"alg\":\"ES256\",\"b64\":false,\"crit\":[\"b64\"]}",
                                          "{\"alg\":\"ES256\",\"b64\":true}",
                                          "{\"alg\":\"ES256\",\"alg\":\"ES256\"}",
                                          "[\"ES256\"]",
                                          "\"ES256\"",
                                          "{\"alg\":\"ES256\"",
                                          "{\"alg\":\"ES256\",\"x\":[[[[[[[[[[]]]]]]]]]]}",
                                          "{\"alg\":\"ES256\",\"x\":\"\xff\"}"};
    apim_jws_t *jws;
    unsigned int i;
    for (i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        assert_non_null(
            apim_jws_parse(p, apr_pstrcat(p, b64(p, headers[i]), "." PAYLOAD "." ES_SIG, NULL), &jws));
    }
    /* A key in the header is neither an error nor a key. */
    assert_null(apim_jws_parse(
        p,
        apr_pstrcat(p, b64(p, "{\"alg\":\"ES256\",\"jku\":\"http://evil/\",\"jwk\":{\"kty\":\"EC\"}}"),
                    "." PAYLOAD "." ES_SIG, NULL),
        &jws));
    assert_false(apim_jws_verify(p, jws, ec_public(p)));
}

static void test_shapes_that_are_refused(void **state)
{
    apr_pool_t *p = *state;
    static const char *const texts[] = {"",
                                        ".",
                                        "..",
                                        "...",
                                        ES_HEADER,
                                        ES_HEADER "." PAYLOAD,
                                        ES_HEADER "." PAYLOAD ".",
                                        ES_HEADER ".." ES_SIG,
                                        "." PAYLOAD "." ES_SIG,
                                        ES_HEADER "." PAYLOAD "." ES_SIG ".",
                                        ES_HEADER "." PAYLOAD "." ES_SIG ".x",
                                        ES_HEADER "=." PAYLOAD "." ES_SIG,
                                        ES_HEADER "." PAYLOAD "." ES_SIG "==",
                                        " " ES_HEADER "." PAYLOAD "." ES_SIG,
                                        ES_HEADER "\n." PAYLOAD "." ES_SIG,
                                        ES_HEADER ".e30." ES_SIG "/"};
    apim_jws_t *jws;
    char *big = apr_pcalloc(p, 20001);
    char *changed = apr_pstrdup(p, ES_HEADER "." PAYLOAD "." ES_SIG);
    unsigned int i;
    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        assert_non_null(apim_jws_parse(p, texts[i], &jws));
    }
    memset(big, 'A', 20000);
    assert_non_null(apim_jws_parse(p, apr_pstrcat(p, ES_HEADER ".", big, "." ES_SIG, NULL), &jws));
    /* The last character of the signature carries four bits that decode to nothing: only zero is accepted. */
    changed[strlen(changed) - 1] = 'R';
    assert_non_null(apim_jws_parse(p, changed, &jws));
    assert_false(apim_jws_looks_like("apim_at_x"));
    assert_false(apim_jws_looks_like(NULL));
    assert_true(apim_jws_looks_like(ES_HEADER "." PAYLOAD "." ES_SIG));
}

static void test_signatures_that_are_refused(void **state)
{
    apr_pool_t *p = *state;
    apim_jwk_t *jwk = ec_public(p);
    apr_size_t n;
    unsigned char *good = apim_b64url_decode(p, ES_SIG, strlen(ES_SIG), &n), bad[128] = {0};
    unsigned char order[32] = {0xff, 0xff, 0xff, 0xff, 0,    0,    0,    0,    0xff, 0xff, 0xff,
                               0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17,
                               0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51};
    apim_jws_t jws = {
        .alg = "ES256", .signed_part = ES_HEADER "." PAYLOAD, .signed_len = strlen(ES_HEADER "." PAYLOAD)};
    jws.signature = bad;
    jws.signature_len = 64;
    assert_false(apim_jws_verify(p, &jws, jwk)); /* r = s = 0 */
    memcpy(bad, good, 32);
    assert_false(apim_jws_verify(p, &jws, jwk)); /* s = 0 */
    memcpy(bad + 32, order, 32);
    assert_false(apim_jws_verify(p, &jws, jwk)); /* s = n */
    memcpy(bad, good, 64);
    for (n = 0; n < 128; n++) {
        jws.signature_len = n;
        assert_int_equal(apim_jws_verify(p, &jws, jwk), n == 64); /* truncated, extended */
    }
    assert_int_equal(ERR_peek_error(), 0);
}

static void test_keys_that_are_refused(void **state)
{
    apr_pool_t *p = *state;
    static const char *const keys[] = {
        "{}",
        "{\"kty\":\"oct\",\"k\":\"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-"
        "1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow\"}",
        "{\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":\"" EC_X "\",\"y\":\"" EC_Y "\"}",
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" EC_X "\"}",
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" EC_Y "\",\"y\":\"" EC_X "\"}", /* off the curve */
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AA\",\"y\":\"" EC_Y "\"}",
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"alg\":\"RS256\",\"x\":\"" EC_X "\",\"y\":\"" EC_Y "\"}",
        "{\"kty\":\"RSA\",\"e\":\"AQ\",\"n\":\"" RS_N "\"}",   /* e = 1 */
        "{\"kty\":\"RSA\",\"e\":\"AQAA\",\"n\":\"" RS_N "\"}", /* even */
        "{\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"" EC_X "\"}", /* 256 bits */
        "{\"kty\":\"RSA\",\"e\":\"AQAB\"}",
        "{\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"" RS_N "\",\"d\":\"AQAB\"}", /* half a private key */
        "{\"kty\":\"RSA\",\"alg\":\"HS256\",\"e\":\"AQAB\",\"n\":\"" RS_N "\"}",
        "{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"" EC_X "\"}",
        "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AAAA\"}"};
    unsigned int i;
    for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        apim_jwk_t *jwk = NULL;
        assert_non_null(parse_key(p, keys[i], &jwk));
        assert_null(jwk);
    }
    assert_int_equal(ERR_peek_error(), 0);
}

static void test_seal(void **state)
{
    apr_pool_t *p = *state;
    const char *sealed, *again, *text;
    unsigned int i;
    assert_null(apim_seal(p, "a secret of some length", "purpose", "row 1", "hidden", &sealed));
    assert_null(apim_seal(p, "a secret of some length", "purpose", "row 1", "hidden", &again));
    assert_string_not_equal(sealed, again);
    assert_null(strstr(sealed, "hidden"));
    assert_null(apim_unseal(p, "a secret of some length", "purpose", "row 1", sealed, &text));
    assert_string_equal(text, "hidden");
    assert_non_null(apim_unseal(p, "another secret", "purpose", "row 1", sealed, &text));
    assert_non_null(apim_unseal(p, "a secret of some length", "other", "row 1", sealed, &text));
    assert_non_null(apim_unseal(p, "a secret of some length", "purpose", "row 2", sealed, &text));
    for (i = 0; sealed[i]; i++) {
        char *changed = apr_pstrdup(p, sealed);
        changed[i] = changed[i] == 'x' ? 'y' : 'x';
        assert_non_null(apim_unseal(p, "a secret of some length", "purpose", "row 1", changed, &text));
    }
    assert_string_equal(apim_derive(p, "s", "p", "c"), apim_derive(p, "s", "p", "c"));
    assert_string_not_equal(apim_derive(p, "s", "p", "c"), apim_derive(p, "s", "p", "d"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        unit_case(test_rfc7515_vectors),         unit_case(test_rfc7638_and_8037_thumbprints),
        unit_case(test_rfc8037_signature),       unit_case(test_round_trip),
        unit_case(test_algorithm_is_the_keys),   unit_case(test_headers_that_are_refused),
        unit_case(test_shapes_that_are_refused), unit_case(test_signatures_that_are_refused),
        unit_case(test_keys_that_are_refused),   unit_case(test_seal)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
