/* SPDX-License-Identifier: Apache-2.0 */
#include "access_control.h"
#include "usage_resource.h"

#include <apr_strings.h>
#include <apr_time.h>
#include <stdio.h>
#include <string.h>

#include "apim_usage.h"
#include "publisher.h"
#include "store.h"
#include "usage_sql.h"

#define MINUTE APR_INT64_C(60000)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

/* Columns of the statements. */
enum {
    KEY,
    LABEL,
    CALLS,
    FAILED,
    REFUSED,
    THROTTLED,
    TOTAL,
    BACKEND,
    LONGEST,
    BYTES_IN,
    BYTES_OUT,
    FIRST_BUCKET
};

typedef struct window_t {
    const char *period;
    apr_int64_t from, to; /* ms */
} window_t;

static const struct {
    const char *by;
    const apim_stmt_t *stmt;
} dimensions[] = {{"time", &po_usage_by_time},         {"api", &po_usage_by_api},
                  {"resource", &po_usage_by_resource}, {"application", &po_usage_by_application},
                  {"user", &po_usage_by_user},         {"tier", &po_usage_by_tier},
                  {"status", &po_usage_by_status},     {"code", &po_usage_by_code},
                  {"node", &po_usage_by_node}};

static const struct {
    const char *name;
    apr_int64_t length;
} periods[] = {{"minute", MINUTE}, {"hour", HOUR}, {"day", DAY}};

/* -- what is asked
 * ------------------------------------------------------------------------------------------------ */

/* 2026-11-23, or 2026-11-23T16:41:09Z with or without a fraction: UTC. */
static int parse_time(const char *text, apr_int64_t *ms)
{
    apr_time_exp_t when = {0};
    apr_time_t time;
    int used = 0, n = sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d%n", &when.tm_year, &when.tm_mon, &when.tm_mday,
                             &when.tm_hour, &when.tm_min, &when.tm_sec, &used);
    const char *rest = text + used;
    if (n == 6 && *rest == '.') {
        rest += 1 + strspn(rest + 1, "0123456789");
    }
    if (!(n == 6 && strcmp(rest, "Z") == 0) && !(n == 3 && strlen(text) == 10)) {
        return 1;
    }
    when.tm_year -= 1900;
    when.tm_mon -= 1;
    if (when.tm_year < 70 || when.tm_mon < 0 || when.tm_mon > 11 || when.tm_mday < 1 || when.tm_mday > 31 ||
        when.tm_hour > 23 || when.tm_min > 59 || when.tm_sec > 60 || apr_time_exp_gmt_get(&time, &when)) {
        return 1;
    }
    *ms = apr_time_as_msec(time);
    return 0;
}

static apim_error_t *read_time(rest_request_t *rq, const char *name, apr_int64_t fallback, apr_int64_t *out)
{
    const char *text = apr_table_get(rq->query, name);
    *out = fallback;
    return !text || !*text || !parse_time(text, out)
               ? NULL
               : apim_bad_request(rq->pool,
                                  "%s: write a time in UTC such as 2026-01-31T12:00:00Z, or a date.", name);
}

/* Without a period, the finest that makes a chart one can read. */
static apim_error_t *choose_period(rest_request_t *rq, window_t *w)
{
    const char *wanted = apr_table_get(rq->query, "period");
    apr_size_t i = w->to - w->from <= 6 * HOUR ? 0 : w->to - w->from <= 14 * DAY ? 1 : 2;
    if (wanted && *wanted) {
        for (i = 0; i < 3 && strcmp(wanted, periods[i].name) != 0; i++) {
        }
    }
    if (i == 3) {
        return apim_bad_request(rq->pool, "period must be minute, hour or day.");
    }
    w->period = periods[i].name;
    w->from -= w->from % periods[i].length;
    return NULL;
}

static apim_error_t *read_window(rest_request_t *rq, window_t *w)
{
    APIM_TRY(read_time(rq, "to", apim_now_ms() + 1, &w->to));
    APIM_TRY(read_time(rq, "from", w->to - DAY, &w->from));
    if (w->from >= w->to) {
        return apim_bad_request(rq->pool, "from must lie before to.");
    }
    return choose_period(rq, w);
}

/* -- answers
 * ------------------------------------------------------------------------------------------------------ */

/* SUM is a NUMERIC of PostgreSQL and NULL without rows. */
static apr_int64_t number(const char *text)
{
    apr_int64_t n = 0;
    return text && !apim_parse_i64(text, &n) ? n : 0;
}

