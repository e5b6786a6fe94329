/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GW_RATE_LIMITER_H
#define GW_RATE_LIMITER_H

#include <apr_pools.h>
#include <stdint.h>

/*
 * Request limits in memory shared by all children: "at most `limit` calls in any `window`".
 *
 * The window slides: however it is laid over time, never more than `limit` calls fall into it; there is no
 * edge at which twice the limit passes. A limit keeps its calls in at most 33 groups of ceil(limit/32) calls,
 * each with the time of its last call, and a group counts until its last call is a window old. So a limit up
 * to 32 is exact; above, capacity comes back at most one group late: a caller at full rate gets at least
 * 31/32 of its limit and never more than all of it. This holds for windows from a second to years and for
 * counts up to 2^62, in 320 bytes.
 *
 * A call that several limits apply to is counted by all or by none: the sets that the limits lie in are
 * locked (robust locks in ascending order, held for some hundred nanoseconds), all limits are looked at, and
 * only if all allow are all charged.
 *
 * Memory is bounded. Eight counters form a set, chosen by a keyed hash; three of them are for callers without
 * credentials (anonymous), so that a flood of addresses cannot push out counters of applications. When all
 * counters of a set are in use the one whose window ends first makes room (its calls are forgotten, so its
 * caller may get up to its limit anew); this is counted. If a lock cannot be had within 100 ms the limits are
 * not applied to that call; this is counted too.
 *
 * Times are milliseconds of a clock that all children share and that never goes back. Any thread of any child
 * may call.
 */
#define GW_LIMITS_MAX 6

typedef struct gw_rate_limiter_t gw_rate_limiter_t; /* a process's view of the shared memory */

typedef struct gw_limit_t {
    /* in */
    const char *kind;    /* what kind of limit ("subscription"): part of the identity */
    const char *subject; /* whose ("application-id/api-id"): part of the identity */
    uint64_t limit;      /* calls a window; 0 lets none pass */
    uint64_t window;     /* milliseconds, > 0 */
    int anonymous;       /* the subject was not authenticated */
    int enforced;        /* 0: lets pass what is over, but says so (WSO2: stopOnQuotaReach false) */
    /* out */
    int over;           /* this limit does not allow the call */
    uint64_t remaining; /* calls left after this one */
    uint64_t reset;     /* milliseconds until calls come back (0: none is used) */
    /* private */
    uint64_t hash[2];
} gw_limit_t;

typedef struct gw_rate_stats_t {
    uint64_t allowed, refused, evictions, unenforced;
    uint64_t slots, used;
} gw_rate_stats_t;

size_t gw_rate_limiter_min_size(void);

/** Lays out zeroed memory of that size; key is random. Once, before other processes see it. 0 on success. */
int gw_rate_limiter_init(void *memory, size_t size, const uint64_t key[2]);

gw_rate_limiter_t *gw_rate_limiter_attach(apr_pool_t *p, void *memory);

/**
 * Asks all limits for one call and, if none that is enforced is over, charges them. Returns the index of the
 * first enforced limit that is over, or -1. Fills the out members of every limit either way. At most
 * GW_LIMITS_MAX.
 */
int gw_rate_limiter_take(gw_rate_limiter_t *limiter, gw_limit_t *limits, int count, uint64_t now);

void gw_rate_limiter_stats(gw_rate_limiter_t *limiter, uint64_t now, gw_rate_stats_t *stats);

#endif
