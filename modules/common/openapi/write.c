/* SPDX-License-Identifier: Apache-2.0 */
/* Operations and scopes of an API, written back into its definition. What does not change is shared with the
 * old one. */
#include <apr_hash.h>
#include <apr_strings.h>
#include <string.h>

#include "apim_json.h"
#include "apim_text.h"
#include "openapi/check.h"
#include "openapi/template.h"

/* One operation asked for. */
typedef struct wanted_t {
    const char *target;
    int verb;
    const char *auth_type, *tier;
    const json_t *scopes;
    int done;
} wanted_t;

typedef struct writer_t {
    apr_pool_t *p;
    json_t *root;     /* the new document */
    json_t *old_root; /* borrowed */
    const char *scheme;
    int swagger;
    apr_array_header_t *wanted; /* of wanted_t */
    apr_hash_t *by_call;        /* "GET /pets" -> wanted_t * */
    apr_hash_t *targets;        /* "/pets" -> anything */
    apr_hash_t *declared;       /* scope names, NULL if not given */
    apim_check_t check;         /* collects problems */
} writer_t;

/* -- what is asked for ----------------------------------------------------------------------------------- */

static const char *call_key(apr_pool_t *p, int verb, const char *target)
{
    return apr_pstrcat(p, apim_verbs[verb], " ", target, NULL);
}

/* A member of a copy of its own: a shallow copy of what stood there, or a new object. */
static json_t *own_member(json_t *object, const char *key)
{
    json_t *old = json_object_get(object, key);
    json_t *copy = json_is_object(old) ? json_copy(old) : json_object();
    json_object_set_new(object, key, copy);
    return copy;
}

/* {"scope": {"name": ..}} as Publisher v4 writes it, or {"name": ..}. */
static const json_t *scope_body(const json_t *scope)
{
    const json_t *inner = json_object_get(scope, "scope");
    return json_is_object(inner) ? inner : scope;
}

static void check_scopes(writer_t *w, const json_t *scopes, const apim_place_t *at)
{
    const json_t *scope;
    size_t i;
    if (scopes && !json_is_array(scopes)) {
        apim_problem(&w->check, at, "type", "must be an array of scope names.");
    }
    json_array_foreach(scopes, i, scope)
    {
        const char *name = json_string_value(scope);
        if (!name || !*name || apim_has_control(name, "")) {
            apim_problem(&w->check, APIM_ITEM(at, i), "type", "must be the name of a scope.");
        }
        else if (w->declared && !apr_hash_get(w->declared, name, APR_HASH_KEY_STRING)) {
            apim_problem(&w->check, APIM_ITEM(at, i), "reference", "the API has no scope \"%.100s\".", name);
        }
    }
}

static void check_collision(writer_t *w, wanted_t *op, const apim_place_t *at)
{
    const char *shape = call_key(w->p, op->verb, apim_template_shape(w->p, op->target));
    const char *first = apr_hash_get(w->check.shapes, shape, APR_HASH_KEY_STRING);
    if (!first) {
        apr_hash_set(w->check.shapes, shape, APR_HASH_KEY_STRING, op->target);
    }
    else if (strcmp(first, op->target)) {
        apim_problem(&w->check, at, "collision", "matches the same calls as %.200s.", first);
    }
    else {
        apim_problem(&w->check, at, "duplicate", "%s %.200s is listed twice.", apim_verbs[op->verb], first);
    }
}

static const char *optional_text(writer_t *w, const json_t *op, const char *key, const char *fallback,
                                 const apim_place_t *at)
{
    const json_t *value = json_object_get(op, key);
    const char *s = json_string_value(value);
    if (!value || json_is_null(value) || (s && !*s)) {
        return fallback;
    }
    if (!s || apim_has_control(s, "")) {
        apim_problem(&w->check, APIM_MEMBER(at, key), "type", "must be a string without control characters.");
        return fallback;
    }
    return s;
}

