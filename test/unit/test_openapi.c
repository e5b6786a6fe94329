/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <apr_strings.h>
#include <time.h>
#include <apr_time.h>

#include "apim_json.h"
#include "openapi/openapi.h"

#define HEAD3  "{\"openapi\":\"3.0.1\",\"info\":{\"title\":\"t\",\"version\":\"1\"},"
#define HEAD31 "{\"openapi\":\"3.1.0\",\"info\":{\"title\":\"t\",\"version\":\"1\"},"
#define HEAD2  "{\"swagger\":\"2.0\",\"info\":{\"title\":\"t\",\"version\":\"1\"},"
#define OP     "{\"responses\":{\"200\":{\"description\":\"\"}}}"

static apim_openapi_t *read_ok(apr_pool_t *p, const char *text)
{
    apim_openapi_t *doc;
    apim_error_t *err = apim_openapi_read(p, text, strlen(text), NULL, &doc);
    if (err) {
        const char *detail = err->details ? APR_ARRAY_IDX(err->details, 0, apim_error_detail_t).message : "";
        fail_msg("%s: %s %s", text, err->description, detail);
    }
    return doc;
}

static apim_error_t *read_bad(apr_pool_t *p, const char *text)
{
    apim_openapi_t *doc;
    apim_error_t *err = apim_openapi_read(p, text, strlen(text), NULL, &doc);
    assert_null(doc);
    assert_non_null(err);
    return err;
}

static int told(const apr_array_header_t *details, const char *code, const char *begins)
{
    int i;
    for (i = 0; details && i < details->nelts; i++) {
        const apim_error_detail_t *d = &APR_ARRAY_IDX(details, i, apim_error_detail_t);
        if (!strcmp(d->code, code) && !strncmp(d->message, begins, strlen(begins))) {
            return 1;
        }
    }
    return 0;
}

static void assert_problem(apr_pool_t *p, const char *text, const char *code, const char *begins)
{
    apim_error_t *err = read_bad(p, text);
    assert_int_equal(err->status, 400);
    assert_int_equal(err->code, 900754);
    if (!told(err->details, code, begins)) {
        fail_msg("%s: no problem %s at %s, but: %s", text, code, begins,
                 APR_ARRAY_IDX(err->details, 0, apim_error_detail_t).message);
    }
}

static void assert_warning(apr_pool_t *p, const char *text, const char *code, const char *begins)
{
    apim_openapi_t *doc = read_ok(p, text);
    if (!told(doc->warnings, code, begins)) {
        fail_msg("%s: no warning %s at %s", text, code, begins);
    }
}

static const apim_openapi_operation_t *operation(const apim_openapi_t *doc, int i)
{
    assert_true(i < doc->operations->nelts);
    return &APR_ARRAY_IDX(doc->operations, i, apim_openapi_operation_t);
}

static const char *word(const apr_array_header_t *list, int i)
{
    assert_true(i < list->nelts);
    return APR_ARRAY_IDX(list, i, const char *);
}

/* -- what is read ---------------------------------------------------------------------------------------- */

