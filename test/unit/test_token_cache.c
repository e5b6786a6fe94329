/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <apr_strings.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>

#include "apim_siphash.h"
#include "keymgr_gate.h"
#include "shared.h"
#include "single_flight.h"
#include "token_cache.h"

#define SIZE (4u * 1024 * 1024)

typedef struct fixture_t {
    apr_pool_t *p;
    apim_marks_t *marks;
    gw_token_cache_t *cache;
    gw_single_flight_t *flights;
} fixture_t;

static const uint64_t secret[2] = {0x0706050403020100ULL, 0x0f0e0d0c0b0a0908ULL};

static fixture_t *make(apr_pool_t *p, size_t size)
{
    fixture_t *f = apr_pcalloc(p, sizeof(*f));
    void *memory = shared_memory(size);
    f->p = p;
    f->marks = apim_marks_init(shared_memory(apim_marks_size()), secret);
    f->flights = gw_single_flight_init(shared_memory(gw_single_flight_size()));
    assert_int_equal(gw_token_cache_init(memory, size, secret), 0);
    f->cache = gw_token_cache_attach(p, memory, f->marks);
    assert_non_null(f->cache);
    return f;
}

static gw_cache_key_t key_of(fixture_t *f, const char *token)
{
    gw_cache_key_t key;
    if (gw_token_cache_key(f->cache, token, strlen(token), "api-1", &key)) {
        abort();
    }
    return key;
}

static gw_cache_entry_t entry_of(fixture_t *f, const char *data, const char *subject)
{
    gw_cache_entry_t e = {0};
    e.data = data;
    e.len = (uint32_t)strlen(data);
    e.expires_at = 1000;
    e.stamp = apim_marks_stamp(f->marks);
    e.place[0] = apim_marks_place(f->marks, APIM_MARK_TOKEN, subject);
    return e;
}

static int has(fixture_t *f, const char *token, uint64_t now, const char *data)
{
    gw_cache_key_t key = key_of(f, token);
    gw_cache_entry_t e;
    if (!gw_token_cache_get(f->cache, &key, now, f->p, &e)) {
        return 0;
    }
    return e.len == strlen(data) && memcmp(e.data, data, e.len) == 0;
}

static int put(fixture_t *f, const char *token, const char *data, int refusal)
{
    gw_cache_key_t key = key_of(f, token);
    gw_cache_entry_t e = entry_of(f, data, token);
    e.refusal = refusal;
    return gw_token_cache_put(f->cache, &key, 0, &e);
}

static void test_siphash(void **state)
{
    /* vectors_sip128 of the reference implementation: key 00..0f, input of 0 and 1 bytes */
    unsigned char zero = 0;
    uint64_t out[2];
    apim_siphash128(secret, "", 0, out);
    assert_true(out[0] == 0xe6a825ba047f81a3ULL && out[1] == 0x930255c71472f66dULL);
    apim_siphash128(secret, &zero, 1, out);
    assert_true(out[0] == 0x44af996bd8c187daULL && out[1] == 0x45fc229b11597634ULL);
}

static void test_hit_miss_expiry(void **state)
{
    fixture_t *f = make(*state, SIZE);
    gw_cache_key_t other;
    gw_cache_entry_t e;
    assert_false(has(f, "t", 1, "answer"));
    assert_true(put(f, "t", "answer", 0));
    assert_true(has(f, "t", 999, "answer"));
    assert_false(has(f, "t", 1000, "answer"));
    assert_int_equal(gw_token_cache_key(f->cache, "t", 1, "api-2", &other), 0);
    assert_false(gw_token_cache_get(f->cache, &other, 1, f->p, &e));
}

