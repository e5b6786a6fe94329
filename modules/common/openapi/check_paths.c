/* SPDX-License-Identifier: Apache-2.0 */
/* Paths, operations and their parameters: checked and read in one pass. */
#include <apr_strings.h>
#include <string.h>
#include <strings.h>

#include "apim_json.h"
#include "apim_text.h"
#include "openapi/check.h"
#include "openapi/template.h"

/* A path whose operations are being read. */
typedef struct path_t {
    const char *template;
    apr_array_header_t *variables; /* of const char * */
    json_t *parameters;            /* of the path item, may be NULL */
    const apim_place_t *at;        /* of the path item */
} path_t;

/* The first path of a shape, and the verbs that paths of this shape have. */
typedef struct shape_t {
    const char *template;
    int verbs;
} shape_t;

/* -- parameters ------------------------------------------------------------------------------------------ */

static int has_variable(const path_t *path, const char *name)
{
    int i;
    for (i = 0; i < path->variables->nelts; i++) {
        const char *variable = APR_ARRAY_IDX(path->variables, i, const char *);
        if (!strcmp(variable, name) || (strchr("+/.;", *variable) && !strcmp(variable + 1, name))) {
            return 1;
        }
    }
    return 0;
}

static int is_parameter_place(const apim_check_t *c, const char *in)
{
    if (!strcmp(in, "path") || !strcmp(in, "query") || !strcmp(in, "header")) {
        return 1;
    }
    if (c->major == 2) {
        return !strcmp(in, "body") || !strcmp(in, "formData");
    }
    return !strcmp(in, "cookie") || !strcmp(in, "querystring");
}

/* A parameter whose reference leads nowhere, or out of the document, is told of with the references. */
static void check_parameter(apim_check_t *c, const path_t *path, json_t *item, const apim_place_t *at)
{
    json_t *parameter = apim_resolve(c->p, c->root, item);
    const char *name, *in;
    if (!json_is_object(item)) {
        apim_problem(c, at, "type", "a parameter must be an object.");
        return;
    }
    if (!parameter) {
        return;
    }
    name = apim_json_str(parameter, "name", NULL);
    in = apim_json_str(parameter, "in", NULL);
    if (!name || !in) {
        apim_problem(c, at, "missing", "a parameter must have a \"name\" and say where it is (\"in\").");
        return;
    }
    if (!is_parameter_place(c, in)) {
        apim_odd(c, at, "value", "parameters are not \"in\" \"%.40s\" in this version of OpenAPI.", in);
    }
    if (!strcmp(in, "path") && !has_variable(path, name)) {
        apim_odd(c, at, "value", "the path has no {%.100s}, but a parameter of this name is declared.", name);
    }
}

static void check_parameters(apim_check_t *c, const path_t *path, const json_t *in, const apim_place_t *at)
{
    json_t *list = apim_want_array(c, in, "parameters", at), *item;
    size_t i;
    json_array_foreach(list, i, item)
    {
        if (apim_spend(c, 1)) {
            return;
        }
        check_parameter(c, path, item, APIM_ITEM(APIM_MEMBER(at, "parameters"), i));
    }
}

static int declares(apim_check_t *c, const json_t *parameters, const char *variable)
{
    json_t *item, *parameter;
    size_t i;
    json_array_foreach(parameters, i, item)
    {
        parameter = apim_spend(c, 1) ? NULL : apim_resolve(c->p, c->root, item);
        if (!parameter) {
            return 1; /* it may be */
        }
        const char *name = apim_json_str(parameter, "name", "");
        if (!strcmp(name, variable) || (strchr("+/.;", *variable) && !strcmp(name, variable + 1))) {
            return !strcmp(apim_json_str(parameter, "in", ""), "path");
        }
    }
    return 0;
}

