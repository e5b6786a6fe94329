/* SPDX-License-Identifier: Apache-2.0 */
#include "openapi/openapi.h"

#include <apr_strings.h>
#include <string.h>

#include "apim_json.h"
#include "apim_text.h"
#include "openapi/check.h"

enum { E_PROBLEMS = 900754, E_NOT_OPENAPI = 900759, E_SWAGGER_VERSION = 900760, E_OPENAPI_VERSION = 900752 };

/* -- version --------------------------------------------------------------------------------------------- */

static apim_error_t *unsupported(apr_pool_t *p, int code, const char *version)
{
    return apim_error(p, 400, code, "Invalid OpenAPI Definition",
                      "The document says that it is of version \"%.40s\"; 2.0, 3.0 and 3.1 are supported.",
                      version);
}

static int is_version(const char *s, const char *prefix)
{
    size_t n = strlen(prefix);
    return !strncmp(s, prefix, n) && (!s[n] || s[n] == '.' || s[n] == '-');
}

static apim_error_t *read_version(apim_check_t *c)
{
    const char *swagger = apim_scalar_text(c->p, json_object_get(c->root, "swagger"));
    const char *openapi = apim_scalar_text(c->p, json_object_get(c->root, "openapi"));
    const char *version = swagger ? swagger : openapi;
    if (!version) {
        return apim_error(
            c->p, 400, E_NOT_OPENAPI, "Unrecognized OpenAPI Definition",
            "This is not an OpenAPI document: it has neither \"openapi\": \"3.0.x\" or \"3.1.x\" nor "
            "\"swagger\": \"2.0\".");
    }
    c->doc->openapi_version = version;
    c->major = swagger ? 2 : 3;
    c->minor = is_version(version, "3.2") ? 2 : is_version(version, "3.1") ? 1 : 0;
    c->doc->major = c->major;
    c->doc->minor = c->minor;
    if (swagger ? strcmp(version, "2.0") && strcmp(version, "2") : !is_version(version, "3.0") && !c->minor) {
        return unsupported(c->p, swagger ? E_SWAGGER_VERSION : E_OPENAPI_VERSION, version);
    }
    if (c->minor == 2) {
        apim_odd(c, APIM_MEMBER(NULL, "openapi"), "version",
                 "OpenAPI 3.2 is read as 3.1; what is new in it is kept.");
    }
    if (!json_is_string(json_object_get(c->root, swagger ? "swagger" : "openapi"))) {
        apim_odd(c, APIM_MEMBER(NULL, swagger ? "swagger" : "openapi"), "type",
                 "should be a string in quotes.");
    }
    return NULL;
}

/* -- info ------------------------------------------------------------------------------------------------ */

static const char *required_text(apim_check_t *c, const json_t *info, const char *key, const apim_place_t *at)
{
    json_t *value = json_object_get(info, key);
    const char *text = apim_scalar_text(c->p, value);
    if (!value) {
        apim_problem(c, at, "missing", "\"%s\" is required.", key);
    }
    else if (!text) {
        apim_problem(c, APIM_MEMBER(at, key), "type", "must be a string.");
    }
    else if (apim_has_control(text, "")) {
        apim_problem(c, APIM_MEMBER(at, key), "value", "must not hold control characters.");
    }
    else if (!*text) {
        apim_odd(c, APIM_MEMBER(at, key), "value", "should not be empty.");
    }
    else if (!json_is_string(value)) {
        apim_odd(c, APIM_MEMBER(at, key), "type", "should be a string in quotes; %s is taken.", text);
    }
    return text ? text : "";
}

static void read_info(apim_check_t *c)
{
    const apim_place_t *at = APIM_MEMBER(NULL, "info");
    json_t *info = apim_want_object(c, c->root, "info", NULL, 1);
    json_t *contact, *licence;
    if (!info) {
        return;
    }
    c->doc->title = required_text(c, info, "title", at);
    c->doc->version = required_text(c, info, "version", at);
    c->doc->description = apim_want_string(c, info, "description", at);
    c->doc->terms_of_service = apim_want_string(c, info, "termsOfService", at);
    contact = apim_want_object(c, info, "contact", at, 0);
    licence = apim_want_object(c, info, "license", at, 0);
    c->doc->contact_name = apim_json_str(contact, "name", NULL);
    c->doc->contact_email = apim_json_str(contact, "email", NULL);
    c->doc->contact_url = apim_json_str(contact, "url", NULL);
    c->doc->licence_name = apim_json_str(licence, "name", NULL);
    c->doc->licence_url = apim_json_str(licence, "url", NULL);
}

static void read_tags(apim_check_t *c)
{
    json_t *tags = apim_want_array(c, c->root, "tags", NULL), *tag;
    size_t i;
    json_array_foreach(tags, i, tag)
    {
        const char *name = apim_json_str(tag, "name", NULL);
        if (name) {
            APR_ARRAY_PUSH(c->doc->tags, const char *) = name;
        }
        else {
            apim_odd(c, APIM_ITEM(APIM_MEMBER(NULL, "tags"), i), "missing",
                     "a tag should be an object with a \"name\".");
        }
    }
}

