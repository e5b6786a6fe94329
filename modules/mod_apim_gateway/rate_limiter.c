/* SPDX-License-Identifier: Apache-2.0 */
#include "rate_limiter.h"

#include <apr_strings.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "apim_siphash.h"
#include "shm_lock.h"

#define WAYS           8
#define ANONYMOUS_WAYS 3
#define LOCKS          1024
#define GROUPS         32
#define COUNTERS       32
#define NAME_MAX_LEN   1024

enum { ALLOWED, REFUSED, EVICTIONS, UNENFORCED };

typedef struct counter_t {
    uint64_t hash[2];
    uint64_t limit, window;
    uint64_t last;    /* time of the newest call */
    uint64_t current; /* calls of the group that is not full yet; its time is last */
    uint32_t head, full;
    uint64_t pad;
    uint64_t group[GROUPS]; /* ring of full groups: the time of the last call of each */
} counter_t;

_Static_assert(sizeof(counter_t) == 320, "five cache lines");

typedef struct stat_line_t {
    uint64_t n[8];
} stat_line_t;

typedef struct header_t {
    uint64_t key[2];
    uint64_t sets;
    uint64_t pad[5];
    stat_line_t stat[COUNTERS];
    gw_shm_lock_t lock[LOCKS];
} header_t;

struct gw_rate_limiter_t {
    header_t *header;
    counter_t *counters;
};

/* -- one counter
 * ------------------------------------------------------------------------------------------------- */

static uint64_t group_size(const counter_t *c)
{
    return c->limit / GROUPS + (c->limit % GROUPS != 0);
}

static uint64_t calls(const counter_t *c)
{
    return c->full * group_size(c) + c->current;
}

static uint64_t oldest(const counter_t *c)
{
    return c->full ? c->group[c->head] : c->last;
}

static void expire(counter_t *c, uint64_t now)
{
    while (c->full && c->group[c->head] + c->window <= now) {
        c->head = (c->head + 1) % GROUPS;
        c->full--;
    }
    if (!c->full && c->current && c->last + c->window <= now) {
        c->current = 0;
    }
}

static void charge(counter_t *c, uint64_t now)
{
    c->last = now > c->last ? now : c->last;
    if (++c->current == group_size(c)) {
        c->group[(c->head + c->full) % GROUPS] = c->last;
        c->full++;
        c->current = 0;
    }
}

static int in_use(const counter_t *c, uint64_t now)
{
    return c->window && (c->full || c->current) && c->last + c->window > now;
}

/* -- the table
 * --------------------------------------------------------------------------------------------------- */

static size_t set_bytes(void)
{
    return WAYS * sizeof(counter_t);
}

size_t gw_rate_limiter_min_size(void)
{
    return sizeof(header_t) + 64 * set_bytes();
}

int gw_rate_limiter_init(void *memory, size_t size, const uint64_t key[2])
{
    header_t *h = memory;
    int i;
    if (size < gw_rate_limiter_min_size()) {
        return -1;
    }
    memcpy(h->key, key, sizeof(h->key));
    h->sets = (size - sizeof(header_t)) / set_bytes();
    for (i = 0; i < LOCKS; i++) {
        if (gw_shm_lock_init(&h->lock[i])) {
            return -1;
        }
    }
    return 0;
}

gw_rate_limiter_t *gw_rate_limiter_attach(apr_pool_t *p, void *memory)
{
    gw_rate_limiter_t *limiter = apr_palloc(p, sizeof(*limiter));
    limiter->header = memory;
    limiter->counters = (counter_t *)(void *)((char *)memory + sizeof(header_t));
    return limiter;
}

static void count(gw_rate_limiter_t *limiter, int what)
{
    unsigned cpu = (unsigned)sched_getcpu();
    __atomic_fetch_add(&limiter->header->stat[cpu % COUNTERS].n[what], 1, __ATOMIC_RELAXED);
}

