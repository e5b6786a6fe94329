/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KM_USERINFO_H
#define KM_USERINFO_H

#include "apim_json.h"
#include "keymgr_config.h"

#define KM_USERINFO_PATH "/oauth2/userinfo"

/** GET and POST /oauth2/userinfo (OpenID Connect Core section 5.3): what the access token's scopes openid,
 * profile and email let its bearer know of the user. Writes its answer to call->r and returns OK. */
int km_endpoint_userinfo(const km_call_t *call);

/** The claims about a user that scopes (openid, profile, email) tell; *out NULL if the user is not active.
 * The caller owns it. */
apim_error_t *km_userinfo_claims(const km_call_t *call, const char *username, const char *scopes,
                                 json_t **out);

#endif