static void read_wanted(writer_t *w, const json_t *op, const apim_place_t *at)
{
    const char *target = apim_json_str(op, "target", NULL), *verb = apim_json_str(op, "verb", NULL);
    const char *auth = optional_text(w, op, "authType", APIM_AUTH_ANY, at), *problem;
    wanted_t *wanted;
    if (!target || !verb) {
        apim_problem(&w->check, at, "missing", "an operation must have a \"target\" and a \"verb\".");
        return;
    }
    problem = apim_template_problem(target);
    if (problem) {
        apim_problem(&w->check, APIM_MEMBER(at, "target"), "value", "the path %s.", problem);
        return;
    }
    if (apim_verb_index(verb, 1) < 0) {
        apim_problem(&w->check, APIM_MEMBER(at, "verb"), "value",
                     "\"%.20s\" is none of GET, PUT, POST, DELETE, OPTIONS, HEAD, PATCH, TRACE.", verb);
        return;
    }
    wanted = apr_array_push(w->wanted);
    memset(wanted, 0, sizeof(*wanted));
    wanted->target = target;
    wanted->verb = apim_verb_index(verb, 1);
    wanted->auth_type = apim_auth_type(auth);
    wanted->tier = optional_text(w, op, "throttlingPolicy", "Unlimited", at);
    wanted->scopes = json_object_get(op, "scopes");
    if (!wanted->auth_type) {
        apim_problem(
            &w->check, APIM_MEMBER(at, "authType"), "value",
            "must be \"None\", \"Application\", \"Application User\" or \"Application & Application User\".");
    }
    check_scopes(w, wanted->scopes, APIM_MEMBER(at, "scopes"));
    check_collision(w, wanted, at);
}

static void read_all_wanted(writer_t *w, const json_t *operations)
{
    const json_t *op;
    size_t i;
    int k;
    w->wanted = apr_array_make(w->p, (int)json_array_size(operations) + 1, sizeof(wanted_t));
    w->by_call = apr_hash_make(w->p);
    w->targets = apr_hash_make(w->p);
    json_array_foreach(operations, i, op)
    {
        read_wanted(w, op, APIM_ITEM(NULL, i));
    }
    for (k = 0; k < w->wanted->nelts; k++) {
        wanted_t *wanted = &APR_ARRAY_IDX(w->wanted, k, wanted_t);
        apr_hash_set(w->by_call, call_key(w->p, wanted->verb, wanted->target), APR_HASH_KEY_STRING, wanted);
        apr_hash_set(w->targets, wanted->target, APR_HASH_KEY_STRING, wanted);
    }
}

static void read_declared(writer_t *w, const json_t *scopes)
{
    const json_t *scope;
    size_t i;
    if (!scopes) {
        return;
    }
    w->declared = apr_hash_make(w->p);
    json_array_foreach(scopes, i, scope)
    {
        const char *name = apim_json_str(scope_body(scope), "name", NULL);
        if (name) {
            apr_hash_set(w->declared, name, APR_HASH_KEY_STRING, "");
        }
    }
}

static apim_error_t *verdict(writer_t *w)
{
    apim_error_t *err;
    if (!w->check.error_count) {
        return NULL;
    }
    err = apim_bad_request(w->p, "The operations have %d problem(s).", w->check.error_count);
    err->details = w->check.errors;
    return err;
}

/* -- operations ------------------------------------------------------------------------------------------ */

/* The requirements of other schemes stay; the one of our scheme gets the scopes, or joins them. */
static json_t *new_security(writer_t *w, const json_t *operation, const json_t *scopes)
{
    const json_t *old = json_object_get(operation, "security"), *one;
    json_t *list = json_array(), *copy;
    json_t *names = json_is_array(scopes) ? json_copy((json_t *)scopes) : json_array();
    int found = 0;
    size_t i;
    old = old ? old : json_object_get(w->old_root, "security");
    json_array_foreach(old, i, one)
    {
        copy = json_is_object(one) && json_object_size(one) ? json_copy((json_t *)one) : NULL;
        if (json_object_get(copy, w->scheme)) {
            json_object_set(copy, w->scheme, names);
            found = 1;
        }
        if (copy) {
            json_array_append_new(list, copy);
        }
    }
    if (!found) {
        json_array_append_new(list, json_pack("{s:O}", w->scheme, names));
    }
    json_decref(names);
    return list;
}

