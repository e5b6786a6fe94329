/* SPDX-License-Identifier: Apache-2.0 */
#include "apim_json.h"

#include <apr_strings.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_MAX_BYTES (1024 * 1024)
#define DEFAULT_MAX_DEPTH 64
#define MIN_LONG_REAL     17 /* characters; a shorter one is as short as can be */

static apr_status_t release_json(void *data)
{
    json_decref(data);
    return APR_SUCCESS;
}

json_t *apim_json_own(apr_pool_t *p, json_t *j)
{
    if (j) {
        apr_pool_cleanup_register(p, j, release_json, apr_pool_cleanup_null);
    }
    return j;
}

/* Nesting is counted over the raw text (strings skipped), because jansson's parser recurses. Returns the line
 * of the first bracket past the limit, 0 if there is none. */
static int line_too_deep(const char *text, apr_size_t len, int max_depth)
{
    int depth = 0, in_string = 0, line = 1;
    apr_size_t i;
    for (i = 0; i < len; i++) {
        char c = text[i];
        if (c == '\n') {
            line++;
        }
        if (in_string) {
            if (c == '\\') {
                i++;
            }
            else if (c == '"') {
                in_string = 0;
            }
        }
        else if (c == '"') {
            in_string = 1;
        }
        else if (c == '{' || c == '[') {
            if (++depth > max_depth) {
                return line;
            }
        }
        else if (c == '}' || c == ']') {
            depth--;
        }
    }
    return 0;
}

apim_error_t *apim_json_parse(apr_pool_t *p, const char *text, apr_size_t len,
                              const apim_json_limits_t *limits, json_t **out)
{
    apr_size_t max_bytes = limits && limits->max_bytes ? limits->max_bytes : DEFAULT_MAX_BYTES;
    int max_depth = limits && limits->max_depth ? limits->max_depth : DEFAULT_MAX_DEPTH;
    json_error_t je;
    int line;
    if (len > max_bytes) {
        return apim_error(p, 413, APIM_E_TOO_LARGE, "Content Too Large",
                          "The JSON document has %" APR_SIZE_T_FMT " bytes; at most %" APR_SIZE_T_FMT
                          " are accepted.",
                          len, max_bytes);
    }
    if ((line = line_too_deep(text, len, max_depth))) {
        return apim_bad_request(p, "The JSON document is nested more than %d levels deep at line %d.",
                                max_depth, line);
    }
    *out = json_loadb(text, len, JSON_REJECT_DUPLICATES, &je);
    if (!*out) {
        const char *reason = apr_pstrdup(p, je.text);
        return apim_bad_request(p, "The body is not valid JSON: line %d, column %d: %s.", je.line, je.column,
                                reason);
    }
    apim_json_own(p, *out);
    return NULL;
}

/* A number as jansson wrote it, with as few digits as tell it apart from any other; in the same place, never
 * longer. Returns the new length. jansson does the conversions, because the C library's depend on the locale.
 */
static apr_size_t shorten_real(char *number, apr_size_t len)
{
    json_t *exact = json_loadb(number, len, JSON_DECODE_ANY, NULL), *again;
    size_t precision;
    for (precision = 15; exact && precision < 17; precision++) {
        char *text = json_dumps(exact, JSON_ENCODE_ANY | JSON_REAL_PRECISION(precision));
        apr_size_t n = text ? strlen(text) : 0;
        again = text ? json_loads(text, JSON_DECODE_ANY, NULL) : NULL;
        if (again && n < len && json_equal(exact, again)) {
            memcpy(number, text, n);
            len = n;
            precision = 17;
        }
        json_decref(again);
        free(text);
    }
    json_decref(exact);
    return len;
}

static const char *string_end(const char *s)
{
    for (s++; *s && *s != '"'; s++) {
        s += *s == '\\' && s[1];
    }
    return *s ? s + 1 : s;
}

void apim_json_shorten_reals(char *text)
{
    static const char digits[] = "0123456789+-.eE";
    const char *from = text, *end;
    char *to = text;
    apr_size_t n;
    while (*from) {
        int number = (*from >= '0' && *from <= '9') || *from == '-';
        end = *from == '"' ? string_end(from) : number ? from + strspn(from, digits) : from + 1;
        n = (apr_size_t)(end - from);
        memmove(to, from, n);
        if (number && n >= MIN_LONG_REAL && memchr(to, '.', n)) {
            n = shorten_real(to, n);
        }
        to += n;
        from = end;
    }
    *to = 0;
}

const char *apim_json_text(apr_pool_t *p, const json_t *j)
{
    char *text = json_dumps(j, JSON_COMPACT | JSON_ENCODE_ANY), *copy;
    if (!text) {
        return NULL;
    }
    apim_json_shorten_reals(text);
    copy = apr_pstrdup(p, text);
    free(text);
    return copy;
}

const char *apim_json_str(const json_t *object, const char *key, const char *fallback)
{
    const char *s = json_string_value(json_object_get(object, key));
    return s ? s : fallback;
}

apr_int64_t apim_json_int(const json_t *object, const char *key, apr_int64_t fallback)
{
    const json_t *v = json_object_get(object, key);
    return json_is_integer(v) ? (apr_int64_t)json_integer_value(v) : fallback;
}

int apim_json_bool(const json_t *object, const char *key, int fallback)
{
    const json_t *v = json_object_get(object, key);
    return json_is_boolean(v) ? json_is_true(v) : fallback;
}

void apim_json_set_str(json_t *object, const char *key, const char *value)
{
    json_object_set_new(object, key, value ? json_string(value) : json_null());
}
