/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APIM_YAML_H
#define APIM_YAML_H

#include <jansson.h>

#include "apim_error.h"

/* Bounds for a document from outside. Zero means the default in brackets. */
typedef struct apim_doc_limits_t {
    apr_size_t max_bytes; /* [20 MiB] */
    int max_depth;        /* nesting of objects and arrays [100] */
    apr_size_t max_nodes; /* scalars, arrays and objects, aliases expanded [2,000,000] */
} apim_doc_limits_t;

/**
 * Reads one untrusted document, JSON or YAML (told apart by content), into a JSON tree that is released with
 * p.
 *
 * YAML: plain scalars resolve by the YAML 1.2 core schema (yes, no, on and off stay strings; 012 is 12; 0o14
 * is 12), mapping keys are always strings (`200:` works), << is an ordinary key. Aliases are expanded into
 * copies, up to ten times the nodes that the text itself has. Refused: duplicate keys, aliases inside their
 * own anchor, application tags, more than one document, .inf and .nan (JSON has no such numbers). Both: a
 * byte order mark is skipped; UTF-16, invalid UTF-8 and NUL are refused.
 *
 * Errors: 400 (900758) with line and column in the description; 413 past max_bytes. Any thread; no global
 * state.
 */
apim_error_t *apim_doc_parse(apr_pool_t *p, const char *text, apr_size_t len, const apim_doc_limits_t *limits,
                             json_t **out);

/** 1 if the text begins like JSON ('{' or '[' after blanks and a byte order mark) and so is read as JSON
 * first. */
int apim_doc_is_json(const char *text, apr_size_t len);

#endif
