/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <apr_strings.h>
#include <pthread.h>
#include <signal.h>

#include "endpoint_health.h"
#include "rate_limiter.h"
#include "shared.h"

#define MINUTE 60000u

static const uint64_t secret[2] = {17, 42};

static gw_rate_limiter_t *make(apr_pool_t *p, size_t size)
{
    void *memory = shared_memory(size);
    assert_int_equal(gw_rate_limiter_init(memory, size, secret), 0);
    return gw_rate_limiter_attach(p, memory);
}

static gw_limit_t limit_of(const char *kind, const char *subject, uint64_t limit, uint64_t window)
{
    gw_limit_t l = {0};
    l.kind = kind;
    l.subject = subject;
    l.limit = limit;
    l.window = window;
    l.enforced = 1;
    return l;
}

static int take(gw_rate_limiter_t *r, const char *subject, uint64_t limit, uint64_t window, uint64_t now)
{
    gw_limit_t l = limit_of("test", subject, limit, window);
    return gw_rate_limiter_take(r, &l, 1, now) < 0;
}

static void test_counts_down(void **state)
{
    gw_rate_limiter_t *r = make(*state, gw_rate_limiter_min_size());
    gw_limit_t l = limit_of("test", "a", 3, MINUTE);
    assert_int_equal(gw_rate_limiter_take(r, &l, 1, 1000), -1);
    assert_int_equal(l.remaining, 2);
    assert_int_equal(l.reset, MINUTE);
    assert_int_equal(gw_rate_limiter_take(r, &l, 1, 2000), -1);
    assert_int_equal(gw_rate_limiter_take(r, &l, 1, 3000), -1);
    assert_int_equal(l.remaining, 0);
    assert_int_equal(l.reset, MINUTE - 2000);
    assert_int_equal(gw_rate_limiter_take(r, &l, 1, 4000), 0);
    assert_true(l.over);
    assert_int_equal(l.reset, MINUTE - 3000);
    assert_int_equal(gw_rate_limiter_take(r, &l, 1, 1000 + MINUTE - 1), 0);
    assert_int_equal(gw_rate_limiter_take(r, &l, 1, 1000 + MINUTE), -1); /* exactly when reset said */
    assert_int_equal(gw_rate_limiter_take(r, &l, 1, 1000 + MINUTE), 0);
}

/* Most calls in any window of the log of calls that passed. */
static uint64_t densest(const uint64_t *at, int n, uint64_t window)
{
    uint64_t most = 0;
    int from = 0, to;
    for (to = 0; to < n; to++) {
        while (at[to] - at[from] >= window) {
            from++;
        }
        if ((uint64_t)(to - from + 1) > most) {
            most = (uint64_t)(to - from + 1);
        }
    }
    return most;
}

/* Runs a caller for 20 windows; next(i) is the pause before call i. Returns calls that passed, and checks the
 * densest window. */
static int run(apr_pool_t *p, uint64_t limit, uint64_t window,
               uint64_t (*pause)(int i, uint64_t limit, uint64_t window))
{
    gw_rate_limiter_t *r = make(p, gw_rate_limiter_min_size());
    uint64_t *log = apr_pcalloc(p, sizeof(uint64_t) * (limit + 1) * 25), now = 12345, end = now + 20 * window;
    int i, n = 0;
    for (i = 0; now < end; i++) {
        now += pause(i, limit, window);
        if (take(r, "caller", limit, window, now)) {
            assert_true((uint64_t)n < (limit + 1) * 25);
            log[n++] = now;
        }
    }
    assert_true(densest(log, n, window) <= limit);
    return n;
}

static uint64_t flood(int i, uint64_t limit, uint64_t window)
{
    return window / limit / 10;
}

static uint64_t paced(int i, uint64_t limit, uint64_t window)
{
    return window / limit;
}

/* Everything at once at the end of a minute, everything again at the start of the next: what a fixed window
 * lets through twice. */
static uint64_t bursts(int i, uint64_t limit, uint64_t window)
{
    return i % (int)limit ? 1 : (i / (int)limit) % 2 ? window / 50 : window;
}

