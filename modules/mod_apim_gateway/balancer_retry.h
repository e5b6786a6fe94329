/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GW_BALANCER_RETRY_H
#define GW_BALANCER_RETRY_H

#include <httpd.h>

/*
 * ApimRetryIdempotent, for the httpd that balances: a call without a body that RFC 9110 (9.2.2) lets be
 * repeated is sent to another member if its member went away before it answered, or in the middle of a short
 * answer (held_answer.h). mod_proxy_balancer by itself tries another one only if it could not connect; a node
 * that is killed with calls in its hands would be seen by those callers, as 502, as a connection that is
 * closed without an answer, or as half an answer.
 */
void gw_balancer_retry_register_hooks(void);

#endif
