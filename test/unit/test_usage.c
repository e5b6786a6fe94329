/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <apr_strings.h>
#include <pthread.h>

#include "apim_usage.h"
#include "shared.h"
#include "usage_ring.h"
#include "usage_table.h"

#define WRITERS 8
#define EACH    20000

static gw_usage_ring_t *make_ring(size_t records)
{
    size_t size = 512 + records * (sizeof(gw_usage_record_t) + 8);
    return gw_usage_ring_init(shared_memory(size), size);
}

static gw_usage_record_t record_of(int64_t time, const char *api)
{
    gw_usage_record_t r = {0};
    r.time = time;
    r.total_us = 1500;
    r.status = 200;
    r.key_type = 'P';
    apr_cpystrn(r.api_id, api, sizeof(r.api_id));
    return r;
}

static void test_too_small(void **state)
{
    char memory[4096];
    assert_null(gw_usage_ring_init(memory, sizeof(memory)));
}

static void test_order_full_and_release(void **state)
{
    gw_usage_ring_t *ring = make_ring(32);
    uint64_t n = gw_usage_ring_capacity(ring), i, position = gw_usage_ring_begin(ring), stuck = 0;
    gw_usage_record_t r = record_of(0, "a"), got;
    assert_true(n >= 32);
    for (i = 0; i < n; i++) {
        r.time = (int64_t)i;
        assert_int_equal(gw_usage_ring_put(ring, &r), 0);
    }
    assert_int_equal(gw_usage_ring_put(ring, &r), -1);
    assert_int_equal(gw_usage_ring_lost(ring), 1);
    for (i = 0; i < n; i++) {
        assert_int_equal(gw_usage_ring_read(ring, &position, 1, &stuck, &got), 1);
        assert_int_equal(got.time, i);
    }
    assert_int_equal(gw_usage_ring_read(ring, &position, 1, &stuck, &got), 0);
    assert_int_equal(gw_usage_ring_put(ring, &r), -1); /* read, but not released */
    gw_usage_ring_release(ring, position);
    assert_int_equal(gw_usage_ring_put(ring, &r), 0);
    assert_int_equal(gw_usage_ring_waiting(ring), 1);
}

/* A reader that is gone leaves everything it had not released to the next. */
static void test_another_reader_begins_again(void **state)
{
    gw_usage_ring_t *ring = make_ring(32);
    uint64_t first = gw_usage_ring_begin(ring), second, stuck = 0;
    gw_usage_record_t r = record_of(7, "a"), got;
    gw_usage_ring_put(ring, &r);
    assert_int_equal(gw_usage_ring_read(ring, &first, 1, &stuck, &got), 1);
    second = gw_usage_ring_begin(ring);
    assert_int_equal(gw_usage_ring_read(ring, &second, 1, &stuck, &got), 1);
    assert_int_equal(got.time, 7);
}

typedef struct writers_t {
    gw_usage_ring_t *ring;
} writers_t;

static int write_many(void *baton, int i)
{
    writers_t *w = baton;
    gw_usage_record_t r = record_of(0, "a");
    int n;
    for (n = 0; n < EACH;) {
        r.time = (int64_t)i * EACH + n;
        r.code = i;
        n += gw_usage_ring_put(w->ring, &r) == 0;
    }
    return 0;
}

static void *read_all(void *baton)
{
    writers_t *w = baton;
    uint64_t position = gw_usage_ring_begin(w->ring), stuck = 0, count = 0;
    int64_t last[WRITERS];
    gw_usage_record_t r;
    memset(last, -1, sizeof(last));
    while (count < (uint64_t)WRITERS * EACH) {
        if (gw_usage_ring_read(w->ring, &position, 1, &stuck, &r)) {
            if (r.time / EACH != r.code || r.time <= last[r.code]) {
                return (void *)(uintptr_t) "a record is torn or out of order";
            }
            last[r.code] = r.time;
            count++;
        }
        if (position % 64 == 0 || count == (uint64_t)WRITERS * EACH) {
            gw_usage_ring_release(w->ring, position);
        }
    }
    return NULL;
}

/* Many processes write, one reads meanwhile: each record arrives once, whole, in its writer's order. */
static void test_many_writers(void **state)
{
    writers_t w = {make_ring(256)};
    pthread_t reader;
    void *wrong = NULL;
    assert_int_equal(pthread_create(&reader, NULL, read_all, &w), 0);
    assert_int_equal(in_processes(WRITERS, write_many, &w), 0);
    assert_int_equal(pthread_join(reader, &wrong), 0);
    assert_null(wrong);
    assert_int_equal(gw_usage_ring_waiting(w.ring), 0);
}

