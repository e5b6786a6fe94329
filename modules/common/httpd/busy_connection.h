/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APIM_BUSY_CONNECTION_H
#define APIM_BUSY_CONNECTION_H

#include <httpd.h>
#include <http_config.h>

/*
 * ApimKeepAliveHold: a kept-alive connection whose client sends its next request at once stays with its
 * thread for a moment, in place of going back to the event MPM's listener. Going back costs a call on the way
 * in and on the way out (epoll, two thread switches, the MPM's queues and locks), more than everything that
 * the roles themselves do.
 *
 * It is done for connections whose last request came within that time, and while at least a quarter of the
 * child's threads is free; all others go back as they do without. MPMs that have no listener between requests
 * (worker, prefork) do as much by themselves. Time-outs, TLS, HTTP/2 and mod_reqtimeout are not touched: each
 * request goes through all process_connection hooks as if the MPM had called them.
 */
void apim_busy_connection_register_hooks(void);

/** Call in child_init. Of the modules of one httpd the first that wants it does it for all. self: the module
 * that calls; in_use: one of its roles is On here. hold: ApimKeepAliveHold, -1 if it was not written: then 10
 * ms where a role is On. */
void apim_busy_connection_child_init(apr_pool_t *pchild, module *self, int in_use, apr_interval_time_t hold);

#endif
