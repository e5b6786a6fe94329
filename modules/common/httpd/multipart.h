/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APIM_MULTIPART_H
#define APIM_MULTIPART_H

#include "apim_error.h"

/* One part of a multipart/form-data body (RFC 7578). data points into the body and is not NUL-terminated. */
typedef struct apim_part_t {
    const char *name;
    const char *filename;     /* NULL if the part is no file */
    const char *content_type; /* NULL if not given */
    const char *data;
    apr_size_t len;
} apim_part_t;

/** Splits a body; *parts is an array of apim_part_t. 400 names what is wrong with it. At most 64 parts. */
apim_error_t *apim_multipart_parse(apr_pool_t *p, const char *content_type, const char *body, apr_size_t len,
                                   apr_array_header_t **parts);

/** The part of that name, or NULL. */
const apim_part_t *apim_multipart_get(const apr_array_header_t *parts, const char *name);

/** The part's content as text in p; NULL if absent. */
const char *apim_multipart_text(apr_pool_t *p, const apr_array_header_t *parts, const char *name);

#endif