static void write_operation(writer_t *w, json_t *operation, wanted_t *wanted)
{
    json_object_set_new(operation, "security", new_security(w, operation, wanted->scopes));
    json_object_set_new(operation, "x-auth-type", json_string(wanted->auth_type));
    json_object_set_new(operation, "x-throttling-tier", json_string(wanted->tier));
    json_object_del(operation, "x-scope");
    json_object_del(operation, "x-wso2-disable-security");
    wanted->done = 1;
}

static int declared_in(writer_t *w, const json_t *parameters, const char *variable)
{
    json_t *item, *parameter;
    size_t i;
    json_array_foreach(parameters, i, item)
    {
        parameter = apim_resolve(w->p, w->old_root, item);
        if (!strcmp(apim_json_str(parameter, "in", ""), "path") &&
            !strcmp(apim_json_str(parameter, "name", ""), variable)) {
            return 1;
        }
    }
    return 0;
}

static json_t *path_parameter(writer_t *w, const char *name)
{
    if (w->swagger) {
        return json_pack("{s:s, s:s, s:b, s:s}", "name", name, "in", "path", "required", 1, "type", "string");
    }
    return json_pack("{s:s, s:s, s:b, s:{s:s}}", "name", name, "in", "path", "required", 1, "schema", "type",
                     "string");
}

/* The least that is valid. */
static json_t *fresh_operation(writer_t *w, const json_t *item, const char *target)
{
    json_t *operation = json_pack("{s:{s:{s:s}}}", "responses", "200", "description", "OK"),
           *parameters = json_array();
    apr_array_header_t *variables = apim_template_variables(w->p, target);
    int i;
    for (i = 0; i < variables->nelts; i++) {
        const char *name = APR_ARRAY_IDX(variables, i, const char *);
        if (!declared_in(w, json_object_get(item, "parameters"), name) && !declared_in(w, parameters, name)) {
            json_array_append_new(parameters, path_parameter(w, name));
        }
    }
    if (json_array_size(parameters)) {
        json_object_set(operation, "parameters", parameters);
    }
    json_decref(parameters);
    return operation;
}

/* -- paths ----------------------------------------------------------------------------------------------- */

/* A path item of our own: what it refers to is put in its place. */
static json_t *own_item(writer_t *w, const json_t *old)
{
    json_t *target = apim_resolve(w->p, w->old_root, (json_t *)old);
    if (!json_object_get(old, "$ref") || !json_is_object(target)) {
        return json_copy((json_t *)old);
    }
    return json_copy(target);
}

static int has_verb(const json_t *item)
{
    int i;
    for (i = 0; i < APIM_VERBS; i++) {
        if (json_object_get(item, apim_verb_keys[i])) {
            return 1;
        }
    }
    return 0;
}

/* Keeps the verbs that are wanted. Returns NULL if the path had verbs and will have none. */
static json_t *kept_item(writer_t *w, const char *target, const json_t *old)
{
    json_t *item = own_item(w, old);
    int i, had = has_verb(item);
    for (i = 0; i < APIM_VERBS; i++) {
        const char *key = apim_verb_keys[i];
        wanted_t *wanted = apr_hash_get(w->by_call, call_key(w->p, i, target), APR_HASH_KEY_STRING);
        if (!json_object_get(item, key)) {
            continue;
        }
        if (wanted) {
            write_operation(w, own_member(item, key), wanted);
        }
        else {
            json_object_del(item, key);
        }
    }
    if (had && !apr_hash_get(w->targets, target, APR_HASH_KEY_STRING)) {
        json_decref(item);
        return NULL;
    }
    return item;
}

