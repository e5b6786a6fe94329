/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KM_DEVICE_PAGE_H
#define KM_DEVICE_PAGE_H

#include "keymgr_config.h"

/*
 * GET and POST /oauth2/device (RFC 8628 section 3.3): a person types in the code that a device shows, logs in
 * and decides. Guesses of codes are slowed down like guesses of passwords (login_guard.h). Consent is asked
 * for each time: whoever sent the code may be someone else than who decides. Writes its answer to call->r and
 * returns OK.
 */
#define KM_DEVICE_PATH "/oauth2/device"
int km_endpoint_device(const km_call_t *call);

#endif