static void test_openapi3(void **state)
{
    static const char text[] =
        "openapi: 3.0.3\n"
        "info: {title: Pizza, version: 1.2.0, description: Eat., contact: {name: Ann, email: a@b.c}, "
        "license: {name: MIT}}\n"
        "tags: [{name: food}, {name: hot}]\n"
        "servers:\n"
        "  - url: https://{host}.example.com:{port}/v1/\n"
        "    variables: {host: {default: api}, port: {default: 8443}}\n"
        "  - url: http://other.example.com\n"
        "x-wso2-basePath: /pizza/{version}\n"
        "x-wso2-production-endpoints: {urls: ['http://10.0.0.7:8080/base'], type: http}\n"
        "x-wso2-sandbox-endpoints: {urls: ['http://10.0.0.8:8080/base'], type: http}\n"
        "x-wso2-transports: [https]\n"
        "security: [{default: [all]}]\n"
        "paths:\n"
        "  /menu/{id}:\n"
        "    parameters: [{name: id, in: path, required: true, schema: {type: string}}]\n"
        "    get:\n"
        "      operationId: getMenu\n"
        "      summary: One dish\n"
        "      x-auth-type: Application User\n"
        "      x-throttling-tier: Gold\n"
        "      security: [{default: [menu:read]}, {other: [nothing]}]\n"
        "      responses: {200: {description: OK}}\n"
        "    delete: {x-auth-type: None, responses: {204: {description: gone}}}\n"
        "  /order:\n"
        "    post: {responses: {default: {description: any}}}\n"
        "components:\n"
        "  securitySchemes:\n"
        "    default:\n"
        "      type: oauth2\n"
        "      flows:\n"
        "        implicit:\n"
        "          authorizationUrl: https://example.com\n"
        "          scopes: {menu:read: Read the menu, all: ''}\n"
        "          x-scopes-bindings: {menu:read: 'admin, Internal/subscriber'}\n"
        "    other: {type: oauth2, flows: {implicit: {authorizationUrl: 'https://e.org', scopes: {nothing: "
        "''}}}}\n";
    apim_openapi_t *doc = read_ok(*state, text);
    const apim_openapi_scope_t *scope;
    assert_string_equal(doc->title, "Pizza");
    assert_string_equal(doc->version, "1.2.0");
    assert_string_equal(doc->description, "Eat.");
    assert_string_equal(doc->contact_name, "Ann");
    assert_string_equal(doc->contact_email, "a@b.c");
    assert_null(doc->contact_url);
    assert_string_equal(doc->licence_name, "MIT");
    assert_string_equal(doc->openapi_version, "3.0.3");
    assert_int_equal(doc->major, 3);
    assert_int_equal(doc->minor, 0);
    assert_string_equal(word(doc->tags, 1), "hot");
    assert_int_equal(doc->server_urls->nelts, 2);
    assert_string_equal(word(doc->server_urls, 0), "https://api.example.com:8443/v1/");
    assert_string_equal(doc->endpoint_url, "https://api.example.com:8443/v1");
    assert_string_equal(doc->production_url, "http://10.0.0.7:8080/base");
    assert_string_equal(doc->sandbox_url, "http://10.0.0.8:8080/base");
    assert_string_equal(doc->context, "/pizza/{version}");
    assert_int_equal(doc->transports->nelts, 1);
    assert_int_equal(doc->path_count, 2);
    assert_int_equal(doc->operations->nelts, 3);
    assert_string_equal(operation(doc, 0)->target, "/menu/{id}");
    assert_string_equal(operation(doc, 0)->verb, "GET");
    assert_string_equal(operation(doc, 0)->id, "getMenu");
    assert_string_equal(operation(doc, 0)->summary, "One dish");
    assert_string_equal(operation(doc, 0)->auth_type, APIM_AUTH_USER);
    assert_string_equal(operation(doc, 0)->throttling_policy, "Gold");
    assert_int_equal(operation(doc, 0)->scopes->nelts, 1);
    assert_string_equal(word(operation(doc, 0)->scopes, 0), "menu:read");
    assert_string_equal(operation(doc, 1)->verb, "DELETE");
    assert_string_equal(operation(doc, 1)->auth_type, APIM_AUTH_NONE);
    assert_string_equal(operation(doc, 2)->target, "/order");
    assert_string_equal(operation(doc, 2)->auth_type, APIM_AUTH_ANY);
    assert_string_equal(operation(doc, 2)->throttling_policy, "Unlimited");
    assert_string_equal(word(operation(doc, 2)->scopes, 0), "all"); /* the document's */
    assert_int_equal(doc->scopes->nelts, 2);
    scope = &APR_ARRAY_IDX(doc->scopes, 0, apim_openapi_scope_t);
    assert_string_equal(scope->name, "menu:read");
    assert_string_equal(scope->description, "Read the menu");
    assert_int_equal(scope->roles->nelts, 2);
    assert_string_equal(word(scope->roles, 1), "Internal/subscriber");
    assert_int_equal(doc->warning_count, 0);
}

