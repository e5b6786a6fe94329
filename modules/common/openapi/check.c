/* SPDX-License-Identifier: Apache-2.0 */
#include "openapi/check.h"

#include <apr_strings.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "apim_json.h"
#include "apim_text.h"

#define MAX_REF_STEPS  32
#define MAX_REF_LENGTH 4096
#define MAX_WORK       10000000

/* -- places ---------------------------------------------------------------------------------------------- */

static const char *escape_step(apr_pool_t *p, const char *key)
{
    char *out, *to;
    if (!strpbrk(key, "~/")) {
        return key;
    }
    to = out = apr_palloc(p, 2 * strlen(key) + 1);
    for (; *key; key++) {
        if (*key == '~' || *key == '/') {
            *to++ = '~';
            *to++ = *key == '~' ? '0' : '1';
        }
        else {
            *to++ = *key;
        }
    }
    *to = 0;
    return out;
}

const char *apim_place_text(apr_pool_t *p, const apim_place_t *at)
{
    const char *text = "";
    if (!at) {
        return "(document)";
    }
    for (; at; at = at->up) {
        text = at->key ? apr_pstrcat(p, "/", escape_step(p, at->key), text, NULL)
                       : apr_psprintf(p, "/%" APR_SIZE_T_FMT "%s", at->index, text);
    }
    return text;
}

/* -- problems -------------------------------------------------------------------------------------------- */

static void note(apr_pool_t *p, apr_array_header_t *list, int *count, const apim_place_t *at,
                 const char *code, const char *format, va_list ap)
{
    apim_error_detail_t *detail;
    if (++*count > APIM_OPENAPI_MAX_PROBLEMS) {
        return;
    }
    detail = apr_array_push(list);
    detail->code = code;
    detail->message = apr_pstrcat(p, apim_place_text(p, at), ": ", apr_pvsprintf(p, format, ap), NULL);
}

void apim_problem(apim_check_t *c, const apim_place_t *at, const char *code, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    note(c->p, c->errors, &c->error_count, at, code, format, ap);
    va_end(ap);
}

void apim_odd(apim_check_t *c, const apim_place_t *at, const char *code, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    note(c->p, c->doc->warnings, &c->doc->warning_count, at, code, format, ap);
    va_end(ap);
}

int apim_spend(apim_check_t *c, apr_size_t n)
{
    if (c->work > MAX_WORK) {
        return -1;
    }
    c->work += n;
    if (c->work > MAX_WORK) {
        apim_problem(c, NULL, "size",
                     "the operations refer to more parameters, scopes and responses than can be checked.");
        return -1;
    }
    return 0;
}

/* -- members --------------------------------------------------------------------------------------------- */

static const char *type_name(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return "an object";
    case JSON_ARRAY:
        return "an array";
    case JSON_STRING:
        return "a string";
    case JSON_NULL:
        return "null";
    case JSON_TRUE:
    case JSON_FALSE:
        return "a boolean";
    default:
        return "a number";
    }
}

json_t *apim_want_object(apim_check_t *c, const json_t *in, const char *key, const apim_place_t *at,
                         int required)
{
    json_t *value = json_object_get(in, key);
    if (json_is_object(value)) {
        return value;
    }
    if (value) {
        apim_problem(c, APIM_MEMBER(at, key), "type", "must be an object and is %s.", type_name(value));
    }
    else if (required) {
        apim_problem(c, at, "missing", "\"%s\" is required.", key);
    }
    return NULL;
}

json_t *apim_want_array(apim_check_t *c, const json_t *in, const char *key, const apim_place_t *at)
{
    json_t *value = json_object_get(in, key);
    if (value && !json_is_array(value)) {
        apim_problem(c, APIM_MEMBER(at, key), "type", "must be an array and is %s.", type_name(value));
        return NULL;
    }
    return value;
}

const char *apim_want_string(apim_check_t *c, const json_t *in, const char *key, const apim_place_t *at)
{
    json_t *value = json_object_get(in, key);
    if (value && !json_is_string(value)) {
        apim_odd(c, APIM_MEMBER(at, key), "type", "should be a string and is %s; it is not read.",
                 type_name(value));
    }
    return json_string_value(value);
}

const char *apim_scalar_text(apr_pool_t *p, const json_t *value)
{
    if (json_is_string(value)) {
        return json_string_value(value);
    }
    return json_is_number(value) ? apim_json_text(p, value) : NULL;
}

/* -- references ------------------------------------------------------------------------------------------ */

static json_t *step(json_t *at, const char *key)
{
    apr_int64_t index;
    if (json_is_object(at)) {
        return json_object_get(at, key);
    }
    if (json_is_array(at) && !apim_parse_i64(key, &index) && index >= 0) {
        return json_array_get(at, (size_t)index);
    }
    return NULL;
}

/* Undoes ~1 and ~0 in place. */
static void unescape_step(char *key)
{
    char *to = key;
    for (; *key; key++) {
        if (*key == '~' && (key[1] == '0' || key[1] == '1')) {
            *to++ = *++key == '0' ? '~' : '/';
        }
        else {
            *to++ = *key;
        }
    }
    *to = 0;
}

json_t *apim_pointer_get(apr_pool_t *p, json_t *root, const char *ref)
{
    char text[MAX_REF_LENGTH + 1], *rest = text, *key;
    apr_size_t len = strnlen(ref, sizeof(text));
    if (*ref != '#' || len == sizeof(text)) {
        return NULL;
    }
    memcpy(text, ref + 1, len);
    if (strchr(text, '%')) {
        rest = apim_urldecode(p, text, len - 1, 0);
    }
    if (!rest || (*rest && *rest != '/')) {
        return NULL;
    }
    while (root && rest && *rest++ == '/') {
        key = rest;
        rest = strchr(key, '/');
        if (rest) {
            *rest = 0;
        }
        unescape_step(key);
        root = step(root, key);
        if (rest) {
            *rest = '/';
        }
    }
    return root;
}

json_t *apim_resolve(apr_pool_t *p, json_t *root, json_t *object)
{
    int steps;
    const char *ref;
    for (steps = 0; steps < MAX_REF_STEPS; steps++) {
        ref = json_string_value(json_object_get(object, "$ref"));
        if (!ref) {
            return object;
        }
        object = apim_pointer_get(p, root, ref);
    }
    return NULL;
}

/* -- beginning ------------------------------------------------------------------------------------------- */

void apim_check_begin(apim_check_t *c, apr_pool_t *p, json_t *root, const apim_openapi_options_t *options)
{
    memset(c, 0, sizeof(*c));
    c->p = p;
    c->root = root;
    c->allow_external = options && options->allow_external_refs;
    c->errors = apr_array_make(p, 4, sizeof(apim_error_detail_t));
    c->schemes = apr_hash_make(p);
    c->scopes = apr_hash_make(p);
    c->operation_ids = apr_hash_make(p);
    c->shapes = apr_hash_make(p);
    c->doc = apr_pcalloc(p, sizeof(*c->doc));
    c->doc->root = root;
    c->doc->tags = apr_array_make(p, 4, sizeof(const char *));
    c->doc->server_urls = apr_array_make(p, 4, sizeof(const char *));
    c->doc->transports = apr_array_make(p, 2, sizeof(const char *));
    c->doc->scopes = apr_array_make(p, 4, sizeof(apim_openapi_scope_t));
    c->doc->operations = apr_array_make(p, 16, sizeof(apim_openapi_operation_t));
    c->doc->warnings = apr_array_make(p, 4, sizeof(apim_error_detail_t));
}
