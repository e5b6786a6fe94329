/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GW_BUSY_CONNECTION_H
#define GW_BUSY_CONNECTION_H

#include <httpd.h>

/*
 * ApimKeepAliveHold: a kept-alive connection whose client sends its next request at once stays with its
 * thread for a moment, in place of going back to the event MPM's listener. Going back costs a call on the way
 * in and on the way out (epoll, two thread switches, the MPM's queues and locks), more than everything that
 * the gateway itself does.
 *
 * It is done for connections whose last request came within that time, and while at least a quarter of the
 * child's threads is free; all others go back as they do without. MPMs that have no listener between requests
 * (worker, prefork) do as much by themselves. Time-outs, TLS, HTTP/2 and mod_reqtimeout are not touched: each
 * request goes through all process_connection hooks as if the MPM had called them.
 */
void gw_busy_connection_register_hooks(void);

/** Call in child_init. hold 0: never. */
void gw_busy_connection_child_init(apr_interval_time_t hold);

#endif
