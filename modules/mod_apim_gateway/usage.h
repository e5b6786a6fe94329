/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GW_USAGE_H
#define GW_USAGE_H

#include "feed.h"
#include "gateway.h"

/*
 * Usage: who called what, how often, with what result, and how long it took. A call leaves one record in
 * shared memory (usage_ring) as it ends. A watchdog of its own in one child of the node adds the records up
 * (usage_table), stores the sums in files every ApimUsageInterval (usage_spool), and writes those to the API
 * Manager database, or has a Key Manager write them. Neither a database that is away nor a killed child loses
 * records; a call never waits.
 */

/** Prepares the spool and registers the watchdog; second pass of post_config, after the shared memory is
 * made. An error sentence or NULL. */
const char *gw_usage_post_config(apr_pool_t *pconf, server_rec *main_server);

/** In a child; feed: where sums go (its function usage; called by the watchdog's thread only). */
void gw_usage_child_init(apr_pool_t *pchild, server_rec *main_server, const gw_feed_t *feed);
void gw_usage_child_stopping(void);

/** Records a call that has ended (log_transaction). */
void gw_usage_record(request_rec *r, const gw_call_t *call);

/** For mod_status. */
typedef struct gw_usage_facts_t {
    apr_uint64_t waiting, capacity, lost; /* records */
    apr_uint64_t delivered;               /* calls whose sums have been handed over, of this node */
    apr_int64_t behind_since;             /* ms; 0: the database takes them */
} gw_usage_facts_t;
void gw_usage_facts(gw_usage_facts_t *out);

#endif
