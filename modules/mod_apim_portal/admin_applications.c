/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "admin.h"
#include "admin_sql.h"
#include "search_query.h"

/* Everybody's applications, for the administrator. */

#define MAX_FILTER 255

static apim_error_t *filter(rest_request_t *rq, const char *name, const char **out)
{
    *out = apr_table_get(rq->query, name);
    *out = *out ? *out : "";
    if (strlen(*out) > MAX_FILTER || apim_has_control(*out, NULL)) {
        return apim_bad_request(rq->pool, "%s is too long or holds control characters.", name);
    }
    return NULL;
}

static apim_error_t *read_page(rest_request_t *rq, apim_db_t *db, const char *user, const char *pattern,
                               int limit, int offset, apim_rows_t **rows, apr_int64_t *total)
{
    apr_pool_t *p = rq->pool;
    APIM_TRY(apim_db_select(db, p, &ad_application_count, rows, APIM_ARGS(user, user, pattern)));
    apim_parse_i64((*rows)->row[0][0], total);
    return apim_db_select(db, p, &ad_application_list, rows,
                          APIM_ARGS(user, user, pattern, apim_i64(p, limit), apim_i64(p, offset)));
}

apim_error_t *ad_applications_list(rest_request_t *rq)
{
    const char *user, *name;
    apr_int64_t total = 0;
    apim_rows_t *rows;
    apim_error_t *err;
    apim_db_t *db;
    json_t *list;
    int limit, offset, i;
    APIM_TRY(rest_paging(rq, &limit, &offset));
    APIM_TRY(filter(rq, "user", &user));
    APIM_TRY(filter(rq, "name", &name));
    APIM_TRY(po_open(rq, APIM_DB_API_MANAGER, &db));
    err = read_page(rq, db, user, po_like_pattern(rq->pool, name, 1), limit, offset, &rows, &total);
    apim_db_close(db);
    APIM_TRY(err);
    list = json_array();
    for (i = 0; i < rows->count; i++) {
        const char *const *row = rows->row[i];
        json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s, s:s}", "applicationId", row[0], "name",
                                              row[1], "owner", row[2], "status", row[3], "groupId", ""));
    }
    return rest_reply_json(rq->r, 200, rest_list(rq, list, limit, offset, total));
}
