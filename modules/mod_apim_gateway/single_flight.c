/* SPDX-License-Identifier: Apache-2.0 */
#include "single_flight.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#define WORDS         4096u
#define RESULT_MS     256 /* how long a result without an entry in the cache is told */
#define TICK_MS       32 /* unit of deadlines: 24 bits of it wrap after six days, so comparisons are modular */
#define DEADLINE_BITS 24
#define PID_BITS      22 /* Linux: at most 4194304 */
#define STATE_BITS    2
#define MASK(bits)    ((1ULL << (bits)) - 1)

/* A word: 16 bits of the key's hash | state | process id | deadline in ticks. 0: free. */
enum { FREE, ASKING, FAILED, NOT_KEPT };

struct gw_single_flight_t {
    uint64_t word[WORDS];
};

size_t gw_single_flight_size(void)
{
    return sizeof(gw_single_flight_t);
}

gw_single_flight_t *gw_single_flight_init(void *memory)
{
    return memory;
}

static uint64_t make(uint64_t hash, int state, uint64_t deadline)
{
    uint64_t ticks = ((deadline + TICK_MS - 1) / TICK_MS) & MASK(DEADLINE_BITS);
    uint64_t pid = (uint64_t)getpid() & MASK(PID_BITS);
    return (hash >> 48) << 48 | (uint64_t)state << (PID_BITS + DEADLINE_BITS) | pid << DEADLINE_BITS | ticks;
}

static int state_of(uint64_t word)
{
    return (int)((word >> (PID_BITS + DEADLINE_BITS)) & MASK(STATE_BITS));
}

static int is_over(uint64_t word, uint64_t now)
{
    uint64_t left = ((word & MASK(DEADLINE_BITS)) - now / TICK_MS) & MASK(DEADLINE_BITS);
    return left == 0 || left > MASK(DEADLINE_BITS) / 2;
}

static int is_dead(uint64_t word)
{
    pid_t pid = (pid_t)((word >> DEADLINE_BITS) & MASK(PID_BITS));
    return pid != (pid_t)((uint64_t)getpid() & MASK(PID_BITS)) && kill(pid, 0) < 0 && errno == ESRCH;
}

static int is_free(uint64_t word, uint64_t now, int waited)
{
    return word == 0 || is_over(word, now) || (state_of(word) == ASKING && is_dead(word)) ||
           (state_of(word) == FAILED && !waited);
}

gw_flight_e gw_flight_begin(gw_single_flight_t *flights, uint64_t hash, uint64_t now, uint64_t deadline,
                            int waited, gw_flight_t *flight)
{
    uint64_t *word = &flights->word[hash % WORDS];
    uint64_t old = __atomic_load_n(word, __ATOMIC_ACQUIRE);
    flight->word = NULL;
    while (is_free(old, now, waited)) {
        flight->claim = make(hash, ASKING, deadline);
        if (__atomic_compare_exchange_n(word, &old, flight->claim, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
            flight->word = word;
            return GW_FLIGHT_ASK;
        }
    }
    if (old >> 48 != hash >> 48) {
        return GW_FLIGHT_ALONE;
    }
    switch (state_of(old)) {
    case FAILED:
        return GW_FLIGHT_FAILED;
    case NOT_KEPT:
        return GW_FLIGHT_ALONE;
    default:
        return GW_FLIGHT_WAIT;
    }
}

void gw_flight_done(gw_flight_t *flight, uint64_t now, gw_flight_result_e result)
{
    uint64_t next = 0, hash;
    if (!flight->word) {
        return;
    }
    hash = flight->claim & ~MASK(48);
    if (result != GW_FLIGHT_KEPT) {
        next = make(hash, result == GW_FLIGHT_NOT_KEPT ? NOT_KEPT : FAILED, now + RESULT_MS);
    }
    __atomic_compare_exchange_n(flight->word, &flight->claim, next, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
    flight->word = NULL;
}
