/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KM_AUTHORIZE_H
#define KM_AUTHORIZE_H

#include "authorization_request.h"
#include "login_session.h"

/*
 * GET and POST /oauth2/authorize (RFC 6749 section 4.1, RFC 7636, RFC 9207): log-in and consent pages, and
 * the way back to the client with a code. Nothing is kept between the pages but the log-in itself: a form
 * carries the request, sealed for the browser that it was made for. Writes its answer to call->r and returns
 * OK.
 */
#define KM_AUTHORIZE_PATH "/oauth2/authorize"
int km_endpoint_authorize(const km_call_t *call);

/** Takes the log-in form of a request: shows it again with what is wrong, or begins a session and goes on
 * with next. Returns OK. */
typedef int(km_logged_in_fn)(const km_call_t *call, const km_authz_t *a, const km_session_t *session);
int km_log_in(const km_call_t *call, const km_authz_t *a, const apr_table_t *form, km_logged_in_fn *next);

#endif
