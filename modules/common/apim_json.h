/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APIM_JSON_H
#define APIM_JSON_H

#include <jansson.h>

#include "apim_error.h"

/* Bounds for a text from outside. Zero means the default in brackets. */
typedef struct apim_json_limits_t {
    apr_size_t max_bytes; /* [1 MiB] */
    int max_depth; /* nesting of objects and arrays [64]; the parser recurses, so it is checked before */
} apim_json_limits_t;

/** Parses an untrusted JSON object or array. Duplicate keys, invalid UTF-8, NUL in strings, and anything past
 * the limits give a 400 (413 for the size) whose description names line and column. *out is released with the
 * pool. */
apim_error_t *apim_json_parse(apr_pool_t *p, const char *text, apr_size_t len,
                              const apim_json_limits_t *limits, json_t **out);

/** Releases j with the pool; returns j. */
json_t *apim_json_own(apr_pool_t *p, json_t *j);

/** Compact text of j in the pool; real numbers as short as they can be (0.1, where jansson alone writes
 * 0.10000000000000001). NULL if memory ran out. */
const char *apim_json_text(apr_pool_t *p, const json_t *j);

/** Does the same to a text that jansson wrote, in place. */
void apim_json_shorten_reals(char *text);

/** Member as text, or fallback if it is absent, null or not a string. Borrowed from the object. */
const char *apim_json_str(const json_t *object, const char *key, const char *fallback);
/** Member as integer, or fallback. */
apr_int64_t apim_json_int(const json_t *object, const char *key, apr_int64_t fallback);
/** Member as boolean (0, 1), or fallback. */
int apim_json_bool(const json_t *object, const char *key, int fallback);

/** Sets a string member; a NULL value becomes JSON null. */
void apim_json_set_str(json_t *object, const char *key, const char *value);

#endif
