/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APIM_PORTAL_OPENAPI_RESOURCE_H
#define APIM_PORTAL_OPENAPI_RESOURCE_H

#include "portal.h"

/*
 * The OpenAPI 3.1 documents of the three REST APIs. They are written by hand, as YAML, in openapi/; the build
 * puts them into the module, so that what a portal serves is what it answers to.
 */

/* Made by the build: head, shared schemas and the rest, one text each. */
extern const unsigned char po_openapi_publisher[], po_openapi_store[], po_openapi_admin[];

/** Makes JSON of the documents; call in post_config. NULL, or a sentence about what is wrong with one. */
const char *po_openapi_setup(apr_pool_t *pconf);

/* GET /swagger.yaml, GET /openapi.json */
rest_handler_fn po_openapi_yaml, po_openapi_json;

#endif
