/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GW_BACKEND_AUTH_H
#define GW_BACKEND_AUTH_H

#include "gateway.h"

/*
 * Credentials that the gateway shows to a back end (endpoint security): a user name and password (Basic), or
 * an access token that it gets itself (OAuth 2.0 client credentials) and keeps while it is good. Secrets come
 * sealed with the artefact and are opened in this process only. Tokens are kept for each child; one call gets
 * a token, others of the child wait for it, or go on with the old one while that is good.
 */

/** Call in child_init. */
void gw_backend_auth_child_init(apr_pool_t *pchild, server_rec *s);

/**
 * Puts the credentials into the request's Authorization header. security: gw_endpoint_t's. Error: 503 with
 * code 101503 and retry_after if there is no token to be had; it says nothing of the secrets.
 */
apim_error_t *gw_backend_auth_apply(request_rec *r, const char *security);

/** The back end did not take the credentials: the next call gets a new token, if this one is not new itself.
 */
void gw_backend_auth_rejected(const char *security);

#endif
