/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KM_FEED_SERVICE_H
#define KM_FEED_SERVICE_H

#include "apim_json.h"
#include "keymgr_config.h"

/*
 * The change feeds over HTTP, for gateways that reach no database: the operations feed-heads, feed-artifacts
 * and feed-invalidations of docs/architecture.md. A waiting request holds a thread but no connection to a
 * database; one thread a process looks at the heads for all who wait, ten times a second.
 */
apim_error_t *km_feed_heads(const km_call_t *call, const json_t *in, json_t **out);
apim_error_t *km_feed_artifacts(const km_call_t *call, const json_t *in, json_t **out);
apim_error_t *km_feed_invalidations(const km_call_t *call, const json_t *in, json_t **out);

/** For child_init: how many may wait. */
void km_feed_child_init(void);
/** For child_stopping: answers those who wait. */
void km_feed_stop(void);

#endif