static void test_swagger2(void **state)
{
    static const char text[] =
        "{\"swagger\":\"2.0\",\"info\":{\"title\":\"t\",\"version\":\"1\"},\"host\":\"api.example.com\","
        "\"basePath\":\"/v2/\","
        "\"schemes\":[\"http\",\"https\"],\"paths\":{"
        "\"/"
        "a\":{\"get\":{\"security\":[{\"o\":[\"s1\",\"s2\"]},{\"o\":[\"s2\"]},{\"k\":[\"no\"]}],"
        "\"responses\":{}}},"
        "\"/b\":{\"get\":{\"x-scope\":\"old\",\"responses\":{}}}},"
        "\"securityDefinitions\":{\"o\":{\"type\":\"oauth2\",\"flow\":\"application\",\"tokenUrl\":\"http://"
        "x\","
        "\"scopes\":{\"s1\":\"one\"}},\"k\":{\"type\":\"apiKey\",\"in\":\"header\",\"name\":\"k\"}},"
        "\"x-wso2-security\":{\"apim\":{\"x-wso2-scopes\":[{\"name\":\"Old\",\"key\":\"old\",\"roles\":["
        "\"admin\"],"
        "\"description\":\"d\"}]}}}";
    apim_openapi_t *doc = read_ok(*state, text);
    assert_int_equal(doc->major, 2);
    assert_string_equal(doc->endpoint_url, "https://api.example.com/v2");
    assert_string_equal(doc->context, "/v2");
    assert_int_equal(doc->server_urls->nelts, 2);
    assert_int_equal(doc->transports->nelts, 2);
    assert_int_equal(operation(doc, 0)->scopes->nelts, 2);
    assert_string_equal(word(operation(doc, 0)->scopes, 1), "s2");
    assert_string_equal(word(operation(doc, 1)->scopes, 0), "old");
    assert_int_equal(doc->scopes->nelts, 3); /* s1, old; s2 is used without being declared */
    assert_string_equal(APR_ARRAY_IDX(doc->scopes, 1, apim_openapi_scope_t).name, "old");
    assert_string_equal(word(APR_ARRAY_IDX(doc->scopes, 1, apim_openapi_scope_t).roles, 0), "admin");
}

static void test_openapi31(void **state)
{
    apr_pool_t *p = *state;
    apim_openapi_t *doc = read_ok(p, HEAD31 "\"webhooks\":{\"w\":{\"post\":{}}}}");
    assert_int_equal(doc->minor, 1);
    assert_int_equal(doc->operations->nelts, 0);
    read_ok(
        p, HEAD31
        "\"components\":{\"schemas\":{\"a\":true,\"b\":{\"$id\":\"https://x/y\",\"$anchor\":\"n\"},"
        "\"c\":{\"$ref\":\"https://x/y\"},\"d\":{\"$ref\":\"#n\"},\"e\":{\"type\":[\"string\",\"null\"]}}}}");
    assert_problem(p, HEAD31 "\"components\":{\"schemas\":{\"c\":{\"$ref\":\"https://x/z\"}}}}", "reference",
                   "/components/schemas/c/$ref: ");
    assert_problem(p, HEAD31 "\"x\":1}", "missing", "(document): \"paths\"");
    assert_warning(p, "{\"openapi\":\"3.2.0\",\"info\":{\"title\":\"t\",\"version\":\"1\"},\"paths\":{}}",
                   "version", "/openapi: ");
}

static void test_path_item_reference(void **state)
{
    apim_openapi_t *doc = read_ok(*state, HEAD31 "\"paths\":{\"/a\":{\"$ref\":\"#/components/pathItems/p\"}},"
                                                 "\"components\":{\"pathItems\":{\"p\":{\"get\":" OP "}}}}");
    assert_int_equal(doc->operations->nelts, 1);
    assert_string_equal(operation(doc, 0)->target, "/a");
}

/* -- what is refused ------------------------------------------------------------------------------------- */

static void assert_code(apr_pool_t *p, const char *text, int code, const char *says)
{
    apim_error_t *err = read_bad(p, text);
    assert_int_equal(err->status, 400);
    assert_int_equal(err->code, code);
    if (!strstr(err->description, says)) {
        fail_msg("%s does not say %s", err->description, says);
    }
}

