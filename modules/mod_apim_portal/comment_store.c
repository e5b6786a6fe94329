/* SPDX-License-Identifier: Apache-2.0 */
#include "comment_store.h"

#include <apr_strings.h>
#include <string.h>

#include "feedback_sql.h"
#include "problems.h"
#include "publisher.h"

#define MAX_CONTENT 512 /* characters, as in WSO2 */
#define MAX_ANSWERS 1000

/* Columns of the statements. */
enum { C_ID, C_PARENT, C_CONTENT, C_CATEGORY, C_ENTRY, C_CREATED, C_BY, C_UPDATED, C_TOTAL };

/* A page of answers as a caller asks for it. */
typedef struct answers_t {
    int limit, offset;
} answers_t;

static apim_error_t *number_of(rest_request_t *rq, const char *name, int fallback, int min, int max, int *out)
{
    const char *text = apr_table_get(rq->query, name);
    apr_int64_t n = fallback;
    if (text && *text && (apim_parse_i64(text, &n) || n < min || n > max)) {
        return apim_bad_request(rq->pool, "%s must be a number from %d to %d.", name, min, max);
    }
    *out = (int)n;
    return NULL;
}

static apim_error_t *read_answers(rest_request_t *rq, answers_t *page)
{
    APIM_TRY(number_of(rq, "replyLimit", 25, 1, MAX_ANSWERS, &page->limit));
    return number_of(rq, "replyOffset", 0, 0, 1000000000, &page->offset);
}

/* -- as JSON -----------------------------------------------------------------------------------------------
 */

static json_t *answer_list(const answers_t *page, apr_int64_t total)
{
    return json_pack("{s:i, s:[], s:{s:i, s:i, s:I, s:s, s:s}}", "count", 0, "list", "pagination", "offset",
                     page->offset, "limit", page->limit, "total", (json_int_t)total, "next", "", "previous",
                     "");
}

/* CommentDTO; page NULL: an answer. */
static json_t *comment_json(apr_pool_t *p, const char *const *row, const answers_t *page)
{
    json_t *out =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:n}", "id", row[C_ID], "content", row[C_CONTENT], "category",
                  row[C_CATEGORY], "entryPoint", row[C_ENTRY], "createdBy", row[C_BY], "commenterInfo");
    apr_int64_t updated = po_number(row[C_UPDATED]);
    apim_json_set_str(out, "createdTime", apim_iso_time(p, po_number(row[C_CREATED])));
    apim_json_set_str(out, "updatedTime", updated ? apim_iso_time(p, updated) : NULL);
    apim_json_set_str(out, "parentCommentId", *row[C_PARENT] ? row[C_PARENT] : NULL);
    if (page) {
        json_object_set_new(out, "replies", answer_list(page, 0));
    }
    return out;
}

/* Puts answers, sorted by their comment, where they belong. */
static void add_answers(apr_pool_t *p, json_t *comments, const apim_rows_t *rows)
{
    json_t *comment;
    apr_size_t k;
    int i;
    json_array_foreach(comments, k, comment)
    {
        json_t *replies = json_object_get(comment, "replies"), *list = json_object_get(replies, "list");
        for (i = 0; i < rows->count; i++) {
            const char *const *row = rows->row[i];
            if (strcmp(row[C_PARENT], apim_json_str(comment, "id", "")) == 0) {
                json_array_append_new(list, comment_json(p, row, NULL));
                json_object_set_new(json_object_get(replies, "pagination"), "total",
                                    json_integer(po_number(row[C_TOTAL])));
            }
        }
        json_object_set_new(replies, "count", json_integer((json_int_t)json_array_size(list)));
    }
}

/* -- reading -----------------------------------------------------------------------------------------------
 */

static apim_error_t *find(rest_request_t *rq, apim_db_t *db, const char *api_id, const char *id,
                          const char *const **row)
{
    apim_rows_t *rows;
    APIM_TRY(apim_db_select(db, rq->pool, &po_comment_get, &rows, APIM_ARGS(api_id, id)));
    if (!rows->count) {
        return apim_not_found(rq->pool, "Comment", id);
    }
    *row = rows->row[0];
    return NULL;
}

static apim_error_t *count(rest_request_t *rq, apim_db_t *db, const char *api_id, const char *parent,
                           apr_int64_t *total)
{
    apim_rows_t *rows;
    APIM_TRY(apim_db_select(db, rq->pool, &po_comment_count, &rows, APIM_ARGS(api_id, parent)));
    *total = po_number(rows->row[0][0]);
    return NULL;
}

