/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KM_RECALL_WATCH_H
#define KM_RECALL_WATCH_H

#include <httpd.h>

#include "keymgr_config.h"

/*
 * Follows am_invalidation for what the children of this node remember (recall.h): one watchdog thread of the
 * node LISTENs, marks what is named as stale, and, while somebody wants it, asks the database four times a
 * second whether it has missed anything. On SQLite there is nothing to listen to, and nothing happens.
 */

/** Registers the watchdog. Call from post_config. followed: as in km_recall_setup. */
const char *km_recall_watch_setup(apr_pool_t *pconf, server_rec *main_server, const km_config_t *followed);

/** Call from child_init: the child's end waits for the thread. */
void km_recall_watch_child_init(apr_pool_t *pchild);

/** Call from child_stopping. */
void km_recall_watch_stop(void);

#endif
