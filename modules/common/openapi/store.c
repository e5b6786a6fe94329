/* SPDX-License-Identifier: Apache-2.0 */
/* The definition as subscribers get it: it speaks of the gateway, and of nothing behind it. */
#include <apr_strings.h>
#include <apr_uri.h>
#include <string.h>

#include "apim_json.h"
#include "openapi/check.h"
#include "openapi/template.h"

#define API_KEY_SCHEME "api_key"

typedef struct cleaner_t {
    apim_check_t check;
    const apim_openapi_store_t *store;
    json_t *root;
    int swagger;
} cleaner_t;

/* Extensions that tell where the back end is and how it is reached. */
static int is_internal(const char *key)
{
    static const char *const words[] = {"x-mediation-script", "x-amazon-apigateway-integration",
                                        "x-google-backend", "x-scope", NULL};
    int i;
    for (i = 0; words[i]; i++) {
        if (!strcmp(key, words[i])) {
            return 1;
        }
    }
    return !strncmp(key, "x-wso2-", 7);
}

/* A shallow copy without what is internal. */
static json_t *cleaned(json_t *object)
{
    json_t *copy = json_copy(object), *value;
    const char *key;
    json_object_foreach(object, key, value)
    {
        if (is_internal(key)) {
            json_object_del(copy, key);
        }
    }
    return copy;
}

/* -- security -------------------------------------------------------------------------------------------- */

static json_t *requirements(cleaner_t *c, const json_t *operation)
{
    const char *word = apim_json_str(operation, "x-auth-type", APIM_AUTH_ANY), *auth = apim_auth_type(word);
    apr_array_header_t *scopes = apim_read_operation_scopes(&c->check, operation);
    json_t *list = json_array(), *names;
    int i;
    if (apim_json_bool(operation, "x-wso2-disable-security", 0) || (auth && !strcmp(auth, APIM_AUTH_NONE))) {
        return list;
    }
    if (c->store->token_url) {
        names = json_array();
        for (i = 0; i < scopes->nelts; i++) {
            json_array_append_new(names, json_string(APR_ARRAY_IDX(scopes, i, const char *)));
        }
        json_array_append_new(list, json_pack("{s:o}", "default", names));
    }
    if (c->store->api_key_header) {
        json_array_append_new(list, json_pack("{s:[]}", API_KEY_SCHEME));
    }
    return list;
}

static json_t *scope_names(const cleaner_t *c)
{
    json_t *names = json_object();
    const apr_array_header_t *scopes = c->check.doc->scopes;
    int i;
    for (i = 0; i < scopes->nelts; i++) {
        const apim_openapi_scope_t *scope = &APR_ARRAY_IDX(scopes, i, apim_openapi_scope_t);
        json_object_set_new(names, scope->name, json_string(scope->description));
    }
    return names;
}

static json_t *oauth_scheme(const cleaner_t *c)
{
    const apim_openapi_store_t *s = c->store;
    json_t *flows;
    if (c->swagger && s->authorize_url) {
        return json_pack("{s:s, s:s, s:s, s:s, s:o}", "type", "oauth2", "flow", "accessCode",
                         "authorizationUrl", s->authorize_url, "tokenUrl", s->token_url, "scopes",
                         scope_names(c));
    }
    if (c->swagger) {
        return json_pack("{s:s, s:s, s:s, s:o}", "type", "oauth2", "flow", "application", "tokenUrl",
                         s->token_url, "scopes", scope_names(c));
    }
    flows =
        json_pack("{s:{s:s, s:o}}", "clientCredentials", "tokenUrl", s->token_url, "scopes", scope_names(c));
    if (s->authorize_url) {
        json_object_set_new(flows, "authorizationCode",
                            json_pack("{s:s, s:s, s:o}", "authorizationUrl", s->authorize_url, "tokenUrl",
                                      s->token_url, "scopes", scope_names(c)));
    }
    return json_pack("{s:s, s:o}", "type", "oauth2", "flows", flows);
}

