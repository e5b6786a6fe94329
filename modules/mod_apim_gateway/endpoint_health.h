/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GW_ENDPOINT_HEALTH_H
#define GW_ENDPOINT_HEALTH_H

#include <stddef.h>
#include <stdint.h>

/*
 * What calls have found out about the members of endpoint groups, in memory that all children share: which
 * members are suspended and until when (a circuit breaker for each), and whose turn it is. A fixed table; no
 * lock, each word is changed on its own. A call that goes well changes nothing.
 *
 * After `threshold` failures in a row a member is suspended; when the time is over one call at a time tries
 * it (half-open), the others go on without it. A try that fails suspends it again, for longer; one that goes
 * well closes the circuit.
 *
 * When the table is full, the member that was used least lately is forgotten: its circuit counts as closed.
 * Times are milliseconds of a clock that all children share and that never goes back.
 */
typedef struct gw_health_t gw_health_t;
typedef struct gw_health_slot_t gw_health_slot_t;

typedef struct gw_health_rule_t {
    uint64_t threshold;  /* failures in a row */
    uint64_t first_ms;   /* first suspension */
    uint64_t longest_ms; /* and the longest */
    uint64_t factor;     /* percent by which each is longer than the one before; 100: equally long */
    uint64_t probe_ms;   /* how long a try may take before another call tries */
} gw_health_rule_t;

typedef enum { GW_HEALTH_CLOSED, GW_HEALTH_HALF_OPEN, GW_HEALTH_OPEN } gw_health_e;

size_t gw_health_size(void);

/** The slot of a member or group, by 64 well-mixed bits of its name; made if it is not there. Never NULL. */
gw_health_slot_t *gw_health_slot(gw_health_t *health, uint64_t key, uint64_t now);

/** May it be called now? GW_HEALTH_HALF_OPEN: this call is the one that tries it; it must report. */
gw_health_e gw_health_ask(gw_health_slot_t *slot, const gw_health_rule_t *rule, uint64_t now);

/** The outcome of a call. probe: it was half-open when the call began. weight: how many failures it counts
 * for. Failures of calls that were under way when the member was suspended change nothing. Returns 1 if that
 * suspended it. */
void gw_health_good(gw_health_slot_t *slot);
int gw_health_bad(gw_health_slot_t *slot, const gw_health_rule_t *rule, uint64_t now, int probe,
                  uint64_t weight);

/** When a suspended member is tried next; 0 if it is not suspended. */
uint64_t gw_health_next_try(const gw_health_slot_t *slot);

/** A number that grows by one each time: whose turn it is. */
uint64_t gw_health_turn(gw_health_slot_t *slot);

/** Members that are suspended now. */
int gw_health_suspended(const gw_health_t *health, uint64_t now);

#endif
