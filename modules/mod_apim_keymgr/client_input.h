/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KM_CLIENT_INPUT_H
#define KM_CLIENT_INPUT_H

#include "client_store.h"

/* Rules for what a client may be registered with, the same for portals, RFC 7591 and WSO2's registration. */

#define KM_MAX_CLIENT_NAME 255
#define KM_MAX_REDIRECTS   32

/** Checks a blank-separated list of grant types and returns it without repeats and, if drop_unknown is set,
 * without those that no one knows; else 400 names the first such. */
apim_error_t *km_check_grant_types(apr_pool_t *p, const char *grant_types, int drop_unknown,
                                   const char **out);

/** 1 if a client without a secret may use the grant. */
int km_grant_fits_public(const char *grant_type);

/** Checks redirect URIs (array of texts, or one text; NULL: none): absolute, no fragment, no wildcard, https,
 * or http on a loopback address or a host name (private networks), or an app's own scheme. *out is a new
 * array. */
apim_error_t *km_check_redirect_uris(apr_pool_t *p, const json_t *uris, json_t **out);

#endif