static void test_sizes(void **state)
{
    fixture_t *f = make(*state, SIZE);
    size_t n;
    gw_cache_stats_t stats;
    for (n = 1; n <= 8000; n += 37) {
        char *text = apr_palloc(f->p, n + 1);
        memset(text, 'a' + (int)(n % 26), n);
        text[n] = 0;
        assert_true(put(f, "same", text, 0));
        assert_true(has(f, "same", 1, text)); /* also when it moves between the tables */
    }
    char *big = apr_palloc(f->p, 9001);
    memset(big, 'x', 9000);
    big[9000] = 0;
    assert_false(put(f, "big", big, 0));
    gw_token_cache_stats(f->cache, 1, &stats);
    assert_int_equal(stats.too_large, 1);
    assert_int_equal(stats.used, 1);
}

static void test_refusal_becomes_grant(void **state)
{
    fixture_t *f = make(*state, SIZE);
    gw_cache_key_t key = key_of(f, "t");
    gw_cache_entry_t e;
    put(f, "t", "no", 1);
    assert_true(gw_token_cache_get(f->cache, &key, 1, f->p, &e));
    assert_true(e.refusal);
    put(f, "t", "yes", 0);
    assert_true(gw_token_cache_get(f->cache, &key, 1, f->p, &e));
    assert_false(e.refusal);
    assert_memory_equal(e.data, "yes", 3);
}

static void test_flood_of_refusals(void **state)
{
    fixture_t *f = make(*state, gw_token_cache_min_size());
    gw_cache_stats_t stats;
    int i, kept = 0;
    for (i = 0; i < 20; i++) {
        put(f, apr_psprintf(f->p, "good-%d", i), "yes", 0);
    }
    for (i = 0; i < 5000; i++) {
        put(f, apr_psprintf(f->p, "bad-%d", i), "no", 1);
    }
    for (i = 0; i < 20; i++) {
        kept += has(f, apr_psprintf(f->p, "good-%d", i), 1, "yes");
    }
    assert_int_equal(kept, 20);
    assert_true(has(f, "bad-4999", 1, "no"));
    gw_token_cache_stats(f->cache, 1, &stats);
    assert_true(stats.evictions > 4000);
    assert_true(stats.used <= stats.slots);
}

static void test_clock_keeps_what_is_used(void **state)
{
    fixture_t *f = make(*state, gw_token_cache_min_size());
    int i, hits = 0;
    put(f, "hot", "yes", 0);
    for (i = 0; i < 3000; i++) {
        put(f, apr_psprintf(f->p, "cold-%d", i), "yes", 0);
        hits += has(f, "hot", 1, "yes");
    }
    assert_int_equal(hits, 3000);
}

static void test_marks(void **state)
{
    fixture_t *f = make(*state, SIZE);
    gw_cache_key_t key = key_of(f, "late");
    gw_cache_entry_t late;
    put(f, "a", "yes", 0);
    put(f, "b", "yes", 0);
    late = entry_of(f, "yes", "late"); /* asked now ... */
    apim_marks_set(f->marks, APIM_MARK_TOKEN, "a");
    assert_false(has(f, "a", 1, "yes"));
    assert_true(has(f, "b", 1, "yes"));
    put(f, "a", "again", 0);
    assert_true(has(f, "a", 1, "again"));
    apim_marks_set_named(f->marks, "token", "late");
    gw_token_cache_put(f->cache, &key, 1, &late); /* ... answered after the revocation */
    assert_false(has(f, "late", 1, "yes"));
    apim_marks_set_named(f->marks, "a kind of tomorrow", "x");
    assert_false(has(f, "b", 1, "yes"));
    put(f, "b", "yes", 0);
    assert_true(has(f, "b", 1, "yes"));
}

/* -- several processes
 * ---------------------------------------------------------------------------------------------- */

