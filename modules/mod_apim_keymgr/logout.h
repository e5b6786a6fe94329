/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KM_LOGOUT_H
#define KM_LOGOUT_H

#include "keymgr_config.h"

#define KM_LOGOUT_PATH "/oauth2/logout"

/**
 * GET and POST /oauth2/logout (OpenID Connect RP-Initiated Logout 1.0): ends the single sign-on session. With
 * an id_token_hint about the one who is logged in at once, otherwise after a question, so that no other page
 * logs people out. Goes on to post_logout_redirect_uri, if the client has registered it. Writes its answer to
 * call->r and returns OK.
 */
int km_endpoint_logout(const km_call_t *call);

#endif