static void check_variables(apim_check_t *c, const path_t *path, const json_t *operation,
                            const apim_place_t *at)
{
    json_t *own = json_object_get(operation, "parameters");
    int i;
    for (i = 0; i < path->variables->nelts; i++) {
        const char *variable = APR_ARRAY_IDX(path->variables, i, const char *);
        if (!declares(c, path->parameters, variable) && !declares(c, own, variable)) {
            apim_odd(c, at, "missing", "the path parameter {%.100s} is not declared.", variable);
        }
    }
}

/* -- operations ------------------------------------------------------------------------------------------ */

static void check_operation_id(apim_check_t *c, const char *id, const apim_place_t *at)
{
    const char *first;
    if (!id) {
        return;
    }
    first = apr_hash_get(c->operation_ids, id, APR_HASH_KEY_STRING);
    if (!first) {
        apr_hash_set(c->operation_ids, id, APR_HASH_KEY_STRING, apim_place_text(c->p, at));
    }
    else if (c->major == 2) {
        apim_problem(c, at, "duplicate", "the operationId \"%.100s\" stands at %s already.", id, first);
    }
    else {
        apim_odd(c, at, "duplicate", "the operationId \"%.100s\" stands at %s already.", id, first);
    }
}

static void check_responses(apim_check_t *c, const json_t *operation, const apim_place_t *at)
{
    json_t *responses = apim_want_object(c, operation, "responses", at, 0), *response;
    const char *status;
    if (!json_object_get(operation, "responses") && (c->major == 2 || !c->minor)) {
        apim_odd(c, at, "missing", "\"responses\" is required.");
    }
    json_object_foreach(responses, status, response)
    {
        if (apim_spend(c, 1)) {
            return;
        }
        if (!json_is_object(response) && strncmp(status, "x-", 2)) {
            apim_problem(c, APIM_MEMBER(APIM_MEMBER(at, "responses"), status), "type",
                         "a response must be an object.");
        }
    }
}

static const char *read_auth_type(apim_check_t *c, const json_t *operation, const apim_place_t *at)
{
    const char *word = apim_want_string(c, operation, "x-auth-type", at), *type;
    if (apim_json_bool(operation, "x-wso2-disable-security", 0)) {
        return APIM_AUTH_NONE;
    }
    if (!word) {
        return APIM_AUTH_ANY;
    }
    type = apim_auth_type(word);
    if (!type) {
        apim_odd(c, APIM_MEMBER(at, "x-auth-type"), "value",
                 "\"%.60s\" is no type of authentication that we know; \"" APIM_AUTH_ANY "\" is taken.",
                 word);
    }
    return type ? type : APIM_AUTH_ANY;
}

static void read_operation(apim_check_t *c, const path_t *path, int verb, const json_t *operation,
                           const apim_place_t *at)
{
    apim_openapi_operation_t *op;
    const char *tier;
    if (!json_is_object(operation)) {
        apim_problem(c, at, "type", "an operation must be an object.");
        return;
    }
    op = apr_array_push(c->doc->operations);
    op->target = path->template;
    op->verb = apim_verbs[verb];
    op->id = apim_want_string(c, operation, "operationId", at);
    op->summary = apim_want_string(c, operation, "summary", at);
    tier = apim_want_string(c, operation, "x-throttling-tier", at);
    op->throttling_policy = tier && *tier && !apim_has_control(tier, "") ? tier : "Unlimited";
    op->auth_type = read_auth_type(c, operation, at);
    apim_check_security(c, operation, at);
    op->scopes = apim_read_operation_scopes(c, operation);
    check_operation_id(c, op->id, at);
    check_parameters(c, path, operation, at);
    check_variables(c, path, operation, at);
    check_responses(c, operation, at);
    apim_want_object(c, operation, "requestBody", at, 0);
    apim_want_array(c, operation, "tags", at);
    apim_check_servers(c, operation, at);
}

/* -- paths ----------------------------------------------------------------------------------------------- */

