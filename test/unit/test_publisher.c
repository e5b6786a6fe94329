/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <apr_strings.h>

#include "apim_json.h"
#include "apim_seal.h"
#include "artifact.h"
#include "endpoint_secrets.h"
#include "image_type.h"
#include "lifecycle.h"
#include "openapi/document.h"
#include "search_query.h"
#include "yaml_text.h"
#include "zip_file.h"

/* -- life cycle --------------------------------------------------------------------------------------------
 */

static const char *const states[] = {"CREATED", "PROTOTYPED", "PUBLISHED",
                                     "BLOCKED", "DEPRECATED", "RETIRED"};
static const char *const actions[] = {"Publish",
                                      "Deploy as a Prototype",
                                      "Demote to Created",
                                      "Demote to Prototyped",
                                      "Block",
                                      "Deprecate",
                                      "Re-Publish",
                                      "Retire"};

/* WSO2's table, written a second time: a row a state, a column an action. */
static const char *const wanted[6][8] = {
    {"PUBLISHED", "PROTOTYPED", NULL, NULL, NULL, NULL, NULL, NULL},
    {"PUBLISHED", NULL, "CREATED", NULL, NULL, NULL, NULL, NULL},
    {"PUBLISHED", NULL, "CREATED", "PROTOTYPED", "BLOCKED", "DEPRECATED", NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL, "DEPRECATED", "PUBLISHED", NULL},
    {NULL, NULL, NULL, NULL, NULL, NULL, NULL, "RETIRED"},
    {NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL}};

static void test_lifecycle_table(void **state)
{
    int i, k;
    for (i = 0; i < 6; i++) {
        for (k = 0; k < 8; k++) {
            const char *next = po_lifecycle_next(states[i], actions[k]);
            if (wanted[i][k]) {
                assert_string_equal(next, wanted[i][k]);
            }
            else {
                assert_null(next);
            }
        }
        assert_null(po_lifecycle_next(states[i], "publish"));
        assert_null(po_lifecycle_next(states[i], ""));
    }
    assert_null(po_lifecycle_next("NOWHERE", "Publish"));
}

static void test_lifecycle_checklist(void **state)
{
    const char *both =
        "Deprecate old versions after publishing the API:true,Requires re-subscription when publishing "
        "the API: false";
    assert_true(po_lifecycle_checked(both, PO_CHECK_DEPRECATE));
    assert_false(po_lifecycle_checked(both, PO_CHECK_RESUBSCRIBE));
    assert_true(po_lifecycle_checked("x:true, Requires re-subscription when publishing the API : TRUE",
                                     PO_CHECK_RESUBSCRIBE));
    assert_false(po_lifecycle_checked("Requires re-subscription when publishing the API:truely",
                                      PO_CHECK_RESUBSCRIBE));
    assert_false(
        po_lifecycle_checked("Requires re-subscription when publishing the API", PO_CHECK_RESUBSCRIBE));
    assert_false(po_lifecycle_checked(",,:,", PO_CHECK_RESUBSCRIBE));
    assert_false(po_lifecycle_checked(NULL, PO_CHECK_RESUBSCRIBE));
}

/* -- queries -----------------------------------------------------------------------------------------------
 */

static void test_query_patterns(void **state)
{
    apr_pool_t *p = *state;
    po_query_t q;
    assert_null(
        po_query_parse(p, "name:piz version:1.* status:PUBLISHED tag:food tag:\"two words\" a 100%_!", &q));
    assert_string_equal(q.name, "%piz%");
    assert_string_equal(q.version, "1.%");
    assert_string_equal(q.status, "PUBLISHED");
    assert_string_equal(q.tag[0], "%|food|%");
    assert_string_equal(q.tag[1], "%|two words|%");
    assert_string_equal(q.tag[2], "%");
    assert_string_equal(q.text[0], "%a%");
    assert_string_equal(q.text[1], "%100!%!_!!%");
    assert_string_equal(q.context, "%");
    assert_null(po_query_parse(p, "name:\"Pizza Shack\" context:/a*", &q));
    assert_string_equal(q.name, "Pizza Shack");
    assert_string_equal(q.context, "/a%");
    assert_null(po_query_parse(p, "doc:guide api-category:\"Real Estate\"", &q));
    assert_string_equal(q.document, "%guide%");
    assert_string_equal(q.category, "%|Real Estate|%");
    assert_string_equal(q.text[0], "%");
    assert_null(po_query_parse(p, NULL, &q));
    assert_null(po_query_parse(p, "   ", &q));
    assert_string_equal(q.text[0], "%");
}