/* -- components ------------------------------------------------------------------------------------------ */

static void check_map(apim_check_t *c, const json_t *in, const char *key, const apim_place_t *at)
{
    json_t *map = apim_want_object(c, in, key, at, 0), *value;
    const apim_place_t *here = APIM_MEMBER(at, key);
    const char *name;
    int booleans = !strcmp(key, "schemas") && c->minor;
    json_object_foreach(map, name, value)
    {
        if (!json_is_object(value) && !(booleans && json_is_boolean(value)) && strncmp(name, "x-", 2)) {
            apim_problem(c, APIM_MEMBER(here, name), "type", "must be an object.");
        }
    }
}

static void check_components(apim_check_t *c)
{
    static const char *const swagger[] = {"definitions", "parameters", "responses", "securityDefinitions",
                                          NULL};
    static const char *const openapi[] = {
        "schemas",         "responses", "parameters", "requestBodies", "headers",
        "securitySchemes", "links",     "callbacks",  "pathItems",     NULL};
    const char *const *key;
    json_t *components;
    if (c->major == 2) {
        for (key = swagger; *key; key++) {
            check_map(c, c->root, *key, NULL);
        }
        return;
    }
    components = apim_want_object(c, c->root, "components", NULL, 0);
    for (key = openapi; *key && components; key++) {
        check_map(c, components, *key, APIM_MEMBER(NULL, "components"));
    }
    check_map(c, c->root, "webhooks", NULL);
}

/* -- the whole ------------------------------------------------------------------------------------------- */

static apim_error_t *verdict(apim_check_t *c)
{
    apim_error_t *err;
    if (!c->error_count) {
        return NULL;
    }
    err = apim_error(
        c->p, 400, E_PROBLEMS, "Error while parsing OpenAPI definition",
        c->error_count == 1 ? "The document has %d problem%s." : "The document has %d problems%s.",
        c->error_count, c->error_count > APIM_OPENAPI_MAX_PROBLEMS ? "; the first ones are listed" : "");
    err->details = c->errors;
    return err;
}

apim_error_t *apim_openapi_check(apr_pool_t *p, json_t *root, const apim_openapi_options_t *options,
                                 apim_openapi_t **out)
{
    apim_check_t c;
    *out = NULL;
    if (!json_is_object(root)) {
        return apim_error(p, 400, E_NOT_OPENAPI, "Unrecognized OpenAPI Definition",
                          "This is not an OpenAPI document: it is not an object.");
    }
    apim_check_begin(&c, p, apim_json_own(p, json_incref(root)), options);
    APIM_TRY(read_version(&c));
    read_info(&c);
    read_tags(&c);
    apim_read_schemes(&c);
    check_components(&c);
    apim_check_security(&c, root, NULL);
    apim_read_servers(&c);
    apim_check_paths(&c);
    apim_check_refs(&c);
    APIM_TRY(verdict(&c));
    *out = c.doc;
    return NULL;
}

apim_error_t *apim_openapi_read(apr_pool_t *p, const char *text, apr_size_t len,
                                const apim_openapi_options_t *options, apim_openapi_t **out)
{
    json_t *root;
    *out = NULL;
    APIM_TRY(apim_doc_parse(p, text, len, options ? &options->limits : NULL, &root));
    return apim_openapi_check(p, root, options, out);
}

/* -- as the REST APIs write it --------------------------------------------------------------------------- */

static json_t *string_array(const apr_array_header_t *words)
{
    json_t *array = json_array();
    int i;
    for (i = 0; i < words->nelts; i++) {
        json_array_append_new(array, json_string(APR_ARRAY_IDX(words, i, const char *)));
    }
    return array;
}

json_t *apim_openapi_operations_json(apr_pool_t *p, const apim_openapi_t *doc)
{
    json_t *list = apim_json_own(p, json_array());
    int i;
    for (i = 0; i < doc->operations->nelts; i++) {
        const apim_openapi_operation_t *op = &APR_ARRAY_IDX(doc->operations, i, apim_openapi_operation_t);
        json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s, s:o}", "target", op->target, "verb",
                                              op->verb, "authType", op->auth_type, "throttlingPolicy",
                                              op->throttling_policy, "scopes", string_array(op->scopes)));
    }
    return list;
}

json_t *apim_openapi_scopes_json(apr_pool_t *p, const apim_openapi_t *doc)
{
    json_t *list = apim_json_own(p, json_array());
    int i;
    for (i = 0; i < doc->scopes->nelts; i++) {
        const apim_openapi_scope_t *scope = &APR_ARRAY_IDX(doc->scopes, i, apim_openapi_scope_t);
        json_t *inner = json_pack("{s:s, s:s, s:s, s:o}", "name", scope->name, "displayName", scope->name,
                                  "description", scope->description, "bindings", string_array(scope->roles));
        json_array_append_new(list, json_pack("{s:o, s:b}", "scope", inner, "shared", 0));
    }
    return list;
}
