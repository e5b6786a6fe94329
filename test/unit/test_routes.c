/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <apr_file_io.h>
#include <apr_strings.h>
#include <stdlib.h>
#include <unistd.h>

#include "apim_json.h"
#include "cors_rules.h"
#include "replica.h"
#include "route_table.h"

static json_t *artefact(apr_pool_t *p, const char *context, const char *const *targets)
{
    json_t *operations = json_array();
    for (; targets && *targets; targets += 2) {
        json_array_append_new(operations, json_pack("{s:s, s:s, s:s}", "verb", targets[0], "target",
                                                    targets[1], "authType", "None"));
    }
    return apim_json_own(p, json_pack("{s:s, s:s, s:s, s:s, s:{s:{s:s}}, s:o}", "id", context, "context",
                                      context, "status", "PUBLISHED", "version", "1", "endpoints",
                                      "production", "url", "http://b", "operations", operations));
}

static const gw_record_t *compile(apr_pool_t *p, const char *const *targets)
{
    const gw_record_t *record;
    apr_array_header_t *contexts;
    apr_size_t size;
    assert_null(gw_record_compile(p, artefact(p, "/c", targets), &record, &size, &contexts));
    assert_true(gw_record_valid(record, size));
    return record;
}

static const char *match(apr_pool_t *p, const gw_record_t *record, const char *method, const char *path)
{
    gw_operation_t *operation;
    const char *allow = NULL;
    switch (gw_record_match(p, record, method, path, &operation, &allow)) {
    case GW_MATCH_FOUND:
        return operation->target;
    case GW_MATCH_NO_VERB:
        return apr_pstrcat(p, "allow ", allow, NULL);
    default:
        return "none";
    }
}

static void test_precedence(void **state)
{
    static const char *const targets[] = {
        "GET", "/a/{x}", "GET",  "/a/b",   "GET", "/a/*",          "GET", "/a/{x}.json", "GET", "/{y}/b/c",
        "GET", "/a/b/d", "POST", "/a/{x}", "GET", "/only/{x}/end", "PUT", "/only/lit/z", NULL};
    const gw_record_t *r = compile(*state, targets);
    assert_string_equal(match(*state, r, "GET", "/a/b"), "/a/b");
    assert_string_equal(match(*state, r, "GET", "/a/b/"), "/a/b");
    assert_string_equal(match(*state, r, "GET", "/a/q"), "/a/{x}");
    assert_string_equal(match(*state, r, "GET", "/a/q.json"), "/a/{x}.json");
    assert_string_equal(match(*state, r, "GET", "/a/.json"), "/a/{x}");
    assert_string_equal(match(*state, r, "GET", "/a/q/r/s"), "/a/*");
    assert_string_equal(match(*state, r, "GET", "/a"), "/a/*");
    assert_string_equal(match(*state, r, "GET", "/z/b/c"), "/{y}/b/c");
    assert_string_equal(match(*state, r, "GET", "/a/b/d"), "/a/b/d");
    /* a literal that leads nowhere falls back to the parameter */
    assert_string_equal(match(*state, r, "GET", "/only/lit/end"), "/only/{x}/end");
    /* the verb of a less specific template counts before 405 */
    assert_string_equal(match(*state, r, "POST", "/a/b"), "/a/{x}");
    assert_string_equal(match(*state, r, "DELETE", "/a/b"), "allow GET, POST");
    assert_string_equal(match(*state, r, "HEAD", "/a/b"), "/a/b");
    assert_string_equal(match(*state, r, "GET", "/"), "none");
    assert_string_equal(match(*state, r, "GET", ""), "none");
    assert_string_equal(match(*state, r, "GET", "/A/b"), "none");
}