static json_t *sums_json(const char *const *row)
{
    apr_int64_t bucket[APIM_USAGE_BUCKETS], calls = number(row[CALLS]);
    double longest = (double)number(row[LONGEST]) / 1000, each = calls ? 1000.0 * (double)calls : 1;
    int i;
    for (i = 0; i < APIM_USAGE_BUCKETS; i++) {
        bucket[i] = number(row[FIRST_BUCKET + i]);
    }
    return json_pack(
        "{s:I, s:I, s:I, s:I, s:f, s:f, s:f, s:f, s:f, s:f, s:I, s:I}", "calls", (json_int_t)calls, "failed",
        (json_int_t)number(row[FAILED]), "refused", (json_int_t)number(row[REFUSED]), "throttled",
        (json_int_t)number(row[THROTTLED]), "averageMs", (double)number(row[TOTAL]) / each,
        "backendAverageMs", (double)number(row[BACKEND]) / each, "p50Ms",
        apim_usage_percentile(bucket, 0.5, longest), "p95Ms", apim_usage_percentile(bucket, 0.95, longest),
        "p99Ms", apim_usage_percentile(bucket, 0.99, longest), "maxMs", longest, "bytesIn",
        (json_int_t)number(row[BYTES_IN]), "bytesOut", (json_int_t)number(row[BYTES_OUT]));
}

static json_t *item_json(apr_pool_t *p, const apim_stmt_t *stmt, const char *const *row)
{
    json_t *item = sums_json(row);
    const char *key = row[KEY] ? row[KEY] : "";
    if (item) {
        json_object_set_new(item, "key",
                            json_string(stmt == &po_usage_by_time ? apim_iso_time(p, number(key)) : key));
        json_object_set_new(item, "name", json_string(row[LABEL] ? row[LABEL] : ""));
    }
    return item;
}

static apim_error_t *select_both(rest_request_t *rq, const apim_stmt_t *stmt, const window_t *w,
                                 const char *api, const char *application, const po_access_t *access,
                                 apim_rows_t **rows, apim_rows_t **total)
{
    const char *args[] = {
        w->period,   apim_i64(rq->pool, w->from), apim_i64(rq->pool, w->to), api, api, application,
        application, access->everything,          PO_ACCESS_ARGS(access)};
    const int n = (int)(sizeof(args) / sizeof(args[0]));
    apim_error_t *err;
    apim_db_t *db;
    APIM_TRY(po_open(rq, APIM_DB_API_MANAGER, &db));
    err = apim_db_select(db, rq->pool, stmt, rows, args, n);
    err = err ? err : apim_db_select(db, rq->pool, &po_usage_total, total, args, n);
    apim_db_close(db);
    return err;
}

static apim_error_t *find_dimension(rest_request_t *rq, const char *fallback, const apim_stmt_t **stmt)
{
    const char *by = apr_table_get(rq->query, "by");
    apr_size_t i;
    by = by && *by ? by : fallback;
    for (i = 0; i < sizeof(dimensions) / sizeof(dimensions[0]); i++) {
        if (strcmp(by, dimensions[i].by) == 0) {
            *stmt = dimensions[i].stmt;
            return NULL;
        }
    }
    return apim_bad_request(rq->pool,
                            "by must be time, api, resource, application, user, tier, status, code or node.");
}

/* access: whose APIs are counted. */
static apim_error_t *answer(rest_request_t *rq, const char *api, const char *application,
                            const po_access_t *access)
{
    const apim_stmt_t *stmt = NULL;
    apim_rows_t *rows, *total;
    json_t *list = json_array(), *out;
    window_t w;
    int i;
    apim_json_own(rq->pool, list);
    APIM_TRY(find_dimension(rq, "time", &stmt));
    APIM_TRY(read_window(rq, &w));
    APIM_TRY(select_both(rq, stmt, &w, api, application, access, &rows, &total));
    for (i = 0; i < rows->count; i++) {
        json_array_append_new(list, item_json(rq->pool, stmt, rows->row[i]));
    }
    out = json_pack("{s:s, s:s, s:s, s:o, s:i, s:O}", "period", w.period, "from",
                    apim_iso_time(rq->pool, w.from), "to", apim_iso_time(rq->pool, w.to), "total",
                    sums_json(total->row[0]), "count", rows->count, "list", list);
    return out ? rest_reply_json(rq->r, 200, out) : apim_internal(rq->pool, "usage could not be printed");
}

static const char *query_text(rest_request_t *rq, const char *name)
{
    const char *text = apr_table_get(rq->query, name);
    return text ? text : "";
}

apim_error_t *po_usage_read(rest_request_t *rq)
{
    po_access_t access;
    APIM_TRY(po_access_of(rq, &access));
    return answer(rq, query_text(rq, "apiId"), query_text(rq, "applicationId"), &access);
}

apim_error_t *st_usage_read(rest_request_t *rq)
{
    const po_access_t all = {"1", rq->username, "|"};
    st_application_t application;
    APIM_TRY(st_application_of_caller(rq, rq->param[0], &application));
    return answer(rq, query_text(rq, "apiId"), application.id, &all);
}
