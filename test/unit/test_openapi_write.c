/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <apr_strings.h>
#include <stdlib.h>

#include "apim_json.h"
#include "openapi/openapi.h"

static json_t *json(apr_pool_t *p, const char *text)
{
    json_t *j;
    apim_error_t *err = apim_doc_parse(p, text, strlen(text), NULL, &j);
    if (err) {
        fail_msg("%s: %s", text, err->description);
    }
    return j;
}

static json_t *at(apr_pool_t *p, json_t *root, const char *path)
{
    char *rest = apr_pstrdup(p, path), *key;
    while ((key = apr_strtok(rest, " ", &rest))) {
        root = json_is_array(root) ? json_array_get(root, (size_t)atoi(key)) : json_object_get(root, key);
    }
    return root;
}

static void assert_at(apr_pool_t *p, json_t *root, const char *path, const char *want)
{
    json_t *got = at(p, root, path), *wanted = want ? json_loads(want, JSON_DECODE_ANY, NULL) : NULL;
    if (want ? !got || !json_equal(got, wanted) : got != NULL) {
        fail_msg("%s is %s instead of %s", path, got ? apim_json_text(p, got) : "absent",
                 want ? want : "absent");
    }
    json_decref(wanted);
}

static json_t *apply(apr_pool_t *p, json_t *definition, const char *operations, const char *scopes)
{
    json_t *out, *before = json_deep_copy(definition);
    apim_error_t *err = apim_openapi_apply_operations(p, definition, json(p, operations),
                                                      scopes ? json(p, scopes) : NULL, &out);
    if (err) {
        fail_msg("%s: %s", err->description, APR_ARRAY_IDX(err->details, 0, apim_error_detail_t).message);
    }
    assert_true(json_equal(before, definition)); /* the old one is not touched */
    json_decref(before);
    return out;
}

static apim_openapi_t *check(apr_pool_t *p, json_t *root)
{
    apim_openapi_t *doc;
    apim_error_t *err = apim_openapi_check(p, root, NULL, &doc);
    if (err) {
        fail_msg("%s: %s", err->description,
                 err->details ? APR_ARRAY_IDX(err->details, 0, apim_error_detail_t).message : "");
    }
    return doc;
}

/* Reading what was written and writing that again changes nothing. */
static void assert_stable(apr_pool_t *p, json_t *root)
{
    apim_openapi_t *doc = check(p, root);
    json_t *again;
    assert_null(apim_openapi_apply_operations(p, root, apim_openapi_operations_json(p, doc), NULL, &again));
    assert_true(json_equal(root, again));
    assert_null(apim_openapi_apply_operations(p, root, apim_openapi_operations_json(p, doc),
                                              apim_openapi_scopes_json(p, doc), &again));
    assert_true(json_equal(root, again));
}

static const char pets[] = "openapi: 3.0.0\n"
                           "info: {title: Pets, version: 1.0.0}\n"
                           "servers: [{url: 'http://10.1.2.3:8080/pets'}]\n"
                           "x-wso2-production-endpoints: {urls: ['http://10.1.2.3:8080/pets']}\n"
                           "x-wso2-security: {apim: {x-wso2-scopes: []}}\n"
                           "x-mine: kept\n"
                           "paths:\n"
                           "  x-note: kept\n"
                           "  /pets:\n"
                           "    summary: kept\n"
                           "    servers: [{url: 'http://inside'}]\n"
                           "    get:\n"
                           "      summary: kept\n"
                           "      x-scope: read\n"
                           "      servers: [{url: 'http://inside'}]\n"
                           "      x-wso2-other: 1\n"
                           "      security: [{petstore: [read]}, {key: []}]\n"
                           "      responses: {200: {description: OK}}\n"
                           "    post: {responses: {201: {description: made}}}\n"
                           "  /pets/{id}:\n"
                           "    parameters: [{name: id, in: path, required: true, schema: {type: integer}}]\n"
                           "    delete: {responses: {204: {description: gone}}}\n"
                           "components:\n"
                           "  schemas: {Pet: {properties: {parent: {$ref: '#/components/schemas/Pet'}}}}\n"
                           "  securitySchemes:\n"
                           "    petstore: {type: oauth2, flows: {implicit: {authorizationUrl: "
                           "'https://a.b/c', scopes: {read: Read}}}}\n"
                           "    key: {type: apiKey, in: header, name: k}\n";

