/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KM_LOGIN_SERVICE_H
#define KM_LOGIN_SERVICE_H

#include "apim_json.h"
#include "authorization_request.h"

/*
 * Single sign-on for the portal's web pages. They are an OAuth client like others (authorization code with
 * PKCE, RFC 6749 section 4.1), with two differences: a portal proves who it is by the cluster secret, and
 * where it is reached is known to itself alone. So it hands its requests over here (as RFC 9126 has it)
 * together with the address to come back to, which then needs no registration. Its pages need no consent:
 * they are ours.
 */
#define KM_PORTAL_CLIENT "apim_portal"

/** 1 if these parameters were handed over by a portal. */
int km_login_is_portal(const apr_table_t *params, const char *client_id);

/** Operation portal-login-begin: {redirectUri, state, codeChallenge, scopes, prompt?} to {path} that the
 * browser has to be sent to at the Key Manager. 400 what is missing. */
apim_error_t *km_portal_login_begin(const km_call_t *call, const json_t *in, json_t **out);

/** Operation portal-login-end: {code, redirectUri, codeVerifier} to {username, accessToken, scope, expiresAt
 * (ms)}. 400 invalid_grant as at the token endpoint. */
apim_error_t *km_portal_login_end(const km_call_t *call, const json_t *in, json_t **out);

/** Operation portal-logout: {username, redirectUri} to {path} at the Key Manager that ends the browser's
 * log-in there, without asking again if it is that user's, and leads back to redirectUri. */
apim_error_t *km_portal_logout(const km_call_t *call, const json_t *in, json_t **out);

#endif