static void test_query_refusals(void **state)
{
    apr_pool_t *p = *state;
    const char *const bad[] = {"name:\"open",
                               "colour:red",
                               "name:",
                               "a b c d e",
                               "name:a name:b",
                               "a\nb",
                               "tag:a tag:b tag:c tag:d"};
    po_query_t q;
    apr_size_t i;
    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        apim_error_t *err = po_query_parse(p, bad[i], &q);
        assert_non_null(err);
        assert_int_equal(err->status, 400);
    }
}

/* -- documents ---------------------------------------------------------------------------------------------
 */

static json_t *parse(apr_pool_t *p, const char *text)
{
    json_t *j;
    apim_error_t *err = apim_json_parse(p, text, strlen(text), NULL, &j);
    assert_null(err);
    return j;
}

static void test_document_defaults_and_merge(void **state)
{
    apr_pool_t *p = *state;
    json_t *first, *second;
    assert_null(po_document_make(
        p, parse(p, "{\"tags\":[\"a\",\"b\",\"a\"],\"unknown\":1,\"description\":\"x\"}"), NULL, &first));
    assert_int_equal(json_array_size(json_object_get(first, "tags")), 2);
    assert_null(json_object_get(first, "unknown"));
    assert_string_equal(apim_json_str(first, "visibility", ""), "PUBLIC");
    assert_string_equal(po_document_tags(p, first), "|a|b|");
    assert_null(
        po_document_make(p, parse(p, "{\"tags\":null,\"monetization\":{\"enabled\":true}}"), first, &second));
    assert_int_equal(json_array_size(json_object_get(second, "tags")), 0);
    assert_string_equal(apim_json_str(second, "description", ""), "x");
    assert_true(apim_json_bool(json_object_get(second, "monetization"), "enabled", 0));
}