static void test_recognition(void **state)
{
    apr_pool_t *p = *state;
    assert_code(p, "hello", 900759, "not an object");
    assert_code(p, "[1]", 900759, "not an object");
    assert_code(p, "{}", 900759, "neither");
    assert_code(p, "{\"a\":", 900758, "line 1, column 6");
    assert_code(p, "{\"swagger\":\"1.2\"}", 900760, "\"1.2\"");
    assert_code(p, "{\"openapi\":\"4.0.0\"}", 900752, "\"4.0.0\"");
    assert_code(p, "{\"openapi\":\"3.00\"}", 900752, "\"3.00\"");
    read_ok(p, "{\"openapi\":\"3.0.99\",\"info\":{\"title\":\"t\",\"version\":\"1\"},\"paths\":{}}");
    assert_warning(p, "swagger: 2.0\ninfo: {title: t, version: 1.0}\npaths: {}\n", "type", "/swagger: ");
    assert_string_equal(read_ok(p, "swagger: 2.0\ninfo: {title: t, version: 1.5}\npaths: {}\n")->version,
                        "1.5");
}

static void test_required(void **state)
{
    apr_pool_t *p = *state;
    assert_problem(p, "{\"openapi\":\"3.0.0\"}", "missing", "(document): \"info\" is required.");
    assert_problem(p, "{\"openapi\":\"3.0.0\",\"info\":{}}", "missing", "/info: \"title\"");
    assert_problem(p, "{\"openapi\":\"3.0.0\",\"info\":{}}", "missing", "/info: \"version\"");
    assert_problem(p, "{\"openapi\":\"3.0.0\",\"info\":{}}", "missing", "(document): \"paths\"");
    assert_problem(p, "{\"openapi\":\"3.0.0\",\"info\":[],\"paths\":{}}", "type", "/info: ");
    assert_problem(p, "{\"openapi\":\"3.0.0\",\"info\":{\"title\":{},\"version\":\"1\"},\"paths\":{}}",
                   "type", "/info/title: ");
    assert_problem(p, "{\"openapi\":\"3.0.0\",\"info\":{\"title\":\"a\\nb\",\"version\":\"1\"},\"paths\":{}}",
                   "value", "/info/title: ");
    assert_problem(p, HEAD3 "\"paths\":[]}", "type", "/paths: ");
    assert_warning(p, "{\"openapi\":\"3.0.0\",\"info\":{\"title\":\"\",\"version\":\"1\"},\"paths\":{}}",
                   "value", "/info/title: ");
    assert_warning(p, HEAD3 "\"paths\":{\"/a\":{\"get\":{}}}}", "missing", "/paths/~1a/get: \"responses\"");
}

