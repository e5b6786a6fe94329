/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GW_FAULT_H
#define GW_FAULT_H

#include "gateway.h"

/*
 * Refusals and failures in the formats that WSO2 API Manager's users know: JSON as in 4.x ({"code", "type",
 * "message", "description"}), XML in WSO2's namespaces when the client prefers it, a SOAP fault to a SOAP
 * call.
 */

/** Answers the request with call->fault: status, WWW-Authenticate on every 401, Retry-After, body. For a
 * content handler (so that the operator's filters and headers apply). Always returns OK. */
int gw_fault_write(request_rec *r, const gw_call_t *call);

/** A fault for a back end that failed: connection refused or reset (101503, status 503), time-out (101504,
 * status 504). */
apim_error_t *gw_fault_backend(request_rec *r, int status);

#endif
