/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <apr_strings.h>
#include <time.h>
#include <apr_time.h>
#include <stdlib.h>

#include "apim_json.h"
#include "openapi/document.h"

static json_t *parse(apr_pool_t *p, const char *text)
{
    json_t *j;
    apim_error_t *err = apim_doc_parse(p, text, strlen(text), NULL, &j);
    if (err) {
        print_error("%s\n", err->description ? err->description : err->cause);
    }
    return j;
}

static void assert_same(apr_pool_t *p, const char *text, const char *json)
{
    json_t *want = json_loads(json, JSON_DECODE_ANY, NULL), *got = parse(p, text);
    assert_non_null(want);
    assert_non_null(got);
    if (!json_equal(want, got)) {
        fail_msg("%s: is %s instead of %s", text, apim_json_text(p, got), json);
    }
    json_decref(want);
}

static void assert_refused_bytes(apr_pool_t *p, const char *text, apr_size_t len, const char *said)
{
    json_t *j;
    apim_error_t *err = apim_doc_parse(p, text, len, NULL, &j);
    assert_null(j);
    assert_non_null(err);
    assert_int_equal(err->status, 400);
    assert_non_null(err->description);
    if (!strstr(err->description, said)) {
        fail_msg("\"%s\" does not say \"%s\"", err->description, said);
    }
}

static void assert_refused(apr_pool_t *p, const char *text, const char *said)
{
    assert_refused_bytes(p, text, strlen(text), said);
}

/* -- YAML ------------------------------------------------------------------------------------------------ */

static void test_core_schema(void **state)
{
    apr_pool_t *p = *state;
    assert_same(p, "[yes, no, on, off, y, n, Yes, NO]",
                "[\"yes\", \"no\", \"on\", \"off\", \"y\", \"n\", \"Yes\", \"NO\"]");
    assert_same(p, "- true\n- True\n- FALSE\n- tRue\n", "[true, true, false, \"tRue\"]");
    assert_same(p, "- null\n- ~\n-\n- Null\n- nULL\n", "[null, null, null, null, \"nULL\"]");
    assert_same(p, "- 012\n- 0o14\n- 0x1F\n- +7\n- -0\n- 0b1\n- 1_000\n- 0o8\n- 12:30\n",
                "[12, 12, 31, 7, 0, \"0b1\", \"1_000\", \"0o8\", \"12:30\"]");
    assert_same(p, "- 1.5\n- .5\n- 1.\n- -1e3\n- 1.e2\n- +.25\n- 1e\n- .\n- '-'\n- 1.2.3\n- 00.5\n",
                "[1.5, 0.5, 1, -1e3, 100.0, 0.25, \"1e\", \".\", \"-\", \"1.2.3\", 0.5]");
    assert_same(p, "- 2017-01-01\n- \"5\"\n- '~'\n- !!str 5\n- ! 6\n- !!int \"7\"\n- |\n  a\n  b\n",
                "[\"2017-01-01\", \"5\", \"~\", \"5\", \"6\", 7, \"a\\nb\\n\"]");
    assert_same(p, "- 9223372036854775807\n- 18446744073709551615\n",
                "[9223372036854775807, 18446744073709551615.0]");
    assert_refused(p, "a: .inf", "line 1, column 4");
    assert_refused(p, "a: -.INF", "JSON does not have");
    assert_refused(p, "a: .nan", "JSON does not have");
}

static void test_keys(void **state)
{
    apr_pool_t *p = *state;
    assert_same(p, "responses:\n  200: ok\n  true: t\n  null: n\n  1.0: f\n",
                "{\"responses\": {\"200\": \"ok\", \"true\": \"t\", \"null\": \"n\", \"1.0\": \"f\"}}");
    assert_refused(p, "a: 1\nb: 2\na: 3\n", "line 3, column 1: the key \"a\" stands twice");
    assert_refused(p, "{a: 1, a: 2}", "stands twice");
    assert_refused(p, "? [a]\n: 1\n", "cannot be a key");
    assert_refused(p, "? {a: b}\n: 1\n", "cannot be a key");
    assert_refused(p, "x: &a b\n*a : 1\n", "cannot be a key");
}

