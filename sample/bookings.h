/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SAMPLE_BOOKINGS_H
#define SAMPLE_BOOKINGS_H

#include <httpd.h>

/*
 * Bookings of the sample back end, in memory that all children of one httpd share. There is room for
 * SAMPLE_MAX_BOOKINGS; a further one takes the place of the oldest. They are gone after a restart.
 * Any thread of any child may call; a mutex guards the table for the moment it is read or changed.
 */
#define SAMPLE_MAX_BOOKINGS 512
#define SAMPLE_ID_LEN       36
#define SAMPLE_MAX_GUEST    80 /* bytes */
#define SAMPLE_MAX_NIGHTS   31

typedef struct booking_t {
    char id[SAMPLE_ID_LEN + 1]; /* a UUID; empty: the slot is free */
    char guest[SAMPLE_MAX_GUEST + 1];
    int hut; /* index of the hut */
    int day; /* first night, days since 1970-01-01 */
    int nights, beds, cancelled;
    apr_int64_t booked_at; /* ms since the epoch */
} booking_t;

/** Names the mutex; call in pre_config. */
apr_status_t sample_bookings_register(apr_pool_t *pconf);
/** Makes memory and mutex; call in post_config. */
apr_status_t sample_bookings_create(apr_pool_t *pconf, server_rec *s);
/** Call in child_init. */
apr_status_t sample_bookings_child_init(apr_pool_t *pchild);

/** Free beds of the hut in that night. */
int sample_free_beds(int hut, int day);

/** Enters a booking that has its id, and fills in booked_at. 0 if some night has too few free beds: *day is
 * that night. */
int sample_book(booking_t *booking, int *day);

/** Copies the booking with this id; 0 if there is none. */
int sample_booking(const char *id, booking_t *out);

/** Cancels it; 0 if there is no such booking, or it has been cancelled. */
int sample_cancel(const char *id);

#endif
