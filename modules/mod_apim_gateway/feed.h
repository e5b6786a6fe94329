/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GW_FEED_H
#define GW_FEED_H

#include "apim_db.h"
#include "apim_node.h"
#include "apim_usage.h"
#include "gateway.h"

/*
 * Where the sync reads changes from: the databases themselves, or a Key Manager's feed over HTTP where no
 * database can be reached. All functions are for the sync's thread.
 */
typedef struct gw_feed_head_t {
    const char *epoch;
    apr_int64_t revision;
} gw_feed_head_t;

/** What the sync has applied: where a waiting feed may stop waiting. epoch "" and revision -1: nothing yet.
 */
typedef struct gw_feed_place_t {
    gw_feed_head_t registry, invalidations;
} gw_feed_place_t;

typedef struct gw_feed_t {
    const char *registry_name, *invalidations_name; /* for the log */

    /** The heads of the two feeds, in p. 503 if the source is away. */
    apim_error_t *(*registry_head)(apr_pool_t *p, gw_feed_head_t *head);
    apim_error_t *(*invalidations_head)(apr_pool_t *p, gw_feed_head_t *head);

    /** The next artefacts after a revision in its order: kind, key, revision, deleted, payload. None: the
     * end. */
    apim_error_t *(*artifacts_after)(apr_pool_t *p, apr_int64_t after, apim_rows_t **rows);
    /** The next invalidations: revision, kind, subject. */
    apim_error_t *(*invalidations_after)(apr_pool_t *p, apr_int64_t after, apim_rows_t **rows);

    /** Says what this node serves. Called when that changes and every APIM_NODE_INTERVAL. */
    apim_error_t *(*report)(apr_pool_t *p, const apim_node_t *node);

    /** Has a batch of usage (apim_usage.h) added to what there is. Called by another thread than the rest,
     * one at a time. 400: the batch is refused for good. */
    apim_error_t *(*usage)(apr_pool_t *p, const json_t *batch);

    /** Returns when there may be something new past `place`, at the latest after the interval for asking or
     * when stop_fd becomes readable. */
    void (*wait)(apr_pool_t *p, const gw_feed_place_t *place, int stop_fd);

    int paces_itself; /* its wait makes the pauses after a failure */

    /** How changes come in, for mod_status: "notify", "poll", "http". */
    const char *(*mode)(void);
} gw_feed_t;

/** The databases of the server's configuration, with LISTEN on PostgreSQL. */
const gw_feed_t *gw_feed_database(server_rec *main_server);

/** Starts libcurl; in post_config, before there are threads. An error sentence or NULL. */
const char *gw_feed_http_setup(void);

/** The feed of ApimFeed's addresses. */
const gw_feed_t *gw_feed_http(server_rec *main_server);

/** Waits for stop_fd alone. */
void gw_feed_pause(apr_interval_time_t time, int stop_fd);

#endif