static void test_document_refusals(void **state)
{
    apr_pool_t *p = *state;
    const struct {
        const char *body, *words;
    } cases[] = {
        {"{\"type\":\"GRAPHQL\"}", "/type: GRAPHQL APIs are not supported"},
        {"{\"transport\":[]}", "/transport: must hold http"},
        {"{\"transport\":[\"ftp\"]}", "/transport/0: must be http or https"},
        {"{\"tags\":[\"a|b\"]}", "/tags/0"},
        {"{\"tags\":\"a\"}", "/tags: must be an array"},
        {"{\"tags\":[1]}", "/tags/0: must be a text"},
        {"{\"description\":\"a\\u0001b\"}", "/description: must not hold control"},
        {"{\"authorizationHeader\":\"X-A: b\"}", "/authorizationHeader"},
        {"{\"authorizationHeader\":\"X\\r\\nY\"}", "/authorizationHeader: must not hold control"},
        {"{\"visibility\":\"SECRET\"}", "/visibility: must be PUBLIC, PRIVATE or RESTRICTED"},
        {"{\"visibility\":\"RESTRICTED\"}", "/visibleRoles: must name at least one role"},
        {"{\"accessControl\":\"RESTRICTED\"}", "/accessControlRoles: must name at least one role"},
        {"{\"endpointImplementationType\":\"INLINE\"}", "INLINE is not supported"},
        {"{\"endpointConfig\":{\"endpoint_type\":\"http\",\"production_endpoints\":{\"url\":\"ftp://x\"}}}",
         "/endpointConfig/production_endpoints/url: must be a http or https URL"},
        {"{\"endpointConfig\":{\"endpoint_type\":\"http\",\"sandbox_endpoints\":{\"url\":\"http://u:p@x/"
         "\"}}}",
         "/endpointConfig/sandbox_endpoints/url: must not hold a user name"},
        {"{\"endpointConfig\":{\"endpoint_type\":\"http\",\"production_endpoints\":{\"url\":\"http://x/ "
         "y\"}}}",
         "must be a http"},
        {"{\"endpointConfig\":{\"endpoint_type\":\"http\",\"production_endpoints\":{\"url\":\"http:///x\"}}}",
         "must be a http"},
        {"{\"endpointConfig\":{\"endpoint_type\":\"awslambda\"}}", "not supported"},
        {"{\"endpointConfig\":{\"endpoint_type\":\"http\",\"production_endpoints\":[{\"url\":\"http://"
         "x\"}]}}",
         "several belong to load_balance or failover"},
        {"{\"endpointConfig\":{\"endpoint_type\":\"load_balance\",\"production_endpoints\":[{\"url\":\"http:/"
         "/"
         "x\"},{\"url\":\"x\"}]}}",
         "/endpointConfig/production_endpoints/1/url"},
        {"{\"endpointConfig\":{\"endpoint_type\":\"load_balance\",\"sessionManagement\":\"http\"}}",
         "/endpointConfig/sessionManagement: must be none"},
        {"{\"endpointConfig\":{\"endpoint_type\":\"failover\",\"production_failovers\":[7]}}",
         "/endpointConfig/production_failovers/0: must be an object"},
        {"{\"endpointConfig\":{\"endpoint_type\":\"http\",\"production_endpoints\":{\"url\":\"http://x\","
         "\"config\":{\"suspendDuration\":\"soon\"}}}}",
         "/config/suspendDuration: must be a number"},
        {"{\"endpointConfig\":{\"endpoint_type\":\"http\",\"endpoint_security\":{\"production\":{\"enabled\":"
         "true,\"type\":\"DIGEST\"}}}}",
         "/endpoint_security/production/type: must be BASIC or OAUTH"},
        {"{\"endpointConfig\":{\"endpoint_type\":\"http\",\"endpoint_security\":{\"production\":{\"enabled\":"
         "true,\"type\":\"BASIC\"}}}}",
         "/endpoint_security/production/username"},
        {"{\"endpointConfig\":{\"endpoint_type\":\"http\",\"endpoint_security\":{\"sandbox\":{\"enabled\":"
         "true,\"type\":\"BASIC\",\"username\":\"a:b\"}}}}",
         "must not hold a colon"},
        {"{\"endpointConfig\":{\"endpoint_type\":\"http\",\"endpoint_security\":{\"sandbox\":{\"enabled\":"
         "true,\"type\":\"OAUTH\",\"clientId\":\"a\",\"tokenUrl\":\"x\"}}}}",
         "/endpoint_security/sandbox/tokenUrl"},
        {"{\"endpointConfig\":{\"endpoint_type\":\"http\",\"endpoint_security\":{\"sandbox\":{\"enabled\":"
         "true,\"type\":\"OAUTH\",\"clientId\":\"a\",\"tokenUrl\":\"http://x/"
         "\",\"grantType\":\"PASSWORD\"}}}}",
         "must be CLIENT_CREDENTIALS"},
        {"{\"endpointConfig\":{\"endpoint_type\":\"http\",\"endpoint_security\":{\"production\":{\"enabled\":"
         "false,\"password\":7}}}}",
         "/endpoint_security/production/password"},
        {"{\"endpointConfig\":7}", "/endpointConfig: must be an object"},
        {"{\"operations\":[{\"target\":\"a\",\"verb\":\"GET\"}]}",
         "/operations/0/target: must begin with a slash"},
        {"{\"operations\":[{\"target\":\"/a\",\"verb\":\"FETCH\"}]}", "/operations/0/verb"},
        {"{\"operations\":[{\"target\":\"/a\",\"verb\":\"GET\",\"scopes\":[\"s\"]}]}",
         "the scope s is not among"},
        {"{\"operations\":[7]}", "/operations/0/target"},
        {"{\"scopes\":[{\"scope\":{\"name\":\"a b\"}}]}", "/scopes/0/scope/name"},
        {"{\"scopes\":[{\"scope\":{\"name\":\"apim:admin\"}}]}", "a scope of the system"},
        {"{\"scopes\":[{\"scope\":{\"name\":\"a\"}},{\"scope\":{\"name\":\"a\"}}]}", "listed twice"},
        {"{\"scopes\":[7]}", "/scopes/0/scope/name: must be a text"},
        {"{\"additionalProperties\":[{\"name\":\"a b\",\"value\":\"c\"}]}", "/additionalProperties/0/name"},
        {"{\"additionalProperties\":[{\"name\":\"version\",\"value\":\"c\"}]}", "a word of searches"},
        {"{\"additionalProperties\":[7]}", "/additionalProperties/0"},
        {"{\"businessInformation\":{\"businessOwnerEmail\":\"nobody\"}}", "must be an e-mail address"},
        {"{\"corsConfiguration\":{\"corsConfigurationEnabled\":1}}", "must be true or false"},
        {"{\"corsConfiguration\":{\"accessControlAllowOrigins\":[\"https://a/b\"]}}",
         "/corsConfiguration/accessControlAllowOrigins/0: must be *"},
        {"{\"corsConfiguration\":{\"accessControlAllowHeaders\":[\"a:b\"]}}", "name of a HTTP header"},
        {"{\"corsConfiguration\":{\"accessControlAllowMethods\":[\"get\"]}}", "accessControlAllowMethods/0"},
        {"{\"corsConfiguration\":{\"corsConfigurationEnabled\":true,\"accessControlAllowCredentials\":true,"
         "\"accessControlAllowOrigins\":[\"*\"]}}",
         "must be false while accessControlAllowOrigins holds *"},
        {"{\"maxTps\":{\"production\":-1}}", "/maxTps/production"},
        {"{\"maxTps\":{\"sandboxTimeUnit\":\"DAY\"}}", "/maxTps/sandboxTimeUnit: must be SECOND"},
        {"{\"cacheTimeout\":\"a\"}", "/cacheTimeout"},
        {"{\"monetization\":{\"a\":\"b\\u0000\"}}", "not valid JSON"},
        {"[]", "must be a JSON object"},
    };
    apr_size_t i;
    int k;
    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        json_t *body, *out;
        const char *all = "";
        apim_error_t *err = apim_json_parse(p, cases[i].body, strlen(cases[i].body), NULL, &body);
        err = err ? err : po_document_make(p, body, NULL, &out);
        assert_non_null(err);
        assert_int_equal(err->status, 400);
        for (k = 0; err->details && k < err->details->nelts; k++) {
            all =
                apr_pstrcat(p, all, APR_ARRAY_IDX(err->details, k, apim_error_detail_t).message, "\n", NULL);
        }
        all = apr_pstrcat(p, all, err->description, NULL);
        if (!strstr(all, cases[i].words)) {
            fail_msg("%s: '%s' does not say '%s'", cases[i].body, all, cases[i].words);
        }
    }
}

