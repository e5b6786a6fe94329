/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GW_TOKEN_CACHE_H
#define GW_TOKEN_CACHE_H

#include <apr_pools.h>

#include "apim_marks.h"

/*
 * What the Key Manager answered about a credential and an API, in memory shared by all children. The cache
 * does not know what an answer means: it keeps bytes until they expire, are pushed out, or one of their marks
 * makes them stale.
 *
 * Readers take no lock and write nothing but a "used" flag: each slot carries a sequence number that is odd
 * while it is written (a seqlock); a reader copies and looks at the number again. A hit on a hot token is
 * therefore a read of lines that every core may hold at once; a lock, however fine, would send its line from
 * core to core with every call. Writers, which come after a call to the Key Manager, take one of 128 robust
 * locks a table. A child killed halfway leaves an odd number; readers see a miss, the next writer of that set
 * takes the slot.
 *
 * Eight slots form a set, chosen by the key. Two of them are for refusals only, so that a flood of invented
 * tokens pushes out other refusals but never a good answer. Among its slots a set evicts by CLOCK. An answer
 * up to 896 bytes goes into the table of small slots, up to 8000 into that of large ones (an eighth of the
 * memory); a larger one is not kept, only counted.
 *
 * Times are milliseconds of a clock of the caller's choice that all children share and that never goes back.
 */
#define GW_CACHE_KEY_BYTES 32
#define GW_CACHE_MARKS     5

typedef struct gw_token_cache_t gw_token_cache_t; /* a process's view of the shared memory */

typedef struct gw_cache_key_t {
    uint64_t word[GW_CACHE_KEY_BYTES / 8];
} gw_cache_key_t;

typedef struct gw_cache_entry_t {
    const void *data;
    uint32_t len;
    int refusal;
    uint64_t expires_at;            /* first moment at which it is no longer used */
    uint64_t stamp;                 /* apim_marks_stamp() taken before the Key Manager was asked */
    uint32_t place[GW_CACHE_MARKS]; /* apim_marks_place() of what it depends on */
} gw_cache_entry_t;

typedef struct gw_cache_stats_t {
    uint64_t hits, misses, stale, stores, evictions, too_large;
    uint64_t slots,
        used; /* used: written at least once and not expired (counted by walking: for status pages) */
} gw_cache_stats_t;

/** Least memory a cache can be made in. */
size_t gw_token_cache_min_size(void);

/** Lays out zeroed memory of that size; salt is random. Call once, before other processes see it. 0 on
 * success. */
int gw_token_cache_init(void *memory, size_t size, const uint64_t salt[2]);

/** A view of laid-out memory, allocated in p; NULL if the library refuses SHA-256. */
gw_token_cache_t *gw_token_cache_attach(apr_pool_t *p, void *memory, const apim_marks_t *marks);

/** The key of (credential, API): SHA-256 with the cache's salt. 0 on success. */
int gw_token_cache_key(gw_token_cache_t *cache, const char *credential, size_t len, const char *api_id,
                       gw_cache_key_t *key);

/** 1 and a copy in p if there is a fresh answer, else 0. Any thread; never waits. */
int gw_token_cache_get(gw_token_cache_t *cache, const gw_cache_key_t *key, uint64_t now, apr_pool_t *p,
                       gw_cache_entry_t *entry);

/** Keeps an answer. 1 if it is kept; 0 if it is too large or its lock is not to be had. */
int gw_token_cache_put(gw_token_cache_t *cache, const gw_cache_key_t *key, uint64_t now,
                       const gw_cache_entry_t *entry);

void gw_token_cache_stats(gw_token_cache_t *cache, uint64_t now, gw_cache_stats_t *stats);

#endif
