/* SPDX-License-Identifier: Apache-2.0 */
#include "apim_usage.h"

#include <apr_strings.h>
#include <string.h>

#include "apim_crypto.h"
#include "apim_json.h"
#include "apim_text.h"
#include "apim_usage_sql.h"

#define SUMS     6
#define MAX_TEXT 255
#define MINUTE   APR_INT64_C(60000)
#define HOUR     (60 * MINUTE)
#define DAY      (24 * HOUR)

static const int bounds[APIM_USAGE_BUCKETS] = {1, 2, 5, 10, 25, 50, 100, 250, 1000, 2500, 10000, -1};

int apim_usage_bucket(apr_int64_t us)
{
    int i;
    for (i = 0; i < APIM_USAGE_BUCKETS - 1; i++) {
        if (us <= (apr_int64_t)bounds[i] * 1000) {
            return i;
        }
    }
    return APIM_USAGE_BUCKETS - 1;
}

int apim_usage_bound(int bucket)
{
    return bounds[bucket];
}

double apim_usage_percentile(const apr_int64_t bucket[APIM_USAGE_BUCKETS], double share, double max_ms)
{
    double wanted = 0, before = 0, low = 0, high, found;
    int i;
    for (i = 0; i < APIM_USAGE_BUCKETS; i++) {
        wanted += (double)bucket[i];
    }
    wanted *= share;
    for (i = 0; i < APIM_USAGE_BUCKETS; i++) {
        high = bounds[i] < 0 || bounds[i] > max_ms ? max_ms : bounds[i];
        if (bucket[i] && before + (double)bucket[i] >= wanted) {
            found = low + (high - low) * (wanted - before) / (double)bucket[i];
            return found > max_ms ? max_ms : found;
        }
        before += (double)bucket[i];
        low = bounds[i];
    }
    return 0;
}

/* -- rows
 * ---------------------------------------------------------------------------------------------------- */

/* [minute, [texts in the order of texts_of], status class, code, [sums], [buckets]] */
static json_t *numbers(const apr_int64_t *values, int n)
{
    json_t *list = json_array();
    int i;
    for (i = 0; i < n; i++) {
        json_array_append_new(list, json_integer(values[i]));
    }
    return list;
}

json_t *apim_usage_row(const apim_usage_series_t *s, const apim_usage_sums_t *u)
{
    const apr_int64_t sums[SUMS] = {u->calls,  u->total_us, u->backend_us,
                                    u->max_us, u->bytes_in, u->bytes_out};
    return json_pack("{s:I, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:i, s:o, s:o}", "minute",
                     (json_int_t)s->minute, "apiId", s->api_id, "apiName", s->api_name, "apiVersion",
                     s->api_version, "resource", s->resource, "verb", s->verb, "applicationId",
                     s->application_id, "username", s->username, "tier", s->tier, "keyType", s->key_type,
                     "statusClass", s->status_class, "code", s->code, "sums", numbers(sums, SUMS), "times",
                     numbers(u->bucket, APIM_USAGE_BUCKETS));
}

enum { NODE, API_ID, API_NAME, API_VERSION, RESOURCE, VERB, APPLICATION, USER, TIER, KEY_TYPE, TEXTS };
enum {
    STATUS = TEXTS,
    CODE,
    FIRST_SUM,
    FIRST_BUCKET = FIRST_SUM + SUMS,
    VALUES = FIRST_BUCKET + APIM_USAGE_BUCKETS
};

static const char *const names[] = {NULL,   "apiId",         "apiName",  "apiVersion", "resource",
                                    "verb", "applicationId", "username", "tier",       "keyType"};

static apim_error_t *wrong(apr_pool_t *p, const char *what)
{
    return apim_bad_request(p, "A batch of usage is not understood: %s.", what);
}

static int read_numbers(apr_pool_t *p, const json_t *list, apr_size_t n, const char **out)
{
    apr_size_t i;
    if (json_array_size(list) != n) {
        return 1;
    }
    for (i = 0; i < n; i++) {
        const json_t *value = json_array_get(list, i);
        if (!json_is_integer(value) || json_integer_value(value) < 0) {
            return 1;
        }
        out[i] = apim_i64(p, json_integer_value(value));
    }
    return 0;
}