/* Each answer repeats one letter over a length that goes with it: a torn read shows. */
static int churn(void *baton, int i)
{
    fixture_t *f = baton;
    char text[3000];
    unsigned seed = (unsigned)i + 1;
    int n;
    for (n = 0; n < 20000; n++) {
        int k = rand_r(&seed) % 40;
        gw_cache_key_t key = key_of(f, apr_psprintf(f->p, "k%d", k));
        gw_cache_entry_t e;
        if (rand_r(&seed) % 4 == 0) {
            size_t len = 100 + (size_t)(rand_r(&seed) % 26) * 100;
            memset(text, 'a' + (int)(len / 100 % 26), len);
            text[len] = 0;
            e = entry_of(f, text, "x");
            gw_token_cache_put(f->cache, &key, 0, &e);
        }
        else if (gw_token_cache_get(f->cache, &key, 1, f->p, &e)) {
            const char *d = e.data;
            size_t at;
            for (at = 0; at < e.len; at++) {
                if (d[at] != 'a' + (int)(e.len / 100 % 26)) {
                    return 1;
                }
            }
        }
        if (n % 512 == 0) {
            apr_pool_clear(f->p);
        }
    }
    return 0;
}

static int churn_in_own_pool(void *baton, int i)
{
    fixture_t f = *(fixture_t *)baton;
    apr_pool_create(&f.p, NULL);
    return churn(&f, i);
}

static void test_processes(void **state)
{
    fixture_t *f = make(*state, gw_token_cache_min_size());
    assert_int_equal(in_processes(4, churn_in_own_pool, f), 0);
}

static void *churn_in_thread(void *baton)
{
    return churn_in_own_pool(baton, (int)gettid()) ? baton : NULL;
}

/* For ThreadSanitizer, which does not see other processes. */
static void test_threads(void **state)
{
    fixture_t *f = make(*state, gw_token_cache_min_size());
    pthread_t thread[4];
    void *failed;
    int i;
    for (i = 0; i < 4; i++) {
        assert_int_equal(pthread_create(&thread[i], NULL, churn_in_thread, f), 0);
    }
    for (i = 0; i < 4; i++) {
        pthread_join(thread[i], &failed);
        assert_null(failed);
    }
}

static void test_killed_writers(void **state)
{
    fixture_t *f = make(*state, gw_token_cache_min_size());
    uint64_t start;
    int i, status;
    for (i = 0; i < 60; i++) {
        pid_t pid = fork();
        if (pid == 0) {
            churn_in_own_pool(f, i);
            _exit(0);
        }
        usleep(1000 + (useconds_t)i * 37);
        kill(pid, SIGKILL);
        waitpid(pid, &status, 0);
    }
    assert_int_equal(churn_in_own_pool(f, 1), 0);
    start = monotonic_ns();
    for (i = 0; i < 40; i++) {
        const char *name = apr_psprintf(f->p, "k%d", i);
        assert_true(put(f, name, "alive", 0));
        assert_true(has(f, name, 1, "alive"));
    }
    assert_true(monotonic_ns() - start < 1000000000u);
}

typedef struct crowd_t {
    fixture_t *f;
    int *asked;
} crowd_t;

static uint64_t now_ms(void)
{
    return monotonic_ns() / 1000000;
}

static int want(void *baton, int i)
{
    crowd_t *c = baton;
    gw_cache_key_t key = key_of(c->f, "wanted");
    uint64_t deadline = now_ms() + 5000;
    while (now_ms() < deadline) {
        gw_cache_entry_t e;
        gw_flight_t flight;
        if (gw_token_cache_get(c->f->cache, &key, 1, c->f->p, &e)) {
            return 0;
        }
        switch (gw_flight_begin(c->f->flights, key.word[2], now_ms(), deadline, 1, &flight)) {
        case GW_FLIGHT_ASK:
            if (gw_token_cache_get(c->f->cache, &key, 1, c->f->p, &e)) {
                gw_flight_done(&flight, now_ms(), GW_FLIGHT_KEPT);
                return 0;
            }
            __atomic_fetch_add(&c->asked[0], 1, __ATOMIC_RELAXED);
            if (i < 0 || (c->asked[1] && __atomic_fetch_sub(&c->asked[1], 1, __ATOMIC_RELAXED) > 0)) {
                kill(getpid(), SIGKILL); /* dies while it asks */
            }
            usleep(30000);
            e = entry_of(c->f, "yes", "wanted");
            gw_token_cache_put(c->f->cache, &key, 1, &e);
            gw_flight_done(&flight, now_ms(), GW_FLIGHT_KEPT);
            return 0;
        case GW_FLIGHT_WAIT:
            usleep(1000);
            break;
        default:
            return 2;
        }
    }
    return 1;
}

