/* SPDX-License-Identifier: Apache-2.0 */
#include <apr_strings.h>
#include <string.h>

#include "publisher.h"
#include "publisher_sql.h"
#include "search_query.h"

/*
 * Shared scopes. A scope's id is its name in base64url: what WSO2 asks for in HEAD /scopes/{name} is then the
 * same thing.
 */
static const char *scope_name(rest_request_t *rq)
{
    apr_size_t len, n = strlen(rq->param[0]);
    const unsigned char *name;
    while (n && rq->param[0][n - 1] == '=') {
        n--;
    }
    name = apim_b64url_decode(rq->pool, rq->param[0], n, &len);
    return name && strlen((const char *)name) == len && apim_utf8_valid((const char *)name, len)
               ? (const char *)name
               : "";
}

static json_t *words(apr_pool_t *p, const char *list)
{
    json_t *out = json_array();
    char *last, *word, *copy = apr_pstrdup(p, list);
    for (word = apr_strtok(copy, " ", &last); word; word = apr_strtok(NULL, " ", &last)) {
        json_array_append_new(out, json_string(word));
    }
    return out;
}

static json_t *scope_json(apr_pool_t *p, const char *const *row, int usage)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:o, s:i}", "id", apim_b64url(p, row[0], strlen(row[0])), "name",
                     row[0], "displayName", row[1], "description", row[2], "bindings", words(p, row[3]),
                     "usageCount", usage);
}

/* -- who uses a scope --------------------------------------------------------------------------------------
 */

typedef struct usage_t {
    const char *name;
    int count;
} usage_t;

static apim_error_t *count_use(void *baton, apr_pool_t *p, const char *const *values, int columns)
{
    const apim_json_limits_t limits = {16 * 1024 * 1024, 64};
    usage_t *usage = baton;
    json_t *document, *item;
    apr_size_t i;
    APIM_TRY(apim_json_parse(p, values[1], strlen(values[1]), &limits, &document));
    json_array_foreach(json_object_get(document, "scopes"), i, item)
    {
        if (apim_json_bool(item, "shared", 0) &&
            strcmp(apim_json_str(json_object_get(item, "scope"), "name", ""), usage->name) == 0) {
            usage->count++;
        }
    }
    return NULL;
}

static apim_error_t *count_usage(apim_db_t *db, apr_pool_t *p, const char *name, int *count)
{
    const json_t *text = apim_json_own(p, json_string(name));
    usage_t usage = {name, 0};
    const char *like = apr_pstrcat(p, "%", po_like_pattern(p, apim_json_text(p, text), 0), "%", NULL);
    APIM_TRY(apim_db_each(db, p, &po_scope_users, count_use, &usage, APIM_ARGS(like)));
    *count = usage.count;
    return NULL;
}

/* -- reading -----------------------------------------------------------------------------------------------
 */

static apim_error_t *list_scopes(rest_request_t *rq, apim_db_t *db, int limit, int offset, apr_int64_t *total,
                                 json_t *list)
{
    apim_rows_t *rows, *count;
    int i, usage;
    APIM_TRY(apim_db_select(db, rq->pool, &po_scope_shared_count, &count, APIM_NOARGS));
    *total = po_number(count->row[0][0]);
    APIM_TRY(apim_db_select(db, rq->pool, &po_scope_shared_list, &rows,
                            APIM_ARGS(apim_i64(rq->pool, limit), apim_i64(rq->pool, offset))));
    for (i = 0; i < rows->count; i++) {
        APIM_TRY(count_usage(db, rq->pool, rows->row[i][0], &usage));
        json_array_append_new(list, scope_json(rq->pool, rows->row[i], usage));
    }
    return NULL;
}

apim_error_t *po_scopes_list(rest_request_t *rq)
{
    json_t *list = apim_json_own(rq->pool, json_array());
    apr_int64_t total;
    int limit, offset;
    apim_db_t *db;
    apim_error_t *err;
    APIM_TRY(rest_paging(rq, &limit, &offset));
    APIM_TRY(po_open(rq, APIM_DB_API_MANAGER, &db));
    err = list_scopes(rq, db, limit, offset, &total, list);
    apim_db_close(db);
    APIM_TRY(err);
    return rest_reply_json(rq->r, 200, rest_list(rq, json_incref(list), limit, offset, total));
}

static apim_error_t *get_scope(rest_request_t *rq, apim_db_t *db, const char *name, apim_rows_t **rows,
                               int *usage)
{
    APIM_TRY(apim_db_select(db, rq->pool, &po_scope_shared, rows, APIM_ARGS(name)));
    if (!(*rows)->count) {
        return apim_not_found(rq->pool, "Shared scope", rq->param[0]);
    }
    return count_usage(db, rq->pool, name, usage);
}

apim_error_t *po_scope_read(rest_request_t *rq)
{
    apim_rows_t *rows;
    int usage;
    apim_db_t *db;
    apim_error_t *err;
    APIM_TRY(po_open(rq, APIM_DB_API_MANAGER, &db));
    err = get_scope(rq, db, scope_name(rq), &rows, &usage);
    apim_db_close(db);
    APIM_TRY(err);
    return rest_reply_json(rq->r, 200, scope_json(rq->pool, rows->row[0], usage));
}

