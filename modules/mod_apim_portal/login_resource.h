/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APIM_LOGIN_RESOURCE_H
#define APIM_LOGIN_RESOURCE_H

#include "portal.h"

/*
 * Logging in to the web pages: the browser goes to the Key Manager and comes back with a code (single
 * sign-on; operations portal-login-begin and -end in docs/architecture.md). What has to be known when it
 * comes back travels in the state parameter, sealed, and is bound to this browser by a cookie: nothing is
 * stored, and any portal can finish what another began.
 */

/** GET /login?return=<path and query of a page>: sends the browser to the Key Manager. A place that is not a
 * page of ours becomes the first page that is on here. With prompt=none (OpenID Connect Core 3.1.2.1) no one
 * is asked. */
apim_error_t *po_login_begin(rest_request_t *rq);

/** GET /callback: begins the session and sends the browser to where it wanted to go; with ?login=failed or
 * ?login=denied added if it did not work. */
apim_error_t *po_login_end(rest_request_t *rq);

/** The URL at the Key Manager that ends the log-in of that user there and comes back to a page of ours. */
apim_error_t *po_logout_url(rest_request_t *rq, const char *username, const char **url);

#endif