static void test_one_asks(void **state)
{
    crowd_t c = {make(*state, SIZE), shared_memory(4096)};
    assert_int_equal(in_processes(24, want, &c), 0);
    assert_int_equal(c.asked[0], 1);
}

static void test_asker_dies(void **state)
{
    crowd_t c = {make(*state, SIZE), shared_memory(4096)};
    uint64_t start = now_ms();
    int status;
    pid_t pid;
    c.asked[1] = 1;
    pid = fork();
    if (pid == 0) {
        _exit(want(&c, 0));
    }
    waitpid(pid, &status, 0);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(in_processes(8, want, &c), 0);
    assert_int_equal(c.asked[0], 2);
    assert_true(now_ms() - start < 2500); /* by process id, not by the deadline */
}

static void test_flight_results(void **state)
{
    fixture_t *f = make(*state, SIZE);
    gw_flight_t a, b;
    uint64_t h = 0xabcd000000000007ULL;
    assert_int_equal(gw_flight_begin(f->flights, h, 1000, 2000, 1, &a), GW_FLIGHT_ASK);
    assert_int_equal(gw_flight_begin(f->flights, h, 1000, 2000, 1, &b), GW_FLIGHT_WAIT);
    assert_int_equal(gw_flight_begin(f->flights, h + (1ULL << 50), 1000, 2000, 1, &b), GW_FLIGHT_ALONE);
    gw_flight_done(&a, 1500, GW_FLIGHT_NO_ANSWER);
    assert_int_equal(gw_flight_begin(f->flights, h, 1501, 2500, 1, &b), GW_FLIGHT_FAILED);
    assert_int_equal(gw_flight_begin(f->flights, h, 1502, 2500, 0, &b), GW_FLIGHT_ASK); /* who did not wait */
    gw_flight_done(&b, 1503, GW_FLIGHT_NO_ANSWER);
    assert_int_equal(gw_flight_begin(f->flights, h, 1900, 2900, 1, &a), GW_FLIGHT_ASK);
    gw_flight_done(&a, 1910, GW_FLIGHT_NOT_KEPT);
    assert_int_equal(gw_flight_begin(f->flights, h, 1911, 2900, 1, &b), GW_FLIGHT_ALONE);
    assert_int_equal(gw_flight_begin(f->flights, h, 2400, 3000, 1, &a), GW_FLIGHT_ASK);
    assert_int_equal(gw_flight_begin(f->flights, h, 3100, 5000, 1, &b),
                     GW_FLIGHT_ASK);          /* the first is past its deadline */
    gw_flight_done(&a, 3200, GW_FLIGHT_KEPT); /* too late: changes nothing */
    assert_int_equal(gw_flight_begin(f->flights, h, 3200, 5000, 1, &a), GW_FLIGHT_WAIT);
    gw_flight_done(&b, 3300, GW_FLIGHT_KEPT);
    assert_int_equal(gw_flight_begin(f->flights, h, 3300, 5000, 1, &a), GW_FLIGHT_ASK);
}

