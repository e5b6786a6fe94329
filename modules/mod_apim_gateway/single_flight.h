/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GW_SINGLE_FLIGHT_H
#define GW_SINGLE_FLIGHT_H

#include <stddef.h>
#include <stdint.h>

/*
 * One question for many who wait: of all threads of all children that miss the same key, one asks, the others
 * wait for what it finds. A fixed table of 64-bit words in shared memory; a word says which key is being
 * asked about, by which process, and until when. Nobody holds a lock: an asker that dies is noticed by its
 * process id, one that hangs by its deadline, and the next takes over. Two keys that share a word (1 in 4096)
 * do not wait for each other: the second asks on its own.
 *
 * Times are milliseconds of a clock that all children share and that never goes back.
 */
typedef struct gw_single_flight_t gw_single_flight_t;

typedef enum {
    GW_FLIGHT_ASK,   /* you ask; end with gw_flight_done */
    GW_FLIGHT_WAIT,  /* somebody asks: nap, look into the cache, try again */
    GW_FLIGHT_ALONE, /* ask without telling anybody: the word is in use for another key, or the answer cannot
                        be kept */
    GW_FLIGHT_FAILED /* whoever asked just failed */
} gw_flight_e;

typedef enum {
    GW_FLIGHT_KEPT,     /* the answer is in the cache */
    GW_FLIGHT_NOT_KEPT, /* there is an answer, but the cache did not take it: others need not queue for it */
    GW_FLIGHT_NO_ANSWER /* the Key Manager could not be asked */
} gw_flight_result_e;

typedef struct gw_flight_t {
    uint64_t *word; /* NULL unless the ticket is GW_FLIGHT_ASK */
    uint64_t claim;
} gw_flight_t;

size_t gw_single_flight_size(void);

/** Prepares zeroed memory. */
gw_single_flight_t *gw_single_flight_init(void *memory);

/** What to do about a key. hash: 64 well-mixed bits of it. deadline: when an asker that is not done counts as
 * lost. waited: the caller has waited before, so a failure of the asker is its own too; who comes new asks
 * anew. */
gw_flight_e gw_flight_begin(gw_single_flight_t *flights, uint64_t hash, uint64_t now, uint64_t deadline,
                            int waited, gw_flight_t *flight);

/** Tells those who wait. Safe after the deadline (somebody else may have taken over). */
void gw_flight_done(gw_flight_t *flight, uint64_t now, gw_flight_result_e result);

#endif