static unsigned seed = 4;
static uint64_t jumpy(int i, uint64_t limit, uint64_t window)
{
    return (uint64_t)rand_r(&seed) % 7 == 0 ? (uint64_t)rand_r(&seed) % window / 2
                                            : (uint64_t)rand_r(&seed) % 20;
}

static void test_no_window_holds_more(void **state)
{
    static const uint64_t limits[] = {1, 5, 32, 33, 100, 1000};
    unsigned i;
    for (i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        uint64_t l = limits[i];
        run(*state, l, MINUTE, bursts);
        run(*state, l, MINUTE, jumpy);
        /* and none starves: a caller at full rate gets 31/32 of 20 windows, one within the limit up to 32
         * everything */
        assert_true((uint64_t)run(*state, l, MINUTE, flood) >= l * 20 * 31 / 32 - l);
        assert_true((uint64_t)run(*state, l, MINUTE, paced) >= (l <= 32 ? l * 20 : l * 20 * 31 / 32 - l));
    }
}

static void test_windows_and_counts(void **state)
{
    gw_rate_limiter_t *r = make(*state, gw_rate_limiter_min_size());
    uint64_t year = 365ULL * 86400 * 1000, now = 1790000000000ULL;
    gw_limit_t huge = limit_of("test", "huge", 1ULL << 62, year);
    int i;
    assert_true(take(r, "sec", 1, 1000, now));
    assert_false(take(r, "sec", 1, 1000, now + 999));
    assert_true(take(r, "sec", 1, 1000, now + 1000));
    assert_true(take(r, "year", 2, year, now));
    assert_true(take(r, "year", 2, year, now + year / 2));
    assert_false(take(r, "year", 2, year, now + year - 1));
    assert_true(take(r, "year", 2, year, now + year));
    for (i = 0; i < 1000; i++) {
        assert_int_equal(gw_rate_limiter_take(r, &huge, 1, now + (uint64_t)i), -1);
        assert_true(huge.remaining == (1ULL << 62) - 1 - (uint64_t)i);
    }
    assert_false(take(r, "none", 0, MINUTE, now));
    assert_false(take(r, "none", 0, MINUTE, now + year));
}

static void test_all_or_none(void **state)
{
    gw_rate_limiter_t *r = make(*state, gw_rate_limiter_min_size());
    gw_limit_t l[3] = {limit_of("resource", "x", 10, MINUTE), limit_of("subscription", "x", 2, MINUTE),
                       limit_of("application", "x", 10, MINUTE)};
    int i;
    assert_int_equal(gw_rate_limiter_take(r, l, 3, 0), -1);
    assert_int_equal(gw_rate_limiter_take(r, l, 3, 0), -1);
    for (i = 0; i < 5; i++) {
        assert_int_equal(gw_rate_limiter_take(r, l, 3, 0), 1);
    }
    assert_int_equal(l[0].remaining, 8);
    assert_int_equal(l[2].remaining, 8);
    l[1].enforced = 0; /* stopOnQuotaReach false: passes, marked, and the others count it */
    assert_int_equal(gw_rate_limiter_take(r, l, 3, 0), -1);
    assert_true(l[1].over);
    assert_int_equal(l[0].remaining, 7);
}

static void test_changed_policy(void **state)
{
    gw_rate_limiter_t *r = make(*state, gw_rate_limiter_min_size());
    assert_true(take(r, "a", 1, MINUTE, 0));
    assert_false(take(r, "a", 1, MINUTE, 0));
    assert_true(take(r, "a", 2, MINUTE, 0));
}

static void test_full(void **state)
{
    gw_rate_limiter_t *r = make(*state, gw_rate_limiter_min_size());
    gw_rate_stats_t stats;
    uint64_t month = 30ULL * 86400 * 1000;
    int i, kept = 0;
    for (i = 0; i < 100; i++) {
        take(r, apr_psprintf(*state, "month-%d", i), 1, month, 0);
    }
    for (i = 0; i < 5000; i++) { /* a flood of addresses: its own part of each set */
        gw_limit_t l = limit_of("test", apr_psprintf(*state, "ip-%d", i), 5, MINUTE);
        l.anonymous = 1;
        assert_int_equal(gw_rate_limiter_take(r, &l, 1, 1), -1);
    }
    for (i = 0; i < 100; i++) {
        kept += !take(r, apr_psprintf(*state, "month-%d", i), 1, month, 2);
    }
    assert_true(kept >= 95);     /* but for sets that overflowed among themselves */
    for (i = 0; i < 2000; i++) { /* short windows give way to long ones */
        take(r, apr_psprintf(*state, "minute-%d", i), 5, MINUTE, 3);
    }
    kept = 0;
    for (i = 0; i < 100; i++) {
        kept += !take(r, apr_psprintf(*state, "month-%d", i), 1, month, 4);
    }
    assert_true(kept >= 95);
    gw_rate_limiter_stats(r, 5, &stats);
    assert_true(stats.evictions > 0);
    assert_true(stats.used <= stats.slots);
}

