/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APIM_PORTAL_ZIP_FILE_H
#define APIM_PORTAL_ZIP_FILE_H

#include "apim_error.h"

/*
 * Zip archives in memory. What comes from outside is bounded: entries, bytes after decompression, names.
 * Nothing is ever written to a disk, and a name is never used as a path. Pure.
 */
typedef struct po_zip_limits_t {
    int max_entries;      /* files and directories */
    apr_size_t max_bytes; /* of all files together, decompressed */
} po_zip_limits_t;

typedef struct po_zip_entry_t {
    const char *path; /* "Docs/How to/document.yaml" */
    const char *data; /* NUL-terminated after len bytes */
    apr_size_t len;
} po_zip_entry_t;

/** Reads all regular files: an array of po_zip_entry_t. 400 for what is no zip archive, is encrypted, holds
 * links, a name twice, or a name that is absolute or climbs ("../"); 413 past the limits. */
apim_error_t *po_zip_read(apr_pool_t *p, const char *data, apr_size_t len, const po_zip_limits_t *limits,
                          apr_array_header_t **entries);

/** The file of that path, or NULL. */
const po_zip_entry_t *po_zip_find(const apr_array_header_t *entries, const char *path);

/** Writes an archive with these files (po_zip_entry_t). */
apim_error_t *po_zip_write(apr_pool_t *p, const apr_array_header_t *entries, const char **data,
                           apr_size_t *len);

#endif
