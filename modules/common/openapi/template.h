/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APIM_TEMPLATE_H
#define APIM_TEMPLATE_H

#include <apr_pools.h>
#include <apr_tables.h>

/** What is wrong with a path template ("/pets/{id}"), as the end of a sentence; NULL if it is fine. */
const char *apim_template_problem(const char *path);

/** The template with its variables' names left out, "/pets/{}": two templates that match the same have the
 * same. The path must be fine. */
const char *apim_template_shape(apr_pool_t *p, const char *path);

/** Names of its variables, of const char *. The path must be fine. */
apr_array_header_t *apim_template_variables(apr_pool_t *p, const char *path);

/** Index (0..7) of a verb in apim_verbs, -1 if it is none. Keys of path items are lower case; any_case
 * accepts all. */
int apim_verb_index(const char *verb, int any_case);

#define APIM_VERBS 8
extern const char *const apim_verbs[APIM_VERBS];     /* "GET", ... */
extern const char *const apim_verb_keys[APIM_VERBS]; /* "get", ... */

#endif
