/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APIM_USAGE_H
#define APIM_USAGE_H

#include <jansson.h>

#include "apim_db.h"

/*
 * Usage on its way from gateways to am_usage (API Manager database), where it is added up by minute, hour and
 * day. It travels in batches, written by the gateway itself or, where it has no database, by a Key Manager:
 *
 *   {"id": "…", "node": "…", "rows": [row, …]}
 *
 * A batch may come more than once (an answer got lost) and counts once: its id is remembered.
 */
#define APIM_USAGE_BUCKETS    12
#define APIM_USAGE_BATCH_ROWS 50 /* at most */

/* What the calls of a row have in common. */
typedef struct apim_usage_series_t {
    apr_int64_t minute; /* its beginning, ms */
    const char *api_id; /* "": no API has the path */
    const char *api_name;
    const char *api_version;
    const char *resource; /* template; "": none matched */
    const char *verb;
    const char *application_id; /* "": no credentials */
    const char *username;
    const char *tier;     /* of the subscription */
    const char *key_type; /* PRODUCTION, SANDBOX or "" */
    int status_class;     /* 2 for 2xx */
    int code;             /* of the gateway's refusal; 0: none */
} apim_usage_series_t;

typedef struct apim_usage_sums_t {
    apr_int64_t calls, total_us, backend_us, max_us, bytes_in, bytes_out;
    apr_int64_t bucket[APIM_USAGE_BUCKETS]; /* calls by total time; not cumulative */
} apim_usage_sums_t;

/** The bucket of a time: up to 1, 2, 5, 10, 25, 50, 100, 250, 1000, 2500, 10000 ms, and above. */
int apim_usage_bucket(apr_int64_t us);

/** The upper bound of a bucket in ms; -1 of the last. */
int apim_usage_bound(int bucket);

/** The time in ms below which that share (0 to 1) of calls stayed, interpolated within its bucket and never
 * above max_ms; 0 without calls. */
double apim_usage_percentile(const apr_int64_t bucket[APIM_USAGE_BUCKETS], double share, double max_ms);

/** A row of a batch; the caller owns it. */
json_t *apim_usage_row(const apim_usage_series_t *series, const apim_usage_sums_t *sums);

/**
 * Adds a batch to am_usage, all or nothing, in a transaction of its own; one that was added before is left
 * alone. 400 if it is not one (nothing is written); 503 or 500 as apim_db_query.
 */
apim_error_t *apim_usage_add(apim_db_t *db, apr_pool_t *p, const json_t *batch);

#endif
