/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GW_USAGE_RING_H
#define GW_USAGE_RING_H

#include <stddef.h>
#include <stdint.h>

/*
 * What calls leave behind for those who count them: a ring of records in memory that all children share. Any
 * number of threads of any process put records in, without a lock and without waiting; one reader takes them
 * out in order. What is read stays in the ring until the reader releases it, so that the records of a reader
 * that was killed are read again by the next.
 *
 * A full ring drops records and counts them: a call never waits for its own accounting.
 */
#define GW_USAGE_ID       40
#define GW_USAGE_RESOURCE 96
#define GW_USAGE_NAME     64
#define GW_USAGE_VERB     12

typedef struct gw_usage_record_t {
    int64_t time;        /* ms since the epoch, when the call came */
    uint32_t total_us;   /* until the last byte was sent; UINT32_MAX at most, as all that follow */
    uint32_t backend_us; /* from handing the call over until the back end's first byte; 0: none was asked */
    uint64_t bytes_in;   /* body announced by Content-Length */
    uint64_t bytes_out;  /* body sent */
    int32_t code;        /* of a refusal or failure of the gateway's (900802); 0: the back end answered */
    uint16_t status;     /* HTTP */
    char key_type;       /* 'P' production, 'S' sandbox, '-' no key */
    char api_id[GW_USAGE_ID]; /* "": no API has this path */
    char api_name[GW_USAGE_NAME];
    char api_version[32];
    char resource[GW_USAGE_RESOURCE]; /* "/menu/{id}"; "": none */
    char verb[GW_USAGE_VERB];
    char application_id[GW_USAGE_ID];
    char user[GW_USAGE_NAME];
    char tier[GW_USAGE_NAME]; /* of the subscription */
} gw_usage_record_t;

typedef struct gw_usage_ring_t gw_usage_ring_t;

/** Lays a ring out in size bytes; NULL if they are too few for 16 records. */
gw_usage_ring_t *gw_usage_ring_init(void *memory, size_t size);

/** Puts a copy of a record in. -1: the ring is full, the record is counted as lost. */
int gw_usage_ring_put(gw_usage_ring_t *ring, const gw_usage_record_t *record);

/** Where reading begins: after all that was released. */
uint64_t gw_usage_ring_begin(const gw_usage_ring_t *ring);

/**
 * Reads the record at *position and moves on. 0: there is none yet. now: ms of any clock that does not go
 * back; a record whose writer has not finished it after GW_USAGE_PATIENCE ms (it was killed) is passed over
 * and counted as lost; stuck is the reader's own, 0 at first. now 0: nobody writes any more, nothing is
 * waited for. Strings come terminated.
 */
#define GW_USAGE_PATIENCE 2000
int gw_usage_ring_read(gw_usage_ring_t *ring, uint64_t *position, uint64_t now, uint64_t *stuck,
                       gw_usage_record_t *out);

/** Gives the room of everything before position back. */
void gw_usage_ring_release(gw_usage_ring_t *ring, uint64_t position);

/** Records lost since the ring was made; how many are waiting, and how many find room. */
uint64_t gw_usage_ring_lost(const gw_usage_ring_t *ring);
uint64_t gw_usage_ring_waiting(const gw_usage_ring_t *ring);
uint64_t gw_usage_ring_capacity(const gw_usage_ring_t *ring);

#endif