/* -- secrets of endpoints ------------------------------------------------------------------------------
 */

#define CLUSTER "0123456789abcdef0123456789abcdef"

static const char *password_in(const json_t *document)
{
    return apim_json_str(
        json_object_get(json_object_get(json_object_get(document, "endpointConfig"), "endpoint_security"),
                        "production"),
        "password", NULL);
}

static json_t *secured(apr_pool_t *p, const char *password)
{
    return parse(p,
                 apr_psprintf(p,
                              "{\"endpointConfig\":{\"endpoint_security\":{\"production\":{\"enabled\":true,"
                              "\"type\":\"BASIC\",\"username\":\"u\",\"password\":\"%s\"}}}}",
                              password));
}

static void test_endpoint_secrets(void **state)
{
    apr_pool_t *p = *state;
    json_t *body = secured(p, "open sesame"), *document = secured(p, "open sesame"), *again = secured(p, "");
    const char *sealed, *opened;
    assert_non_null(po_endpoint_secrets_seal(p, NULL, body, NULL, document));
    document = secured(p, "open sesame");
    assert_null(po_endpoint_secrets_seal(p, CLUSTER, body, NULL, document));
    sealed = password_in(document);
    assert_null(strstr(sealed, "sesame"));
    assert_null(apim_unseal(p, CLUSTER, PO_ENDPOINT_SEAL_PURPOSE, PO_ENDPOINT_SEAL_CONTEXT, sealed, &opened));
    assert_string_equal(opened, "open sesame");
    assert_string_equal(password_in(body), "open sesame"); /* the body is the caller's */
    /* an empty one keeps what there was; where there was nothing, it is missing */
    assert_null(po_endpoint_secrets_seal(p, CLUSTER, again, document, again));
    assert_string_equal(password_in(again), sealed);
    again = secured(p, "");
    assert_non_null(po_endpoint_secrets_seal(p, CLUSTER, again, NULL, again));
    /* a body that says nothing of endpoints changes nothing */
    assert_null(po_endpoint_secrets_seal(p, CLUSTER, parse(p, "{}"), document, document));
    assert_string_equal(password_in(document), sealed);
    po_endpoint_secrets_hide(document);
    assert_string_equal(password_in(document), "");
    po_endpoint_secrets_hide(parse(p, "{\"endpointConfig\":null}"));
}

