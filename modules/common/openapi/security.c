/* SPDX-License-Identifier: Apache-2.0 */
/* Security schemes, their scopes, and what operations require. */
#include <apr_strings.h>
#include <string.h>
#include <strings.h>

#include "apim_json.h"
#include "apim_text.h"
#include "openapi/check.h"

#define DEFAULT_SCHEME       "default"
#define OTHER_DEFAULT_SCHEME "apim_default" /* where "default" is taken by a scheme of another type */

int apim_is_swagger(const json_t *root)
{
    return json_object_get(root, "swagger") != NULL;
}

json_t *apim_schemes(const json_t *root)
{
    json_t *schemes = apim_is_swagger(root)
                          ? json_object_get(root, "securityDefinitions")
                          : json_object_get(json_object_get(root, "components"), "securitySchemes");
    return json_is_object(schemes) ? schemes : NULL;
}

const char *apim_default_scheme(const json_t *root)
{
    json_t *taken = json_object_get(apim_schemes(root), DEFAULT_SCHEME);
    return taken && strcmp(apim_json_str(taken, "type", ""), "oauth2") ? OTHER_DEFAULT_SCHEME
                                                                       : DEFAULT_SCHEME;
}

const char *apim_auth_type(const char *word)
{
    static const struct {
        const char *word, *type;
    } known[] = {{"None", APIM_AUTH_NONE},
                 {"Application", APIM_AUTH_APPLICATION},
                 {"Application User", APIM_AUTH_USER},
                 {"Application_User", APIM_AUTH_USER},
                 {"Application & Application User", APIM_AUTH_ANY},
                 {"Any", APIM_AUTH_ANY}};
    size_t i;
    for (i = 0; i < sizeof(known) / sizeof(*known); i++) {
        if (!strcasecmp(word, known[i].word)) {
            return known[i].type;
        }
    }
    return NULL;
}

/* -- scopes declared ------------------------------------------------------------------------------------- */

/* Splits "a, b" into words; an array of strings is taken as it is. */
static apr_array_header_t *words(apr_pool_t *p, const json_t *value)
{
    apr_array_header_t *list = apr_array_make(p, 2, sizeof(const char *));
    const json_t *item;
    char *rest, *word;
    size_t i;
    json_array_foreach(value, i, item)
    {
        if (json_is_string(item)) {
            APR_ARRAY_PUSH(list, const char *) = json_string_value(item);
        }
    }
    if (json_is_string(value)) {
        rest = apr_pstrdup(p, json_string_value(value));
        while ((word = apr_strtok(rest, ", ", &rest))) {
            APR_ARRAY_PUSH(list, const char *) = word;
        }
    }
    return list;
}

/* A name that is empty or has control characters can be asked for by no one, and is left out. */
static void add_scope(apim_check_t *c, const char *name, const char *description, const json_t *roles)
{
    apim_openapi_scope_t *scope;
    if (!*name || apim_has_control(name, "") || apr_hash_get(c->scopes, name, APR_HASH_KEY_STRING)) {
        return;
    }
    apr_hash_set(c->scopes, name, APR_HASH_KEY_STRING, c);
    scope = apr_array_push(c->doc->scopes);
    scope->name = name;
    scope->description = description ? description : "";
    scope->roles = words(c->p, roles);
}

static void read_scopes(apim_check_t *c, const json_t *flow, const apim_place_t *at)
{
    json_t *scopes = apim_want_object(c, flow, "scopes", at, 0), *description;
    json_t *bindings = json_object_get(flow, "x-scopes-bindings");
    const char *name;
    json_object_foreach(scopes, name, description)
    {
        if (strncmp(name, "x-", 2)) {
            add_scope(c, name, json_string_value(description), json_object_get(bindings, name));
        }
    }
}

static void read_oauth_scheme(apim_check_t *c, const json_t *scheme, const apim_place_t *at)
{
    json_t *flows, *flow;
    const char *name;
    if (c->major == 2) {
        read_scopes(c, scheme, at);
        return;
    }
    flows = apim_want_object(c, scheme, "flows", at, 0);
    if (!flows) {
        apim_odd(c, at, "missing", "an oauth2 scheme should have \"flows\".");
    }
    json_object_foreach(flows, name, flow)
    {
        if (json_is_object(flow)) {
            read_scopes(c, flow, APIM_MEMBER(APIM_MEMBER(at, "flows"), name));
        }
    }
}

/* Documents of WSO2 API Manager before 2.0 keep scopes here. */
static void read_old_scopes(apim_check_t *c)
{
    json_t *list = json_object_get(json_object_get(json_object_get(c->root, "x-wso2-security"), "apim"),
                                   "x-wso2-scopes");
    json_t *scope;
    size_t i;
    json_array_foreach(list, i, scope)
    {
        const char *key = apim_json_str(scope, "key", NULL);
        if (key && *key) {
            add_scope(c, key, apim_json_str(scope, "description", ""), json_object_get(scope, "roles"));
        }
    }
}

