/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KM_ASSERTION_H
#define KM_ASSERTION_H

#include "apim_json.h"
#include "keymgr_config.h"

/**
 * The operation assertion: verifies as verify does and, if the call may go on, adds to its answer a JWT that
 * tells a back end who calls, with WSO2's claims, signed with the key that signs tokens: `assertion`, and
 * `assertionExpiresAt` (ms). It is no token: its type is another one. *out belongs to call->pool.
 */
apim_error_t *km_assertion(const km_call_t *call, const json_t *in, json_t **out);

#endif