static void test_all_problems_at_once(void **state)
{
    apr_pool_t *p = *state;
    json_t *out;
    apim_error_t *err = po_document_make(
        p, parse(p, "{\"type\":\"X\",\"visibility\":\"Y\",\"tags\":[\"\",\"a\"],\"transport\":[\"z\"]}"),
        NULL, &out);
    assert_non_null(err);
    assert_int_equal(err->details->nelts, 4);
    assert_non_null(strstr(err->description, "4 problems"));
}

/* -- identity ----------------------------------------------------------------------------------------------
 */

static apim_error_t *identify(apr_pool_t *p, const char *name, const char *context, const char *version,
                              po_identity_t *out)
{
    po_problems_t problems = {p, NULL, 0};
    json_t *body = apim_json_own(
        p, json_pack("{s:s?, s:s?, s:s?}", "name", name, "context", context, "version", version));
    memset(out, 0, sizeof(*out));
    po_identity_read(&problems, body, out);
    return po_problems_error(&problems);
}

static void test_identity(void **state)
{
    apr_pool_t *p = *state;
    po_identity_t id;
    assert_null(identify(p, "Pizza Shack", "pizza", "1.0.0", &id));
    assert_string_equal(id.context_template, "/pizza");
    assert_string_equal(id.context, "/pizza/1.0.0");
    assert_null(identify(p, "Pizza", "/{version}/a/b", "v2", &id));
    assert_string_equal(id.context, "/v2/a/b");
    assert_null(identify(p, "P\xc3\xafzza", "/a/{version}", "1", &id));
    assert_string_equal(id.context, "/a/1");
}

