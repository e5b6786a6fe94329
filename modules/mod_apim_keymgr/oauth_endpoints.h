/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KM_OAUTH_ENDPOINTS_H
#define KM_OAUTH_ENDPOINTS_H

#include <apr_tables.h>

#include "keymgr_config.h"

/* The endpoints that answer by themselves: they write their answer to call->r and return OK. */

int km_endpoint_token(const km_call_t *call);      /* RFC 6749 section 3.2 */
int km_endpoint_revoke(const km_call_t *call);     /* RFC 7009 */
int km_endpoint_introspect(const km_call_t *call); /* RFC 7662 */
int km_endpoint_jwks(const km_call_t *call);       /* RFC 7517 section 5 */
int km_endpoint_metadata(const km_call_t *call);   /* RFC 8414, OpenID Connect Discovery: server_metadata.c */

/** The grant types that are offered, blank-separated. */
const char *km_grant_names(const km_call_t *call);

/** 405 with Allow unless the method is among those of the blank-separated list; "GET" stands for HEAD too. */
apim_error_t *km_check_method(const km_call_t *call, const char *methods);

/** The form of a POST, at most 64 KiB. 405, 413, 415, or 400 if it cannot be read or a secret stands in the
 * URL. */
apim_error_t *km_read_form(const km_call_t *call, apr_table_t **form);

#endif