static void test_apply(void **state)
{
    apr_pool_t *p = *state;
    json_t *out =
        apply(p, json(p, pets),
              "[{target: /pets, verb: GET, authType: Application, throttlingPolicy: Gold, scopes: [read]},"
              " {target: '/pets/{id}', verb: patch}, {target: '/new/{a}/{b}', verb: GET, scopes: []}]",
              NULL);
    assert_at(p, out, "x-mine", "\"kept\"");
    assert_at(p, out, "paths x-note", "\"kept\"");
    assert_at(p, out, "paths /pets summary", "\"kept\"");
    assert_at(p, out, "paths /pets post", NULL);
    assert_at(p, out, "paths /pets get",
              "{\"summary\":\"kept\",\"servers\":[{\"url\":\"http://inside\"}],\"x-wso2-other\":1,"
              "\"security\":[{\"petstore\":[\"read\"]},{\"key\":[]},{\"default\":[\"read\"]}],"
              "\"responses\":{\"200\":{\"description\":\"OK\"}},\"x-auth-type\":\"Application\",\"x-"
              "throttling-tier\":\"Gold\"}");
    assert_at(p, out, "paths /pets/{id} delete", NULL);
    assert_at(p, out, "paths /pets/{id} patch",
              "{\"responses\":{\"200\":{\"description\":\"OK\"}},\"security\":[{\"default\":[]}],"
              "\"x-auth-type\":\"Application & Application User\",\"x-throttling-tier\":\"Unlimited\"}");
    assert_at(p, out, "paths /new/{a}/{b} get parameters 1",
              "{\"name\":\"b\",\"in\":\"path\",\"required\":true,\"schema\":{\"type\":\"string\"}}");
    assert_at(p, out, "components schemas Pet properties parent $ref", "\"#/components/schemas/Pet\"");
    assert_at(p, out, "components securitySchemes default flows clientCredentials scopes",
              "{\"read\":\"Read\"}");
    assert_stable(p, out);
    /* a scope taken away stays away, though another scheme still names it */
    out = apply(p, out, "[{target: /pets, verb: GET, scopes: []}]", NULL);
    assert_int_equal(APR_ARRAY_IDX(check(p, out)->operations, 0, apim_openapi_operation_t).scopes->nelts, 0);
    assert_at(p, out, "paths /pets/{id}", NULL);
    assert_stable(p, out);
}

static void test_apply_scopes(void **state)
{
    apr_pool_t *p = *state;
    apim_openapi_t *doc;
    json_t *out =
        apply(p, json(p, pets), "[{target: /pets, verb: GET, scopes: [a, b]}]",
              "[{scope: {name: a, description: A, bindings: [admin, boss]}, shared: false}, {name: b}]");
    assert_at(p, out, "components securitySchemes default flows clientCredentials scopes",
              "{\"a\":\"A\",\"b\":\"\"}");
    assert_at(p, out, "components securitySchemes default flows clientCredentials x-scopes-bindings",
              "{\"a\":\"admin,boss\"}");
    assert_at(p, out, "x-wso2-security", NULL);
    doc = check(p, out);
    assert_int_equal(doc->scopes->nelts, 2);
    assert_int_equal(APR_ARRAY_IDX(doc->scopes, 0, apim_openapi_scope_t).roles->nelts, 2);
    assert_stable(p, out);
    out = apply(p, out, "[{target: /pets, verb: GET, scopes: []}]", "[]");
    assert_at(p, out, "components securitySchemes default flows clientCredentials scopes", "{}");
    assert_at(p, out, "components securitySchemes default flows clientCredentials x-scopes-bindings", NULL);
    assert_int_equal(check(p, out)->scopes->nelts, 0);
}

static void test_apply_swagger(void **state)
{
    apr_pool_t *p = *state;
    json_t *old = json(p, "{swagger: '2.0', info: {title: t, version: '1'}, security: [{k: []}], paths: {/a: "
                          "{get: {responses: {}}}},"
                          " securityDefinitions: {k: {type: apiKey, in: header, name: k}}}");
    json_t *out =
        apply(p, old, "[{target: /a, verb: GET, scopes: [s]}, {target: '/b/{c}', verb: HEAD}]", NULL);
    assert_at(p, out, "paths /a get security", "[{\"k\":[]},{\"default\":[\"s\"]}]");
    assert_at(p, out, "paths /b/{c} head parameters 0",
              "{\"name\":\"c\",\"in\":\"path\",\"required\":true,\"type\":\"string\"}");
    assert_at(p, out, "securityDefinitions default scopes", "{\"s\":\"\"}");
    assert_at(p, out, "components", NULL);
    assert_stable(p, out);
}

