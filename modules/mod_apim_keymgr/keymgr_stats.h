/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KM_STATS_H
#define KM_STATS_H

#include <httpd.h>

/* Counters of the node, in shared memory, for mod_status. Counting is one atomic addition. */
typedef enum {
    KM_TOKENS_ISSUED,
    KM_TOKENS_REFRESHED,
    KM_TOKENS_REVOKED,
    KM_REFRESH_REUSED,
    KM_CLIENTS_REFUSED,
    KM_LOGINS_FAILED,
    KM_VERIFIED,
    KM_VERIFY_REFUSED,
    KM_ROWS_CLEANED,
    KM_RECALLED,
    KM_RECALL_MISSES,
    KM_COUNTERS
} km_counter_e;

/** Makes the shared memory, kept over restarts. Call from post_config. An error sentence or NULL. */
const char *km_stats_setup(server_rec *s);

void km_count(km_counter_e counter);
void km_count_n(km_counter_e counter, apr_uint64_t n);

/** Registers the section on the status page. */
void km_stats_register_status(apr_pool_t *p);

#endif
