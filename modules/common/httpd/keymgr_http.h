/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APIM_KEYMGR_HTTP_H
#define APIM_KEYMGR_HTTP_H

#include <httpd.h>

#include "apim_error.h"
#include "common_config.h"

/*
 * The call to a Key Manager in another httpd, carried by mod_proxy: so balancer:// with its health checks,
 * fail-over and balancer-manager works, members may be https:// (SSLProxy* of the virtual host or of
 * <Proxy>), and connections stay open in mod_proxy's pools.
 *
 * It is no sub-request: a request of its own is made on a private copy of the connection and handed to
 * mod_proxy's handler directly. Nothing of the client's request goes with it, no URI is mapped, no
 * authorization or filter of the operator applies, nothing is logged as an access, and no path exists that a
 * client could ask for. (A sub-request would let mod_proxy close the connection to the Key Manager after
 * every call, and would need a URI.)
 *
 * Calls block their thread for ApimKeyManagerTimeout at most, other tries included, but for fail-over within
 * a balancer:// of this httpd: each of its members that does not answer takes its own timeout=.
 */

/** Prepares http:// and https:// Key Managers (balancer:// is the operator's): a pool of kept-alive
 * connections for each. Call once from post_config for every server's configuration. NULL, or an error
 * sentence. */
const char *apim_keymgr_http_setup(apr_pool_t *pconf, server_rec *s, apim_common_config_t *conf);

/**
 * POSTs body (JSON) to url. idempotent: may be asked again, twice at most, if no answer came (a connection
 * that was kept open turns out to be closed; the Key Manager was killed with the question in its hands) and
 * half of the time is left. *status and *response (NUL-terminated, in r->pool) are the answer, whatever its
 * status. Errors: 503 with retry_after when there was no answer.
 */
apim_error_t *apim_keymgr_http_post(request_rec *r, const apim_common_config_t *conf, const char *url,
                                    const char *body, int idempotent, int *status, const char **response,
                                    apr_size_t *len);

#endif
