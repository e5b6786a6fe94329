/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KM_LOGIN_PAGES_H
#define KM_LOGIN_PAGES_H

#include "authorization_request.h"
#include "login_session.h"

/* The pages of /oauth2/authorize. Their forms lead back there, with the fields step, request, expires and
 * seal (login_session.h). They write their answer to call->r and return OK. */
#define KM_STEP_LOGIN   "login"
#define KM_STEP_CONSENT "consent"

/** Asks for name and password. username: what the field holds; wrong: what went wrong before, NULL at first.
 */
int km_login_page(const km_call_t *call, const km_authz_t *a, int status, const char *username,
                  const char *wrong);

/** Asks whether the client may have the scopes. */
int km_consent_page(const km_call_t *call, const km_authz_t *a, const km_session_t *session,
                    const char *scopes);

#endif
