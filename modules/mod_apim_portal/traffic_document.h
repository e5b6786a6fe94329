/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APIM_PORTAL_TRAFFIC_DOCUMENT_H
#define APIM_PORTAL_TRAFFIC_DOCUMENT_H

#include "problems.h"

#define PO_MAX_MEMBERS 32 /* of a group of endpoints */

/*
 * The members of an API's document that tell gateways how to treat its calls: CORS, endpoints. Pure. Each
 * function notes the problems of the member at where; it may put another value in place of *value.
 */

/** The name of a HTTP header (a token of RFC 9110). Returns it, or NULL after a problem. */
const char *po_check_header_name(po_problems_t *problems, const char *where, const json_t *value);

/** corsConfiguration. */
void po_check_cors(po_problems_t *problems, const char *where, json_t **value);

/** endpointConfig. */
void po_check_endpoint_config(po_problems_t *problems, const char *where, json_t **value);

#endif
