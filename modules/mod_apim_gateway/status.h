/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GW_STATUS_H
#define GW_STATUS_H

#include "gateway.h"

/** Adds the gateway's section to mod_status (if that is loaded). */
void gw_status_register_hooks(void);

/** `httpd -t -D DUMP_APIM_ROUTES`: prints what this node's replica holds. */
void gw_status_dump_routes(apr_pool_t *p, server_rec *main_server);

#endif
