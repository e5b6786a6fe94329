/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KM_LOGIN_PAGES_H
#define KM_LOGIN_PAGES_H

#include "authorization_request.h"
#include "login_session.h"

/* The pages of /oauth2/authorize and, for a request with a user_code, of /oauth2/device. Their forms lead
 * back there, with the fields step, request, expires and seal (login_session.h; of a device KM_DEVICE_STEP
 * and the step are sealed). They write their answer to call->r and return OK. */
#define KM_STEP_LOGIN   "login"
#define KM_STEP_CONSENT "consent"
#define KM_STEP_CODE    "code"
#define KM_DEVICE_STEP  "device "

/** The beginning of a form with its hidden fields; NULL if there are no random bytes. */
const char *km_form_begin(const km_call_t *call, const km_authz_t *a, const char *step,
                          const km_session_t *session);

/** Asks for name and password. username: what the field holds; wrong: what went wrong before, NULL at first.
 */
int km_login_page(const km_call_t *call, const km_authz_t *a, int status, const char *username,
                  const char *wrong);

/** Asks whether the client may have the scopes. */
int km_consent_page(const km_call_t *call, const km_authz_t *a, const km_session_t *session,
                    const char *scopes);

#endif
