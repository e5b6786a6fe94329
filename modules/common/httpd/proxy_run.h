/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APIM_PROXY_RUN_H
#define APIM_PROXY_RUN_H

#include <httpd.h>

/** Has mod_proxy, and no other handler, answer a request whose filename is "proxy:…". Returns what the
 * handler returns; 503 if mod_proxy is not loaded. */
int apim_proxy_run(request_rec *r);

/** Has mod_proxy put a filename "proxy:…" into its canonical form, as it did in the phase of fixups. OK, or
 * the status of a failure. */
int apim_proxy_fixup(request_rec *r);

#endif
