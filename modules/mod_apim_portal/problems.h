/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APIM_PORTAL_PROBLEMS_H
#define APIM_PORTAL_PROBLEMS_H

#include <jansson.h>

#include "apim_error.h"

/*
 * Everything that is wrong with a body, collected, so that a client learns all of it at once: one detail a
 * problem, whose message begins with the JSON pointer of the member ("/name: must not be empty."). Not
 * thread-safe; lives with its pool.
 */
#define PO_MAX_PROBLEMS 50

typedef struct po_problems_t {
    apr_pool_t *pool;
    apim_error_t *err; /* NULL while there is none */
    int count;
} po_problems_t;

/** Notes a problem of the member at a JSON pointer ("/endpointConfig/endpoint_type"). */
void po_problem(po_problems_t *problems, const char *where, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** Takes over the problems of another such error. */
void po_problems_take(po_problems_t *problems, const apim_error_t *err);

/** The 400 with all of them, NULL if there are none. */
apim_error_t *po_problems_error(po_problems_t *problems);

/** where + "/" + name, where + "/" + index. */
const char *po_where(const po_problems_t *problems, const char *where, const char *name);
const char *po_where_item(const po_problems_t *problems, const char *where, apr_size_t index);

/** Checks that value is a text of at most max characters (not bytes) without control characters other than
 * those in allow. Returns it, or NULL after noting the problem. min: least number of characters. */
const char *po_check_text(po_problems_t *problems, const char *where, const json_t *value, int min, int max,
                          const char *allow);

/** Checks that value is an array of at most max such texts, and drops repeated ones. Returns a new array of
 * the pool's, NULL after a problem. */
json_t *po_check_texts(po_problems_t *problems, const char *where, const json_t *value, int max_items,
                       int max_length);

/** Checks that value is one of the words in list (separated by '|'). */
int po_check_one_of(po_problems_t *problems, const char *where, const json_t *value, const char *list);

/** Checks what is kept without being understood: texts without control characters (line breaks and tabs may
 * be) of at most 32,766 bytes, nested at most 12 deep. */
void po_check_kept(po_problems_t *problems, const char *where, const json_t *value, int depth);

/** 1 if word is one of list ("a|b|c"). */
int po_one_of(const char *word, const char *list);

#endif