static void test_root_and_empty(void **state)
{
    static const char *const root[] = {"GET", "/", NULL}, *const all[] = {"GET", "/*", NULL},
                             *const none[] = {NULL};
    const gw_record_t *r = compile(*state, root);
    assert_string_equal(match(*state, r, "GET", "/"), "/");
    assert_string_equal(match(*state, r, "GET", ""), "/");
    assert_string_equal(match(*state, r, "GET", "/x"), "none");
    r = compile(*state, all);
    assert_string_equal(match(*state, r, "GET", ""), "/*");
    assert_string_equal(match(*state, r, "GET", "/x/y/z"), "/*");
    r = compile(*state, none);
    assert_string_equal(match(*state, r, "GET", "/x"), "none");
}

/* The plain meaning of a template without precedence: does it match? */
static int fits(const char *template, const char *path)
{
    while (1) {
        const char *t = template + (*template == '/'), *s = path + (*path == '/');
        size_t tn = strcspn(t, "/"), sn = strcspn(s, "/");
        if (tn == 1 && *t == '*' && !t[1]) {
            return 1;
        }
        if (!*t || !*s) {
            return !*t && !*s;
        }
        if (!(*t == '{' && sn) && (tn != sn || strncmp(t, s, tn) != 0)) {
            return 0;
        }
        template = t + tn;
        path = s + sn;
    }
}

/* Random templates and paths from a small alphabet: the tree finds something exactly when one template fits.
 */
static void test_against_plain_matcher(void **state)
{
    static const char *const parts[] = {"/a", "/b", "/{x}", "/c", "/*"};
    unsigned int round, seed = 42;
    for (round = 0; round < 300; round++) {
        const char *targets[2 * 8 + 1] = {NULL};
        apr_pool_t *p;
        const gw_record_t *r;
        int i, j, n;
        apr_pool_create(&p, *state);
        for (i = 0; i < 8; i++) {
            char *t = apr_pstrdup(p, "");
            n = rand_r(&seed) % 4 + 1;
            for (j = 0; j < n; j++) {
                t = apr_pstrcat(p, t, parts[rand_r(&seed) % (j == n - 1 ? 5 : 4)], NULL);
            }
            targets[2 * i] = "GET";
            targets[2 * i + 1] = t;
        }
        r = compile(p, targets);
        for (i = 0; i < 20; i++) {
            char *path = apr_pstrdup(p, "");
            const char *found;
            int expected = 0;
            n = rand_r(&seed) % 5 + 1;
            for (j = 0; j < n; j++) {
                path = apr_pstrcat(p, path, parts[rand_r(&seed) % 2], NULL);
            }
            for (j = 0; j < 8; j++) {
                expected |= fits(targets[2 * j + 1], path);
            }
            found = match(p, r, "GET", path);
            assert_int_equal(strcmp(found, "none") != 0, expected);
            if (expected) {
                assert_true(fits(found, path));
            }
        }
        apr_pool_destroy(p);
    }
}

static void test_damaged_records_are_refused(void **state)
{
    static const char *const targets[] = {"GET", "/a/{x}", "POST", "/b/*", NULL};
    const gw_record_t *record;
    apr_array_header_t *contexts;
    apr_size_t size, i;
    unsigned char *copy;
    assert_null(gw_record_compile(*state, artefact(*state, "/c", targets), &record, &size, &contexts));
    copy = apr_palloc(*state, size);
    for (i = 0; i + 1 < size; i++) {
        gw_operation_t *operation;
        const char *allow;
        memcpy(copy, record, size);
        copy[i] ^= 0xff;
        if (gw_record_valid(copy, size)) { /* what is taken for valid must be safe to match */
            gw_record_match(*state, (const gw_record_t *)(void *)copy, "GET", "/a/b", &operation, &allow);
        }
    }
    assert_false(gw_record_valid(record, size - 1));
}

static void test_refusals(void **state)
{
    static const char *const bad[] = {"GET", "noslash", NULL};
    const gw_record_t *record;
    apr_array_header_t *contexts;
    apr_size_t size;
    json_t *j = artefact(*state, "/c/", NULL);
    assert_non_null(gw_record_compile(*state, artefact(*state, "/c", bad), &record, &size, &contexts));
    assert_non_null(gw_record_compile(*state, j, &record, &size, &contexts));
    j = artefact(*state, "/c", NULL);
    json_object_set_new(j, "status", json_string("CREATED"));
    assert_non_null(gw_record_compile(*state, j, &record, &size, &contexts));
}

