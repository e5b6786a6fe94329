/* SPDX-License-Identifier: Apache-2.0 */
#include "traffic_document.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <apr_uri.h>
#include <stdlib.h>
#include <string.h>

#include "apim_json.h"
#include "apim_text.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

const char *po_check_header_name(po_problems_t *problems, const char *where, const json_t *value)
{
    const char *name = po_check_text(problems, where, value, 1, 100, NULL);
    if (name && strspn(name, LETTERS "!#$%&'*+-.^_`|~") != strlen(name)) {
        po_problem(problems, where, "must be the name of a HTTP header.");
        return NULL;
    }
    return name;
}

/* -- CORS --------------------------------------------------------------------------------------------------
 */

/* scheme://host[:port], where the host may begin with "*." */
static int is_origin(const char *text)
{
    const char *host = strstr(text, "://");
    apr_size_t n;
    if (!host || !apr_isalpha(*text) || strspn(text, LETTERS "+-.") < (apr_size_t)(host - text)) {
        return 0;
    }
    host += 3;
    host += strncmp(host, "*.", 2) == 0 ? 2 : 0;
    n = *host == '[' ? strspn(host, LETTERS "[:.]") : strspn(host, LETTERS "-._");
    return n > 0 && (!host[n] || (host[n] == ':' && host[n + 1] &&
                                  strspn(host + n + 1, "0123456789") == strlen(host + n + 1)));
}

static void check_origin(po_problems_t *problems, const char *where, const json_t *item)
{
    const char *origin = json_string_value(item);
    if (origin && strcmp(origin, "*") != 0 && !is_origin(origin)) {
        po_problem(problems, where,
                   "must be *, an origin such as https://app.example.org (without a path), or one for all "
                   "hosts of a domain such as https://*.example.org.");
    }
}

static void check_cors_header(po_problems_t *problems, const char *where, const json_t *item)
{
    po_check_header_name(problems, where, item);
}

static void check_cors_method(po_problems_t *problems, const char *where, const json_t *item)
{
    po_check_one_of(problems, where, item, "GET|PUT|POST|DELETE|OPTIONS|HEAD|PATCH|TRACE");
}

static const struct {
    const char *name;
    void (*check)(po_problems_t *problems, const char *where, const json_t *item);
} cors_lists[] = {{"accessControlAllowOrigins", check_origin},
                  {"accessControlAllowHeaders", check_cors_header},
                  {"accessControlAllowMethods", check_cors_method}};

static int holds(const json_t *array, const char *word)
{
    apr_size_t i;
    json_t *item;
    json_array_foreach((json_t *)(apr_uintptr_t)array, i, item)
    {
        if (json_is_string(item) && strcmp(json_string_value(item), word) == 0) {
            return 1;
        }
    }
    return 0;
}

void po_check_cors(po_problems_t *problems, const char *where, json_t **value)
{
    static const char *const flags[] = {"corsConfigurationEnabled", "accessControlAllowCredentials"};
    apr_size_t i, j;
    json_t *item;
    if (!json_is_object(*value)) {
        po_problem(problems, where, "must be an object.");
        return;
    }
    for (i = 0; i < 2; i++) {
        json_t *flag = json_object_get(*value, flags[i]);
        if (flag && !json_is_boolean(flag)) {
            po_problem(problems, po_where(problems, where, flags[i]), "must be true or false.");
        }
    }
    for (i = 0; i < sizeof(cors_lists) / sizeof(cors_lists[0]); i++) {
        const char *place = po_where(problems, where, cors_lists[i].name);
        json_t *list = json_object_get(*value, cors_lists[i].name);
        if (list && !json_is_null(list) && po_check_texts(problems, place, list, 100, 255)) {
            json_array_foreach(list, j, item)
            {
                cors_lists[i].check(problems, po_where_item(problems, place, j), item);
            }
        }
    }
    if (apim_json_bool(*value, "corsConfigurationEnabled", 0) &&
        apim_json_bool(*value, "accessControlAllowCredentials", 0) &&
        holds(json_object_get(*value, "accessControlAllowOrigins"), "*")) {
        po_problem(problems, po_where(problems, where, "accessControlAllowCredentials"),
                   "must be false while accessControlAllowOrigins holds *: any site could act with its "
                   "visitors' log-ins; list the origins that may.");
    }
    po_check_kept(problems, where, *value, 0);
}

