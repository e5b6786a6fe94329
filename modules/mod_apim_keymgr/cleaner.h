/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KM_CLEANER_H
#define KM_CLEANER_H

#include <httpd.h>

/*
 * Removes rows that no one needs any more: expired tokens, revocations of tokens that have expired,
 * invalidations older than a day. One watchdog thread of the node does it, in batches small enough to hold
 * nothing up.
 */

/** Registers the watchdog. Call from post_config. interval: microseconds between runs. */
const char *km_cleaner_setup(apr_pool_t *pconf, server_rec *main_server, apr_interval_time_t interval);

/** Lets a child's exit wait for the watchdog to leave the database. Call from child_init. */
void km_cleaner_child_init(apr_pool_t *pchild);

/** Tells a run that the child ends. Call from child_stopping. */
void km_cleaner_stop(void);

#endif