static void test_paths(void **state)
{
    apr_pool_t *p = *state;
    assert_problem(p, HEAD3 "\"paths\":{\"a\":{}}}", "value", "/paths/a: the path does not begin with /");
    assert_problem(p, HEAD3 "\"paths\":{\"/a{\":{}}}", "value", "/paths/~1a{: ");
    assert_problem(p, HEAD3 "\"paths\":{\"/a}\":{}}}", "value", "/paths/~1a}: ");
    assert_problem(p, HEAD3 "\"paths\":{\"/{a{b}}\":{}}}", "value", "/paths/~1{a{b}}: ");
    assert_problem(p, HEAD3 "\"paths\":{\"/{}\":{}}}", "value", "/paths/~1{}: ");
    assert_problem(p, HEAD3 "\"paths\":{\"/a\\r\\nX: y\":{}}}", "value", "/paths/");
    assert_problem(p, HEAD3 "\"paths\":{\"/a\":null}}", "type", "/paths/~1a: ");
    assert_problem(p, HEAD3 "\"paths\":{\"/a\":{\"get\":[]}}}", "type", "/paths/~1a/get: ");
    assert_problem(p, HEAD3 "\"paths\":{\"/a\":{\"get\":{\"parameters\":{}}}}}", "type",
                   "/paths/~1a/get/parameters: ");
    assert_problem(p, HEAD3 "\"paths\":{\"/a\":{\"get\":{\"parameters\":[5]}}}}", "type",
                   "/paths/~1a/get/parameters/0: ");
    assert_problem(p, HEAD3 "\"paths\":{\"/a\":{\"get\":{\"parameters\":[{\"in\":\"query\"}]}}}}", "missing",
                   "/paths/~1a/get/parameters/0: ");
    assert_problem(p, HEAD3 "\"paths\":{\"/a/{x}\":{\"get\":" OP "},\"/a/{y}\":{\"get\":" OP "}}}",
                   "collision", "/paths/~1a~1{y}: matches the same calls as the path /a/{x}.");
    assert_warning(p, HEAD3 "\"paths\":{\"/a/{x}\":{\"get\":" OP "},\"/a/{y}\":{\"put\":" OP "}}}",
                   "collision", "/paths/~1a~1{y}: ");
    assert_warning(p, HEAD3 "\"paths\":{\"/a/{x}\":{\"get\":" OP "}}}", "missing",
                   "/paths/~1a~1{x}/get: the path parameter {x}");
    assert_warning(
        p,
        HEAD3
        "\"paths\":{\"/a\":{\"get\":{\"parameters\":[{\"in\":\"path\",\"name\":\"x\"}],\"responses\":{}}}}}",
        "value", "/paths/~1a/get/parameters/0: the path has no {x}");
    assert_warning(p, HEAD3 "\"paths\":{\"/a\":{\"GET\":" OP "}}}", "value", "/paths/~1a/GET: ");
    assert_int_equal(
        read_ok(p, HEAD3 "\"paths\":{\"/a\":{\"trace\":" OP "},\"/a/\":{\"trace\":" OP "},\"x-y\":5}}")
            ->path_count,
        2);
}

static void test_operation_ids(void **state)
{
    static const char twice[] = "\"paths\":{\"/a\":{\"get\":{\"operationId\":\"i\",\"responses\":{}},"
                                "\"put\":{\"operationId\":\"i\",\"responses\":{}}}}}";
    apr_pool_t *p = *state;
    assert_warning(p, apr_pstrcat(p, HEAD3, twice, NULL), "duplicate", "/paths/~1a/put: ");
    assert_problem(p, apr_pstrcat(p, HEAD2, twice, NULL), "duplicate",
                   "/paths/~1a/put: the operationId \"i\" stands at /paths/~1a/get already.");
}

static void test_references(void **state)
{
    apr_pool_t *p = *state;
    apim_openapi_options_t allow = {{0, 0, 0}, 1};
    apim_openapi_t *doc;
    static const char external[] =
        HEAD3 "\"paths\":{},\"components\":{\"schemas\":{\"a\":{\"$ref\":\"other.yaml#/b\"}}}}";
    assert_problem(
        p, HEAD3 "\"paths\":{},\"components\":{\"schemas\":{\"a\":{\"$ref\":\"#/components/schemas/b\"}}}}",
        "reference", "/components/schemas/a/$ref: \"#/components/schemas/b\" leads nowhere");
    assert_problem(p, external, "reference",
                   "/components/schemas/a/$ref: \"other.yaml#/b\" refers to another document");
    assert_problem(p, HEAD3 "\"paths\":{\"/a\":{\"$ref\":\"http://169.254.169.254/x\"}}}", "reference",
                   "/paths/~1a/$ref: ");
    assert_null(apim_openapi_read(p, external, strlen(external), &allow, &doc));
    /* cycles are kept */
    doc = read_ok(p, HEAD3 "\"paths\":{},\"components\":{\"schemas\":{\"a\":{\"properties\":{\"a\":{\"$ref\":"
                           "\"#/components/schemas/a\"},"
                           "\"b\":{\"$ref\":\"#\"}}}}}}");
    assert_int_equal(doc->warning_count, 0);
    /* escapes; a property that is called $ref; references in data are data */
    read_ok(p,
            HEAD3 "\"paths\":{\"/a~b/{c d}\":{\"get\":{\"parameters\":[{\"name\":\"c "
                  "d\",\"in\":\"path\"}],\"responses\":{\"200\":"
                  "{\"$ref\":\"#/paths/~1a~0b~1%7Bc%20d%7D/get/x-r\"}},\"x-r\":{\"description\":\"\"}}}}}");
    read_ok(p, HEAD3
            "\"paths\":{},\"components\":{\"schemas\":{\"a\":{\"properties\":{\"$ref\":{\"type\":\"string\"},"
            "\"example\":{\"$ref\":\"#/components/schemas/a\"}},\"example\":{\"$ref\":\"#/nowhere\"},"
            "\"x-y\":{\"$ref\":\"#/nowhere\"},\"enum\":[{\"$ref\":\"nowhere\"}]}}}}");
    assert_problem(p,
                   HEAD3 "\"paths\":{},\"components\":{\"schemas\":{\"a\":{\"properties\":{\"example\":{\"$"
                         "ref\":\"#/no\"}}}}}}",
                   "reference", "/components/schemas/a/properties/example/$ref: ");
}