/* -- endpoints ---------------------------------------------------------------------------------------------
 */

static void check_url(po_problems_t *problems, const char *where, const json_t *value)
{
    const char *text = po_check_text(problems, where, value, 1, 2000, NULL);
    apr_uri_t uri;
    if (!text) {
        return;
    }
    if (strpbrk(text, " <>\"\\^`{|}") || apr_uri_parse(problems->pool, text, &uri) != APR_SUCCESS ||
        !uri.scheme || !uri.hostname || !*uri.hostname ||
        (strcasecmp(uri.scheme, "http") && strcasecmp(uri.scheme, "https"))) {
        po_problem(problems, where, "must be a http or https URL, such as https://backend.example.org/base.");
    }
    else if (uri.user || uri.fragment) {
        po_problem(problems, where, "must not hold a user name, a password or a fragment.");
    }
    else if (uri.port_str && (uri.port == 0 || strlen(uri.port_str) > 5)) {
        po_problem(problems, where, "has a port that is not a number from 1 to 65535.");
    }
}

/* A duration or a number in config: text or number, at most max. */
static void check_setting(po_problems_t *problems, const char *where, const json_t *config, const char *name,
                          double max)
{
    const json_t *value = json_object_get(config, name);
    const char *text = json_string_value(value);
    double number = json_number_value(value);
    char *end = NULL;
    if (!value || json_is_null(value) || (text && !*text)) {
        return;
    }
    if (text) {
        number = strtod(text, &end);
    }
    if ((!text && !json_is_number(value)) || (end && *end) || !(number >= 0 && number <= max)) {
        po_problem(problems, po_where(problems, where, name), "must be a number from 0 to %.0f.", max);
    }
}

static void check_member(po_problems_t *problems, const char *where, const json_t *endpoint)
{
    const json_t *config = json_object_get(endpoint, "config");
    const char *place = po_where(problems, where, "config");
    if (!json_is_object(endpoint)) {
        po_problem(problems, where, "must be an object with url.");
        return;
    }
    check_url(problems, po_where(problems, where, "url"), json_object_get(endpoint, "url"));
    check_setting(problems, place, config, "actionDuration", 3600000);
    check_setting(problems, place, config, "suspendDuration", 86400000);
    check_setting(problems, place, config, "suspendMaxDuration", 86400000);
    check_setting(problems, place, config, "factor", 100);
}

/* One endpoint, or an array of them where the type has several. */
static void check_members(po_problems_t *problems, const char *where, const json_t *config, const char *which,
                          int several)
{
    json_t *value = json_object_get(config, which), *item;
    const char *place = po_where(problems, where, which);
    apr_size_t i;
    if (!value || json_is_null(value)) {
        return;
    }
    if (!json_is_array(value)) {
        if (several && json_object_size(value) == 0 && json_is_object(value)) {
            return;
        }
        check_member(problems, place, value);
        return;
    }
    if (!several) {
        po_problem(problems, place,
                   "must be an object with url; several belong to load_balance or failover.");
        return;
    }
    if (json_array_size(value) > PO_MAX_MEMBERS) {
        po_problem(problems, place, "must have at most %d endpoints.", PO_MAX_MEMBERS);
        return;
    }
    json_array_foreach(value, i, item)
    {
        check_member(problems, po_where_item(problems, place, i), item);
    }
}

static void check_balancing(po_problems_t *problems, const char *where, const json_t *config)
{
    const char *session = apim_json_str(config, "sessionManagement", "");
    const char *algorithm = apim_json_str(config, "algoCombo", "");
    if (*session && strcasecmp(session, "none") != 0) {
        po_problem(problems, po_where(problems, where, "sessionManagement"),
                   "must be none: calls of a session are not kept together.");
    }
    if (*algorithm && !strstr(algorithm, "RoundRobin")) {
        po_problem(problems, po_where(problems, where, "algoCombo"),
                   "must be org.apache.synapse.endpoints.algorithms.RoundRobin, or left out.");
    }
}