static void test_breaker(void **state)
{
    gw_breaker_t *b = shared_memory(sizeof(*b));
    int i;
    for (i = 0; i < 4; i++) {
        assert_true(gw_breaker_allows(b, 100));
        gw_breaker_report(b, 100, 0);
    }
    assert_string_equal(gw_breaker_state(b, 100), "closed");
    gw_breaker_report(b, 100, 0);
    assert_string_equal(gw_breaker_state(b, 100), "open");
    assert_false(gw_breaker_allows(b, 1099));
    assert_true(gw_breaker_allows(b, 1100)); /* one tries ... */
    assert_false(gw_breaker_allows(b, 1100));
    gw_breaker_report(b, 1200, 0);
    assert_false(gw_breaker_allows(b, 2199));
    assert_true(gw_breaker_allows(b, 2200));
    assert_true(gw_breaker_allows(b, 12200)); /* ... and another if that one was never heard of again */
    gw_breaker_report(b, 12300, 1);
    assert_true(gw_breaker_allows(b, 12300) && gw_breaker_allows(b, 12300));
}

static void test_gate(void **state)
{
    gw_breaker_t *b = shared_memory(sizeof(*b));
    gw_keymgr_gate_t *gate = gw_keymgr_gate_make(*state, b, 2);
    uint64_t start = now_ms();
    assert_int_equal(gw_keymgr_gate_enter(gate, start, start + 1000), GW_GATE_OPEN);
    assert_int_equal(gw_keymgr_gate_enter(gate, start, start + 1000), GW_GATE_OPEN);
    assert_int_equal(gw_keymgr_gate_enter(gate, start, start + 50), GW_GATE_BUSY);
    assert_true(now_ms() - start >= 40);
    gw_keymgr_gate_leave(gate, start, 1);
    assert_int_equal(gw_keymgr_gate_enter(gate, start, start + 50), GW_GATE_OPEN);
    gw_keymgr_gate_leave(gate, start, 0);
    gw_keymgr_gate_leave(gate, start, 0);
    b->failures = 5;
    b->open_until = start + 1000;
    assert_int_equal(gw_keymgr_gate_enter(gate, start, start + 50), GW_GATE_BROKEN);
    b->failures = 0;
    assert_int_equal(gw_keymgr_gate_enter(gate, start, start + 50),
                     GW_GATE_OPEN); /* a refusal takes no place */
    assert_int_equal(gw_keymgr_gate_enter(gate, start, start + 50), GW_GATE_OPEN);
}

static void test_speed(void **state)
{
    fixture_t *f = make(*state, SIZE);
    gw_cache_key_t key;
    gw_cache_entry_t e;
    char token[1000], answer[500];
    apr_pool_t *scratch;
    uint64_t start;
    int i, n = 100000;
    apr_pool_create(&scratch, f->p);
    memset(token, 't', sizeof(token));
    memset(answer, 'a', sizeof(answer) - 1);
    answer[sizeof(answer) - 1] = 0;
    token[sizeof(token) - 1] = 0;
    put(f, token, answer, 0);
    start = monotonic_ns();
    for (i = 0; i < n; i++) {
        gw_token_cache_key(f->cache, token, sizeof(token) - 1, "api-1", &key);
    }
    print_message("key of a 1 kB token: %d ns\n", (int)((monotonic_ns() - start) / (uint64_t)n));
    start = monotonic_ns();
    for (i = 0; i < n; i++) {
        assert_true(gw_token_cache_get(f->cache, &key, 1, scratch, &e));
        if (i % 64 == 0) {
            apr_pool_clear(scratch);
        }
    }
    print_message("hit of a 500 byte answer: %d ns\n", (int)((monotonic_ns() - start) / (uint64_t)n));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        unit_case(test_siphash),
        unit_case(test_hit_miss_expiry),
        unit_case(test_sizes),
        unit_case(test_refusal_becomes_grant),
        unit_case(test_flood_of_refusals),
        unit_case(test_clock_keeps_what_is_used),
        unit_case(test_marks),
        unit_case(test_processes),
        unit_case(test_threads),
        unit_case(test_killed_writers),
        unit_case(test_one_asks),
        unit_case(test_asker_dies),
        unit_case(test_flight_results),
        unit_case(test_breaker),
        unit_case(test_gate),
        unit_case(test_speed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