/* "default" may be another kind of scheme; path items may be references; ANDed requirements stay together. */
static void test_apply_odd(void **state)
{
    apr_pool_t *p = *state;
    json_t *old = json(
        p,
        "{openapi: 3.1.0, info: {title: t, version: '1'}, paths: {/a: {$ref: '#/components/pathItems/i'}, "
        "/x: {summary: s}},"
        " components: {pathItems: {i: {get: {}, put: {security: [{default: [], apim_default: [old], k: []}, "
        "{}]}}},"
        " securitySchemes: {default: {type: apiKey, in: header, name: d}, k: {type: http, scheme: basic}}}}");
    json_t *out = apply(p, old, "[{target: /a, verb: PUT, scopes: [s]}]", NULL);
    assert_at(p, out, "paths /a get", NULL);
    assert_at(p, out, "paths /a $ref", NULL);
    assert_at(p, out, "paths /x", "{\"summary\":\"s\"}");
    assert_at(p, out, "paths /a put security", "[{\"default\":[],\"apim_default\":[\"s\"],\"k\":[]}]");
    assert_at(p, out, "components securitySchemes apim_default type", "\"oauth2\"");
    assert_at(p, out, "components pathItems i get", "{}");
    assert_stable(p, out);
}

static void assert_refused(apr_pool_t *p, const char *operations, const char *scopes, const char *says)
{
    json_t *out;
    apim_error_t *err = apim_openapi_apply_operations(p, json(p, pets), json(p, operations),
                                                      scopes ? json(p, scopes) : NULL, &out);
    assert_null(out);
    assert_non_null(err);
    assert_int_equal(err->status, 400);
    assert_non_null(err->details);
    if (strncmp(APR_ARRAY_IDX(err->details, 0, apim_error_detail_t).message, says, strlen(says))) {
        fail_msg("\"%s\" does not begin with \"%s\"",
                 APR_ARRAY_IDX(err->details, 0, apim_error_detail_t).message, says);
    }
}

static void test_apply_refusals(void **state)
{
    apr_pool_t *p = *state;
    assert_refused(p, "[{verb: GET}]", NULL, "/0: ");
    assert_refused(p, "[5]", NULL, "/0: ");
    assert_refused(p, "[{target: a, verb: GET}]", NULL, "/0/target: the path does not begin");
    assert_refused(p, "[{target: \"/a\\r\\nb\", verb: GET}]", NULL, "/0/target: the path holds a control");
    assert_refused(p, "[{target: /a, verb: GET}, {target: /b, verb: FETCH}]", NULL, "/1/verb: ");
    assert_refused(p, "[{target: /a, verb: GET}, {target: /a, verb: get}]", NULL,
                   "/1: GET /a is listed twice");
    assert_refused(p, "[{target: '/{a}', verb: GET}, {target: '/{b}', verb: GET}]", NULL,
                   "/1: matches the same calls as /{a}");
    assert_refused(p, "[{target: /a, verb: GET, authType: Nobody}]", NULL, "/0/authType: ");
    assert_refused(p, "[{target: /a, verb: GET, throttlingPolicy: [1]}]", NULL, "/0/throttlingPolicy: ");
    assert_refused(p, "[{target: /a, verb: GET, scopes: x}]", NULL, "/0/scopes: ");
    assert_refused(p, "[{target: /a, verb: GET, scopes: [5]}]", NULL, "/0/scopes/0: ");
    assert_refused(p, "[{target: /a, verb: GET, scopes: [x]}]", "[{name: y}]",
                   "/0/scopes/0: the API has no scope");
    {
        json_t *out;
        assert_non_null(apim_openapi_apply_operations(p, json(p, pets), json(p, "{}"), NULL, &out));
        assert_non_null(apim_openapi_apply_operations(p, json(p, "[]"), json(p, "[]"), NULL, &out));
    }
}

static void test_generate(void **state)
{
    apr_pool_t *p = *state;
    json_t *out;
    apim_openapi_t *doc;
    assert_null(apim_openapi_generate(p, "Pizza \"Shack\"", "1.0.0", "Eat.", NULL, NULL, &out));
    doc = check(p, out);
    assert_int_equal(doc->warning_count, 0);
    assert_string_equal(doc->title, "Pizza \"Shack\"");
    assert_string_equal(doc->description, "Eat.");
    assert_string_equal(doc->openapi_version, "3.0.1");
    assert_int_equal(doc->operations->nelts, 5);
    assert_string_equal(APR_ARRAY_IDX(doc->operations, 0, apim_openapi_operation_t).target, "/*");
    assert_stable(p, out);
    assert_null(apim_openapi_generate(p, "n", "1", NULL,
                                      json(p, "[{target: '/{a}', verb: GET, scopes: [s]}]"),
                                      json(p, "[{name: s, bindings: [r]}]"), &out));
    doc = check(p, out);
    assert_int_equal(doc->operations->nelts, 1);
    assert_int_equal(doc->warning_count, 0);
    assert_null(doc->description);
    out = apim_openapi_with_info(p, out, "n", "2", "d");
    assert_at(p, out, "info", "{\"title\":\"n\",\"version\":\"2\",\"description\":\"d\"}");
    assert_int_equal(check(p, out)->operations->nelts, 1);
}

