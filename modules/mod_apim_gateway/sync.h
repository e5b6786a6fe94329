/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GW_SYNC_H
#define GW_SYNC_H

#include "gateway.h"
#include "replica.h"

/*
 * Keeps the replica and the verification cache up to date: one watchdog thread a node (a singleton among the
 * children; another child takes over when its child dies) reads both change feeds (feed.h) when it is told
 * that there is something new, and every ApimSyncInterval. While a database is away the node serves what it
 * has; the loss and the return are each logged once.
 */

/** What the watchdog knows, in memory shared by all children and kept over a graceful restart. Read without a
 * lock. */
typedef struct gw_sync_state_t {
    apr_int64_t registry_revision;     /* what the replica holds */
    apr_int64_t invalidation_revision; /* -1: not known yet */
    char invalidation_epoch[64];
    char feed[16];                 /* "notify", "poll", "http": how changes come in */
    apr_time_t registry_seen;      /* last time the registry answered; 0: never */
    apr_time_t invalidations_seen; /* likewise the API Manager database */
    int registry_away;             /* 1 after a failure that was logged */
    int invalidations_away;
    apr_int64_t started_at;                          /* ms; of the first generation */
    apr_int64_t applied, refused;                    /* artefacts */
    apr_uint64_t requests, faults, backend_failures; /* counted by the hooks */
    apr_uint64_t usage_delivered;                    /* calls (usage.h) */
    apr_int64_t usage_behind_since;                  /* ms; 0: not behind */
} gw_sync_state_t;

/** Registers the watchdog and makes the shared state; second pass of post_config. An error sentence or NULL.
 */
const char *gw_sync_post_config(apr_pool_t *pconf, server_rec *main_server);

/** Tells the child's watchdog which replica to write to. */
void gw_sync_child_init(apr_pool_t *pchild, server_rec *main_server, gw_replica_t *replica);

/** For the child_stopping hook: asks a running step to leave. */
void gw_sync_child_stopping(void);

/** The shared state; NULL before post_config. */
gw_sync_state_t *gw_sync_state(void);

#endif
