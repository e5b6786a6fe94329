/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GW_SHARED_STATE_H
#define GW_SHARED_STATE_H

#include <apr_pools.h>

#include "endpoint_health.h"
#include "keymgr_gate.h"
#include "rate_limiter.h"
#include "single_flight.h"
#include "apim_marks.h"
#include "token_cache.h"
#include "usage_ring.h"
#include "usage_totals.h"

/*
 * The memory that all children of a gateway share, and that outlives graceful restarts: kept by httpd's
 * retained data, inherited by every child as it is forked. Children of the old generation and of the new one
 * see the same marks, so a token revoked while old children still finish their calls is refused by them too;
 * limits go on counting; the cache stays warm.
 *
 * Three pieces. The control piece (marks, single flight, breaker, counters, health of endpoints) has one
 * size, for ever the same within a layout version. Cache and limiter are made anew when their configured size
 * changes; old children keep theirs, and the marks hold for both.
 */
typedef struct gw_shared_state_t {
    apim_marks_t *marks;
    gw_single_flight_t *flights;
    gw_breaker_t *breaker;
    gw_keymgr_stats_t *keymgr;
    gw_token_cache_t *cache;
    gw_rate_limiter_t *limiter;
    gw_health_t *health;
} gw_shared_state_t;

/** Makes or finds the memory; in the parent, second pass of post_config. NULL or an error sentence. */
const char *gw_shared_state_make(apr_pool_t *pconf, apr_size_t cache_size, apr_size_t limiter_size,
                                 apr_size_t usage_size);

/** The ring of usage records, for parent and children; NULL without one. Its size is chosen like the others';
 * records not read yet are lost when that changes. */
gw_usage_ring_t *gw_shared_usage(void);
gw_usage_totals_t *gw_shared_totals(void);

/** A child's view, in pchild; NULL if the memory was not made or the library refuses SHA-256. */
gw_shared_state_t *gw_shared_state_attach(apr_pool_t *pchild);

/** Milliseconds of a clock that all processes of this machine share and that never goes back. */
uint64_t gw_now(void);

#endif
