/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GW_KEYMGR_GATE_H
#define GW_KEYMGR_GATE_H

#include <apr_pools.h>
#include <stdint.h>

/*
 * The gate in front of the Key Manager. Two guards:
 *
 * - Per child, at most `connections` calls are under way, and half as many threads may wait for their turn:
 * so that a slow Key Manager never takes all threads, and a Key Manager in the same httpd finds some to
 * answer with.
 * - For all children together, a circuit breaker: after 5 failures in a row nobody asks for a second, then
 * one call tries; if it succeeds, all may again. Calls that are answered from the cache do not notice.
 *
 * Times are milliseconds of a clock that all children share.
 */
typedef struct gw_breaker_t { /* in shared memory, zeroed */
    uint64_t open_until;
    uint64_t failures; /* in a row */
} gw_breaker_t;

typedef struct gw_keymgr_stats_t { /* in shared memory, zeroed */
    uint64_t calls, failures, refused, waits;
    uint64_t microseconds, slowest;
} gw_keymgr_stats_t;

typedef struct gw_keymgr_gate_t gw_keymgr_gate_t;

typedef enum { GW_GATE_OPEN, GW_GATE_BUSY, GW_GATE_BROKEN } gw_gate_e;

/** A child's gate. breaker is shared by all. Lives with p. */
gw_keymgr_gate_t *gw_keymgr_gate_make(apr_pool_t *p, gw_breaker_t *breaker, int connections);

/** GW_GATE_OPEN: ask, then gw_keymgr_gate_leave. Waits at most until deadline. */
gw_gate_e gw_keymgr_gate_enter(gw_keymgr_gate_t *gate, uint64_t now, uint64_t deadline);

/** answered: the Key Manager answered, whatever it said. */
void gw_keymgr_gate_leave(gw_keymgr_gate_t *gate, uint64_t now, int answered);

/* The breaker's two halves, for whoever needs no gate. */
int gw_breaker_allows(gw_breaker_t *breaker, uint64_t now);
void gw_breaker_report(gw_breaker_t *breaker, uint64_t now, int answered);
/** "closed", "open" or "half-open". */
const char *gw_breaker_state(const gw_breaker_t *breaker, uint64_t now);

#endif