/* A writer that was killed in the middle of a record: after a while the reader goes on without it. */
static void test_an_unfinished_record_is_passed_over(void **state)
{
    gw_usage_ring_t *ring = make_ring(32);
    uint64_t position = gw_usage_ring_begin(ring), stuck = 0, *words = (uint64_t *)(void *)ring;
    gw_usage_record_t r = record_of(1, "a"), got;
    size_t i;
    gw_usage_ring_put(ring, &r);
    gw_usage_ring_put(ring, &r);
    for (i = 0; i < 64 && words[i] != 1; i++) { /* the first slot's turn: the record is not complete */
    }
    words[i] = 0;
    assert_int_equal(gw_usage_ring_read(ring, &position, 100, &stuck, &got), 0);
    assert_int_equal(gw_usage_ring_read(ring, &position, 100 + GW_USAGE_PATIENCE - 1, &stuck, &got), 0);
    assert_int_equal(gw_usage_ring_read(ring, &position, 100 + GW_USAGE_PATIENCE, &stuck, &got), 1);
    assert_int_equal(gw_usage_ring_lost(ring), 1);
}

static void test_sums(void **state)
{
    apr_pool_t *p = *state;
    gw_usage_table_t *table = gw_usage_table_create(p);
    gw_usage_record_t r = record_of(60001, "a");
    json_t *rows, *row;
    gw_usage_table_add(table, &r);
    r.time = 119999;
    r.total_us = 3000;
    r.bytes_out = 5;
    gw_usage_table_add(table, &r);
    r.time = 120000;
    gw_usage_table_add(table, &r);
    r.code = 900802;
    gw_usage_table_add(table, &r);
    assert_int_equal(gw_usage_table_count(table), 3);
    rows = gw_usage_table_rows(table);
    assert_int_equal(json_array_size(rows), 3);
    json_decref(rows);
    gw_usage_table_clear(table);
    assert_int_equal(gw_usage_table_count(table), 0);
    r.code = 0;
    gw_usage_table_add(table, &r);
    gw_usage_table_add(table, &r);
    rows = gw_usage_table_rows(table);
    row = json_array_get(rows, 0);
    assert_int_equal(json_integer_value(json_object_get(row, "minute")), 120000);
    assert_int_equal(json_integer_value(json_array_get(json_object_get(row, "sums"), 0)), 2);
    assert_int_equal(json_integer_value(json_array_get(json_object_get(row, "sums"), 1)), 6000);
    assert_int_equal(json_integer_value(json_array_get(json_object_get(row, "times"), 2)), 2);
    json_decref(rows);
}

/* A flood of names is counted, and takes no more memory than so many series. */
static void test_bounded(void **state)
{
    apr_pool_t *p = *state;
    gw_usage_table_t *table = gw_usage_table_create(p);
    gw_usage_record_t r = record_of(0, "a");
    int i;
    for (i = 0; i < GW_USAGE_SERIES + 5000; i++) {
        apr_snprintf(r.user, sizeof(r.user), "user%d", i);
        gw_usage_table_add(table, &r);
    }
    assert_int_equal(gw_usage_table_count(table), GW_USAGE_SERIES + 1);
}

static void test_percentiles(void **state)
{
    apr_int64_t none[APIM_USAGE_BUCKETS] = {0}, some[APIM_USAGE_BUCKETS] = {0};
    assert_int_equal(apim_usage_bucket(0), 0);
    assert_int_equal(apim_usage_bucket(1000), 0);
    assert_int_equal(apim_usage_bucket(1001), 1);
    assert_int_equal(apim_usage_bucket(10000000), APIM_USAGE_BUCKETS - 2);
    assert_int_equal(apim_usage_bucket(10000001), APIM_USAGE_BUCKETS - 1);
    assert_true(apim_usage_percentile(none, 0.5, 0) == 0);
    some[0] = 50;
    some[3] = 49;                     /* up to 10 ms */
    some[APIM_USAGE_BUCKETS - 1] = 1; /* 20 s */
    assert_true(apim_usage_percentile(some, 0.25, 20000) == 0.5);
    assert_true(apim_usage_percentile(some, 0.5, 20000) == 1);
    assert_true(apim_usage_percentile(some, 0.99, 20000) == 10);
    assert_true(apim_usage_percentile(some, 1, 20000) == 20000);
    assert_true(apim_usage_percentile(some, 0.99, 7) == 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        unit_case(test_too_small),
        unit_case(test_order_full_and_release),
        unit_case(test_another_reader_begins_again),
        unit_case(test_many_writers),
        unit_case(test_an_unfinished_record_is_passed_over),
        unit_case(test_sums),
        unit_case(test_bounded),
        unit_case(test_percentiles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