static apim_error_t *read_row(apr_pool_t *p, const json_t *row, const char *node, const char **v,
                              apr_int64_t *minute)
{
    int i;
    *minute = apim_json_int(row, "minute", -1);
    if (*minute < 0 || *minute % MINUTE) {
        return wrong(p, "minute");
    }
    v[NODE] = node;
    for (i = API_ID; i < TEXTS; i++) {
        v[i] = apim_json_str(row, names[i], NULL);
        if (!v[i] || strlen(v[i]) > MAX_TEXT) {
            return wrong(p, names[i]);
        }
    }
    v[STATUS] = apim_i64(p, apim_json_int(row, "statusClass", 0));
    v[CODE] = apim_i64(p, apim_json_int(row, "code", 0));
    return read_numbers(p, json_object_get(row, "sums"), SUMS, v + FIRST_SUM) ||
                   read_numbers(p, json_object_get(row, "times"), APIM_USAGE_BUCKETS, v + FIRST_BUCKET)
               ? wrong(p, "sums")
               : NULL;
}

/* Texts cannot hold a line feed: the series' key is their hash. */
static const char *series_key(apr_pool_t *p, const char *const *v)
{
    const char *text = "";
    int i;
    for (i = 0; i < TEXTS; i++) {
        if (i != API_NAME && i != API_VERSION) {
            text = apr_pstrcat(p, text, v[i], "\n", NULL);
        }
    }
    text = apim_sha256_hex(p, apr_pstrcat(p, text, v[STATUS], "\n", v[CODE], NULL));
    return text ? apr_pstrmemdup(p, text, 32) : NULL;
}

static apim_error_t *add_row(apim_db_t *db, apr_pool_t *p, const json_t *row, const char *node)
{
    static const struct {
        const char *name;
        apr_int64_t length;
    } periods[] = {{"minute", MINUTE}, {"hour", HOUR}, {"day", DAY}};
    const char *v[VALUES], *args[3 + VALUES];
    apr_int64_t minute;
    int i;
    APIM_TRY(read_row(p, row, node, v, &minute));
    args[2] = series_key(p, v);
    if (!args[2]) {
        return apim_internal(p, "SHA-256 failed");
    }
    memcpy(args + 3, v, sizeof(v));
    for (i = 0; i < 3; i++) {
        args[0] = periods[i].name;
        args[1] = apim_i64(p, minute - minute % periods[i].length);
        APIM_TRY(apim_db_query(db, &apim_usage_put, NULL, args, 3 + VALUES));
    }
    return NULL;
}

static apim_error_t *add_rows(apim_db_t *db, apr_pool_t *p, const json_t *batch, const char *id,
                              const char *node)
{
    const json_t *rows = json_object_get(batch, "rows");
    apr_pool_t *row_pool;
    apim_error_t *err = NULL;
    apr_size_t i;
    int added = 0;
    APIM_TRY(apim_db_query(db, &apim_usage_batch_put, &added, APIM_ARGS(id, apim_i64(p, apim_now_ms()))));
    if (!added) {
        return NULL;
    }
    apr_pool_create(&row_pool, p);
    for (i = 0; i < json_array_size(rows) && !err; i++) {
        err = add_row(db, row_pool, json_array_get(rows, i), node);
        if (err) {
            err = apim_error(p, err->status, err->code, err->message, "%s",
                             err->cause ? err->cause : err->description);
        }
        apr_pool_clear(row_pool);
    }
    apr_pool_destroy(row_pool);
    return err;
}

apim_error_t *apim_usage_add(apim_db_t *db, apr_pool_t *p, const json_t *batch)
{
    const char *id = apim_json_str(batch, "id", ""), *node = apim_json_str(batch, "node", "");
    apr_size_t n = json_array_size(json_object_get(batch, "rows"));
    apim_error_t *err;
    if (!*id || strlen(id) > MAX_TEXT || !*node || strlen(node) > MAX_TEXT) {
        return wrong(p, "id and node are needed");
    }
    if (n < 1 || n > APIM_USAGE_BATCH_ROWS) {
        return wrong(p, "the number of rows");
    }
    APIM_TRY(apim_db_begin(db));
    err = add_rows(db, p, batch, id, node);
    err = err ? err : apim_db_commit(db);
    if (err) {
        apim_db_rollback(db);
    }
    return err;
}
