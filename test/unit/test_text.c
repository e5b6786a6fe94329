/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include "apim_crypto.h"
#include "apim_json.h"
#include "apim_text.h"

static void test_utf8(void **state)
{
    assert_true(apim_utf8_valid("abc \xc3\xa9 \xf0\x9f\x98\x80", 11));
    assert_false(apim_utf8_valid("\xc0\x80", 2));     /* overlong */
    assert_false(apim_utf8_valid("\xed\xa0\x80", 3)); /* surrogate */
    assert_false(apim_utf8_valid("\xf4\x90\x80\x80", 4));
    assert_false(apim_utf8_valid("\xe2\x82", 2)); /* cut off */
}

static void test_base64url(void **state)
{
    apr_pool_t *p = *state;
    apr_size_t n;
    assert_string_equal(apim_b64url(p, "\x03\xec\xff\xe0\xc1", 5), "A-z_4ME"); /* RFC 7515 appendix C */
    assert_memory_equal(apim_b64url_decode(p, "A-z_4ME", 7, &n), "\x03\xec\xff\xe0\xc1", 5);
    assert_int_equal(n, 5);
    assert_null(apim_b64url_decode(p, "A-z_4MF", 7, &n)); /* left-over bits set */
    assert_null(apim_b64url_decode(p, "A+z_", 4, &n));
    assert_null(apim_b64url_decode(p, "A", 1, &n));
}

static void test_urldecode(void **state)
{
    apr_pool_t *p = *state;
    assert_string_equal(apim_urldecode(p, "a%20b+c", 7, 1), "a b c");
    assert_string_equal(apim_urldecode(p, "%41", 3, 0), "A");
    assert_null(apim_urldecode(p, "%4", 2, 0));
    assert_null(apim_urldecode(p, "%00", 3, 0));
    assert_null(apim_urldecode(p, "%ff", 3, 0));
}

static void test_lists(void **state)
{
    assert_true(apim_word_in_list("b", "a b c"));
    assert_false(apim_word_in_list("b", "a bc"));
    assert_false(apim_word_in_list("", "a b"));
    assert_false(apim_word_in_list("a", NULL));
}

static void test_json_limits(void **state)
{
    apr_pool_t *p = *state;
    json_t *j;
    apim_json_limits_t shallow = {0, 2};
    apim_error_t *err = apim_json_parse(p, "{\"a\":1,\n\"a\":2}", 14, NULL, &j);
    assert_non_null(err);
    assert_int_equal(err->status, 400);
    assert_non_null(strstr(err->description, "line 2"));
    assert_null(apim_json_parse(p, "{\"a\":[1,\"[[[\"]}", 15, &shallow, &j));
    assert_non_null(apim_json_parse(p, "{\"a\":[[1]]}", 11, &shallow, &j));
}

/* Real numbers come back as they were written, as far as they are short. */
static void test_json_reals(void **state)
{
    static const char text[] =
        "{\"0.10000000000000001\":[0.1,-1.1,1e-7,123456.789,0.30000000000000004,5e-324,"
        "1.7976931348623157e308,12345678901234567,\"a\\\"1.10000000000000009\"]}";
    apr_pool_t *p = *state;
    json_t *j, *again;
    const char *out;
    assert_null(apim_json_parse(p, text, sizeof(text) - 1, NULL, &j));
    out = apim_json_text(p, j);
    assert_non_null(strstr(out, "\"0.10000000000000001\":[0.1,-1.1,"));
    assert_non_null(strstr(out, ",123456.789,0.30000000000000004,"));
    assert_non_null(strstr(out, ",12345678901234567,\"a\\\"1.10000000000000009\"]}"));
    assert_null(apim_json_parse(p, out, strlen(out), NULL, &again));
    assert_true(json_equal(j, again));
    assert_string_equal(apim_json_text(p, json_array_get(json_object_get(j, "0.10000000000000001"), 0)),
                        "0.1");
}

static void test_secrets(void **state)
{
    apr_pool_t *p = *state;
    const char *hash;
    assert_true(apim_equal_secret("abc", "abc"));
    assert_false(apim_equal_secret("abc", "abcd"));
    assert_false(apim_equal_secret(NULL, "abc"));
    assert_null(apim_password_hash(p, "s3cret", &hash));
    assert_true(apim_password_matches("s3cret", hash));
    assert_false(apim_password_matches("S3cret", hash));
    assert_false(apim_password_matches("s3cret", NULL));
    assert_int_equal(strlen(apim_uuid(p)), 36);
}

/* An unknown user must cost what a wrong password costs: the dummy hash has to be one that bcrypt works
 * through. */
static void test_unknown_user_takes_as_long(void **state)
{
    apr_pool_t *p = *state;
    const char *hash;
    apr_time_t start, known, unknown;
    assert_null(apim_password_hash(p, "s3cret", &hash));
    start = apr_time_now();
    apim_password_matches("wrong", hash);
    known = apr_time_now() - start;
    start = apr_time_now();
    apim_password_matches("wrong", NULL);
    unknown = apr_time_now() - start;
    assert_true(unknown * 4 > known);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        unit_case(test_utf8),
        unit_case(test_base64url),
        unit_case(test_urldecode),
        unit_case(test_lists),
        unit_case(test_json_limits),
        unit_case(test_secrets),
        unit_case(test_unknown_user_takes_as_long),
        unit_case(test_json_reals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
