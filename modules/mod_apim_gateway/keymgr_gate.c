/* SPDX-License-Identifier: Apache-2.0 */
#include "keymgr_gate.h"

#include <pthread.h>
#include <time.h>

#define FAILURES_TO_OPEN 5
#define OPEN_MS          1000
#define TRIAL_MS         10000 /* how long one trial keeps others out, should its child die */

struct gw_keymgr_gate_t {
    gw_breaker_t *breaker;
    pthread_mutex_t mutex;
    pthread_cond_t freed;
    int connections, used, waiting;
};

int gw_breaker_allows(gw_breaker_t *breaker, uint64_t now)
{
    uint64_t until = __atomic_load_n(&breaker->open_until, __ATOMIC_ACQUIRE);
    if (__atomic_load_n(&breaker->failures, __ATOMIC_ACQUIRE) < FAILURES_TO_OPEN) {
        return 1;
    }
    return until <= now && __atomic_compare_exchange_n(&breaker->open_until, &until, now + TRIAL_MS, 0,
                                                       __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

void gw_breaker_report(gw_breaker_t *breaker, uint64_t now, int answered)
{
    if (answered) {
        if (__atomic_load_n(&breaker->failures, __ATOMIC_RELAXED)) {
            __atomic_store_n(&breaker->failures, 0, __ATOMIC_RELEASE);
        }
    }
    else if (__atomic_add_fetch(&breaker->failures, 1, __ATOMIC_ACQ_REL) >= FAILURES_TO_OPEN) {
        __atomic_store_n(&breaker->open_until, now + OPEN_MS, __ATOMIC_RELEASE);
    }
}

const char *gw_breaker_state(const gw_breaker_t *breaker, uint64_t now)
{
    if (__atomic_load_n(&breaker->failures, __ATOMIC_RELAXED) < FAILURES_TO_OPEN) {
        return "closed";
    }
    return __atomic_load_n(&breaker->open_until, __ATOMIC_RELAXED) > now ? "open" : "half-open";
}

static apr_status_t destroy(void *data)
{
    gw_keymgr_gate_t *gate = data;
    pthread_cond_destroy(&gate->freed);
    pthread_mutex_destroy(&gate->mutex);
    return APR_SUCCESS;
}

gw_keymgr_gate_t *gw_keymgr_gate_make(apr_pool_t *p, gw_breaker_t *breaker, int connections)
{
    gw_keymgr_gate_t *gate = apr_pcalloc(p, sizeof(*gate));
    gate->breaker = breaker;
    gate->connections = connections > 0 ? connections : 1;
    pthread_mutex_init(&gate->mutex, NULL);
    pthread_cond_init(&gate->freed, NULL);
    apr_pool_cleanup_register(p, gate, destroy, apr_pool_cleanup_null);
    return gate;
}

static int wait_for_place(gw_keymgr_gate_t *gate, uint64_t milliseconds)
{
    struct timespec until;
    int rc = 0;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += (time_t)(milliseconds / 1000);
    until.tv_nsec += (long)(milliseconds % 1000) * 1000000L;
    if (until.tv_nsec >= 1000000000L) {
        until.tv_nsec -= 1000000000L;
        until.tv_sec++;
    }
    gate->waiting++;
    while (gate->used >= gate->connections && rc == 0) {
        rc = pthread_cond_timedwait(&gate->freed, &gate->mutex, &until);
    }
    gate->waiting--;
    return gate->used < gate->connections;
}

gw_gate_e gw_keymgr_gate_enter(gw_keymgr_gate_t *gate, uint64_t now, uint64_t deadline)
{
    int got;
    pthread_mutex_lock(&gate->mutex);
    got = gate->used < gate->connections || (gate->waiting < (gate->connections + 1) / 2 && deadline > now &&
                                             wait_for_place(gate, deadline - now));
    if (got) {
        gate->used++;
    }
    pthread_mutex_unlock(&gate->mutex);
    if (!got) {
        return GW_GATE_BUSY;
    }
    if (!gw_breaker_allows(gate->breaker, now)) {
        pthread_mutex_lock(&gate->mutex);
        gate->used--;
        pthread_cond_signal(&gate->freed);
        pthread_mutex_unlock(&gate->mutex);
        return GW_GATE_BROKEN;
    }
    return GW_GATE_OPEN;
}

void gw_keymgr_gate_leave(gw_keymgr_gate_t *gate, uint64_t now, int answered)
{
    gw_breaker_report(gate->breaker, now, answered);
    pthread_mutex_lock(&gate->mutex);
    gate->used--;
    pthread_cond_signal(&gate->freed);
    pthread_mutex_unlock(&gate->mutex);
}
