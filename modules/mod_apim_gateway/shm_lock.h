/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GW_SHM_LOCK_H
#define GW_SHM_LOCK_H

#include <pthread.h>

/*
 * A lock in shared memory, between the threads of all children. Robust: when a child dies while it holds one
 * (kill -9, crash), the kernel hands it to the next who asks. So what it guards must be usable after every
 * single store of a writer. Many small locks stand beside each other; a cache line each keeps them from
 * slowing one another down.
 */
typedef union gw_shm_lock_t {
    pthread_mutex_t mutex;
    char line[64];
} gw_shm_lock_t;

/** Prepares a lock; once, before any other process can see it. 0 on success, else an errno value. */
int gw_shm_lock_init(gw_shm_lock_t *lock);

/** Takes the lock. 1: held. 0: not to be had within 100 ms (its holder is stopped by a debugger, say): do
 * without. */
int gw_shm_lock(gw_shm_lock_t *lock);

void gw_shm_unlock(gw_shm_lock_t *lock);

#endif