static void add_missing(writer_t *w, json_t *paths)
{
    int i;
    for (i = 0; i < w->wanted->nelts; i++) {
        wanted_t *wanted = &APR_ARRAY_IDX(w->wanted, i, wanted_t);
        json_t *item, *operation;
        if (wanted->done) {
            continue;
        }
        item = json_object_get(paths, wanted->target);
        if (!json_is_object(item)) {
            item = json_object();
            json_object_set_new(paths, wanted->target, item);
        }
        operation = fresh_operation(w, item, wanted->target);
        write_operation(w, operation, wanted);
        json_object_set_new(item, apim_verb_keys[wanted->verb], operation);
    }
}

static void write_paths(writer_t *w)
{
    json_t *old = json_object_get(w->old_root, "paths"), *paths = json_object(), *item;
    const char *target;
    json_object_foreach(old, target, item)
    {
        if (*target != '/' || !json_is_object(item)) {
            json_object_set(paths, target, item);
        }
        else if ((item = kept_item(w, target, item))) {
            json_object_set_new(paths, target, item);
        }
    }
    add_missing(w, paths);
    json_object_set_new(w->root, "paths", paths);
}

/* -- scopes ---------------------------------------------------------------------------------------------- */

static json_t *roles_text(writer_t *w, const json_t *bindings)
{
    const char *text = NULL;
    const json_t *role;
    size_t i;
    json_array_foreach(bindings, i, role)
    {
        if (json_is_string(role)) {
            text =
                text ? apr_pstrcat(w->p, text, ",", json_string_value(role), NULL) : json_string_value(role);
        }
    }
    return text ? json_string(text) : NULL;
}

static void replace_scopes(writer_t *w, json_t *flow, const json_t *scopes)
{
    json_t *names = json_object(), *bindings = json_object(), *roles;
    const json_t *item;
    size_t i;
    json_array_foreach(scopes, i, item)
    {
        const json_t *scope = scope_body(item);
        const char *name = apim_json_str(scope, "name", NULL);
        if (name) {
            json_object_set_new(names, name, json_string(apim_json_str(scope, "description", "")));
            if ((roles = roles_text(w, json_object_get(scope, "bindings")))) {
                json_object_set_new(bindings, name, roles);
            }
        }
    }
    json_object_set_new(flow, "scopes", names);
    json_object_set_new(flow, "x-scopes-bindings", bindings);
    if (!json_object_size(bindings)) {
        json_object_del(flow, "x-scopes-bindings");
    }
}

/* Adds what operations use and the scheme does not have. */
static void complete_scopes(writer_t *w, json_t *flow, const apim_openapi_t *doc)
{
    json_t *names = own_member(flow, "scopes");
    const json_t *name;
    size_t k;
    int i;
    for (i = 0; i < doc->scopes->nelts; i++) {
        const apim_openapi_scope_t *scope = &APR_ARRAY_IDX(doc->scopes, i, apim_openapi_scope_t);
        if (!json_object_get(names, scope->name)) {
            json_object_set_new(names, scope->name, json_string(scope->description));
        }
    }
    for (i = 0; i < w->wanted->nelts; i++) {
        json_array_foreach(APR_ARRAY_IDX(w->wanted, i, wanted_t).scopes, k, name)
        {
            if (!json_object_get(names, json_string_value(name))) {
                json_object_set_new(names, json_string_value(name), json_string(""));
            }
        }
    }
}

static void write_flow(writer_t *w, json_t *flow, const json_t *scopes)
{
    if (scopes) {
        replace_scopes(w, flow, scopes);
    }
    else {
        complete_scopes(w, flow, w->check.doc);
    }
}

/* The URL is a placeholder: for_store puts the Key Manager's there. */
static json_t *fresh_scheme(const writer_t *w)
{
    static const char url[] = "https://localhost/oauth2/token";
    if (w->swagger) {
        return json_pack("{s:s, s:s, s:s, s:{}}", "type", "oauth2", "flow", "application", "tokenUrl", url,
                         "scopes");
    }
    return json_pack("{s:s, s:{s:{s:s, s:{}}}}", "type", "oauth2", "flows", "clientCredentials", "tokenUrl",
                     url, "scopes");
}

