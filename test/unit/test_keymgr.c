/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <apr_strings.h>

#include "client_input.h"
#include "key_restrictions.h"
#include "operation_input.h"
#include "page_language.h"
#include "scope_service.h"
#include "token_id.h"

static void test_scope_table_is_sorted_and_complete(void **state)
{
    int i;
    const char *name, *before = "";
    for (i = 0; (name = km_scope_table_name(i)); i++) {
        assert_true(strcmp(before, name) < 0);
        assert_int_not_equal(km_scope_table_roles(name), 0);
        before = name;
    }
    assert_true(i > 80);
    assert_int_equal(km_scope_table_roles("apim:nothing"), 0);
    assert_int_equal(km_scope_table_roles(""), 0);
    assert_int_equal(km_scope_table_role("nobody"), 0);
    assert_true(km_scope_table_roles("apim:api_publish") & km_scope_table_role("Internal/publisher"));
    assert_false(km_scope_table_roles("apim:api_publish") & km_scope_table_role("Internal/creator"));
    assert_true(km_scope_table_roles("apim:subscribe") & km_scope_table_role("Internal/subscriber"));
    assert_int_equal(km_scope_table_roles("apim:admin"), km_scope_table_role("admin"));
}

static void test_addresses(void **state)
{
    apr_pool_t *p = *state;
    assert_true(km_address_permitted(p, NULL, NULL));
    assert_true(km_address_permitted(p, "", "1.2.3.4"));
    assert_true(km_address_permitted(p, "1.2.3.4", "1.2.3.4"));
    assert_true(km_address_permitted(p, "9.9.9.9 , 10.0.0.0/8", "10.200.3.4"));
    assert_true(km_address_permitted(p, "2001:db8::/32", "2001:db8::1"));
    assert_false(km_address_permitted(p, "10.0.0.0/8", "11.0.0.1"));
    assert_false(km_address_permitted(p, "10.0.0.0/8", NULL));
    assert_false(km_address_permitted(p, "10.0.0.0/8", "no address"));
    assert_false(km_address_permitted(p, "rubbish,,", "10.0.0.1"));
    assert_false(km_address_permitted(p, "2001:db8::/32", "10.0.0.1"));
}

