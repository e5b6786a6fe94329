/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GW_CORS_H
#define GW_CORS_H

#include "gateway.h"

/*
 * CORS of a call: the rules of its API, else the server's (ApimCorsOrigins). A preflight is answered here,
 * before anybody asks for credentials, unless the API declares OPTIONS for the resource: then it is the back
 * end's to answer. Where rules apply, the gateway alone says who may: what the back end says of it is
 * removed.
 */

/** Once the API is known: finds the rules (call->cors, NULL for none) and, if the request comes from an
 * origin that may, sets the headers that let its page read the answer, whatever that will be. */
void gw_cors_begin(request_rec *r, gw_call_t *call);

/** 1 if the request is a preflight for an API with rules. */
int gw_cors_is_preflight(request_rec *r, const gw_call_t *call);

/** Sets the headers that answer a preflight. methods: those that the resource has, as in Allow. */
void gw_cors_answer(request_rec *r, const gw_call_t *call, const char *methods);

/** The back end is to answer this preflight: takes back what gw_cors_begin did. */
void gw_cors_leave_to_backend(request_rec *r, gw_call_t *call);

/** Removes what the back end said of CORS from r->headers_out, where rules apply. */
void gw_cors_clean_answer(request_rec *r, const gw_call_t *call);

#endif