/* A changed policy is another counter: limit and window are part of the identity. */
static void identify(gw_rate_limiter_t *limiter, gw_limit_t *l)
{
    char text[NAME_MAX_LEN];
    int n = snprintf(text, sizeof(text), "%s\n%llu\n%llu\n%s", l->kind, (unsigned long long)l->limit,
                     (unsigned long long)l->window, l->subject);
    apim_siphash128(limiter->header->key, text, n < NAME_MAX_LEN ? (size_t)n : NAME_MAX_LEN - 1, l->hash);
    l->hash[0] |= 1; /* 0 says "empty" */
}

static uint64_t set_of(const gw_rate_limiter_t *limiter, const gw_limit_t *l)
{
    return ((l->hash[1] >> 32) * limiter->header->sets) >> 32;
}

static counter_t *find(gw_rate_limiter_t *limiter, const gw_limit_t *l)
{
    counter_t *c = limiter->counters + set_of(limiter, l) * WAYS;
    int way;
    for (way = 0; way < WAYS; way++, c++) {
        if (c->hash[0] == l->hash[0] && c->hash[1] == l->hash[1]) {
            return c;
        }
    }
    return NULL;
}

/* Two limits of one call may lie in one set: the second must not push out the first. */
static int is_ours(const counter_t *c, const gw_limit_t *limits, int count_of)
{
    int i;
    for (i = 0; i < count_of; i++) {
        if (c->hash[0] == limits[i].hash[0] && c->hash[1] == limits[i].hash[1]) {
            return 1;
        }
    }
    return 0;
}

static counter_t *victim(gw_rate_limiter_t *limiter, const gw_limit_t *l, const gw_limit_t *limits,
                         int count_of, uint64_t now)
{
    counter_t *first = limiter->counters + set_of(limiter, l) * WAYS, *best = NULL, *c;
    counter_t *from = first + (l->anonymous ? 0 : ANONYMOUS_WAYS),
              *to = first + (l->anonymous ? ANONYMOUS_WAYS : WAYS);
    for (c = from; c < to; c++) {
        if (is_ours(c, limits, count_of)) {
            continue;
        }
        if (!in_use(c, now)) {
            return c;
        }
        if (!best || c->last + c->window < best->last + best->window) {
            best = c;
        }
    }
    if (best) {
        count(limiter, EVICTIONS);
    }
    return best;
}

static counter_t *find_or_make(gw_rate_limiter_t *limiter, const gw_limit_t *l, const gw_limit_t *limits,
                               int count_of, uint64_t now)
{
    counter_t *c = find(limiter, l);
    if (!c) {
        c = victim(limiter, l, limits, count_of, now);
        if (c) {
            memset(c, 0, sizeof(*c));
            c->limit = l->limit;
            c->window = l->window;
            c->hash[1] = l->hash[1];
            __atomic_store_n(&c->hash[0], l->hash[0],
                             __ATOMIC_RELEASE); /* last: a child may die at any store */
        }
    }
    return c;
}

/* -- locks
 * ------------------------------------------------------------------------------------------------------- */

typedef struct held_t {
    unsigned index[GW_LIMITS_MAX];
    int count;
} held_t;

/* The locks of all limits, each once, in ascending order: so no two callers can wait for each other. */
static void locks_needed(const gw_rate_limiter_t *limiter, const gw_limit_t *limits, int n, held_t *locks)
{
    int i, at;
    locks->count = 0;
    for (i = 0; i < n; i++) {
        unsigned lock = (unsigned)(set_of(limiter, &limits[i]) % LOCKS);
        for (at = 0; at < locks->count && locks->index[at] < lock; at++) {
        }
        if (at < locks->count && locks->index[at] == lock) {
            continue;
        }
        memmove(&locks->index[at + 1], &locks->index[at], (size_t)(locks->count - at) * sizeof(unsigned));
        locks->index[at] = lock;
        locks->count++;
    }
}

static void release(gw_rate_limiter_t *limiter, const held_t *locks, int n)
{
    while (n--) {
        gw_shm_unlock(&limiter->header->lock[locks->index[n]]);
    }
}

