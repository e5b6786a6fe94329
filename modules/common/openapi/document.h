/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APIM_DOCUMENT_H
#define APIM_DOCUMENT_H

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
 * is 12), mapping keys are always strings (`200:` works), `<<` merges mappings as most tools do. Aliases are
 * expanded into copies, up to ten times the nodes that the text itself has. Refused: duplicate keys, aliases
 * inside their own anchor, application tags, more than one document, .inf and .nan (JSON has no such
 * numbers). JSON and YAML: a byte order mark is skipped; UTF-16, invalid UTF-8 and NUL are refused; an
 * integer past 64 bits becomes a real number.
 *
 * Errors: 400 (900758) with line and column in the description; 413 past max_bytes. Any thread; no global
 * state.
 */
apim_error_t *apim_doc_parse(apr_pool_t *p, const char *text, apr_size_t len, const apim_doc_limits_t *limits,
                             json_t **out);

/** 1 if the text begins like JSON ('{' or '[' after blanks and a byte order mark) and so is read as JSON
 * first. */
int apim_doc_is_json(const char *text, apr_size_t len);

/* -- between document.c, json_text.c and yaml.c only ----------------------------------------------------- */

#define APIM_E_MALFORMED_DOCUMENT 900758

/* One reading of one text: valid UTF-8 without a byte order mark. All limits are set. */
typedef struct apim_doc_reader_t {
    apr_pool_t *p; /* for errors */
    const char *text;
    apr_size_t len;
    apim_doc_limits_t limits;
    apr_size_t nodes;
    apim_error_t *err;
    int syntax; /* err is about the syntax, not about a limit or a duplicate key */
} apim_doc_reader_t;

/** The tree (a new reference), or NULL with reader->err set. */
json_t *apim_doc_read_json(apim_doc_reader_t *reader);
json_t *apim_doc_read_yaml(apim_doc_reader_t *reader);

/** Hangs value (its reference is taken) into an object under key or at the end of an array. 0, or -1 if the
 * key is there already or memory ran out. */
int apim_doc_attach(json_t *parent, const char *key, json_t *value);

/** A JSON number text as integer or, past 64 bits, as real; NULL if it is too big for that too. */
json_t *apim_doc_number(const char *text, apr_size_t len);

#endif
