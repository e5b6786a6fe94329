/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KM_AUTHORIZATION_ANSWER_H
#define KM_AUTHORIZATION_ANSWER_H

#include "authorization_request.h"
#include "login_session.h"

/*
 * What a browser is sent back to the client with (RFC 6749 sections 4.1.2 and 4.2.2, OpenID Connect Core
 * sections 3.1 to 3.3): a code, or where the older grants are turned on a token and an ID token beside or in
 * place of it; in the query, in the fragment or in a form (OAuth 2.0 Form Post Response Mode).
 */

/** Makes what was asked for and sends it. scopes: what was granted. Writes the audit log. Returns OK. */
int km_answer_granted(const km_call_t *call, const km_authz_t *a, const km_session_t *session,
                      const char *scopes);

/** Tells the client an error: what the request says of itself, or what the person decided. Others (a database
 * that is away) are shown on a page. Writes the audit log. Returns OK. */
int km_answer_refused(const km_call_t *call, const km_authz_t *a, const apim_error_t *err);

#endif
