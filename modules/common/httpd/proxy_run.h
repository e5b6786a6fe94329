/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APIM_PROXY_RUN_H
#define APIM_PROXY_RUN_H

#include <httpd.h>

/** Has mod_proxy, and no other handler, answer a request whose filename is "proxy:…". Returns what the
 * handler returns; 503 if mod_proxy is not loaded. */
int apim_proxy_run(request_rec *r);

#endif
