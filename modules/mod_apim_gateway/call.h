/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GW_CALL_H
#define GW_CALL_H

#include "gateway.h"
#include "replica.h"

/* The way of a call through httpd's phases: route, authorize, headers, fault, count. See
 * docs/architecture.md, "Invoke". */

/** Registers the request hooks. */
void gw_call_register_hooks(apr_pool_t *p);
/** Registers the hook in mod_proxy, which is loaded by then. Call in pre_config. */
void gw_call_pre_config(void);

/** Gives the child's calls their replica; NULL: it could not be opened, every call is answered 503. */
void gw_call_child_init(gw_replica_t *replica);

/** The child's replica, NULL if it could not be opened. */
gw_replica_t *gw_call_replica(void);

#endif