/* -- changing ----------------------------------------------------------------------------------------------
 */

/* The body as the columns of am_scope. The checks are those of an API's own scopes. */
static apim_error_t *read_scope(rest_request_t *rq, const char *name, const char *columns[4])
{
    po_problems_t problems = {rq->pool, NULL, 0};
    json_t *body, *document, *scope, *role;
    apr_size_t i;
    APIM_TRY(rest_read_json(rq->r, NULL, &body));
    if (!json_is_object(body)) {
        return apim_bad_request(rq->pool, "The body must be a JSON object.");
    }
    if (name) {
        apim_json_set_str(body, "name", name);
    }
    body = apim_json_own(rq->pool, json_pack("{s:[{s:O}]}", "scopes", "scope", body));
    APIM_TRY(po_document_make(rq->pool, body, NULL, &document));
    scope = json_object_get(json_array_get(json_object_get(document, "scopes"), 0), "scope");
    APIM_TRY(po_check_roles(rq, &problems, "/bindings", json_object_get(scope, "bindings")));
    APIM_TRY(po_problems_error(&problems));
    columns[0] = apim_json_str(scope, "name", "");
    columns[1] = apim_json_str(scope, "displayName", "");
    columns[2] = apim_json_str(scope, "description", "");
    columns[3] = "";
    json_array_foreach(json_object_get(scope, "bindings"), i, role)
    {
        columns[3] = apr_pstrcat(rq->pool, columns[3], *columns[3] ? " " : "", json_string_value(role), NULL);
    }
    return NULL;
}

static apim_error_t *insert_scope(rest_request_t *rq, apim_db_t *db, const char *const columns[4])
{
    apim_rows_t *rows;
    int added;
    APIM_TRY(apim_db_begin(db));
    APIM_TRY(apim_db_select(db, rq->pool, &po_scope_of_others, &rows, APIM_ARGS(columns[0], "")));
    if (rows->count) {
        return apim_conflict(rq->pool, "The scope %s belongs to the API %s already.", columns[0],
                             rows->row[0][0]);
    }
    APIM_TRY(apim_db_query(db, &po_scope_insert, &added,
                           APIM_ARGS(columns[0], "", columns[1], columns[2], columns[3])));
    if (!added) {
        return apim_conflict(rq->pool, "There is a shared scope %s already.", columns[0]);
    }
    return apim_db_commit(db);
}

apim_error_t *po_scopes_create(rest_request_t *rq)
{
    const char *columns[4];
    apim_db_t *db;
    apim_error_t *err;
    APIM_TRY(read_scope(rq, NULL, columns));
    APIM_TRY(po_open(rq, APIM_DB_API_MANAGER, &db));
    err = insert_scope(rq, db, columns);
    apim_db_close(db);
    APIM_TRY(err);
    apr_table_setn(rq->r->headers_out, "Location",
                   apr_pstrcat(rq->pool, rest_self_url(rq->r), PO_PUBLISHER_BASE "/scopes/",
                               apim_b64url(rq->pool, columns[0], strlen(columns[0])), NULL));
    return rest_reply_json(rq->r, 201, scope_json(rq->pool, columns, 0));
}

apim_error_t *po_scope_replace(rest_request_t *rq)
{
    const char *columns[4], *name = scope_name(rq);
    apim_rows_t *rows;
    int usage = 0;
    apim_db_t *db;
    apim_error_t *err;
    if (!*name) {
        return apim_not_found(rq->pool, "Shared scope", rq->param[0]);
    }
    APIM_TRY(read_scope(rq, name, columns));
    APIM_TRY(po_open(rq, APIM_DB_API_MANAGER, &db));
    err = get_scope(rq, db, name, &rows, &usage);
    err = err ? err
              : apim_db_query(db, &po_scope_update, NULL,
                              APIM_ARGS(columns[1], columns[2], columns[3], columns[0]));
    apim_db_close(db);
    APIM_TRY(err);
    return rest_reply_json(rq->r, 200, scope_json(rq->pool, columns, usage));
}

static apim_error_t *delete_scope(rest_request_t *rq, apim_db_t *db, const char *name)
{
    apim_rows_t *rows;
    int usage;
    APIM_TRY(apim_db_begin(db));
    APIM_TRY(get_scope(rq, db, name, &rows, &usage));
    if (usage) {
        return apim_conflict(rq->pool, "The scope %s is used by %d APIs.", name, usage);
    }
    APIM_TRY(apim_db_query(db, &po_scope_delete, NULL, APIM_ARGS(name)));
    return apim_db_commit(db);
}

apim_error_t *po_scope_drop(rest_request_t *rq)
{
    apim_db_t *db;
    apim_error_t *err;
    APIM_TRY(po_open(rq, APIM_DB_API_MANAGER, &db));
    err = delete_scope(rq, db, scope_name(rq));
    apim_db_close(db);
    APIM_TRY(err);
    return rest_reply_empty(rq->r, 200);
}
