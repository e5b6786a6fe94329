/* SPDX-License-Identifier: Apache-2.0 */
#include "endpoint_health.h"

#define SLOTS 4096
#define TRIES 8

struct gw_health_slot_t {
    uint64_t key;        /* 0: free */
    uint64_t used;       /* when it was last asked for, coarsely */
    uint64_t failures;   /* in a row */
    uint64_t open_until; /* 0: closed */
    uint64_t suspension; /* length of the last one */
    uint64_t turn;
};

struct gw_health_t {
    gw_health_slot_t slot[SLOTS];
};

static uint64_t load(const uint64_t *word)
{
    return __atomic_load_n(word, __ATOMIC_RELAXED);
}

static void store(uint64_t *word, uint64_t value)
{
    __atomic_store_n(word, value, __ATOMIC_RELAXED);
}

size_t gw_health_size(void)
{
    return sizeof(gw_health_t);
}

/* -- slots
 * ---------------------------------------------------------------------------------------------------------
 */

static void touch(gw_health_slot_t *slot, uint64_t now)
{
    if (now - load(&slot->used) > 1000) {
        store(&slot->used, now);
    }
}

/* Two that take over the same slot at once share it for a while: no harm but a circuit too much in common. */
static gw_health_slot_t *take_over(gw_health_slot_t *slot, uint64_t key, uint64_t now)
{
    store(&slot->failures, 0);
    store(&slot->open_until, 0);
    store(&slot->suspension, 0);
    store(&slot->used, now);
    store(&slot->key, key);
    return slot;
}

gw_health_slot_t *gw_health_slot(gw_health_t *health, uint64_t key, uint64_t now)
{
    gw_health_slot_t *oldest = NULL;
    uint64_t i;
    key = key ? key : 1;
    for (i = 0; i < TRIES; i++) {
        gw_health_slot_t *slot = &health->slot[(key + i) % SLOTS];
        uint64_t none = 0;
        if (load(&slot->key) == key) {
            touch(slot, now);
            return slot;
        }
        if (__atomic_compare_exchange_n(&slot->key, &none, key, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
            return take_over(slot, key, now);
        }
        oldest = !oldest || load(&slot->used) < load(&oldest->used) ? slot : oldest;
    }
    return take_over(oldest, key, now);
}

/* -- circuits
 * ------------------------------------------------------------------------------------------------------ */

gw_health_e gw_health_ask(gw_health_slot_t *slot, const gw_health_rule_t *rule, uint64_t now)
{
    uint64_t until = load(&slot->open_until);
    if (!until) {
        return GW_HEALTH_CLOSED;
    }
    if (now < until) {
        return GW_HEALTH_OPEN;
    }
    /* One of all that come now: the time until the next try moves on. */
    return __atomic_compare_exchange_n(&slot->open_until, &until, now + rule->probe_ms, 0, __ATOMIC_RELAXED,
                                       __ATOMIC_RELAXED)
               ? GW_HEALTH_HALF_OPEN
               : GW_HEALTH_OPEN;
}

void gw_health_good(gw_health_slot_t *slot)
{
    if (load(&slot->failures)) {
        store(&slot->failures, 0);
    }
    if (load(&slot->open_until)) {
        store(&slot->suspension, 0);
        store(&slot->open_until, 0);
    }
}

int gw_health_bad(gw_health_slot_t *slot, const gw_health_rule_t *rule, uint64_t now, int probe,
                  uint64_t weight)
{
    uint64_t failures = __atomic_add_fetch(&slot->failures, weight, __ATOMIC_RELAXED);
    uint64_t last = load(&slot->suspension), next = rule->first_ms, none = 0;
    if (probe) {
        next = last ? last * rule->factor / 100 : rule->first_ms;
        next = next < rule->longest_ms ? next : rule->longest_ms;
        store(&slot->suspension, next);
        store(&slot->open_until, now + next);
        return 0;
    }
    if (failures < rule->threshold || !__atomic_compare_exchange_n(&slot->open_until, &none, now + next, 0,
                                                                   __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
        return 0;
    }
    store(&slot->suspension, next);
    return 1;
}

uint64_t gw_health_next_try(const gw_health_slot_t *slot)
{
    return load(&slot->open_until);
}

uint64_t gw_health_turn(gw_health_slot_t *slot)
{
    return __atomic_fetch_add(&slot->turn, 1, __ATOMIC_RELAXED);
}

int gw_health_suspended(const gw_health_t *health, uint64_t now)
{
    int i, count = 0;
    for (i = 0; i < SLOTS; i++) {
        count += load(&health->slot[i].open_until) > now;
    }
    return count;
}
