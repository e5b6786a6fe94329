/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GW_ASSERTION_H
#define GW_ASSERTION_H

#include "verification.h"

/*
 * The JWT that tells a back end who calls (ApimBackendAssertion): made and signed by the Key Manager, kept by
 * each child for those who call the same API as the same user of the same application. What it says is what
 * the verification says: if that changes, another one is asked for.
 */

/** Call in child_init. */
void gw_assertion_child_init(apr_pool_t *pchild);

/**
 * Puts it into the request's header ApimBackendAssertionHeader, after the call was authorized with that
 * credential. An assertion that ends soon is used on if no other is to be had. Error: 503 900900 with
 * retry_after if there is none.
 */
apim_error_t *gw_assertion_set(request_rec *r, const gw_verifier_t *verifier, const gw_call_t *call,
                               const gw_credential_t *credential, const gw_answer_t *answer);

#endif