/* Path items have few keys of their own; another one is a verb misspelt, and it is better said than lost. */
static void check_item_key(apim_check_t *c, const char *key, const apim_place_t *at)
{
    static const char *const known[] = {"$ref",       "summary", "description",          "servers",
                                        "parameters", "query",   "additionalOperations", NULL};
    int i;
    for (i = 0; known[i]; i++) {
        if (!strcmp(key, known[i])) {
            return;
        }
    }
    if (strncasecmp(key, "x-", 2)) {
        apim_odd(c, APIM_MEMBER(at, key), "value", "this is not a verb in lower case; it is not read.");
    }
}

static int read_operations(apim_check_t *c, const path_t *path, json_t *item)
{
    const char *key;
    json_t *value;
    int verb, verbs = 0;
    json_object_foreach(item, key, value)
    {
        if (apim_spend(c, 1)) {
            break;
        }
        verb = apim_verb_index(key, 0);
        if (verb < 0) {
            check_item_key(c, key, path->at);
            continue;
        }
        verbs |= 1 << verb;
        read_operation(c, path, verb, value, APIM_MEMBER(path->at, key));
    }
    return verbs;
}

/* Two templates of the same shape match the same calls: whoever calls cannot tell them apart. */
static void check_collision(apim_check_t *c, const path_t *path, int verbs)
{
    const char *shape = apim_template_shape(c->p, path->template);
    shape_t *first = apr_hash_get(c->shapes, shape, APR_HASH_KEY_STRING);
    if (!first) {
        first = apr_pcalloc(c->p, sizeof(*first));
        first->template = path->template;
        apr_hash_set(c->shapes, shape, APR_HASH_KEY_STRING, first);
    }
    else if (first->verbs & verbs) {
        apim_problem(c, path->at, "collision", "matches the same calls as the path %.200s.", first->template);
    }
    else {
        apim_odd(c, path->at, "collision", "differs from the path %.200s only in the names of its variables.",
                 first->template);
    }
    first->verbs |= verbs;
}

static void check_template(apim_check_t *c, const path_t *path)
{
    int i, k;
    if (strpbrk(path->template, "?#")) {
        apim_odd(c, path->at, "value", "a path that holds ? or # is never called.");
    }
    for (i = 0; i < path->variables->nelts; i++) {
        for (k = 0; k < i; k++) {
            if (!strcmp(APR_ARRAY_IDX(path->variables, i, const char *),
                        APR_ARRAY_IDX(path->variables, k, const char *))) {
                apim_odd(c, path->at, "duplicate", "the variable {%.100s} stands twice.",
                         APR_ARRAY_IDX(path->variables, i, const char *));
            }
        }
    }
}

static void read_path(apim_check_t *c, const char *template, json_t *value, const apim_place_t *at)
{
    path_t path = {template, NULL, NULL, at};
    const char *problem = apim_template_problem(template);
    json_t *item;
    if (problem) {
        apim_problem(c, at, "value", "the path %s.", problem);
        return;
    }
    if (!json_is_object(value)) {
        apim_problem(c, at, "type", "a path must be an object with a member for each verb.");
        return;
    }
    c->doc->path_count++;
    item = apim_resolve(c->p, c->root, value);
    if (!json_is_object(item)) {
        return;
    }
    path.variables = apim_template_variables(c->p, template);
    path.parameters = json_object_get(item, "parameters");
    check_template(c, &path);
    check_parameters(c, &path, item, at);
    apim_check_servers(c, item, at);
    check_collision(c, &path, read_operations(c, &path, item));
}

void apim_check_paths(apim_check_t *c)
{
    const apim_place_t *at = APIM_MEMBER(NULL, "paths");
    int optional = c->major == 3 && c->minor >= 1 &&
                   (json_object_get(c->root, "webhooks") || json_object_get(c->root, "components"));
    json_t *paths = apim_want_object(c, c->root, "paths", NULL, !optional), *item;
    const char *template;
    json_object_foreach(paths, template, item)
    {
        if (strncmp(template, "x-", 2)) {
            read_path(c, template, item, APIM_MEMBER(at, template));
        }
    }
}