static void test_anchors(void **state)
{
    apr_pool_t *p = *state;
    json_t *j;
    assert_same(p, "a: &x {b: [1, 2]}\nc: *x\nd: [*x, *x]\ne: &y text\nf: *y\n",
                "{\"a\":{\"b\":[1,2]},\"c\":{\"b\":[1,2]},\"d\":[{\"b\":[1,2]},{\"b\":[1,2]}],\"e\":\"text\","
                "\"f\":\"text\"}");
    j = parse(p, "a: &x {b: 1}\nc: *x\n");
    json_object_set_new(json_object_get(j, "a"), "b", json_integer(2));
    assert_int_equal(apim_json_int(json_object_get(j, "c"), "b", 0), 1); /* a copy, not the same object */
    assert_same(p, "a: &x 1\nb: *x\nc: &x 2\nd: *x\n", "{\"a\":1,\"b\":1,\"c\":2,\"d\":2}");
    assert_refused(p, "a: *x\n", "has no anchor before it");
    assert_refused(p, "a: &x {b: *x}\n", "stands inside the node");
    assert_refused(p, "a: &x 1\nb: &x [*x]\n", "stands inside the node");
}

static void test_merge(void **state)
{
    apr_pool_t *p = *state;
    assert_same(p, "a: &x {b: 1, c: 2}\nd:\n  <<: *x\n  c: 3\n",
                "{\"a\":{\"b\":1,\"c\":2},\"d\":{\"b\":1,\"c\":3}}");
    assert_same(p, "a: &x {b: 1}\ne: &y {b: 2, c: 3}\nd: {<<: [*x, *y], z: 0}\n",
                "{\"a\":{\"b\":1},\"e\":{\"b\":2,\"c\":3},\"d\":{\"b\":1,\"c\":3,\"z\":0}}");
    assert_same(p, "a: {<<: &x {b: 1}}\nc: *x\n", "{\"a\":{\"b\":1},\"c\":{\"b\":1}}");
    assert_same(p, "\"<<\": 1\n", "{\"<<\": 1}");
    assert_refused(p, "a: {<<: 1}\n", "<< must be a mapping");
}

static void test_yaml_refusals(void **state)
{
    apr_pool_t *p = *state;
    assert_refused(p, "", "empty");
    assert_refused(p, "# only a comment\n", "empty");
    assert_refused(p, "a: !mine 1\n", "line 1, column 4: the tag !mine is not supported");
    assert_refused(p, "a: !!binary aGk=\n", "is not supported");
    assert_refused(p, "a: !!python/object:os.system x\n", "is not supported");
    assert_refused(p, "a: !!map 5\n", "is not supported");
    assert_refused(p, "a: !!seq {}\n", "is not supported");
    assert_refused(p, "a: 1\n---\nb: 2\n", "line 2, column 1: a second document");
    assert_refused(p, "a: [1\nb: 2\n", "line");
    assert_refused(p, "a: b: c\n", "line 1, column 5");
    assert_refused(p, "a:\n\t- b\n", "line 2");
    assert_refused(p, "a: \"\\0\"\n", "NUL");
    assert_refused(p, "\"a\\0b\": 1\n", "NUL");
    assert_refused(p, "%YAML 9.9\n---\na: 1\n", "incompatible");
}

/* -- JSON ------------------------------------------------------------------------------------------------ */

static void test_json(void **state)
{
    apr_pool_t *p = *state;
    assert_same(p, " {\"a\": [1, -2, 0.5, 1E2, true, false, null, \"x\"], \"b\": {}}\n",
                "{\"a\":[1,-2,0.5,100.0,true,false,null,\"x\"],\"b\":{}}");
    assert_same(p, "[\"\\u00e9\\uD83D\\uDE00\\n\\\"\\\\\\/\\b\\f\\r\\t\"]",
                "[\"\xc3\xa9\xf0\x9f\x98\x80\\n\\\"\\\\/\\b\\f\\r\\t\"]");
    assert_same(p, "[9223372036854775807, -9223372036854775808, 18446744073709551615, 123456789012345678]",
                "[9223372036854775807, -9223372036854775808, 18446744073709551615.0, 123456789012345678]");
    assert_same(p, "\xef\xbb\xbf{\"a\": 1}", "{\"a\":1}");
    assert_same(p, "{\"a/b\": 1, \"\": 2}", "{\"a/b\":1,\"\":2}");
    assert_same(p, "{a: 1, b: [x, y,],}", "{\"a\":1,\"b\":[\"x\",\"y\"]}"); /* YAML in flow style */
}