static apim_error_t *read_page(rest_request_t *rq, apim_db_t *db, const char *api_id, const answers_t *page,
                               int limit, int offset, json_t *list)
{
    apr_pool_t *p = rq->pool;
    const char *n = apim_i64(p, limit), *from = apim_i64(p, offset);
    apim_rows_t *rows;
    int i;
    APIM_TRY(apim_db_select(db, p, &po_comment_roots, &rows, APIM_ARGS(api_id, n, from)));
    for (i = 0; i < rows->count; i++) {
        json_array_append_new(list, comment_json(p, rows->row[i], page));
    }
    APIM_TRY(apim_db_select(db, p, &po_comment_answers_of_page, &rows,
                            APIM_ARGS(api_id, api_id, n, from, apim_i64(p, page->offset),
                                      apim_i64(p, page->offset + page->limit))));
    add_answers(p, list, rows);
    return NULL;
}

apim_error_t *po_comments_reply(rest_request_t *rq, const char *api_id)
{
    json_t *list = apim_json_own(rq->pool, json_array());
    apr_int64_t total = 0;
    answers_t page;
    int limit, offset;
    apim_error_t *err;
    apim_db_t *db;
    APIM_TRY(rest_paging(rq, &limit, &offset));
    APIM_TRY(read_answers(rq, &page));
    APIM_TRY(po_open(rq, APIM_DB_REGISTRY, &db));
    err = count(rq, db, api_id, "", &total);
    err = err ? err : read_page(rq, db, api_id, &page, limit, offset, list);
    apim_db_close(db);
    return err ? err : rest_reply_json(rq->r, 200, rest_list(rq, json_incref(list), limit, offset, total));
}

/* The answers to one comment. */
static apim_error_t *select_answers(rest_request_t *rq, apim_db_t *db, const char *api_id, const char *id,
                                    const answers_t *page, apim_rows_t **rows)
{
    apr_pool_t *p = rq->pool;
    return apim_db_select(
        db, p, &po_comment_answers_of_one, rows,
        APIM_ARGS(api_id, id, apim_i64(p, page->offset), apim_i64(p, page->offset + page->limit)));
}

static apim_error_t *read_one(rest_request_t *rq, apim_db_t *db, const char *api_id, const char *id,
                              const answers_t *page, json_t *list)
{
    const char *const *row;
    apim_rows_t *rows;
    APIM_TRY(find(rq, db, api_id, id, &row));
    json_array_append_new(list, comment_json(rq->pool, row, page));
    APIM_TRY(select_answers(rq, db, api_id, id, page, &rows));
    add_answers(rq->pool, list, rows);
    return NULL;
}

apim_error_t *po_comment_reply(rest_request_t *rq, const char *api_id, const char *id)
{
    json_t *list = apim_json_own(rq->pool, json_array());
    answers_t page;
    apim_error_t *err;
    apim_db_t *db;
    APIM_TRY(read_answers(rq, &page));
    APIM_TRY(po_open(rq, APIM_DB_REGISTRY, &db));
    err = read_one(rq, db, api_id, id, &page, list);
    apim_db_close(db);
    return err ? err : rest_reply_json(rq->r, 200, json_incref(json_array_get(list, 0)));
}

static apim_error_t *read_answers_of(rest_request_t *rq, apim_db_t *db, const char *api_id, const char *id,
                                     const answers_t *page, json_t *list, apr_int64_t *total)
{
    const char *const *row;
    apim_rows_t *rows;
    int i;
    APIM_TRY(find(rq, db, api_id, id, &row));
    APIM_TRY(count(rq, db, api_id, id, total));
    APIM_TRY(select_answers(rq, db, api_id, id, page, &rows));
    for (i = 0; i < rows->count; i++) {
        json_array_append_new(list, comment_json(rq->pool, rows->row[i], NULL));
    }
    return NULL;
}

apim_error_t *po_comment_reply_answers(rest_request_t *rq, const char *api_id, const char *id)
{
    json_t *list = apim_json_own(rq->pool, json_array());
    apr_int64_t total = 0;
    answers_t page;
    apim_error_t *err;
    apim_db_t *db;
    APIM_TRY(rest_paging(rq, &page.limit, &page.offset));
    APIM_TRY(po_open(rq, APIM_DB_REGISTRY, &db));
    err = read_answers_of(rq, db, api_id, id, &page, list, &total);
    apim_db_close(db);
    return err ? err
               : rest_reply_json(rq->r, 200,
                                 rest_list(rq, json_incref(list), page.limit, page.offset, total));
}

/* -- changes -----------------------------------------------------------------------------------------------
 */

typedef struct wanted_t {
    const char *content, *category; /* NULL: not sent */
} wanted_t;

static apim_error_t *read_body(rest_request_t *rq, int all, wanted_t *wanted)
{
    po_problems_t problems = {rq->pool, NULL, 0};
    const json_t *content, *category;
    json_t *body;
    APIM_TRY(rest_read_json(rq->r, NULL, &body));
    content = json_object_get(body, "content");
    category = json_object_get(body, "category");
    if (all || content) {
        wanted->content = po_check_text(&problems, "/content", content, 1, MAX_CONTENT, "\n\t");
    }
    if (category && !json_is_null(category)) {
        wanted->category = po_check_text(&problems, "/category", category, 1, 64, NULL);
    }
    return po_problems_error(&problems);
}