static void put(apr_pool_t *p, gw_replica_t *replica, const char *context, const char *plain)
{
    static const char *const targets[] = {"GET", "/*", NULL};
    const gw_record_t *record;
    apr_array_header_t *contexts;
    apr_size_t size;
    json_t *j = artefact(p, context, targets);
    if (plain) {
        json_object_set_new(j, "isDefaultVersion", json_true());
        json_object_set_new(j, "contextTemplate", json_string(plain));
    }
    assert_null(gw_record_compile(p, j, &record, &size, &contexts));
    assert_null(gw_replica_write_begin(replica, p));
    assert_null(gw_replica_put_api(replica, p, context, record, size, contexts));
    assert_null(gw_replica_commit(replica, p));
}

static const char *context_of(apr_pool_t *p, gw_replica_t *replica, const char *path)
{
    gw_route_t *route;
    assert_null(gw_replica_route(replica, p, "GET", path, &route));
    return route ? route->api->context : "none";
}

static const char *scratch(apr_pool_t *p)
{
    char *dir = apr_pstrdup(p, "/tmp/apim-replica-XXXXXX");
    assert_non_null(mkdtemp(dir));
    return dir;
}

static void remove_scratch(apr_pool_t *p, const char *dir)
{
    static const char *const files[] = {"replica.mdb", "replica.mdb-lock", "replica.bad"};
    size_t i;
    for (i = 0; i < 3; i++) {
        apr_file_remove(apr_pstrcat(p, dir, "/", files[i], NULL), p);
    }
    apr_dir_remove(dir, p);
}

static void test_replica(void **state)
{
    apr_pool_t *p = *state;
    const char *dir = scratch(p);
    gw_position_t position = {"epoch one", 7};
    gw_replica_t *replica;
    gw_policy_t *policy;
    int rebuilt;
    assert_null(gw_replica_open(p, dir, 126, &rebuilt, &replica));
    put(p, replica, "/a/1", "/a");
    put(p, replica, "/a/b/2", NULL);
    assert_string_equal(context_of(p, replica, "/a/b/2/x"), "/a/b/2");
    assert_string_equal(context_of(p, replica, "/a/b/3/x"), "/a/1");
    assert_string_equal(context_of(p, replica, "/a/1/x"), "/a/1");
    assert_string_equal(context_of(p, replica, "/b"), "none");
    put(p, replica, "/a/9", "/a"); /* the default version moves */
    assert_string_equal(context_of(p, replica, "/a/x"), "/a/9");
    put(p, replica, "/a/1", NULL); /* and its former holder does not take it away */
    assert_string_equal(context_of(p, replica, "/a/x"), "/a/9");
    assert_null(gw_replica_write_begin(replica, p));
    assert_null(gw_replica_remove_api(replica, p, "/a/9"));
    assert_null(gw_replica_put_policy(
        replica, p, "subscription/Gold",
        apim_json_own(p, json_pack("{s:i, s:i, s:s}", "requestCount", 5, "unitTime", 2, "timeUnit", "min"))));
    assert_null(gw_replica_set_position(replica, p, &position));
    assert_null(gw_replica_commit(replica, p));
    assert_string_equal(context_of(p, replica, "/a/x"), "none");
    gw_replica_close(replica);
    assert_null(gw_replica_open(p, dir, 126, &rebuilt, &replica));
    assert_false(rebuilt);
    assert_null(gw_replica_position(replica, p, &position));
    assert_string_equal(position.epoch, "epoch one");
    assert_int_equal(position.revision, 7);
    assert_null(gw_replica_policy(replica, p, "subscription", "Gold", &policy));
    assert_int_equal(policy->request_count, 5);
    assert_int_equal(policy->window, 120);
    assert_null(gw_replica_policy(replica, p, "subscription", "Silver", &policy));
    assert_null(policy);
    gw_replica_close(replica);
    remove_scratch(p, dir);
}