static void test_json_refusals(void **state)
{
    apr_pool_t *p = *state;
    assert_refused(p, "{\"a\": 1,\n \"b\": 2,\n \"a\": 3}", "line 3, column 2: the key \"a\" stands twice");
    assert_refused(p, "{\"a\": [1, 2}", "line 1, column 12: a comma or ] should stand here");
    assert_refused(p, "{\"a\": 1", "the document ends where");
    assert_refused(p, "{\"a\": \"x", "the document ends inside a string");
    assert_refused(p, "{\"a\": 1} {\"b\"", "something stands behind the end");
    assert_refused(p, "{\"a\": [\"\\u0000\"]}]", "this escape is not known or is no character");
    assert_refused(p, "{\"a\": [\"\\uD800\"]}]", "this escape");
    assert_refused(p, "{\"a\": [1e999]}", "too big");
    assert_refused(p, "{\"a\": [", "line 1, column 8");
}

static void test_encoding(void **state)
{
    apr_pool_t *p = *state;
    assert_refused_bytes(p, "{\"a\":\n\"\xff\"}", 10, "byte 0xff at line 2 (offset 7)");
    assert_refused_bytes(p, "a: \xc0\x80\n", 6, "byte 0xc0 at line 1");
    assert_refused_bytes(p, "a: \xed\xa0\x80\n", 7, "byte 0xed");
    assert_refused_bytes(p, "a: b\0c\n", 7, "byte 0x00 at line 1 (offset 4)");
    assert_refused_bytes(p, "\xff\xfe{\0}\0", 6, "UTF-16");
    assert_refused_bytes(p, "\xfe\xff\0{\0}", 6, "UTF-16");
    assert_refused_bytes(p, "a: \xe2\x82", 5, "byte 0xe2");
}

/* -- bounds ---------------------------------------------------------------------------------------------- */

static char *repeat(apr_pool_t *p, const char *head, const char *part, int n, const char *tail)
{
    size_t h = strlen(head), l = strlen(part);
    char *text = apr_palloc(p, h + l * (size_t)n + strlen(tail) + 1);
    int i;
    memcpy(text, head, h);
    for (i = 0; i < n; i++) {
        memcpy(text + h + (size_t)i * l, part, l);
    }
    strcpy(text + h + (size_t)n * l, tail);
    return text;
}

static void test_depth(void **state)
{
    apr_pool_t *p = *state;
    assert_non_null(parse(p, repeat(p, "", "[", 100, repeat(p, "", "]", 100, ""))));
    assert_refused(p, repeat(p, "", "[", 101, repeat(p, "", "]", 101, "")), "more than 100 levels");
    assert_refused(p, repeat(p, "", "{\"a\":", 200, ""), "more than 100 levels");
    assert_refused(p, repeat(p, "a: ", "[", 200, ""), "more than 100 levels");
    assert_refused(p, repeat(p, "a:\n", "- ", 200, "x"), "more than 100 levels");
    /* each alias stands one level deeper than what it refers to */
    assert_non_null(parse(p, "a: &a [1]\nb: &b [*a]\nc: &c [*b]\n"));
    {
        apim_doc_limits_t shallow = {0, 3, 0};
        json_t *j;
        assert_null(apim_doc_parse(p, "a: &a [1]\nb: &b [*a]\n", 21, &shallow, &j));
        assert_non_null(apim_doc_parse(p, "a: &a [1]\nb: &b [*a]\nc: [*b]\n", 30, &shallow, &j));
    }
}

static void test_size(void **state)
{
    apr_pool_t *p = *state;
    apim_doc_limits_t small = {10, 0, 5};
    json_t *j;
    apim_error_t *err = apim_doc_parse(p, "{\"a\": \"12345\"}", 14, &small, &j);
    assert_int_equal(err->status, 413);
    assert_non_null(strstr(err->description, "14 bytes; at most 10"));
    assert_null(apim_doc_parse(p, "[1,2,3,4]", 9, &small, &j));
    err = apim_doc_parse(p, "[1,2,3,4,5", 10, &small, &j);
    assert_non_null(strstr(err->description, "more than 5 values"));
    small.max_bytes = 0;
    err = apim_doc_parse(p, "- 1\n- 2\n- 3\n- 4\n- 5\n", 20, &small, &j);
    assert_non_null(strstr(err->description, "more than 5 values"));
}

