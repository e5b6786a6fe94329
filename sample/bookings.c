/* SPDX-License-Identifier: Apache-2.0 */
#include "bookings.h"

#include <apr_global_mutex.h>
#include <apr_shm.h>
#include <string.h>
#include <util_mutex.h>

#include "apim_text.h"
#include "huts.h"

#define MUTEX_NAME "trail-huts"

typedef struct table_t {
    unsigned int next; /* slot of the next booking */
    booking_t slots[SAMPLE_MAX_BOOKINGS];
} table_t;

static table_t *table;
static apr_global_mutex_t *mutex;

apr_status_t sample_bookings_register(apr_pool_t *pconf)
{
    return ap_mutex_register(pconf, MUTEX_NAME, NULL, APR_LOCK_DEFAULT, 0);
}

apr_status_t sample_bookings_create(apr_pool_t *pconf, server_rec *s)
{
    apr_shm_t *shm;
    apr_status_t rv = ap_global_mutex_create(&mutex, NULL, MUTEX_NAME, NULL, s, pconf, 0);
    if (rv == APR_SUCCESS) {
        rv = apr_shm_create(&shm, sizeof(*table), NULL, pconf);
    }
    if (rv == APR_SUCCESS) {
        table = apr_shm_baseaddr_get(shm);
        memset(table, 0, sizeof(*table));
    }
    return rv;
}

apr_status_t sample_bookings_child_init(apr_pool_t *pchild)
{
    return mutex ? apr_global_mutex_child_init(&mutex, apr_global_mutex_lockfile(mutex), pchild)
                 : APR_SUCCESS;
}

static void lock(void)
{
    if (mutex) {
        apr_global_mutex_lock(mutex);
    }
}

static void unlock(void)
{
    if (mutex) {
        apr_global_mutex_unlock(mutex);
    }
}

/* Beds that other guests took long ago: the same for everyone, so that answers look real and can be tested.
 */
static int taken_before(const hut_t *hut, int hut_index, int day)
{
    unsigned int mix = (unsigned int)hut_index * 2654435761U ^ (unsigned int)day * 40503U;
    mix ^= mix >> 13;
    return (int)(mix % (unsigned int)(hut->beds / 2 + 1));
}

static int free_beds(int hut_index, int day)
{
    const hut_t *hut = sample_hut(hut_index);
    int i, beds = hut->beds - taken_before(hut, hut_index, day);
    for (i = 0; i < SAMPLE_MAX_BOOKINGS; i++) {
        const booking_t *b = &table->slots[i];
        if (b->id[0] && !b->cancelled && b->hut == hut_index && day >= b->day && day < b->day + b->nights) {
            beds -= b->beds;
        }
    }
    return beds > 0 ? beds : 0;
}

int sample_free_beds(int hut, int day)
{
    int beds;
    lock();
    beds = free_beds(hut, day);
    unlock();
    return beds;
}

static int fits(const booking_t *b, int *day)
{
    for (*day = b->day; *day < b->day + b->nights; (*day)++) {
        if (free_beds(b->hut, *day) < b->beds) {
            return 0;
        }
    }
    return 1;
}

int sample_book(booking_t *booking, int *day)
{
    int done;
    booking->booked_at = apim_now_ms();
    lock();
    done = fits(booking, day);
    if (done) {
        table->slots[table->next % SAMPLE_MAX_BOOKINGS] = *booking;
        table->next++;
    }
    unlock();
    return done;
}

/* Call with the mutex held. */
static booking_t *find(const char *id)
{
    int i;
    for (i = 0; *id && i < SAMPLE_MAX_BOOKINGS; i++) {
        if (strcmp(table->slots[i].id, id) == 0) {
            return &table->slots[i];
        }
    }
    return NULL;
}

int sample_booking(const char *id, booking_t *out)
{
    booking_t *b;
    lock();
    b = find(id);
    if (b) {
        *out = *b;
    }
    unlock();
    return b != NULL;
}

int sample_cancel(const char *id)
{
    booking_t *b;
    int done;
    lock();
    b = find(id);
    done = b && !b->cancelled;
    if (done) {
        b->cancelled = 1;
    }
    unlock();
    return done;
}