static void test_damaged_replica_is_begun_anew(void **state)
{
    apr_pool_t *p = *state;
    const char *dir = scratch(p);
    gw_replica_t *replica;
    gw_position_t position;
    apr_file_t *f;
    int rebuilt, i;
    assert_int_equal(apr_file_open(&f, apr_pstrcat(p, dir, "/replica.mdb", NULL), APR_WRITE | APR_CREATE,
                                   APR_OS_DEFAULT, p),
                     0);
    for (i = 0; i < 2000; i++) {
        apr_file_puts("not a database ", f);
    }
    apr_file_close(f);
    assert_null(gw_replica_open(p, dir, 126, &rebuilt, &replica));
    assert_true(rebuilt);
    assert_null(gw_replica_position(replica, p, &position));
    assert_string_equal(position.epoch, "");
    gw_replica_close(replica);
    remove_scratch(p, dir);
}

/* -- deny policies -------------------------------------------------------------------------------------
 */

static void put_deny(apr_pool_t *p, gw_replica_t *replica, const char *id, const char *json)
{
    json_t *artefact;
    assert_null(apim_json_parse(p, json, strlen(json), NULL, &artefact));
    assert_null(gw_replica_put_policy(replica, p, apr_pstrcat(p, "deny/", id, NULL), artefact));
}

static const char *denied(apr_pool_t *p, gw_replica_t *replica, const char *api, const char *address,
                          const char *application, const char *user)
{
    gw_deny_facts_t facts = {api, address, application, user};
    const char *id;
    assert_null(gw_replica_denied(replica, p, &facts, &id));
    return id ? id : "none";
}

static void test_deny_policies(void **state)
{
    apr_pool_t *p = *state;
    const char *dir = scratch(p);
    gw_replica_t *replica;
    json_t *wrong = apim_json_own(p, json_pack("{s:s, s:s}", "type", "IP", "value", "1.2.3"));
    int rebuilt;
    assert_null(gw_replica_open(p, dir, 126, &rebuilt, &replica));
    assert_string_equal(denied(p, replica, "/a/1", "192.0.2.7", "ana:Shop", "ana"), "none");
    assert_null(gw_replica_write_begin(replica, p));
    put_deny(p, replica, "api", "{\"type\":\"API\",\"value\":\"/a/1\"}");
    put_deny(p, replica, "app", "{\"type\":\"APPLICATION\",\"value\":\"ana:Shop\"}");
    put_deny(p, replica, "user", "{\"type\":\"USER\",\"value\":\"ana\"}");
    put_deny(p, replica, "ip", "{\"type\":\"IP\",\"value\":\"192.0.2.7\"}");
    put_deny(p, replica, "net", "{\"type\":\"IPRANGE\",\"start\":\"2001:db8::\",\"end\":\"2001:db8::ff\"}");
    assert_non_null(gw_replica_put_policy(replica, p, "deny/wrong", wrong));
    assert_null(gw_replica_commit(replica, p));
    assert_string_equal(denied(p, replica, "/a/1", NULL, NULL, NULL), "api");
    assert_string_equal(denied(p, replica, "/a", NULL, "ana:Shop", NULL), "app");
    assert_string_equal(denied(p, replica, NULL, NULL, "ana:Sho", "ana"), "user");
    assert_string_equal(denied(p, replica, "/b", "192.0.2.7", NULL, NULL), "ip");
    assert_string_equal(denied(p, replica, "/b", "192.0.2.8", NULL, "an"), "none");
    assert_string_equal(denied(p, replica, NULL, "2001:db8::80", NULL, NULL), "net");
    assert_string_equal(denied(p, replica, NULL, "2001:db8::100", NULL, NULL), "none");
    assert_string_equal(denied(p, replica, NULL, "not an address", NULL, NULL), "none");
    assert_null(gw_replica_write_begin(replica, p));
    assert_null(gw_replica_remove_policy(replica, p, "deny/ip"));
    assert_null(gw_replica_remove_policy(replica, p, "deny/never-there"));
    put_deny(p, replica, "user", "{\"type\":\"USER\",\"value\":\"bob\"}");
    put_deny(p, replica, "but", "{\"type\":\"IP\",\"value\":\"192.0.2.1\",\"invert\":true}");
    assert_null(gw_replica_commit(replica, p));
    assert_string_equal(denied(p, replica, NULL, NULL, NULL, "ana"), "none");
    assert_string_equal(denied(p, replica, NULL, NULL, NULL, "bob"), "user");
    assert_string_equal(denied(p, replica, NULL, "192.0.2.7", NULL, NULL), "but");
    assert_string_equal(denied(p, replica, NULL, "192.0.2.1", NULL, NULL), "none");
    assert_null(gw_replica_write_begin(replica, p));
    assert_null(gw_replica_clear(replica, p));
    assert_null(gw_replica_commit(replica, p));
    assert_string_equal(denied(p, replica, "/a/1", "192.0.2.7", "ana:Shop", "bob"), "none");
    gw_replica_close(replica);
    remove_scratch(p, dir);
}