/* -- several processes
 * ---------------------------------------------------------------------------------------------- */

typedef struct crowd_t {
    gw_rate_limiter_t *r;
    uint64_t *passed;
    uint64_t *remaining_seen; /* each value of "remaining" is told once */
} crowd_t;

static int hammer(void *baton, int i)
{
    crowd_t *c = baton;
    int n;
    for (n = 0; n < 5000; n++) {
        gw_limit_t l[2] = {limit_of("app", "one", 10000, MINUTE),
                           limit_of("sub", i % 2 ? "odd" : "even", 7000, MINUTE)};
        if (gw_rate_limiter_take(c->r, l, 2, 100) < 0) {
            __atomic_fetch_add(c->passed, 1, __ATOMIC_RELAXED);
            if (__atomic_fetch_add(&c->remaining_seen[l[0].remaining], 1, __ATOMIC_RELAXED)) {
                return 1;
            }
        }
    }
    return 0;
}

static void test_processes(void **state)
{
    crowd_t c = {make(*state, gw_rate_limiter_min_size()), shared_memory(4096), shared_memory(8 * 10001)};
    assert_int_equal(in_processes(4, hammer, &c), 0);
    assert_int_equal(*c.passed, 10000);
}

static void *hammer_in_thread(void *baton)
{
    return hammer(baton, (int)gettid()) ? baton : NULL;
}

/* For ThreadSanitizer, which does not see other processes. */
static void test_threads(void **state)
{
    crowd_t c = {make(*state, gw_rate_limiter_min_size()), shared_memory(4096), shared_memory(8 * 10001)};
    pthread_t thread[4];
    void *failed;
    int i;
    for (i = 0; i < 4; i++) {
        assert_int_equal(pthread_create(&thread[i], NULL, hammer_in_thread, &c), 0);
    }
    for (i = 0; i < 4; i++) {
        pthread_join(thread[i], &failed);
        assert_null(failed);
    }
    assert_true(*c.passed <= 10000);
}

static void test_killed(void **state)
{
    crowd_t c = {make(*state, gw_rate_limiter_min_size()), shared_memory(4096), shared_memory(8 * 10001)};
    gw_rate_stats_t stats;
    uint64_t start;
    int i, status;
    for (i = 0; i < 50; i++) {
        pid_t pid = fork();
        if (pid == 0) {
            for (;;) {
                hammer(&c, i);
            }
        }
        usleep(1000 + (useconds_t)i * 41);
        kill(pid, SIGKILL);
        waitpid(pid, &status, 0);
    }
    start = monotonic_ns();
    for (i = 0; i < 1000; i++) {
        assert_true(take(c.r, apr_psprintf(*state, "after-%d", i), 1, MINUTE, 200));
    }
    assert_true(monotonic_ns() - start < 1000000000u);
    gw_rate_limiter_stats(c.r, 200, &stats);
    assert_int_equal(stats.unenforced, 0);
}

static void test_speed(void **state)
{
    gw_rate_limiter_t *r = make(*state, 16u << 20);
    gw_limit_t l[3] = {
        limit_of("resource", "9e8d7c6b-0000-4000-8000-000000000001 GET /menu", 1u << 30, MINUTE),
        limit_of("subscription", "9e8d7c6b-0000-4000-8000-000000000001/9e8d7c6b-0000-4000-8000-000000000002",
                 1u << 30, MINUTE),
        limit_of("application", "9e8d7c6b-0000-4000-8000-000000000001/someone", 1u << 30, MINUTE)};
    uint64_t start = monotonic_ns();
    int i, n = 100000;
    for (i = 0; i < n; i++) {
        gw_rate_limiter_take(r, l, 3, (uint64_t)i);
    }
    print_message("three limits: %d ns\n", (int)((monotonic_ns() - start) / (uint64_t)n));
}