/* "Billion laughs", in nodes and in bytes, and by merging. */
static void test_alias_bombs(void **state)
{
    apr_pool_t *p = *state;
    const char *text = "a: &a [x,x,x,x,x,x,x,x,x,x]\n", *long_one;
    int i;
    for (i = 1; i < 9; i++) {
        text = apr_psprintf(p, "%s%c: &%c [*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c]\n", text, 'a' + i,
                            'a' + i, 'a' + i - 1, 'a' + i - 1, 'a' + i - 1, 'a' + i - 1, 'a' + i - 1,
                            'a' + i - 1, 'a' + i - 1, 'a' + i - 1, 'a' + i - 1, 'a' + i - 1);
    }
    assert_refused(p, text, "the aliases expand to too much");
    long_one = repeat(p, "a: &a ", "0123456789abcdef", 65536, "\nb:\n");
    assert_refused(p, repeat(p, long_one, "- *a\n", 100, ""), "the aliases expand to too much");
    assert_non_null(parse(p, repeat(p, "a: &a {b: c}\nd:\n", "- *a\n", 1000, "")));
    assert_non_null(parse(p, repeat(p, "a: &a {b: c, d: e}\nd:\n", "- <<: *a\n  f: g\n", 50000, "")));
    assert_refused(p, repeat(p, repeat(p, "a: &a [", "x,", 5000, "x]\nd:\n"), "- *a\n", 1000, ""),
                   "expand to too much");
}

/* Whatever 10 MB hold, the answer takes little processor time. The bound is loose for slow machines and
 * sanitizers; quadratic work would take hours. */
static void assert_quick(apr_pool_t *parent, const char *head, const char *part, const char *tail)
{
    apr_pool_t *p;
    char *text;
    json_t *j;
    clock_t start = clock();
    apr_pool_create(&p, parent);
    text = repeat(p, head, part, (int)(10000000 / strlen(part)), tail);
    apim_doc_parse(p, text, strlen(text), NULL, &j);
    apr_pool_destroy(p);
    if (clock() - start > 30 * CLOCKS_PER_SEC) {
        fail_msg("10 MB of \"%.10s\" took %d s", part, (int)((clock() - start) / CLOCKS_PER_SEC));
    }
}

static void test_ten_megabytes(void **state)
{
    static const char *const texts[][3] = {
        {"", "[", ""},
        {"", "{", ""},
        {"", "{\"a\":", ""},
        {"[", "0,", "0]"},
        {"[", "[],", "0]"},
        {"", "- ", ""},
        {"", "? ", ""},
        {"", "a", ": b"},
        {"\"", "a", "\": b"},
        {"", "a: b\n", ""},
        {"", "- a\n", ""},
        {"{\"a\":\"", "\\u00e9", "\"}"},
        {"a: \"", "\\x41", "\""},
        {"a: |\n", " b\n", ""},
        {"", "#\n", ""},
        {"", "&a ", ""},
        {"", "!a ", ""},
        {"a: ", "*a ", ""},
        {"", "---\n", ""},
        {"", "\n", ""},
        {"%TAG ! ", "a", ""},
        {"", "%A\n", ""},
        {"", "a:\n ", ""},
        {"[", "? ", ""},
        {"{", "a: [", ""},
        {"", "'", ""},
        {"", "\"", ""},
        {"a: ", "> ", ""},
        {"[", "1e5,", "1]"},
        {"- ", "1", ""},
        {"[", "1", "]"},
        {"", ": ", ""},
    };
    size_t i;
    for (i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        assert_quick(*state, texts[i][0], texts[i][1], texts[i][2]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        unit_case(test_core_schema),   unit_case(test_keys),        unit_case(test_anchors),
        unit_case(test_merge),         unit_case(test_json),        unit_case(test_json_refusals),
        unit_case(test_yaml_refusals), unit_case(test_encoding),    unit_case(test_depth),
        unit_case(test_size),          unit_case(test_alias_bombs), unit_case(test_ten_megabytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