/* An absent or empty secret is dealt with where secrets are sealed: the stored one may stay. */
static void check_secret(po_problems_t *problems, const char *where, const json_t *side, const char *name)
{
    const json_t *value = json_object_get(side, name);
    if (value && !json_is_null(value)) {
        po_check_text(problems, po_where(problems, where, name), value, 0, 4096, NULL);
    }
}

static void check_oauth(po_problems_t *problems, const char *where, const json_t *side)
{
    const json_t *parameters = json_object_get(side, "customParameters");
    const char *name;
    json_t *value;
    if (strcasecmp(apim_json_str(side, "grantType", "CLIENT_CREDENTIALS"), "CLIENT_CREDENTIALS") != 0) {
        po_problem(problems, po_where(problems, where, "grantType"), "must be CLIENT_CREDENTIALS.");
    }
    check_url(problems, po_where(problems, where, "tokenUrl"), json_object_get(side, "tokenUrl"));
    po_check_text(problems, po_where(problems, where, "clientId"), json_object_get(side, "clientId"), 1, 500,
                  NULL);
    if (parameters && !json_is_null(parameters) && !json_is_object(parameters)) {
        po_problem(problems, po_where(problems, where, "customParameters"), "must be an object of texts.");
    }
    json_object_foreach((json_t *)(apr_uintptr_t)parameters, name, value)
    {
        po_check_text(problems, po_where(problems, po_where(problems, where, "customParameters"), name),
                      value, 0, 2000, NULL);
    }
}

/* Credentials for the back end: {"enabled", "type": "BASIC" or "OAUTH", …} of production or sandbox. */
static void check_security(po_problems_t *problems, const char *where, const char *which, const json_t *side)
{
    const char *type = apim_json_str(side, "type", "");
    check_secret(problems, where, side, "password");
    check_secret(problems, where, side, "clientSecret");
    if (!apim_json_bool(side, "enabled", 0)) {
        return;
    }
    if (!po_one_of(which, "production|sandbox")) {
        po_problem(problems, where, "is unknown; production and sandbox are known.");
    }
    if (strcasecmp(type, "BASIC") == 0) {
        const char *name = po_check_text(problems, po_where(problems, where, "username"),
                                         json_object_get(side, "username"), 1, 500, NULL);
        if (name && strchr(name, ':')) {
            po_problem(problems, po_where(problems, where, "username"), "must not hold a colon.");
        }
    }
    else if (strcasecmp(type, "OAUTH") == 0) {
        check_oauth(problems, where, side);
    }
    else {
        po_problem(problems, po_where(problems, where, "type"), "must be BASIC or OAUTH.");
    }
}

void po_check_endpoint_config(po_problems_t *problems, const char *where, json_t **value)
{
    static const char *const lists[] = {"production_endpoints", "sandbox_endpoints", "production_failovers",
                                        "sandbox_failovers"};
    const char *type = apim_json_str(*value, "endpoint_type", NULL);
    int balanced = type && strcmp(type, "load_balance") == 0,
        failover = type && strcmp(type, "failover") == 0;
    json_t *security, *side;
    const char *key;
    int i;
    if (!json_is_object(*value)) {
        po_problem(problems, where,
                   "must be an object with endpoint_type and production_endpoints or sandbox_endpoints.");
        return;
    }
    if (!type || !po_one_of(type, "http|address|load_balance|failover")) {
        po_problem(problems, po_where(problems, where, "endpoint_type"),
                   "must be http, load_balance or failover%s.",
                   type && po_one_of(type, "default|service|awslambda|sequence_backend")
                       ? "; this kind of endpoint is not supported"
                       : "");
    }
    for (i = 0; i < 4; i++) {
        check_members(problems, where, *value, lists[i], i < 2 ? balanced : failover);
    }
    if (balanced) {
        check_balancing(problems, where, *value);
    }
    security = json_object_get(*value, "endpoint_security");
    json_object_foreach(security, key, side)
    {
        check_security(problems, po_where(problems, po_where(problems, where, "endpoint_security"), key), key,
                       side);
    }
    po_check_kept(problems, where, *value, 0);
}