static void test_store(void **state)
{
    static const char *const urls[] = {"https://gw:8243/pets/1.0.0", "http://gw:8280/pets/1.0.0"};
    apim_openapi_store_t store = {urls, 2, "https://gw/oauth2/token", NULL, "apikey"};
    apr_pool_t *p = *state;
    json_t *out,
        *old =
            apply(p, json(p, pets),
                  "[{target: /pets, verb: GET, scopes: [read]}, {target: /pets, verb: POST, authType: None}]",
                  NULL);
    json_t *before = json_deep_copy(old);
    const char *text;
    assert_null(apim_openapi_for_store(p, old, &store, &out));
    assert_true(json_equal(old, before));
    json_decref(before);
    assert_at(p, out, "servers",
              "[{\"url\":\"https://gw:8243/pets/1.0.0\"},{\"url\":\"http://gw:8280/pets/1.0.0\"}]");
    assert_at(p, out, "x-mine", "\"kept\"");
    assert_at(p, out, "paths /pets get security", "[{\"default\":[\"read\"]},{\"api_key\":[]}]");
    assert_at(p, out, "paths /pets post security", "[]");
    assert_at(p, out, "components securitySchemes",
              "{\"default\":{\"type\":\"oauth2\",\"flows\":{\"clientCredentials\":{\"tokenUrl\":\"https://gw/"
              "oauth2/token\","
              "\"scopes\":{\"read\":\"Read\"}}}},\"api_key\":{\"type\":\"apiKey\",\"in\":\"header\",\"name\":"
              "\"apikey\"}}");
    assert_at(p, out, "components schemas Pet properties parent $ref", "\"#/components/schemas/Pet\"");
    text = apim_json_text(p, out);
    assert_null(strstr(text, "10.1.2.3"));
    assert_null(strstr(text, "inside"));
    assert_null(strstr(text, "x-wso2"));
    assert_null(strstr(text, "bindings"));
    check(p, out);
    store.authorize_url = "https://gw/oauth2/authorize";
    assert_null(apim_openapi_for_store(p, old, &store, &out));
    assert_at(p, out, "components securitySchemes default flows authorizationCode authorizationUrl",
              "\"https://gw/oauth2/authorize\"");
    store.token_url = store.api_key_header = NULL;
    store.nurls = 0;
    assert_null(apim_openapi_for_store(p, old, &store, &out));
    assert_at(p, out, "servers", NULL);
    assert_at(p, out, "components securitySchemes", "{}");
}

static void test_store_swagger(void **state)
{
    static const char *const urls[] = {"https://gw:8243/a/1", "http://gw:8280/a/1"};
    apim_openapi_store_t store = {urls, 2, "https://gw/token", "https://gw/authorize", NULL};
    apr_pool_t *p = *state;
    json_t *out;
    json_t *old = json(
        p, "{swagger: '2.0', info: {title: t, version: '1'}, host: inside, basePath: /b, schemes: [http],"
           " paths: {/a: {get: {schemes: [http], x-scope: s, responses: {}}}}, x-wso2-basePath: /q}");
    assert_null(apim_openapi_for_store(p, old, &store, &out));
    assert_at(p, out, "host", "\"gw:8243\"");
    assert_at(p, out, "basePath", "\"/a/1\"");
    assert_at(p, out, "schemes", "[\"https\"]");
    assert_at(p, out, "paths /a get", "{\"responses\":{},\"security\":[{\"default\":[\"s\"]}]}");
    assert_at(p, out, "securityDefinitions default flow", "\"accessCode\"");
    assert_at(p, out, "securityDefinitions default scopes", "{\"s\":\"\"}");
    assert_at(p, out, "x-wso2-basePath", NULL);
    check(p, out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        unit_case(test_apply),     unit_case(test_apply_scopes),   unit_case(test_apply_swagger),
        unit_case(test_apply_odd), unit_case(test_apply_refusals), unit_case(test_generate),
        unit_case(test_store),     unit_case(test_store_swagger),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