static void test_identity_refusals(void **state)
{
    apr_pool_t *p = *state;
    const char *const contexts[] = {"/",           "//a",   "/a/",    "/a//b",  "/a b",
                                    "/../a",       "/a/..", "/a/./b", "/{v}/a", "/{version}/{version}",
                                    "/a{version}", "/a?b",  "/a#b",   "/a%2f",  "/a\\b",
                                    "/a;b",        "",      NULL};
    const char *const versions[] = {
        "", "1 0", "1/0", "..", ".", "1?0", "1\n", "1234567890123456789012345678901", "{version}", NULL};
    const char *const names[] = {"", " a", "a ", "a/b", "a\"b", "a\nb", "a<b>", "a'b", NULL};
    po_identity_t id;
    int i;
    for (i = 0; contexts[i]; i++) {
        if (!identify(p, "n", contexts[i], "1", &id)) {
            fail_msg("context '%s' was accepted", contexts[i]);
        }
    }
    for (i = 0; versions[i]; i++) {
        if (!identify(p, "n", "/c", versions[i], &id)) {
            fail_msg("version '%s' was accepted", versions[i]);
        }
    }
    for (i = 0; names[i]; i++) {
        if (!identify(p, names[i], "/c", "1", &id)) {
            fail_msg("name '%s' was accepted", names[i]);
        }
    }
    assert_non_null(identify(p, NULL, NULL, NULL, &id));
    assert_non_null(identify(
        p,
        apr_pstrcat(p, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", NULL),
        "/c", "1", &id));
}

/* -- what is published -------------------------------------------------------------------------------------
 */

static po_api_t sample(apr_pool_t *p)
{
    po_api_t api = {.id = "i",
                    .provider = "jane",
                    .name = "Pizza",
                    .context = "/p/1",
                    .context_template = "/p",
                    .version = "1",
                    .description = "d",
                    .type = "HTTP",
                    .status = "PUBLISHED",
                    .visibility = "PUBLIC",
                    .is_default = 1,
                    .etag = 3,
                    .created_at = 1,
                    .updated_at = 2,
                    .updated_by = "jane"};
    assert_null(po_document_make(
        p,
        parse(p, "{\"endpointConfig\":{\"endpoint_type\":\"http\",\"production_endpoints\":{\"url\":\"http://"
                 "b/x\",\"config\":"
                 "{\"actionDuration\":\"1500\"}}},\"policies\":[\"Gold\"],\"securityScheme\":[\"oauth2\","
                 "\"basic_auth\",\"api_key\"],"
                 "\"operations\":[{\"target\":\"/a\",\"verb\":\"GET\",\"authType\":\"Any\"}],"
                 "\"additionalProperties\":[{\"name\":\"a\",\"value\":\"b\",\"display\":true},{\"name\":"
                 "\"c\",\"value\":\"d\"}]}"),
        NULL, &api.document));
    return api;
}

static void test_artifact(void **state)
{
    apr_pool_t *p = *state;
    po_api_t api = sample(p);
    json_t *out = po_artifact_make(p, &api, api.document, 4, "r");
    json_t *operation = json_array_get(json_object_get(out, "operations"), 0);
    assert_string_equal(apim_json_text(p, json_object_get(out, "endpoints")),
                        "{\"production\":{\"url\":\"http://b/x\",\"timeoutMs\":1500}}");
    assert_string_equal(apim_json_text(p, json_object_get(out, "securityScheme")),
                        "[\"oauth2\",\"api_key\"]");
    assert_string_equal(apim_json_str(operation, "authType", ""), "Application & Application User");
    assert_string_equal(apim_json_str(operation, "throttlingPolicy", ""), "Unlimited");
    assert_int_equal(apim_json_int(out, "revision", 0), 4);
    assert_string_equal(apim_json_str(out, "contextTemplate", ""), "/p");
    assert_true(apim_json_bool(out, "isDefaultVersion", 0));
}

static void test_store_document(void **state)
{
    apr_pool_t *p = *state;
    po_api_t api = sample(p);
    apr_array_header_t *deployed = apr_array_make(p, 1, sizeof(po_deployed_t));
    json_t *out, *url;
    po_deployed_t *d = apr_array_push(deployed);
    *d = (po_deployed_t){"Default", "Default", "hybrid", "localhost", "", 1};
    d = apr_array_push(deployed);
    *d = (po_deployed_t){"Hidden", "Hidden", "hybrid", "localhost", "", 0};
    out = po_store_document(p, &api, api.document, deployed);
    assert_null(json_object_get(out, "endpointConfig")); /* back ends are nobody's business outside */
    assert_null(strstr(apim_json_text(p, out), "http://b"));
    assert_int_equal(json_array_size(json_object_get(out, "additionalProperties")), 1);
    po_store_set_urls(p, out, "https://gw");
    assert_int_equal(json_array_size(json_object_get(out, "endpointURLs")), 1);
    url = json_array_get(json_object_get(out, "endpointURLs"), 0);
    assert_string_equal(apim_json_str(json_object_get(url, "URLs"), "https", ""), "https://gw/p/1");
    assert_string_equal(apim_json_str(json_object_get(url, "defaultVersionURLs"), "https", ""),
                        "https://gw/p");
    assert_true(json_is_null(json_object_get(json_object_get(url, "URLs"), "http")));
}

/* -- pictures ----------------------------------------------------------------------------------------------
 */

static void test_image_types(void **state)
{
    static const struct {
        const char *begin;
        apr_size_t len;
        const char *type;
    } cases[] = {{"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", 16, "image/png"},
                 {"\xff\xd8\xff\xe0", 4, "image/jpeg"},
                 {"GIF87a", 6, "image/gif"},
                 {"GIF89a", 6, "image/gif"},
                 {"RIFF....WEBPVP8 ", 16, "image/webp"},
                 {"RIFF....WAVEfmt ", 16, NULL},
                 {"\x89PNG\r\n\x1a\n\0\0\0\rIDAT", 16, NULL},
                 {"<svg xmlns=", 11, NULL},
                 {"<!DOCTYPE html>", 15, NULL},
                 {"BM", 2, NULL}};
    char data[200];
    apr_size_t i;
    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        memset(data, 0, sizeof(data));
        memcpy(data, cases[i].begin, cases[i].len);
        if (cases[i].type) {
            assert_string_equal(po_image_type(data, sizeof(data)), cases[i].type);
            assert_null(po_image_type(data, cases[i].len)); /* nothing follows the signature */
        }
        else {
            assert_null(po_image_type(data, sizeof(data)));
        }
    }
    assert_null(po_image_type(data, 0));
}

/* -- archives
 * ------------------------------------------------------------------------------------------------
 */

