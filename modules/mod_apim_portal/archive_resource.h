/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APIM_PORTAL_ARCHIVE_RESOURCE_H
#define APIM_PORTAL_ARCHIVE_RESOURCE_H

#include "publisher.h"
#include "zip_file.h"

/*
 * An API as an archive, in the project format of WSO2's apictl: a directory <name>-<version> with api.yaml,
 * Definitions/swagger.yaml, Docs/<name>/document.yaml beside its content, Image/icon.<type> and
 * deployment_environments.yaml.
 */
#define PO_PROJECT_VERSION "v4.3.0"

/* A document of a project. */
typedef struct po_project_document_t {
    const json_t *facts;           /* DocumentDTO */
    const po_zip_entry_t *content; /* NULL: none */
} po_project_document_t;

/* What an archive holds; all of the pool's. */
typedef struct po_project_t {
    json_t *api;                      /* APIDTO */
    const po_zip_entry_t *definition; /* NULL: none */
    const po_zip_entry_t *picture;    /* NULL: none */
    apr_array_header_t *documents;    /* of po_project_document_t */
    const json_t *deployments;        /* NULL: the archive says nothing about them */
} po_project_t;

/** Takes an archive apart. 400 says what is wrong with it. */
apim_error_t *po_project_read(apr_pool_t *p, const char *data, apr_size_t len, po_project_t *out);

rest_handler_fn po_api_export; /* api_export.c */
rest_handler_fn po_api_import; /* api_import.c */

#endif