/* -- CORS --------------------------------------------------------------------------------------------------
 */

static void test_cors_origins(void **state)
{
    static const char *const usable[] = {"*", "https://a.example", "http://[::1]:80",
                                         "https://*.a.example:8443", "app+x://host"};
    static const char *const not_usable[] = {
        "",      "a.example",          "https://",          "https://a/b", "https://a:", "https://a:b",
        "1://a", "https://*a.example", "https://a example", "null"};
    gw_cors_t cors = {"https://a.example https://*.b.example:81", "X-A X-B", "GET PUT", 1};
    apr_size_t i;
    (void)state;
    for (i = 0; i < sizeof(usable) / sizeof(usable[0]); i++) {
        assert_true(gw_cors_origin_usable(usable[i]));
    }
    for (i = 0; i < sizeof(not_usable) / sizeof(not_usable[0]); i++) {
        assert_false(gw_cors_origin_usable(not_usable[i]));
    }
    assert_string_equal(gw_cors_allow_origin(&cors, "https://A.example"), "https://A.example");
    assert_non_null(gw_cors_allow_origin(&cors, "https://x.y.b.example:81"));
    assert_null(gw_cors_allow_origin(&cors, "https://.b.example:81"));
    assert_null(gw_cors_allow_origin(&cors, "https://x/.b.example:81"));
    assert_null(gw_cors_allow_origin(&cors, "https://x.b.example"));
    assert_null(gw_cors_allow_origin(&cors, "http://a.example"));
    assert_null(gw_cors_allow_origin(&cors, NULL));
    cors.origins = "*";
    assert_string_equal(gw_cors_allow_origin(&cors, "null"), "*");
}

static void test_cors_lists(void **state)
{
    gw_cors_t cors = {"*", "X-A X-B", "GET PUT", 0};
    apr_pool_t *p = *state;
    assert_string_equal(gw_cors_allow_methods(p, &cors, "GET, POST, PUT"), "GET, PUT");
    assert_string_equal(gw_cors_allow_methods(p, &cors, "POST"), "");
    assert_string_equal(gw_cors_allow_headers(p, &cors, " x-a apikey", "X-Other"), "X-A, X-B, apikey");
    cors.headers = "*";
    assert_string_equal(gw_cors_allow_headers(p, &cors, "", "x-q, authorization"), "x-q, authorization");
    assert_string_equal(gw_cors_allow_headers(p, &cors, "", "x\r\ny"), "");
    assert_string_equal(gw_cors_allow_headers(p, &cors, "", NULL), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {unit_case(test_precedence),
                                       unit_case(test_root_and_empty),
                                       unit_case(test_against_plain_matcher),
                                       unit_case(test_damaged_records_are_refused),
                                       unit_case(test_refusals),
                                       unit_case(test_replica),
                                       unit_case(test_damaged_replica_is_begun_anew),
                                       unit_case(test_deny_policies),
                                       unit_case(test_cors_origins),
                                       unit_case(test_cors_lists)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
