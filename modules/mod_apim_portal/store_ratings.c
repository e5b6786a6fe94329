/* SPDX-License-Identifier: Apache-2.0 */
#include <apr_strings.h>

#include "feedback_sql.h"
#include "publisher.h"
#include "store.h"

/* Ratings of APIs: one to five stars a user. */

json_t *st_average(apr_pool_t *p, const char *sum, const char *count)
{
    apr_int64_t n = po_number(count), tenths = n ? (po_number(sum) * 100 / n + 5) / 10 : 0;
    return json_string(apr_psprintf(p, "%" APR_INT64_T_FMT ".%" APR_INT64_T_FMT, tenths / 10, tenths % 10));
}

/* RatingDTO; row NULL: the caller has not rated the API. */
static json_t *rating_json(rest_request_t *rq, const char *api_id, const char *const *row)
{
    json_t *out = json_pack("{s:s, s:s, s:I}", "apiId", api_id, "ratedBy", row ? row[1] : rq->username,
                            "rating", (json_int_t)(row ? po_number(row[2]) : 0));
    apim_json_set_str(out, "ratingId", row ? row[0] : NULL);
    return out;
}

static apim_error_t *own(rest_request_t *rq, apim_db_t *db, const char *api_id, const char *const **row)
{
    apim_rows_t *rows;
    *row = NULL;
    if (rq->username) {
        APIM_TRY(apim_db_select(db, rq->pool, &po_rating_get, &rows, APIM_ARGS(api_id, rq->username)));
        *row = rows->count ? rows->row[0] : NULL;
    }
    return NULL;
}

static apim_error_t *read_ratings(rest_request_t *rq, apim_db_t *db, const char *api_id, json_t *list,
                                  int limit, int offset, apim_rows_t **total, const char *const **mine)
{
    apr_pool_t *p = rq->pool;
    apim_rows_t *rows;
    int i;
    APIM_TRY(own(rq, db, api_id, mine));
    APIM_TRY(apim_db_select(db, p, &po_rating_total, total, APIM_ARGS(api_id)));
    APIM_TRY(apim_db_select(db, p, &po_rating_list, &rows,
                            APIM_ARGS(api_id, apim_i64(p, limit), apim_i64(p, offset))));
    for (i = 0; i < rows->count; i++) {
        json_array_append_new(list, rating_json(rq, api_id, rows->row[i]));
    }
    return NULL;
}

static apim_error_t *reply_ratings(rest_request_t *rq, const char *api_id)
{
    json_t *list = apim_json_own(rq->pool, json_array()), *out;
    const char *const *mine = NULL;
    apim_rows_t *total = NULL;
    int limit, offset;
    apim_error_t *err;
    apim_db_t *db;
    APIM_TRY(rest_paging(rq, &limit, &offset));
    APIM_TRY(po_open(rq, APIM_DB_REGISTRY, &db));
    err = read_ratings(rq, db, api_id, list, limit, offset, &total, &mine);
    apim_db_close(db);
    APIM_TRY(err);
    out = rest_list(rq, json_incref(list), limit, offset, po_number(total->row[0][1]));
    json_object_set_new(out, "avgRating", st_average(rq->pool, total->row[0][0], total->row[0][1]));
    json_object_set_new(out, "userRating", json_integer(mine ? po_number(mine[2]) : 0));
    return rest_reply_json(rq->r, 200, out);
}

apim_error_t *st_ratings_list(rest_request_t *rq)
{
    APIM_TRY(st_check_seen(rq, rq->param[0]));
    return reply_ratings(rq, rq->param[0]);
}

apim_error_t *po_ratings_list(rest_request_t *rq)
{
    APIM_TRY(po_check_api_exists(rq, rq->param[0]));
    return reply_ratings(rq, rq->param[0]);
}

static apim_error_t *reply_own(rest_request_t *rq)
{
    const char *const *row = NULL;
    apim_error_t *err;
    apim_db_t *db;
    APIM_TRY(po_open(rq, APIM_DB_REGISTRY, &db));
    err = own(rq, db, rq->param[0], &row);
    apim_db_close(db);
    return err ? err : rest_reply_json(rq->r, 200, rating_json(rq, rq->param[0], row));
}

apim_error_t *st_user_rating_read(rest_request_t *rq)
{
    APIM_TRY(st_check_seen(rq, rq->param[0]));
    return reply_own(rq);
}

apim_error_t *st_user_rating_put(rest_request_t *rq)
{
    po_problems_t problems = {rq->pool, NULL, 0};
    const json_t *rating;
    const char *id = apim_uuid(rq->pool);
    apim_error_t *err;
    apim_db_t *db;
    json_t *body;
    APIM_TRY(rest_read_json(rq->r, NULL, &body));
    rating = json_object_get(body, "rating");
    if (!json_is_integer(rating) || json_integer_value(rating) < 1 || json_integer_value(rating) > 5) {
        po_problem(&problems, "/rating", "must be a whole number from 1 to 5.");
        return po_problems_error(&problems);
    }
    if (!id) {
        return apim_internal(rq->pool, "no random numbers");
    }
    APIM_TRY(st_check_seen(rq, rq->param[0]));
    APIM_TRY(po_open(rq, APIM_DB_REGISTRY, &db));
    err = apim_db_query(db, &po_rating_put, NULL,
                        APIM_ARGS(id, rq->param[0], rq->username,
                                  apim_i64(rq->pool, (apr_int64_t)json_integer_value(rating)),
                                  apim_i64(rq->pool, apim_now_ms())));
    apim_db_close(db);
    return err ? err : reply_own(rq);
}

apim_error_t *st_user_rating_drop(rest_request_t *rq)
{
    apim_error_t *err;
    apim_db_t *db;
    APIM_TRY(st_check_seen(rq, rq->param[0]));
    APIM_TRY(po_open(rq, APIM_DB_REGISTRY, &db));
    err = apim_db_query(db, &po_rating_delete, NULL, APIM_ARGS(rq->param[0], rq->username));
    apim_db_close(db);
    return err ? err : rest_reply_empty(rq->r, 200);
}
