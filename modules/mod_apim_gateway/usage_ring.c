/* SPDX-License-Identifier: Apache-2.0 */
#include "usage_ring.h"

#include <string.h>

#define MIN_SLOTS 16

/* turn is position + 1 once the record of that position is complete: what an earlier lap left never counts.
 */
typedef struct slot_t {
    uint64_t turn;
    gw_usage_record_t record;
} slot_t;

struct gw_usage_ring_t {
    uint64_t capacity;
    uint64_t lost;
    char apart1[48];
    uint64_t head; /* next position to write; on a cache line of its own, all writers change it */
    char apart2[56];
    uint64_t tail; /* first position that is not released */
    char apart3[56];
    slot_t slots[];
};

gw_usage_ring_t *gw_usage_ring_init(void *memory, size_t size)
{
    gw_usage_ring_t *ring = memory;
    size_t slots = size > sizeof(*ring) ? (size - sizeof(*ring)) / sizeof(slot_t) : 0;
    if (slots < MIN_SLOTS) {
        return NULL;
    }
    memset(ring, 0, sizeof(*ring));
    ring->capacity = slots;
    return ring;
}

int gw_usage_ring_put(gw_usage_ring_t *ring, const gw_usage_record_t *record)
{
    uint64_t position = __atomic_load_n(&ring->head, __ATOMIC_RELAXED);
    slot_t *slot;
    do {
        if (position - __atomic_load_n(&ring->tail, __ATOMIC_ACQUIRE) >= ring->capacity) {
            __atomic_add_fetch(&ring->lost, 1, __ATOMIC_RELAXED);
            return -1;
        }
    } while (!__atomic_compare_exchange_n(&ring->head, &position, position + 1, 1, __ATOMIC_RELAXED,
                                          __ATOMIC_RELAXED));
    slot = &ring->slots[position % ring->capacity];
    slot->record = *record;
    __atomic_store_n(&slot->turn, position + 1, __ATOMIC_RELEASE);
    return 0;
}

uint64_t gw_usage_ring_begin(const gw_usage_ring_t *ring)
{
    return __atomic_load_n(&ring->tail, __ATOMIC_ACQUIRE);
}

static void terminate(gw_usage_record_t *r)
{
    r->api_id[sizeof(r->api_id) - 1] = '\0';
    r->api_name[sizeof(r->api_name) - 1] = '\0';
    r->api_version[sizeof(r->api_version) - 1] = '\0';
    r->resource[sizeof(r->resource) - 1] = '\0';
    r->verb[sizeof(r->verb) - 1] = '\0';
    r->application_id[sizeof(r->application_id) - 1] = '\0';
    r->user[sizeof(r->user) - 1] = '\0';
    r->tier[sizeof(r->tier) - 1] = '\0';
}

int gw_usage_ring_read(gw_usage_ring_t *ring, uint64_t *position, uint64_t now, uint64_t *stuck,
                       gw_usage_record_t *out)
{
    while (*position < __atomic_load_n(&ring->head, __ATOMIC_ACQUIRE)) {
        slot_t *slot = &ring->slots[*position % ring->capacity];
        if (__atomic_load_n(&slot->turn, __ATOMIC_ACQUIRE) == *position + 1) {
            *out = slot->record;
            terminate(out);
            *stuck = 0;
            (*position)++;
            return 1;
        }
        if (now && !*stuck) {
            *stuck = now;
        }
        if (now && now - *stuck < GW_USAGE_PATIENCE) {
            return 0;
        }
        *stuck = 0;
        (*position)++;
        __atomic_add_fetch(&ring->lost, 1, __ATOMIC_RELAXED);
    }
    return 0;
}

void gw_usage_ring_release(gw_usage_ring_t *ring, uint64_t position)
{
    __atomic_store_n(&ring->tail, position, __ATOMIC_RELEASE);
}

uint64_t gw_usage_ring_lost(const gw_usage_ring_t *ring)
{
    return __atomic_load_n(&ring->lost, __ATOMIC_RELAXED);
}

uint64_t gw_usage_ring_waiting(const gw_usage_ring_t *ring)
{
    return __atomic_load_n(&ring->head, __ATOMIC_RELAXED) - __atomic_load_n(&ring->tail, __ATOMIC_RELAXED);
}

uint64_t gw_usage_ring_capacity(const gw_usage_ring_t *ring)
{
    return ring->capacity;
}