static void test_reference_loops(void **state)
{
    apr_pool_t *p = *state;
    assert_warning(p,
                   HEAD3
                   "\"paths\":{},\"components\":{\"schemas\":{\"a\":{\"$ref\":\"#/components/schemas/b\"},"
                   "\"b\":{\"$ref\":\"#/components/schemas/a\"}}}}",
                   "reference", "/components/schemas/a/$ref: ");
    assert_warning(p, HEAD3 "\"paths\":{\"/a\":{\"$ref\":\"#/paths/~1a\"}}}", "reference",
                   "/paths/~1a/$ref: ");
    assert_warning(p,
                   HEAD3
                   "\"paths\":{\"/a\":{\"get\":{\"parameters\":[{\"$ref\":\"#/paths/~1a/get/parameters/0\"}],"
                   "\"responses\":{}}}}}",
                   "reference", "/paths/~1a/get/parameters/0/$ref: ");
}

static void test_security(void **state)
{
    apr_pool_t *p = *state;
    assert_problem(p, HEAD3 "\"paths\":{},\"security\":{}}", "type", "/security: ");
    assert_problem(p, HEAD3 "\"paths\":{},\"security\":[\"a\"]}", "type", "/security/0: ");
    assert_warning(p, HEAD3 "\"paths\":{},\"security\":[{\"a\":[]}]}", "reference", "/security/0/a: ");
    assert_problem(p, HEAD3 "\"paths\":{},\"components\":{\"securitySchemes\":{\"a\":1}}}", "type",
                   "/components/securitySchemes/a: ");
    assert_problem(p, HEAD3 "\"paths\":{},\"components\":[]}", "type", "/components: ");
    assert_problem(p, HEAD3 "\"paths\":{},\"servers\":[{}]}", "missing", "/servers/0: ");
    assert_warning(p, HEAD3 "\"paths\":{\"/a\":{\"get\":{\"x-auth-type\":\"Nobody\",\"responses\":{}}}}}",
                   "value", "/paths/~1a/get/x-auth-type: ");
}

/* All problems are told, up to a bound, and counted beyond it. */
static void test_many_problems(void **state)
{
    apr_pool_t *p = *state;
    const char *text = HEAD3 "\"paths\":{";
    apim_error_t *err;
    int i;
    for (i = 0; i < 70; i++) {
        text = apr_psprintf(p, "%s%s\"p%d\":{}", text, i ? "," : "", i);
    }
    err = read_bad(p, apr_pstrcat(p, text, "}}", NULL));
    assert_int_equal(err->details->nelts, APIM_OPENAPI_MAX_PROBLEMS);
    assert_non_null(strstr(err->description, "70 problems"));
}

/* -- hostile documents ----------------------------------------------------------------------------------- */

/* format has up to two %d */
static const char *repeat(apr_pool_t *p, const char *format, int n)
{
    const char *first = strstr(format, "%d"), *second = first ? strstr(first + 2, "%d") : NULL;
    apr_array_header_t *parts = apr_array_make(p, n, sizeof(const char *));
    int i;
    for (i = 0; i < n; i++) {
        const char *number = apr_itoa(p, i);
        APR_ARRAY_PUSH(parts, const char *) =
            apr_pstrcat(p, apr_pstrmemdup(p, format, (apr_size_t)(first - format)), number,
                        second ? apr_pstrmemdup(p, first + 2, (apr_size_t)(second - first - 2)) : first + 2,
                        second ? number : NULL, second ? second + 2 : NULL, NULL);
    }
    return apr_array_pstrcat(p, parts, ',');
}

