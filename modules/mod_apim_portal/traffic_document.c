/* SPDX-License-Identifier: Apache-2.0 */
#include "traffic_document.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <apr_uri.h>
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

static void check_endpoint(po_problems_t *problems, const char *where, json_t *config, const char *which)
{
    json_t *endpoint = json_object_get(config, which);
    const char *place = po_where(problems, where, which);
    if (!endpoint || json_is_null(endpoint)) {
        return;
    }
    if (!json_is_object(endpoint)) {
        po_problem(problems, place, "must be an object with url; several URLs belong to a balancer.");
        return;
    }
    check_url(problems, po_where(problems, place, "url"), json_object_get(endpoint, "url"));
}

void po_check_endpoint_config(po_problems_t *problems, const char *where, json_t **value)
{
    const char *type = apim_json_str(*value, "endpoint_type", NULL);
    json_t *security, *side;
    const char *key;
    if (!json_is_object(*value)) {
        po_problem(problems, where,
                   "must be an object with endpoint_type and production_endpoints or sandbox_endpoints.");
        return;
    }
    if (!type || !po_one_of(type, "http|address")) {
        po_problem(problems, po_where(problems, where, "endpoint_type"), "must be http%s.",
                   type && po_one_of(type, "load_balance|failover|default|service|awslambda|sequence_backend")
                       ? "; this kind of endpoint is not supported"
                       : "");
    }
    check_endpoint(problems, where, *value, "production_endpoints");
    check_endpoint(problems, where, *value, "sandbox_endpoints");
    security = json_object_get(*value, "endpoint_security");
    json_object_foreach(security, key, side)
    {
        if (apim_json_bool(side, "enabled", 0)) {
            po_problem(problems, po_where(problems, where, "endpoint_security"),
                       "cannot be enabled: credentials for back ends are not supported.");
        }
    }
    po_check_kept(problems, where, *value, 0);
}
