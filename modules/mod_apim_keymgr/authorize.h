/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KM_AUTHORIZE_H
#define KM_AUTHORIZE_H

#include "keymgr_config.h"

/*
 * GET and POST /oauth2/authorize (RFC 6749 section 4.1, RFC 7636, RFC 9207): log-in and consent pages, and
 * the way back to the client with a code. Nothing is kept between the pages but the log-in itself: a form
 * carries the request, sealed for the browser that it was made for. Writes its answer to call->r and returns
 * OK.
 */
#define KM_AUTHORIZE_PATH "/oauth2/authorize"
int km_endpoint_authorize(const km_call_t *call);

#endif
