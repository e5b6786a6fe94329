/* SPDX-License-Identifier: Apache-2.0 */
#include <apr_strings.h>
#include <string.h>

#include "access_control.h"
#include "publisher.h"
#include "publisher_sql.h"

static json_t *subscription_json(const char *const *row)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:{s:s, s:s, s:s, s:s, s:I}}", "subscriptionId", row[0], "apiId",
                     row[1], "throttlingPolicy", row[2], "subscriptionStatus", row[3], "applicationInfo",
                     "applicationId", row[4], "name", row[5], "subscriber", row[6], "description", row[7],
                     "subscriptionCount", (json_int_t)po_number(row[8]));
}

static apim_error_t *read_page(rest_request_t *rq, const char *api_id, int limit, int offset,
                               apim_rows_t **count, apim_rows_t **rows)
{
    apim_db_t *db;
    apim_error_t *err = NULL;
    po_access_t access;
    po_api_t *api;
    APIM_TRY(po_access_of(rq, &access));
    APIM_TRY(po_open(rq, APIM_DB_API_MANAGER, &db));
    if (*api_id) {
        err = po_api_get(db, rq->pool, api_id, &api);
    }
    err = err ? err
              : apim_db_select(db, rq->pool, &po_subscription_count, count,
                               APIM_ARGS(api_id, api_id, PO_ACCESS_ARGS(&access)));
    err = err ? err
              : apim_db_select(db, rq->pool, &po_subscription_list, rows,
                               APIM_ARGS(api_id, api_id, PO_ACCESS_ARGS(&access), apim_i64(rq->pool, limit),
                                         apim_i64(rq->pool, offset)));
    apim_db_close(db);
    return err;
}

apim_error_t *po_subscriptions_list(rest_request_t *rq)
{
    const char *api_id = apr_table_get(rq->query, "apiId");
    apim_rows_t *count, *rows;
    json_t *list = json_array();
    int limit, offset, i;
    apim_json_own(rq->pool, list);
    APIM_TRY(rest_paging(rq, &limit, &offset));
    APIM_TRY(read_page(rq, api_id ? api_id : "", limit, offset, &count, &rows));
    for (i = 0; i < rows->count; i++) {
        json_array_append_new(list, subscription_json(rows->row[i]));
    }
    return rest_reply_json(rq->r, 200,
                           rest_list(rq, json_incref(list), limit, offset, po_number(count->row[0][0])));
}

static apim_error_t *set_in_transaction(rest_request_t *rq, apim_db_t *db, const char *id, const char *status,
                                        apim_rows_t **rows)
{
    APIM_TRY(apim_db_begin(db));
    APIM_TRY(apim_db_select(db, rq->pool, &po_subscription_get, rows, APIM_ARGS(id)));
    if (!(*rows)->count) {
        return apim_not_found(rq->pool, "Subscription", id);
    }
    if (po_one_of((*rows)->row[0][3], "ON_HOLD|REJECTED")) {
        return apim_error(rq->pool, 400, 900320, "Invalid state for subscription",
                          "The subscription is %s: it waits for approval or was refused.",
                          (*rows)->row[0][3]);
    }
    APIM_TRY(apim_db_query(db, &po_subscription_set_status, NULL,
                           APIM_ARGS(status, apim_i64(rq->pool, apim_now_ms()), id)));
    APIM_TRY(po_invalidate(db, rq->pool, "application", (*rows)->row[0][4]));
    (*rows)->row[0][3] = status;
    return apim_db_commit(db);
}

/* The subscription's API must be one that the caller works with. */
static apim_error_t *check_access(rest_request_t *rq, const char *id)
{
    apim_rows_t *rows;
    apim_db_t *db;
    apim_error_t *err;
    APIM_TRY(po_open(rq, APIM_DB_API_MANAGER, &db));
    err = apim_db_select(db, rq->pool, &po_subscription_get, &rows, APIM_ARGS(id));
    apim_db_close(db);
    APIM_TRY(err);
    return rows->count ? po_access_check(rq, rows->row[0][1]) : NULL;
}

static apim_error_t *set_status(rest_request_t *rq, const char *status)
{
    const char *id;
    apim_rows_t *rows;
    apim_db_t *db;
    apim_error_t *err;
    APIM_TRY(po_needed(rq, "subscriptionId", &id));
    APIM_TRY(check_access(rq, id));
    APIM_TRY(po_open(rq, APIM_DB_API_MANAGER, &db));
    err = set_in_transaction(rq, db, id, status, &rows);
    apim_db_close(db);
    APIM_TRY(err);
    return rest_reply_json(rq->r, 200, subscription_json(rows->row[0]));
}

apim_error_t *po_subscription_block(rest_request_t *rq)
{
    const char *state;
    APIM_TRY(po_needed(rq, "blockState", &state));
    if (!po_one_of(state, "BLOCKED|PROD_ONLY_BLOCKED")) {
        return apim_bad_request(rq->pool, "blockState must be BLOCKED or PROD_ONLY_BLOCKED.");
    }
    return set_status(rq, state);
}

apim_error_t *po_subscription_unblock(rest_request_t *rq)
{
    return set_status(rq, "UNBLOCKED");
}
