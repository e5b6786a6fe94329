/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KM_OPERATION_INPUT_H
#define KM_OPERATION_INPUT_H

#include "apim_json.h"

/* Reading the members of an operation's input. Every 400 names the member. */

/** A text of at most max bytes without control characters; NULL in *out if it is absent, null or "". */
apim_error_t *km_in_text(apr_pool_t *p, const json_t *in, const char *name, apr_size_t max, const char **out);
/** The same, but it must be there. */
apim_error_t *km_in_needed(apr_pool_t *p, const json_t *in, const char *name, apr_size_t max,
                           const char **out);
/** A text out of a NULL-terminated list; fallback if absent (NULL: it must be there). */
apim_error_t *km_in_choice(apr_pool_t *p, const json_t *in, const char *name, const char *const *choices,
                           const char *fallback, const char **out);
/** An integer (also as decimal text), fallback if absent or null. */
apim_error_t *km_in_integer(apr_pool_t *p, const json_t *in, const char *name, apr_int64_t fallback,
                            apr_int64_t *out);
/** An array of texts, or one blank-separated text, as blank-separated words; NULL if absent. */
apim_error_t *km_in_words(apr_pool_t *p, const json_t *in, const char *name, apr_size_t max,
                          const char **out);

#endif