static void write_schemes(cleaner_t *c)
{
    json_t *schemes = json_object(), *components;
    if (c->store->token_url) {
        json_object_set_new(schemes, "default", oauth_scheme(c));
    }
    if (c->store->api_key_header) {
        json_object_set_new(
            schemes, API_KEY_SCHEME,
            json_pack("{s:s, s:s, s:s}", "type", "apiKey", "in", "header", "name", c->store->api_key_header));
    }
    if (c->swagger) {
        json_object_set_new(c->root, "securityDefinitions", schemes);
        return;
    }
    components = json_object_get(c->root, "components");
    components = json_is_object(components) ? cleaned(components) : json_object();
    json_object_set_new(components, "securitySchemes", schemes);
    json_object_set_new(c->root, "components", components);
}

/* -- paths ----------------------------------------------------------------------------------------------- */

static json_t *store_item(cleaner_t *c, json_t *old)
{
    json_t *target = apim_resolve(c->check.p, c->check.root, old), *item, *operation;
    int i;
    item = cleaned(json_is_object(target) ? target : old);
    json_object_del(item, "servers");
    for (i = 0; i < APIM_VERBS; i++) {
        json_t *was = json_object_get(item, apim_verb_keys[i]);
        if (json_is_object(was)) {
            operation = cleaned(was);
            json_object_del(operation, "servers");
            json_object_del(operation, "schemes");
            json_object_set_new(operation, "security", requirements(c, was));
            json_object_set_new(item, apim_verb_keys[i], operation);
        }
    }
    return item;
}

static void write_paths(cleaner_t *c)
{
    json_t *paths = json_object(), *item;
    const char *target;
    json_object_foreach(json_object_get(c->check.root, "paths"), target, item)
    {
        if (*target == '/' && json_is_object(item)) {
            json_object_set_new(paths, target, store_item(c, item));
        }
        else if (!is_internal(target)) {
            json_object_set(paths, target, item);
        }
    }
    json_object_set_new(c->root, "paths", paths);
}

/* -- servers --------------------------------------------------------------------------------------------- */

static void write_swagger_server(cleaner_t *c)
{
    apr_pool_t *p = c->check.p;
    json_t *schemes = json_array();
    apr_uri_t uri;
    int i;
    json_object_del(c->root, "host");
    json_object_del(c->root, "basePath");
    json_object_del(c->root, "schemes");
    for (i = 0; i < c->store->nurls; i++) {
        if (apr_uri_parse(p, c->store->urls[i], &uri) || !uri.hostinfo || !uri.scheme) {
            continue;
        }
        if (!json_object_get(c->root, "host")) {
            json_object_set_new(c->root, "host", json_string(uri.hostinfo));
            json_object_set_new(c->root, "basePath", json_string(uri.path ? uri.path : "/"));
        }
        /* 2.0 has one host: of the other URLs only the scheme can be told, where host and port are the same
         */
        if (!strcmp(apim_json_str(c->root, "host", ""), uri.hostinfo)) {
            json_array_append_new(schemes, json_string(uri.scheme));
        }
    }
    if (json_array_size(schemes)) {
        json_object_set(c->root, "schemes", schemes);
    }
    json_decref(schemes);
}

static void write_servers(cleaner_t *c)
{
    json_t *servers = json_array();
    int i;
    for (i = 0; i < c->store->nurls; i++) {
        json_array_append_new(servers, json_pack("{s:s}", "url", c->store->urls[i]));
    }
    json_object_set(c->root, "servers", servers);
    if (!c->store->nurls) {
        json_object_del(c->root, "servers");
    }
    json_decref(servers);
}

apim_error_t *apim_openapi_for_store(apr_pool_t *p, const json_t *definition,
                                     const apim_openapi_store_t *store, json_t **out)
{
    cleaner_t c;
    *out = NULL;
    if (!json_is_object(definition)) {
        return apim_internal(p, "the definition of an API is not an object");
    }
    apim_check_begin(&c.check, p, (json_t *)definition, NULL);
    c.swagger = apim_is_swagger(definition);
    c.check.major = c.swagger ? 2 : 3;
    c.store = store;
    apim_read_schemes(&c.check);
    c.root = apim_json_own(p, cleaned((json_t *)definition));
    json_object_del(c.root, "security");
    write_paths(&c);
    write_schemes(&c);
    c.swagger ? write_swagger_server(&c) : write_servers(&c);
    *out = c.root;
    return NULL;
}