/* What YAML 1.1 or 1.2 could take for something else comes back as the text that it was. */
static void test_yaml_and_back(void **state)
{
    static const char *const texts[] = {"\"\"",
                                        "\"yes\"",
                                        "\"No\"",
                                        "\"on\"",
                                        "\"null\"",
                                        "\"~\"",
                                        "\"1.0\"",
                                        "\"012\"",
                                        "\"0x1f\"",
                                        "\"1e3\"",
                                        "\"- a\"",
                                        "\"a: b\"",
                                        "\"# a\"",
                                        "\"&a\"",
                                        "\"*a\"",
                                        "\"!a\"",
                                        "\"%a\"",
                                        "\"@a\"",
                                        "\"`a\"",
                                        "\"{a\"",
                                        "\"[a\"",
                                        "\"a\\nb\\n\"",
                                        "\"  a  \"",
                                        "\"\\t\"",
                                        "\"\\\"'\"",
                                        "\"\\\\n\"",
                                        "\"---\"",
                                        "\"...\"",
                                        "\"=\"",
                                        "\"<<\"",
                                        "\"2020-01-01\"",
                                        "\"\u00e4\u6f22\u5b57\"",
                                        "true",
                                        "false",
                                        "null",
                                        "-7",
                                        "0.5",
                                        "[]",
                                        "{}",
                                        "[[1,[]],{\"a\":{}}]"};
    apr_pool_t *p = *state;
    apr_size_t i;
    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        const char *whole = apr_psprintf(p, "{\"key: 1\":%s,\"list\":[%s,%s]}", texts[i], texts[i], texts[i]),
                   *yaml;
        json_t *before, *after;
        assert_null(apim_json_parse(p, whole, strlen(whole), NULL, &before));
        assert_null(po_yaml_text(p, before, &yaml));
        assert_null(apim_doc_parse(p, yaml, strlen(yaml), NULL, &after));
        if (!json_equal(before, after)) {
            fail_msg("%s became %s", whole, yaml);
        }
    }
}

static void test_zip_and_back(void **state)
{
    const po_zip_limits_t limits = {3, 100000}, few = {2, 100000}, small = {3, 10};
    apr_pool_t *p = *state;
    apr_array_header_t *files = apr_array_make(p, 3, sizeof(po_zip_entry_t)), *read;
    const char *data;
    apr_size_t len;
    APR_ARRAY_PUSH(files, po_zip_entry_t) = (po_zip_entry_t){"a/b.txt", "hello", 5};
    APR_ARRAY_PUSH(files, po_zip_entry_t) = (po_zip_entry_t){"\xc3\xa4.bin", "\0\1\2\377......", 10};
    APR_ARRAY_PUSH(files, po_zip_entry_t) = (po_zip_entry_t){"empty", "", 0};
    assert_null(po_zip_write(p, files, &data, &len));
    assert_null(po_zip_read(p, data, len, &limits, &read));
    assert_int_equal(read->nelts, 3);
    assert_string_equal(po_zip_find(read, "a/b.txt")->data, "hello");
    assert_memory_equal(po_zip_find(read, "\xc3\xa4.bin")->data, "\0\1\2\377......", 10);
    assert_int_equal(po_zip_find(read, "empty")->len, 0);
    assert_null(po_zip_find(read, "b.txt"));
    assert_int_equal(po_zip_read(p, data, len, &few, &read)->status, 413);
    assert_int_equal(po_zip_read(p, data, len, &small, &read)->status, 413);
    while (--len) { /* cut off anywhere */
        apim_error_t *err = po_zip_read(p, data, len, &limits, &read);
        if (!err || err->status != 400) {
            fail_msg("read although cut off to %d bytes", (int)len);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        unit_case(test_lifecycle_table),   unit_case(test_lifecycle_checklist),
        unit_case(test_query_patterns),    unit_case(test_query_refusals),
        unit_case(test_document_refusals), unit_case(test_document_defaults_and_merge),
        unit_case(test_endpoint_secrets),  unit_case(test_all_problems_at_once),
        unit_case(test_identity),          unit_case(test_identity_refusals),
        unit_case(test_artifact),          unit_case(test_store_document),
        unit_case(test_image_types),       unit_case(test_yaml_and_back),
        unit_case(test_zip_and_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