/* -- health of endpoints ------------------------------------------------------------------------------
 */

static void test_health(void **state)
{
    const gw_health_rule_t rule = {3, 1000, 3000, 200, 500};
    gw_health_t *health = apr_pcalloc(*state, gw_health_size());
    gw_health_slot_t *a = gw_health_slot(health, 7, 10), *b = gw_health_slot(health, 7 + 4096, 10);
    assert_ptr_not_equal(a, b);
    assert_ptr_equal(a, gw_health_slot(health, 7, 20));
    assert_int_equal(gw_health_bad(a, &rule, 100, 0, 1), 0);
    assert_int_equal(gw_health_bad(a, &rule, 100, 0, 1), 0);
    gw_health_good(a); /* in a row, it says */
    assert_int_equal(gw_health_bad(a, &rule, 100, 0, 1), 0);
    assert_int_equal(gw_health_bad(a, &rule, 100, 0, 1), 0);
    assert_int_equal(gw_health_ask(a, &rule, 100), GW_HEALTH_CLOSED);
    assert_int_equal(gw_health_bad(a, &rule, 100, 0, 1), 1);
    assert_int_equal(gw_health_bad(a, &rule, 100, 0, 1), 0); /* was under way */
    assert_int_equal(gw_health_next_try(a), 1100);
    assert_int_equal(gw_health_suspended(health, 1000), 1);
    assert_int_equal(gw_health_ask(a, &rule, 1099), GW_HEALTH_OPEN);
    assert_int_equal(gw_health_ask(b, &rule, 1099), GW_HEALTH_CLOSED);
    assert_int_equal(gw_health_ask(a, &rule, 1100), GW_HEALTH_HALF_OPEN);
    assert_int_equal(gw_health_ask(a, &rule, 1100), GW_HEALTH_OPEN); /* one tries */
    gw_health_bad(a, &rule, 1200, 1, 1);
    assert_int_equal(gw_health_next_try(a), 3200); /* twice as long */
    assert_int_equal(gw_health_ask(a, &rule, 3200), GW_HEALTH_HALF_OPEN);
    gw_health_bad(a, &rule, 3300, 1, 1);
    assert_int_equal(gw_health_next_try(a), 6300); /* no longer than the longest */
    assert_int_equal(gw_health_ask(a, &rule, 6300), GW_HEALTH_HALF_OPEN);
    assert_int_equal(gw_health_ask(a, &rule, 6800), GW_HEALTH_HALF_OPEN); /* who tried was lost */
    gw_health_good(a);
    assert_int_equal(gw_health_ask(a, &rule, 6800), GW_HEALTH_CLOSED);
    assert_int_equal(gw_health_bad(a, &rule, 7000, 0, 3), 1);
    assert_int_equal(gw_health_next_try(a), 8000); /* from the beginning */
    assert_int_equal(gw_health_turn(b), 0);
    assert_int_equal(gw_health_turn(b), 1);
}

static void test_health_when_full(void **state)
{
    const gw_health_rule_t rule = {1, 1000, 1000, 100, 500};
    gw_health_t *health = apr_pcalloc(*state, gw_health_size());
    gw_health_slot_t *first = gw_health_slot(health, 1, 10);
    uint64_t i;
    gw_health_bad(first, &rule, 10, 0, 1);
    for (i = 1; i <= 8; i++) {
        gw_health_slot(health, 1 + i * 4096, 2000 * i);
    }
    assert_int_equal(gw_health_suspended(health, 20), 0); /* the one used least lately made room */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        unit_case(test_counts_down),
        unit_case(test_no_window_holds_more),
        unit_case(test_windows_and_counts),
        unit_case(test_all_or_none),
        unit_case(test_changed_policy),
        unit_case(test_full),
        unit_case(test_processes),
        unit_case(test_threads),
        unit_case(test_killed),
        unit_case(test_speed),
        unit_case(test_health),
        unit_case(test_health_when_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