static void assert_quick(apr_pool_t *p, const char *text)
{
    apim_openapi_t *doc;
    clock_t start = clock();
    apim_openapi_read(p, text, strlen(text), NULL, &doc);
    if (clock() - start > 30 * CLOCKS_PER_SEC) {
        fail_msg("%.60s... took %d s", text, (int)((clock() - start) / CLOCKS_PER_SEC));
    }
}

/* Small documents whose parts refer to each other so often that following every use would take hours. */
static void test_quadratic(void **state)
{
    apr_pool_t *p = *state;
    assert_quick(p, apr_pstrcat(p, HEAD31 "\"paths\":{",
                                repeat(p, "\"/a%d\":{\"$ref\":\"#/components/pathItems/p\"}", 50000),
                                "},\"components\":{\"pathItems\":{\"p\":{\"get\":{\"parameters\":[",
                                repeat(p, "{\"name\":\"q%d\",\"in\":\"query\"}", 50000), "]}}}}}", NULL));
    assert_quick(p, apr_pstrcat(p, HEAD3 "\"paths\":{", repeat(p, "\"/a%d\":{\"get\":{}}", 50000),
                                "},\"security\":[{\"o\":[", repeat(p, "\"s%d\"", 50000),
                                "]}],\"components\":{\"securitySchemes\":{\"o\":{\"type\":\"oauth2\"}}}}",
                                NULL));
    assert_quick(p,
                 apr_pstrcat(p, HEAD3 "\"paths\":{\"/", repeat(p, "{v%d}", 2000), "\":{\"get\":{}}}}", NULL));
    assert_quick(p, apr_pstrcat(p, HEAD3 "\"paths\":{\"/", repeat(p, "{v%d}", 50),
                                "\":{\"get\":{\"parameters\":[",
                                repeat(p, "{\"name\":\"q%d\",\"in\":\"query\"}", 200000), "]}}}}", NULL));
    assert_quick(p, apr_pstrcat(p, HEAD3 "\"paths\":{},\"components\":{\"schemas\":{\"s\":{},",
                                repeat(p, "\"s%d\":{\"$ref\":\"#/components/schemas/r%d\"}", 50000), ",",
                                repeat(p, "\"r%d\":{\"$ref\":\"#/components/schemas/s%d\"}", 50000), "}}}",
                                NULL));
    {
        char *ref = apr_palloc(p, 1000001);
        memset(ref, 'a', 1000000);
        ref[1000000] = 0;
        assert_quick(
            p, apr_pstrcat(p, HEAD3 "\"paths\":{},\"components\":{\"schemas\":{\"long\":{\"$ref\":\"#/", ref,
                           "\"},", repeat(p, "\"s%d\":{\"$ref\":\"#/components/schemas/long\"}", 100000),
                           "}}}", NULL));
    }
}

/* A tree that did not come from our parser may be deeper than its bounds. */
static void test_deep_tree(void **state)
{
    apr_pool_t *p = *state;
    json_t *root = json_loads(HEAD3 "\"paths\":{}}", 0, NULL), *inner = json_object();
    apim_openapi_t *doc;
    apim_error_t *err;
    int i;
    for (i = 0; i < 3000; i++) {
        inner = json_pack("{s:o}", "a", inner);
    }
    json_object_set_new(root, "deep", inner);
    err = apim_openapi_check(p, root, NULL, &doc);
    assert_non_null(err);
    assert_true(told(err->details, "depth", "/deep/a/a"));
    json_decref(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        unit_case(test_openapi3),    unit_case(test_swagger2),
        unit_case(test_openapi31),   unit_case(test_path_item_reference),
        unit_case(test_recognition), unit_case(test_required),
        unit_case(test_paths),       unit_case(test_operation_ids),
        unit_case(test_references),  unit_case(test_reference_loops),
        unit_case(test_security),    unit_case(test_many_problems),
        unit_case(test_quadratic),   unit_case(test_deep_tree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