static apim_error_t *check_parent(rest_request_t *rq, apim_db_t *db, const char *api_id, const char *parent)
{
    const char *const *row;
    if (!*parent) {
        return NULL;
    }
    APIM_TRY(find(rq, db, api_id, parent, &row));
    return *row[C_PARENT] ? apim_bad_request(rq->pool,
                                             "replyTo names an answer; name the comment %s that it "
                                             "belongs to.",
                                             row[C_PARENT])
                          : NULL;
}

static apim_error_t *insert(rest_request_t *rq, apim_db_t *db, const char *api_id, const char *const *row)
{
    APIM_TRY(apim_db_begin(db));
    APIM_TRY(check_parent(rq, db, api_id, row[C_PARENT]));
    APIM_TRY(apim_db_query(db, &po_comment_insert, NULL,
                           APIM_ARGS(row[C_ID], api_id, row[C_PARENT], row[C_CONTENT], row[C_CATEGORY],
                                     row[C_ENTRY], row[C_CREATED], row[C_BY])));
    return apim_db_commit(db);
}

apim_error_t *po_comment_add(rest_request_t *rq, const char *api_id, const char *entry_point,
                             const char *base)
{
    const char *parent = apr_table_get(rq->query, "replyTo"), *id = apim_uuid(rq->pool);
    const answers_t none = {25, 0};
    wanted_t wanted = {0};
    apim_error_t *err;
    apim_db_t *db;
    APIM_TRY(read_body(rq, 1, &wanted));
    if (!id) {
        return apim_internal(rq->pool, "no random numbers");
    }
    parent = parent ? parent : "";
    {
        const char *const row[] = {id,
                                   parent,
                                   wanted.content,
                                   wanted.category ? wanted.category : "general",
                                   entry_point,
                                   apim_i64(rq->pool, apim_now_ms()),
                                   rq->username,
                                   "0"};
        APIM_TRY(po_open(rq, APIM_DB_REGISTRY, &db));
        err = insert(rq, db, api_id, row);
        apim_db_close(db);
        APIM_TRY(err);
        apr_table_setn(
            rq->r->headers_out, "Location",
            apr_pstrcat(rq->pool, rest_self_url(rq->r), base, "/apis/", api_id, "/comments/", id, NULL));
        return rest_reply_json(rq->r, 201, comment_json(rq->pool, row, *parent ? NULL : &none));
    }
}

static apim_error_t *check_own(rest_request_t *rq, const char *const *row, int moderates)
{
    return moderates || strcmp(row[C_BY], rq->username) == 0
               ? NULL
               : apim_error(rq->pool, 403, APIM_E_FORBIDDEN, "Forbidden", "The comment is %s's.", row[C_BY]);
}

static apim_error_t *update(rest_request_t *rq, apim_db_t *db, const char *api_id, const char *id,
                            const wanted_t *wanted)
{
    const char *const *row;
    APIM_TRY(apim_db_begin(db));
    APIM_TRY(find(rq, db, api_id, id, &row));
    APIM_TRY(check_own(rq, row, 0));
    APIM_TRY(apim_db_query(db, &po_comment_update, NULL,
                           APIM_ARGS(wanted->content ? wanted->content : row[C_CONTENT],
                                     wanted->category ? wanted->category : row[C_CATEGORY],
                                     apim_i64(rq->pool, apim_now_ms()), id)));
    return apim_db_commit(db);
}

apim_error_t *po_comment_alter(rest_request_t *rq, const char *api_id, const char *id)
{
    wanted_t wanted = {0};
    apim_error_t *err;
    apim_db_t *db;
    APIM_TRY(read_body(rq, 0, &wanted));
    APIM_TRY(po_open(rq, APIM_DB_REGISTRY, &db));
    err = update(rq, db, api_id, id, &wanted);
    apim_db_close(db);
    return err ? err : po_comment_reply(rq, api_id, id);
}

static apim_error_t *drop(rest_request_t *rq, apim_db_t *db, const char *api_id, const char *id,
                          int moderates)
{
    const char *const *row;
    APIM_TRY(apim_db_begin(db));
    APIM_TRY(find(rq, db, api_id, id, &row));
    APIM_TRY(check_own(rq, row, moderates));
    APIM_TRY(apim_db_query(db, &po_comment_delete, NULL, APIM_ARGS(api_id, id, id)));
    return apim_db_commit(db);
}

apim_error_t *po_comment_remove(rest_request_t *rq, const char *api_id, const char *id, int moderates)
{
    apim_error_t *err;
    apim_db_t *db;
    APIM_TRY(po_open(rq, APIM_DB_REGISTRY, &db));
    err = drop(rq, db, api_id, id, moderates);
    apim_db_close(db);
    return err ? err : rest_reply_empty(rq->r, 200);
}
