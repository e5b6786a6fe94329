/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KM_REVOCATION_H
#define KM_REVOCATION_H

#include "keymgr_config.h"

/**
 * Revokes an access or refresh token and, where they descend from one grant, all its relatives. consumer_key:
 * only if it is that client's (RFC 7009 section 2.1); NULL: whoever's it is. A token that is unknown, dead or
 * another client's is left alone without an error.
 */
apim_error_t *km_revoke_token(const km_call_t *call, const char *token, const char *consumer_key);

#endif