static int acquire(gw_rate_limiter_t *limiter, const held_t *locks)
{
    int i;
    for (i = 0; i < locks->count; i++) {
        if (!gw_shm_lock(&limiter->header->lock[locks->index[i]])) {
            release(limiter, locks, i);
            return 0;
        }
    }
    return 1;
}

/* -- the call
 * ---------------------------------------------------------------------------------------------------- */

static void look(gw_rate_limiter_t *limiter, gw_limit_t *l, uint64_t now)
{
    counter_t *c = find(limiter, l);
    uint64_t used = 0;
    l->reset = l->limit ? 0 : l->window;
    if (c) {
        expire(c, now);
        used = calls(c);
        l->reset = used && oldest(c) + c->window > now ? oldest(c) + c->window - now : l->reset;
    }
    l->remaining = l->limit > used ? l->limit - used : 0;
    l->over = l->remaining == 0;
}

static int look_at_all(gw_rate_limiter_t *limiter, gw_limit_t *limits, int n, uint64_t now)
{
    int i, refusing = -1;
    for (i = 0; i < n; i++) {
        look(limiter, &limits[i], now);
        if (limits[i].over && limits[i].enforced && refusing < 0) {
            refusing = i;
        }
    }
    return refusing;
}

static void charge_all(gw_rate_limiter_t *limiter, gw_limit_t *limits, int n, uint64_t now)
{
    int i;
    for (i = 0; i < n; i++) {
        counter_t *c = limits[i].over ? NULL : find_or_make(limiter, &limits[i], limits, n, now);
        if (c) {
            charge(c, now);
            limits[i].remaining--;
            limits[i].reset = oldest(c) + c->window > now ? oldest(c) + c->window - now : 0;
        }
    }
}

static void allow_all(gw_limit_t *limits, int n)
{
    int i;
    for (i = 0; i < n; i++) {
        limits[i].over = 0;
        limits[i].remaining = limits[i].limit;
        limits[i].reset = 0;
    }
}

int gw_rate_limiter_take(gw_rate_limiter_t *limiter, gw_limit_t *limits, int n, uint64_t now)
{
    held_t locks;
    int i, refusing;
    for (i = 0; i < n; i++) {
        identify(limiter, &limits[i]);
    }
    locks_needed(limiter, limits, n, &locks);
    if (!acquire(limiter, &locks)) {
        allow_all(limits, n);
        count(limiter, UNENFORCED);
        return -1;
    }
    refusing = look_at_all(limiter, limits, n, now);
    if (refusing < 0) {
        charge_all(limiter, limits, n, now);
    }
    release(limiter, &locks, locks.count);
    count(limiter, refusing < 0 ? ALLOWED : REFUSED);
    return refusing;
}

static uint64_t sum(const gw_rate_limiter_t *limiter, int what)
{
    uint64_t total = 0;
    int i;
    for (i = 0; i < COUNTERS; i++) {
        total += __atomic_load_n(&limiter->header->stat[i].n[what], __ATOMIC_RELAXED);
    }
    return total;
}

void gw_rate_limiter_stats(gw_rate_limiter_t *limiter, uint64_t now, gw_rate_stats_t *stats)
{
    uint64_t set;
    int way;
    memset(stats, 0, sizeof(*stats));
    stats->slots = limiter->header->sets * WAYS;
    for (set = 0; set < limiter->header->sets; set++) {
        gw_shm_lock_t *lock = &limiter->header->lock[set % LOCKS];
        if (!gw_shm_lock(lock)) {
            continue;
        }
        for (way = 0; way < WAYS; way++) {
            stats->used += in_use(&limiter->counters[set * WAYS + (uint64_t)way], now);
        }
        gw_shm_unlock(lock);
    }
    stats->allowed = sum(limiter, ALLOWED);
    stats->refused = sum(limiter, REFUSED);
    stats->evictions = sum(limiter, EVICTIONS);
    stats->unenforced = sum(limiter, UNENFORCED);
}