static void write_scheme(writer_t *w, const json_t *scopes)
{
    json_t *schemes = w->swagger ? own_member(w->root, "securityDefinitions")
                                 : own_member(own_member(w->root, "components"), "securitySchemes");
    json_t *scheme, *flows, *flow;
    const char *name;
    void *next;
    if (!json_object_get(schemes, w->scheme)) {
        json_object_set_new(schemes, w->scheme, fresh_scheme(w));
    }
    scheme = own_member(schemes, w->scheme);
    if (w->swagger) {
        write_flow(w, scheme, scopes);
        return;
    }
    flows = own_member(scheme, "flows");
    json_object_foreach_safe(flows, next, name, flow)
    {
        if (json_is_object(flow)) {
            write_flow(w, own_member(flows, name), scopes);
        }
    }
}

/* -- the calls ------------------------------------------------------------------------------------------- */

apim_error_t *apim_openapi_apply_operations(apr_pool_t *p, const json_t *definition, const json_t *operations,
                                            const json_t *scopes, json_t **out)
{
    writer_t w = {0};
    *out = NULL;
    if (!json_is_object(definition) || !json_is_array(operations) || (scopes && !json_is_array(scopes))) {
        return apim_bad_request(p, "operations and scopes must be arrays, and the definition an object.");
    }
    w.p = p;
    w.old_root = (json_t *)definition;
    w.swagger = apim_is_swagger(definition);
    w.scheme = apim_default_scheme(definition);
    apim_check_begin(&w.check, p, w.old_root, NULL);
    w.check.major = w.swagger ? 2 : 3;
    apim_read_schemes(&w.check);
    w.check.error_count = 0;
    read_declared(&w, scopes);
    read_all_wanted(&w, operations);
    APIM_TRY(verdict(&w));
    w.root = apim_json_own(p, json_copy(w.old_root));
    write_paths(&w);
    write_scheme(&w, scopes);
    json_object_del(w.root, "x-wso2-security");
    *out = w.root;
    return NULL;
}

apim_error_t *apim_openapi_generate(apr_pool_t *p, const char *name, const char *version,
                                    const char *description, const json_t *operations, const json_t *scopes,
                                    json_t **out)
{
    static const int verbs[] = {0, 1, 2, 3, 6}; /* GET PUT POST DELETE PATCH */
    json_t *all = NULL;
    json_t *fresh =
        apim_json_own(p, json_pack("{s:s, s:{s:s, s:s}, s:[{s:s}], s:{}}", "openapi", "3.0.1", "info",
                                   "title", name, "version", version, "servers", "url", "/", "paths"));
    size_t i;
    *out = NULL;
    if (!fresh) {
        return apim_bad_request(p, "The name or the version is not valid UTF-8.");
    }
    if (description) {
        json_object_set_new(json_object_get(fresh, "info"), "description", json_string(description));
    }
    if (!json_array_size(operations)) {
        operations = all = apim_json_own(p, json_array());
        for (i = 0; i < sizeof(verbs) / sizeof(*verbs); i++) {
            json_array_append_new(all, json_pack("{s:s, s:s}", "target", "/*", "verb", apim_verbs[verbs[i]]));
        }
    }
    return apim_openapi_apply_operations(p, fresh, operations, scopes, out);
}

json_t *apim_openapi_with_info(apr_pool_t *p, const json_t *definition, const char *title,
                               const char *version, const char *description)
{
    json_t *root = apim_json_own(p, json_copy((json_t *)definition));
    json_t *info = own_member(root, "info");
    apim_json_set_str(info, "title", title);
    apim_json_set_str(info, "version", version);
    if (description) {
        apim_json_set_str(info, "description", description);
    }
    return root;
}
