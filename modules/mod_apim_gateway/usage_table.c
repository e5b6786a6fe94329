/* SPDX-License-Identifier: Apache-2.0 */
#include "usage_table.h"

#include <apr_hash.h>
#include <apr_strings.h>
#include <string.h>

#define MINUTE 60000

typedef struct series_t {
    gw_usage_record_t first; /* what all of its calls have in common */
    int64_t minute;
    apim_usage_sums_t sums;
} series_t;

struct gw_usage_table_t {
    apr_pool_t *parent, *pool;
    apr_hash_t *series;
};

gw_usage_table_t *gw_usage_table_create(apr_pool_t *p)
{
    gw_usage_table_t *table = apr_pcalloc(p, sizeof(*table));
    table->parent = p;
    gw_usage_table_clear(table);
    return table;
}

void gw_usage_table_clear(gw_usage_table_t *table)
{
    if (table->pool) {
        apr_pool_destroy(table->pool);
    }
    apr_pool_create(&table->pool, table->parent);
    table->series = apr_hash_make(table->pool);
}

unsigned int gw_usage_table_count(const gw_usage_table_t *table)
{
    return apr_hash_count(table->series);
}

/* The key's text: what tells one series from another, a line each. */
static apr_size_t key_of(const gw_usage_record_t *r, int64_t minute, char *buffer, apr_size_t size)
{
    return (apr_size_t)apr_snprintf(buffer, size, "%" APR_INT64_T_FMT "\n%s\n%s\n%s\n%s\n%s\n%s\n%c\n%d\n%d",
                                    (apr_int64_t)minute, r->api_id, r->resource, r->verb, r->application_id,
                                    r->user, r->tier, r->key_type, r->status / 100, (int)r->code);
}

static series_t *series_of(gw_usage_table_t *table, gw_usage_record_t *r)
{
    int64_t minute = r->time - r->time % MINUTE;
    char key[1024];
    apr_size_t len = key_of(r, minute, key, sizeof(key));
    series_t *s = apr_hash_get(table->series, key, (apr_ssize_t)len);
    if (!s && apr_hash_count(table->series) >= GW_USAGE_SERIES) {
        r->user[0] = r->resource[0] = '\0';
        len = key_of(r, minute, key, sizeof(key));
        s = apr_hash_get(table->series, key, (apr_ssize_t)len);
    }
    if (!s) {
        s = apr_pcalloc(table->pool, sizeof(*s));
        s->first = *r;
        s->minute = minute;
        apr_hash_set(table->series, apr_pstrmemdup(table->pool, key, len), (apr_ssize_t)len, s);
    }
    return s;
}

void gw_usage_table_add(gw_usage_table_t *table, const gw_usage_record_t *record)
{
    gw_usage_record_t r = *record;
    apim_usage_sums_t *sums = &series_of(table, &r)->sums;
    sums->calls++;
    sums->total_us += r.total_us;
    sums->backend_us += r.backend_us;
    sums->max_us = r.total_us > sums->max_us ? r.total_us : sums->max_us;
    sums->bytes_in += (apr_int64_t)r.bytes_in;
    sums->bytes_out += (apr_int64_t)r.bytes_out;
    sums->bucket[apim_usage_bucket(r.total_us)]++;
}

static json_t *row_of(const series_t *s)
{
    const gw_usage_record_t *r = &s->first;
    apim_usage_series_t out = {
        s->minute,         r->api_id,
        r->api_name,       r->api_version,
        r->resource,       r->verb,
        r->application_id, r->user,
        r->tier,           r->key_type == 'P' ? "PRODUCTION" : r->key_type == 'S' ? "SANDBOX" : "",
        r->status / 100,   r->code};
    return apim_usage_row(&out, &s->sums);
}

void gw_usage_table_each(const gw_usage_table_t *table, gw_usage_series_fn *fn, void *baton)
{
    apr_hash_index_t *i;
    void *value;
    for (i = apr_hash_first(NULL, table->series); i; i = apr_hash_next(i)) {
        const series_t *s;
        apr_hash_this(i, NULL, NULL, &value);
        s = value;
        fn(baton, &s->first, &s->sums);
    }
}

json_t *gw_usage_table_rows(const gw_usage_table_t *table)
{
    json_t *rows = json_array();
    apr_hash_index_t *i;
    void *s;
    for (i = apr_hash_first(NULL, table->series); rows && i; i = apr_hash_next(i)) {
        apr_hash_this(i, NULL, NULL, &s);
        if (json_array_append_new(rows, row_of(s))) {
            json_decref(rows);
            rows = NULL;
        }
    }
    return rows;
}