static void read_scheme(apim_check_t *c, const char *name, json_t *value, const apim_place_t *at)
{
    json_t *scheme = apim_resolve(c->p, c->root, value);
    const char *type;
    if (!json_is_object(value)) {
        apim_problem(c, at, "type", "a security scheme must be an object.");
        return;
    }
    type = apim_json_str(scheme, "type", NULL);
    if (!type) {
        apim_odd(c, at, "missing", "a security scheme should have a \"type\".");
        return;
    }
    apr_hash_set(c->schemes, name, APR_HASH_KEY_STRING, type);
    if (!strcmp(type, "oauth2") && (!c->has_default_scheme || !strcmp(name, apim_default_scheme(c->root)))) {
        read_oauth_scheme(c, scheme, at);
    }
}

void apim_read_schemes(apim_check_t *c)
{
    json_t *schemes = apim_schemes(c->root), *value;
    const char *name, *own = apim_default_scheme(c->root);
    const apim_place_t *at = c->major == 2 ? APIM_MEMBER(NULL, "securityDefinitions")
                                           : APIM_MEMBER(APIM_MEMBER(NULL, "components"), "securitySchemes");
    c->has_default_scheme = json_object_get(schemes, own) != NULL;
    json_object_foreach(schemes, name, value)
    {
        read_scheme(c, name, value, APIM_MEMBER(at, name));
    }
    if (!c->has_default_scheme) {
        read_old_scopes(c);
    }
}

/* -- requirements ---------------------------------------------------------------------------------------- */

static void check_requirement(apim_check_t *c, const json_t *requirement, const apim_place_t *at)
{
    const char *name;
    json_t *scopes;
    if (!json_is_object(requirement)) {
        apim_problem(c, at, "type",
                     "a security requirement must be an object such as {\"oauth\": [\"scope\"]}.");
        return;
    }
    json_object_foreach((json_t *)requirement, name, scopes)
    {
        if (!json_is_array(scopes)) {
            apim_odd(c, APIM_MEMBER(at, name), "type", "should be an array of scopes; it is not read.");
        }
        if (!apr_hash_get(c->schemes, name, APR_HASH_KEY_STRING)) {
            apim_odd(c, APIM_MEMBER(at, name), "reference", "there is no security scheme of this name.");
        }
    }
}

void apim_check_security(apim_check_t *c, const json_t *in, const apim_place_t *at)
{
    json_t *list = apim_want_array(c, in, "security", at), *requirement;
    size_t i;
    json_array_foreach(list, i, requirement)
    {
        if (apim_spend(c, 1 + json_object_size(requirement))) {
            return;
        }
        check_requirement(c, requirement, APIM_ITEM(APIM_MEMBER(at, "security"), i));
    }
}

static void push_scope(apim_check_t *c, apr_array_header_t *to, const char *name)
{
    int i;
    if (!*name || apim_has_control(name, "") || apim_spend(c, 1 + (apr_size_t)to->nelts)) {
        return;
    }
    for (i = 0; i < to->nelts; i++) {
        if (!strcmp(APR_ARRAY_IDX(to, i, const char *), name)) {
            return;
        }
    }
    APR_ARRAY_PUSH(to, const char *) = name;
    add_scope(c, name, NULL, NULL);
}

static void push_scopes(apim_check_t *c, apr_array_header_t *to, const json_t *names)
{
    json_t *name;
    size_t i;
    json_array_foreach(names, i, name)
    {
        if (json_is_string(name)) {
            push_scope(c, to, json_string_value(name));
        }
    }
}

/* Takes the scopes of the default scheme. Returns 1 if a requirement names it. */
static int default_scopes(apim_check_t *c, const json_t *security, apr_array_header_t *to)
{
    const char *own = apim_default_scheme(c->root);
    json_t *requirement, *names;
    int found = 0;
    size_t i;
    json_array_foreach(security, i, requirement)
    {
        if (apim_spend(c, 1)) {
            break;
        }
        if ((names = json_object_get(requirement, own))) {
            push_scopes(c, to, names);
            found = 1;
        }
    }
    return found;
}

static void oauth_scopes(apim_check_t *c, const json_t *security, apr_array_header_t *to)
{
    json_t *requirement, *names;
    const char *scheme, *type;
    size_t i;
    json_array_foreach(security, i, requirement)
    {
        if (apim_spend(c, 1 + json_object_size(requirement))) {
            break;
        }
        json_object_foreach(requirement, scheme, names)
        {
            type = apr_hash_get(c->schemes, scheme, APR_HASH_KEY_STRING);
            if (type && !strcmp(type, "oauth2")) {
                push_scopes(c, to, names);
            }
        }
    }
}

apr_array_header_t *apim_read_operation_scopes(apim_check_t *c, const json_t *operation)
{
    apr_array_header_t *scopes = apr_array_make(c->p, 1, sizeof(const char *));
    apr_array_header_t *old;
    const json_t *security = json_object_get(operation, "security");
    int i;
    if (!security) {
        security = json_object_get(c->root, "security");
    }
    if (c->has_default_scheme && default_scopes(c, security, scopes)) {
        return scopes;
    }
    oauth_scopes(c, security, scopes);
    old = words(c->p, json_object_get(operation, "x-scope"));
    for (i = 0; i < old->nelts; i++) {
        push_scope(c, scopes, APR_ARRAY_IDX(old, i, const char *));
    }
    return scopes;
}
