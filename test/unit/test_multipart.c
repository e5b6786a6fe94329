/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include "httpd/multipart.h"

#define TYPE "multipart/form-data; boundary=xyz"

static apim_error_t *parse(apr_pool_t *p, const char *body, apr_array_header_t **parts)
{
    return apim_multipart_parse(p, TYPE, body, strlen(body), parts);
}

static void test_parts(void **state)
{
    apr_pool_t *p = *state;
    apr_array_header_t *parts;
    const char *body = "preamble\r\n--xyz\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a "
                       "\\\"b\\\".json\"\r\n"
                       "Content-Type: application/json\r\n\r\n{\"a\":\r\n1}\r\n--xyz\r\n"
                       "Content-Disposition: form-data; name=empty\r\n\r\n\r\n--xyz--\r\n";
    assert_null(parse(p, body, &parts));
    assert_int_equal(parts->nelts, 2);
    assert_string_equal(apim_multipart_get(parts, "file")->filename, "a \"b\".json");
    assert_string_equal(apim_multipart_get(parts, "file")->content_type, "application/json");
    assert_string_equal(apim_multipart_text(p, parts, "file"), "{\"a\":\r\n1}");
    assert_string_equal(apim_multipart_text(p, parts, "empty"), "");
    assert_null(apim_multipart_text(p, parts, "none"));
}

static void test_empty_form(void **state)
{
    apr_array_header_t *parts;
    assert_null(parse(*state, "--xyz--\r\n", &parts));
    assert_int_equal(parts->nelts, 0);
}

static void test_malformed(void **state)
{
    static const char *const bodies[] = {
        "",
        "no delimiter",
        "--xyz",
        "--xyz\r\n",
        "--xyz\r\nContent-Disposition: form-data; name=a\r\n\r\nvalue without end",
        "--xyz\r\nContent-Disposition: form-data\r\n\r\nno name\r\n--xyz--",
        "--xyz\r\nContent-Disposition: form-data; name=\"a",
        "--xyz\r\nContent-Disposition: form-data; name=a\r\n--xyz--",
    };
    apr_array_header_t *parts;
    size_t i;
    for (i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        apim_error_t *err = parse(*state, bodies[i], &parts);
        assert_non_null(err);
        assert_int_equal(err->status, 400);
    }
    assert_non_null(apim_multipart_parse(*state, "multipart/form-data", "x", 1, &parts));
}

static void test_too_many_parts(void **state)
{
    apr_pool_t *p = *state;
    char *body = apr_pcalloc(p, 100 * 64);
    apr_array_header_t *parts;
    int i;
    for (i = 0; i < 70; i++) {
        strcat(body, "--xyz\r\nContent-Disposition: form-data; name=a\r\n\r\nv\r\n");
    }
    strcat(body, "--xyz--");
    assert_non_null(parse(p, body, &parts));
}

int main(void)
{
    const struct CMUnitTest tests[] = {unit_case(test_parts), unit_case(test_empty_form),
                                       unit_case(test_malformed), unit_case(test_too_many_parts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