static void test_referers(void **state)
{
    apr_pool_t *p = *state;
    char *stars = apr_pcalloc(p, 2001);
    int i;
    assert_true(km_referer_permitted(p, "", NULL));
    assert_true(km_referer_permitted(p, "https://a.example/*", "https://a.example/page"));
    assert_true(km_referer_permitted(p, "https://b.example/, *.example/x", "https://a.example/x"));
    assert_true(km_referer_permitted(p, "https://a.example/x", "https://a.example/x"));
    assert_false(km_referer_permitted(p, "https://a.example/x", "https://a.example/xy"));
    assert_false(km_referer_permitted(p, "https://a.example/*", NULL));
    assert_false(km_referer_permitted(p, "https://a.example/*", "http://evil/?https://a.example/"));
    for (i = 0; i < 2000; i++) {
        stars[i] = i % 2 ? 'a' : '*';
    }
    assert_false(km_referer_permitted(p, stars, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab"));
}

static void test_token_ids(void **state)
{
    apr_pool_t *p = *state;
    const char *a = km_token_id(p, APR_INT64_C(1790000000123)),
               *b = km_token_id(p, APR_INT64_C(1790000000123));
    assert_int_equal(strlen(a), 36);
    assert_string_not_equal(a, b);
    assert_true(km_token_id_time(a, 0) == APR_INT64_C(1790000000123));
    assert_true(km_token_id_time("not one", 7) == 7);
    assert_true(km_token_id_time("zzzzzzzz-zzzz-7zzz-8zzz-zzzzzzzzzzzz", 7) == 7);
    assert_true(km_token_id_time("01a0c0de-0000-4000-8000-000000000000", 7) == 7);
}

static void test_grant_types(void **state)
{
    apr_pool_t *p = *state;
    const char *out;
    assert_null(km_check_grant_types(p, "  password   client_credentials password ", 0, &out));
    assert_string_equal(out, "password client_credentials");
    assert_non_null(km_check_grant_types(p, "password teleport", 0, &out));
    assert_null(km_check_grant_types(p, "password teleport", 1, &out));
    assert_string_equal(out, "password");
    assert_null(km_check_grant_types(p, NULL, 0, &out));
    assert_string_equal(out, "");
}

static void test_inputs(void **state)
{
    apr_pool_t *p = *state;
    static const char *const choices[] = {"A", "B", NULL};
    json_t *in = apim_json_own(p, json_pack("{s:s, s:s, s:i, s:s, s:[s,s], s:[i], s:s, s:n}", "text", "abc",
                                            "empty", "", "n", 5, "digits", "-7", "words", "a", "b", "bad", 1,
                                            "control", "a\x01", "null"));
    const char *text;
    apr_int64_t n;
    assert_null(km_in_text(p, in, "text", 3, &text));
    assert_string_equal(text, "abc");
    assert_non_null(km_in_text(p, in, "text", 2, &text));
    assert_non_null(km_in_text(p, in, "n", 9, &text));
    assert_non_null(km_in_text(p, in, "control", 9, &text));
    assert_null(km_in_text(p, in, "empty", 9, &text));
    assert_null(text);
    assert_null(km_in_text(p, in, "null", 9, &text));
    assert_null(text);
    assert_non_null(km_in_needed(p, in, "missing", 9, &text));
    assert_non_null(km_in_choice(p, in, "text", choices, "A", &text));
    assert_null(km_in_choice(p, in, "missing", choices, "A", &text));
    assert_string_equal(text, "A");
    assert_non_null(km_in_choice(p, in, "missing", choices, NULL, &text));
    assert_null(km_in_integer(p, in, "digits", 0, &n));
    assert_true(n == -7);
    assert_null(km_in_integer(p, in, "missing", 3, &n));
    assert_true(n == 3);
    assert_non_null(km_in_integer(p, in, "text", 3, &n));
    assert_null(km_in_words(p, in, "words", 9, &text));
    assert_string_equal(text, "a b");
    assert_non_null(km_in_words(p, in, "words", 2, &text));
    assert_non_null(km_in_words(p, in, "bad", 9, &text));
}

static void test_language_of_pages(void **state)
{
    static const struct {
        const char *locales, *accept, *language;
    } cases[] = {{NULL, NULL, "en"},
                 {NULL, "de", "de"},
                 {NULL, "DE-at, en;q=0.9", "de"},
                 {NULL, "en, de", "en"},
                 {NULL, "de;q=0.2, en;q=0.8", "en"},
                 {NULL, "en;q=0.25,de;q=0.251", "de"},
                 {NULL, "fr, de;q=0.5, *;q=0.1", "de"},
                 {NULL, "de;q=0", "en"},
                 {NULL, "de;q=", "en"},
                 {NULL, "de;q=x", "en"},
                 {NULL, "de ; q=1.000", "de"},
                 {NULL, "de;", "en"},
                 {NULL, "deu, d, e, -, ;;;, ,,,", "en"},
                 {NULL, "", "en"},
                 {"de", "en", "de"},
                 {"fr-CA  de-CH en", "en", "de"},
                 {"en-GB de", "de", "en"},
                 {"tlh", "de", "de"},
                 {"", "de", "de"},
                 {"  de", "en", "de"}};
    char many[4001];
    size_t i;
    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_string_equal(km_language_choose(cases[i].locales, cases[i].accept), cases[i].language);
    }
    memset(many, ',', sizeof(many) - 1);
    many[sizeof(many) - 1] = '\0';
    assert_string_equal(km_language_choose(many, many), "en");
    assert_string_equal(km_language_text("de", "Password"), "Passwort");
    assert_string_equal(km_language_text("en", "Password"), "Password");
    assert_string_equal(km_language_text("de", "no text of ours"), "no text of ours");
}

int main(void)
{
    const struct CMUnitTest tests[] = {unit_case(test_scope_table_is_sorted_and_complete),
                                       unit_case(test_addresses),
                                       unit_case(test_referers),
                                       unit_case(test_token_ids),
                                       unit_case(test_grant_types),
                                       unit_case(test_inputs),
                                       unit_case(test_language_of_pages)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
