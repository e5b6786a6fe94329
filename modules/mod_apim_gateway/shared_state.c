/* SPDX-License-Identifier: Apache-2.0 */
#include "shared_state.h"

#include <apr_strings.h>
#include <errno.h>
#include <httpd.h>
#include <http_config.h>
#include <openssl/rand.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#define LAYOUT      3 /* raise when the layout of anything in shared memory changes */
#define RETAINED    "mod_apim_gateway shared state"
#define ALIGN_64(n) (((n) + 63) & ~(size_t)63)

typedef struct piece_t {
    void *memory;
    size_t size;
} piece_t;

enum { CONTROL, CACHE, LIMITER, USAGE, TOTALS, PIECES };

/* What httpd keeps over restarts: plain data only, the module itself may be loaded anew. */
typedef struct retained_t {
    int layout;
    piece_t piece[PIECES];
} retained_t;

static retained_t *retained;

uint64_t gw_now(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000u + (uint64_t)ts.tv_nsec / 1000000u;
}

static size_t flights_at(void)
{
    return ALIGN_64(apim_marks_size());
}

static size_t breaker_at(void)
{
    return flights_at() + ALIGN_64(gw_single_flight_size());
}

static size_t keymgr_at(void)
{
    return breaker_at() + ALIGN_64(sizeof(gw_breaker_t));
}

static size_t health_at(void)
{
    return keymgr_at() + ALIGN_64(sizeof(gw_keymgr_stats_t));
}

static size_t control_size(void)
{
    return health_at() + ALIGN_64(gw_health_size());
}

static int lay_out(int which, piece_t *piece)
{
    uint64_t key[2];
    if (RAND_bytes((unsigned char *)key, sizeof(key)) != 1) {
        return -1;
    }
    switch (which) {
    case CONTROL:
        apim_marks_init(piece->memory, key);
        return 0;
    case CACHE:
        return gw_token_cache_init(piece->memory, piece->size, key);
    case TOTALS:
        return 0;
    case USAGE:
        return gw_usage_ring_init(piece->memory, piece->size) ? 0 : -1;
    default:
        return gw_rate_limiter_init(piece->memory, piece->size, key);
    }
}

static void drop(piece_t *piece)
{
    if (piece->memory) {
        munmap(piece->memory, piece->size); /* the parent's view; children have their own */
    }
    piece->memory = NULL;
}

static const char *make_piece(apr_pool_t *pconf, int which, size_t size)
{
    piece_t *piece = &retained->piece[which];
    if (piece->memory && piece->size == size) {
        return NULL;
    }
    drop(piece);
    piece->size = size;
    piece->memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (piece->memory == MAP_FAILED) {
        piece->memory = NULL;
        return apr_psprintf(pconf, "%" APR_SIZE_T_FMT " bytes of shared memory are not to be had: %s",
                            (apr_size_t)size, strerror(errno));
    }
    if (lay_out(which, piece)) {
        drop(piece);
        return "the gateway's shared memory cannot be laid out: it is too small, or there is no randomness";
    }
    return NULL;
}

const char *gw_shared_state_make(apr_pool_t *pconf, apr_size_t cache_size, apr_size_t limiter_size,
                                 apr_size_t usage_size)
{
    const char *wrong;
    int i;
    retained = ap_retained_data_get(RETAINED);
    if (!retained) {
        retained = ap_retained_data_create(RETAINED, sizeof(*retained));
        retained->layout = LAYOUT;
    }
    if (retained->layout != LAYOUT) {
        for (i = 0; i < PIECES; i++) {
            drop(&retained->piece[i]);
        }
        retained->layout = LAYOUT;
    }
    wrong = make_piece(pconf, CONTROL, control_size());
    wrong = wrong ? wrong : make_piece(pconf, CACHE, cache_size);
    wrong = wrong ? wrong : make_piece(pconf, LIMITER, limiter_size);
    if (!wrong && !usage_size) {
        drop(&retained->piece[USAGE]);
        drop(&retained->piece[TOTALS]);
    }
    else {
        wrong = wrong ? wrong : make_piece(pconf, USAGE, usage_size);
        wrong = wrong ? wrong : make_piece(pconf, TOTALS, gw_usage_totals_size());
    }
    return wrong;
}

gw_usage_totals_t *gw_shared_totals(void)
{
    return retained ? retained->piece[TOTALS].memory : NULL;
}

gw_usage_ring_t *gw_shared_usage(void)
{
    return retained ? retained->piece[USAGE].memory : NULL;
}

gw_shared_state_t *gw_shared_state_attach(apr_pool_t *pchild)
{
    gw_shared_state_t *state;
    char *control;
    if (!retained || !retained->piece[LIMITER].memory) {
        return NULL;
    }
    state = apr_pcalloc(pchild, sizeof(*state));
    control = retained->piece[CONTROL].memory;
    state->marks = (apim_marks_t *)(void *)control;
    state->flights = gw_single_flight_init(control + flights_at());
    state->breaker = (gw_breaker_t *)(void *)(control + breaker_at());
    state->keymgr = (gw_keymgr_stats_t *)(void *)(control + keymgr_at());
    state->health = (gw_health_t *)(void *)(control + health_at());
    state->cache = gw_token_cache_attach(pchild, retained->piece[CACHE].memory, state->marks);
    state->limiter = gw_rate_limiter_attach(pchild, retained->piece[LIMITER].memory);
    return state->cache ? state : NULL;
}
