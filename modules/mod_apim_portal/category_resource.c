/* SPDX-License-Identifier: Apache-2.0 */
#include <apr_strings.h>
#include <string.h>

#include "admin.h"
#include "category_sql.h"
#include "publisher.h"

/* Categories of APIs: the administrator makes them, publishers choose from them, the Store shows them. */

#define MAX_CATEGORIES 1000

typedef struct category_t {
    const char *id, *name, *description;
    apr_int64_t apis;
} category_t;

static void from_row(const char *const *row, category_t *c)
{
    c->id = row[0];
    c->name = row[1];
    c->description = row[2];
    c->apis = po_number(row[3]);
}

static json_t *category_json(const category_t *c, int counted)
{
    json_t *out = json_pack("{s:s, s:s, s:s}", "id", c->id, "name", c->name, "description", c->description);
    if (counted) {
        json_object_set_new(out, "numberOfAPIs", json_integer(c->apis));
    }
    return out;
}

/* -- lists, in all three APIs ------------------------------------------------------------------------------
 */

static apim_error_t *list(rest_request_t *rq, int counted)
{
    json_t *items = apim_json_own(rq->pool, json_array());
    apim_rows_t *rows;
    apim_error_t *err;
    apim_db_t *db;
    int i;
    APIM_TRY(po_open(rq, APIM_DB_API_MANAGER, &db));
    err = apim_db_select(db, rq->pool, &po_category_list, &rows, APIM_NOARGS);
    apim_db_close(db);
    APIM_TRY(err);
    for (i = 0; i < rows->count; i++) {
        category_t c;
        from_row(rows->row[i], &c);
        json_array_append_new(items, category_json(&c, counted));
    }
    return rest_reply_json(rq->r, 200, json_pack("{s:i, s:O}", "count", rows->count, "list", items));
}

apim_error_t *po_categories_list(rest_request_t *rq)
{
    return list(rq, 0);
}

apim_error_t *ad_categories_list(rest_request_t *rq)
{
    return list(rq, 1);
}

/* -- changes -----------------------------------------------------------------------------------------------
 */

static apim_error_t *read_body(rest_request_t *rq, category_t *c)
{
    po_problems_t problems = {rq->pool, NULL, 0};
    const json_t *description;
    json_t *body;
    APIM_TRY(rest_read_json(rq->r, NULL, &body));
    c->name = po_check_text(&problems, "/name", json_object_get(body, "name"), 1, 255, NULL);
    if (c->name && (strpbrk(c->name, "~!@#;:%^*()+={}|\\<>\"',&$[]/") || *c->name == ' ' ||
                    c->name[strlen(c->name) - 1] == ' ')) {
        po_problem(&problems, "/name",
                   "must not begin or end with a blank nor hold any of ~ ! @ # ; : %% ^ * ( ) + = { } | \\ "
                   "< > \" ' , & $ [ ] /.");
    }
    description = json_object_get(body, "description");
    c->description = description && !json_is_null(description)
                         ? po_check_text(&problems, "/description", description, 0, 1024, "\n\t")
                         : "";
    return po_problems_error(&problems);
}

static apim_error_t *check_free(rest_request_t *rq, apim_db_t *db, const category_t *c)
{
    apim_rows_t *rows;
    APIM_TRY(apim_db_select(db, rq->pool, &po_category_taken, &rows, APIM_ARGS(c->name, c->id)));
    return rows->count ? apim_conflict(rq->pool, "There is a category %s already.", c->name) : NULL;
}

static apim_error_t *find(rest_request_t *rq, apim_db_t *db, const char *id, category_t *c)
{
    apim_rows_t *rows;
    APIM_TRY(apim_db_select(db, rq->pool, &po_category_get, &rows, APIM_ARGS(id)));
    if (!rows->count) {
        return apim_not_found(rq->pool, "API category", id);
    }
    from_row(rows->row[0], c);
    return NULL;
}

static apim_error_t *add(rest_request_t *rq, apim_db_t *db, category_t *c)
{
    apim_rows_t *rows;
    int added;
    c->id = apim_uuid(rq->pool);
    if (!c->id) {
        return apim_internal(rq->pool, "no random numbers");
    }
    APIM_TRY(apim_db_begin(db));
    APIM_TRY(check_free(rq, db, c));
    APIM_TRY(apim_db_select(db, rq->pool, &po_category_count, &rows, APIM_NOARGS));
    if (po_number(rows->row[0][0]) >= MAX_CATEGORIES) {
        return apim_conflict(rq->pool, "There are %d categories already; more cannot be shown.",
                             MAX_CATEGORIES);
    }
    APIM_TRY(apim_db_query(db, &po_category_insert, &added, APIM_ARGS(c->id, c->name, c->description)));
    return added ? apim_db_commit(db) : apim_conflict(rq->pool, "There is a category %s already.", c->name);
}

/* APIs name their categories: one that is used keeps its name. */
static apim_error_t *replace(rest_request_t *rq, apim_db_t *db, category_t *c)
{
    category_t before;
    APIM_TRY(apim_db_begin(db));
    APIM_TRY(find(rq, db, rq->param[0], &before));
    c->id = before.id;
    c->apis = before.apis;
    if (strcmp(before.name, c->name) != 0 && before.apis) {
        return apim_conflict(rq->pool, "%" APR_INT64_T_FMT " APIs have the category %s; it keeps its name.",
                             before.apis, before.name);
    }
    APIM_TRY(check_free(rq, db, c));
    APIM_TRY(apim_db_query(db, &po_category_update, NULL, APIM_ARGS(c->name, c->description, c->id)));
    return apim_db_commit(db);
}

static apim_error_t *drop(rest_request_t *rq, apim_db_t *db, category_t *c)
{
    APIM_TRY(apim_db_begin(db));
    APIM_TRY(find(rq, db, rq->param[0], c));
    if (c->apis) {
        return apim_conflict(rq->pool, "%" APR_INT64_T_FMT " APIs have the category %s.", c->apis, c->name);
    }
    APIM_TRY(apim_db_query(db, &po_category_delete, NULL, APIM_ARGS(c->id)));
    return apim_db_commit(db);
}

typedef apim_error_t *(change_fn)(rest_request_t *, apim_db_t *, category_t *);

static apim_error_t *make(rest_request_t *rq, change_fn *change, category_t *c)
{
    apim_error_t *err;
    apim_db_t *db;
    APIM_TRY(po_open(rq, APIM_DB_API_MANAGER, &db));
    err = change(rq, db, c);
    apim_db_close(db);
    return err;
}

apim_error_t *ad_category_add(rest_request_t *rq)
{
    category_t c = {0};
    APIM_TRY(read_body(rq, &c));
    APIM_TRY(make(rq, add, &c));
    return rest_reply_json(rq->r, 201, category_json(&c, 1));
}

apim_error_t *ad_category_replace(rest_request_t *rq)
{
    category_t c = {0};
    APIM_TRY(read_body(rq, &c));
    APIM_TRY(make(rq, replace, &c));
    return rest_reply_json(rq->r, 200, category_json(&c, 1));
}

apim_error_t *ad_category_drop(rest_request_t *rq)
{
    category_t c = {0};
    APIM_TRY(make(rq, drop, &c));
    return rest_reply_empty(rq->r, 200);
}
