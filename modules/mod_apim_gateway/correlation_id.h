/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GW_CORRELATION_ID_H
#define GW_CORRELATION_ID_H

#include <httpd.h>

/* The name of one call in the logs of client, gateway and back end. */
#define GW_CORRELATION_HEADER "X-Request-ID"

/** Call in child_init. */
void gw_correlation_id_child_init(void);

/**
 * The caller's id if it is usable (X-Request-ID, or WSO2's activityid; 1 to 128 letters, digits and - _ .),
 * else one of ours: 22 letters of base64url, unlike every other one's. Strings in r->pool. It is no secret.
 */
const char *gw_correlation_id(request_rec *r);

#endif
