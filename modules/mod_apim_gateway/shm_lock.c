/* SPDX-License-Identifier: Apache-2.0 */
#include "shm_lock.h"

#include <errno.h>
#include <time.h>

#define WAIT_NS 100000000L

_Static_assert(sizeof(pthread_mutex_t) <= 64, "a lock fills one cache line");

int gw_shm_lock_init(gw_shm_lock_t *lock)
{
    pthread_mutexattr_t attr;
    int rc = pthread_mutexattr_init(&attr);
    if (rc) {
        return rc;
    }
    rc = pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
    if (!rc) {
        rc = pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
    }
    if (!rc) {
        rc = pthread_mutex_init(&lock->mutex, &attr);
    }
    pthread_mutexattr_destroy(&attr);
    return rc;
}

static int lock_slowly(gw_shm_lock_t *lock)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += WAIT_NS;
    if (until.tv_nsec >= 1000000000L) {
        until.tv_nsec -= 1000000000L;
        until.tv_sec++;
    }
    return pthread_mutex_timedlock(&lock->mutex, &until);
}

int gw_shm_lock(gw_shm_lock_t *lock)
{
    int rc = pthread_mutex_trylock(&lock->mutex);
    if (rc == EBUSY) {
        rc = lock_slowly(lock);
    }
    if (rc == EOWNERDEAD) {
        rc = pthread_mutex_consistent(&lock->mutex);
    }
    return rc == 0;
}

void gw_shm_unlock(gw_shm_lock_t *lock)
{
    pthread_mutex_unlock(&lock->mutex);
}
