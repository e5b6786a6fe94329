/* SPDX-License-Identifier: Apache-2.0 */
#include <apr_strings.h>
#include <string.h>

#include "api_store.h"
#include "search_query.h"
#include "store.h"
#include "store_sql.h"
#include "workflow_sql.h"
#include "workflow_types.h"

/* Applications: a subscriber's own. */

#define MAX_NAME        100
#define MAX_DESCRIPTION 512
#define MAX_ATTRIBUTES  64

static apr_int64_t number(const char *text)
{
    apr_int64_t n = 0;
    return text && !apim_parse_i64(text, &n) ? n : 0;
}

static void from_row(const char *const *row, st_application_t *out)
{
    out->id = row[0];
    out->owner = row[1];
    out->name = row[2];
    out->description = row[3];
    out->tier = row[4];
    out->token_type = row[5];
    out->status = row[6];
    out->attributes = row[7];
    out->groups = row[8];
    out->created_at = number(row[9]);
    out->updated_at = number(row[10]);
    out->subscriptions = number(row[11]);
}

static json_t *parsed(apr_pool_t *p, const char *text, json_t *fallback)
{
    json_t *j;
    if (apim_json_parse(p, text, strlen(text), NULL, &j)) {
        return fallback;
    }
    json_decref(fallback);
    return json_incref(j);
}

/* DevPortal v3's ApplicationInfoDTO; ApplicationDTO has tokenType, keys and scopes besides. */
static json_t *application_json(apr_pool_t *p, const st_application_t *a, int whole)
{
    json_t *out =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:s, s:s, s:s}", "applicationId", a->id, "name", a->name,
                  "throttlingPolicy", a->tier, "description", a->description, "status", a->status,
                  "subscriptionCount", (json_int_t)a->subscriptions, "owner", a->owner, "createdTime",
                  apim_i64(p, a->created_at), "updatedTime", apim_i64(p, a->updated_at));
    json_object_set_new(out, "groups", parsed(p, a->groups, json_array()));
    json_object_set_new(out, "attributes", parsed(p, a->attributes, json_object()));
    if (whole) {
        json_object_set_new(out, "tokenType", json_string(a->token_type));
        json_object_set_new(out, "keys", json_array());
        json_object_set_new(out, "subscriptionScopes", json_array());
        json_object_set_new(out, "hashEnabled", json_true());
    }
    return out;
}

apim_error_t *st_application_find(apim_db_t *db, rest_request_t *rq, const char *id, st_application_t *out)
{
    apim_rows_t *rows;
    APIM_TRY(apim_db_select(db, rq->pool, &st_application_get, &rows, APIM_ARGS(id, ST_CALLER(rq))));
    if (!rows->count) {
        return apim_not_found(rq->pool, "Application", id);
    }
    from_row(rows->row[0], out);
    return NULL;
}

apim_error_t *st_application_of_any(apim_db_t *db, apr_pool_t *p, const char *id, st_application_t *out)
{
    apim_rows_t *rows;
    APIM_TRY(apim_db_select(db, p, &st_application_any, &rows, APIM_ARGS(id)));
    if (!rows->count) {
        return apim_not_found(p, "Application", id);
    }
    from_row(rows->row[0], out);
    return NULL;
}

apim_error_t *st_check_approved(rest_request_t *rq, const st_application_t *a)
{
    return po_one_of(a->status, "APPROVED|DELETE_PENDING")
               ? NULL
               : apim_error(rq->pool, 403, 900504, "Application is not approved", "The application %s is %s.",
                            a->name, a->status);
}

apim_error_t *st_application_of_caller(rest_request_t *rq, const char *id, st_application_t *out)
{
    apim_error_t *err;
    apim_db_t *db;
    APIM_TRY(st_know_caller(rq));
    APIM_TRY(po_open(rq, APIM_DB_API_MANAGER, &db));
    err = st_application_find(db, rq, id, out);
    apim_db_close(db);
    return err;
}

apim_error_t *st_needed_text(rest_request_t *rq, const json_t *body, const char *name, int max,
                             const char **out)
{
    po_problems_t problems = {rq->pool, NULL, 0};
    *out = po_check_text(&problems, apr_pstrcat(rq->pool, "/", name, NULL), json_object_get(body, name), 1,
                         max, NULL);
    return po_problems_error(&problems);
}

/* -- list and read
 * ------------------------------------------------------------------------------------------------------- */

static apim_error_t *read_list(rest_request_t *rq, apim_db_t *db, const char *pattern, int limit, int offset,
                               apim_rows_t **rows, apr_int64_t *total)
{
    const char *order = apr_table_get(rq->query, "sortOrder");
    APIM_TRY(apim_db_select(db, rq->pool, &st_application_count, rows, APIM_ARGS(ST_CALLER(rq), pattern)));
    *total = number((*rows)->row[0][0]);
    return apim_db_select(
        db, rq->pool,
        order && strcasecmp(order, "desc") == 0 ? &st_application_list_name_desc : &st_application_list_name,
        rows, APIM_ARGS(ST_CALLER(rq), pattern, apim_i64(rq->pool, limit), apim_i64(rq->pool, offset)));
}

apim_error_t *st_applications_list(rest_request_t *rq)
{
    const char *query = apr_table_get(rq->query, "query");
    json_t *list = json_array();
    apr_int64_t total = 0;
    apim_rows_t *rows;
    apim_error_t *err;
    int limit, offset, i;
    apim_db_t *db;
    apim_json_own(rq->pool, list);
    APIM_TRY(rest_paging(rq, &limit, &offset));
    APIM_TRY(st_know_caller(rq));
    APIM_TRY(po_open(rq, APIM_DB_API_MANAGER, &db));
    err = read_list(rq, db, po_like_pattern(rq->pool, query ? query : "", 1), limit, offset, &rows, &total);
    apim_db_close(db);
    for (i = 0; !err && i < rows->count; i++) {
        st_application_t a;
        from_row(rows->row[i], &a);
        json_array_append_new(list, application_json(rq->pool, &a, 0));
    }
    return err ? err : rest_reply_json(rq->r, 200, rest_list(rq, json_incref(list), limit, offset, total));
}

apim_error_t *st_application_read(rest_request_t *rq)
{
    st_application_t a;
    APIM_TRY(st_application_of_caller(rq, rq->param[0], &a));
    return rest_reply_json(rq->r, 200, application_json(rq->pool, &a, 1));
}

/* Roles that the caller can share applications with. */
apim_error_t *st_groups_list(rest_request_t *rq)
{
    json_t *list = apim_json_own(rq->pool, json_array());
    char *last, *role, *copy;
    APIM_TRY(st_know_caller(rq));
    copy = apr_pstrdup(rq->pool, st_roles(rq));
    for (role = apr_strtok(copy, "|", &last); role; role = apr_strtok(NULL, "|", &last)) {
        if (strncmp(role, "Internal/", 9) != 0) {
            json_array_append_new(list, json_string(role));
        }
    }
    return rest_reply_json(rq->r, 200,
                           json_pack("{s:i, s:O}", "count", (int)json_array_size(list), "list", list));
}

/* -- create and change
 * ----------------------------------------------------------------------------------------------------- */

/* WSO2's DEFAULT has meant JWT since 3.1. */
static const char *read_token_type(po_problems_t *problems, const json_t *value, const char *fallback)
{
    if (!value || json_is_null(value)) {
        return fallback;
    }
    if (!po_check_one_of(problems, "/tokenType", value, "JWT|OAUTH|DEFAULT")) {
        return fallback;
    }
    return strcmp(json_string_value(value), "OAUTH") == 0 ? "OAUTH" : "JWT";
}

static void read_attributes(po_problems_t *problems, const json_t *value, st_application_t *a)
{
    const char *name;
    json_t *text;
    if (!value || json_is_null(value)) {
        return;
    }
    if (!json_is_object(value) || json_object_size(value) > MAX_ATTRIBUTES) {
        po_problem(problems, "/attributes", "must be an object of at most %d texts.", MAX_ATTRIBUTES);
        return;
    }
    json_object_foreach((json_t *)value, name, text)
    {
        po_check_text(problems, po_where(problems, "/attributes", name), text, 0, 1000, NULL);
    }
    a->attributes = apim_json_text(problems->pool, value);
}

/* Roles of the caller's own, and not those that everybody has: nobody finds out about others, or shares with
 * all by mistake. */
static void read_groups(po_problems_t *problems, const rest_request_t *rq, const json_t *value,
                        st_application_t *a)
{
    const char *only = json_array_size(value) == 1 ? json_string_value(json_array_get(value, 0)) : NULL;
    json_t *role, *groups;
    size_t i;
    if (only && !*only) { /* WSO2's documentation writes [""] for nobody */
        value = apim_json_own(rq->pool, json_array());
    }
    groups = po_check_texts(problems, "/groups", value, 32, 100);
    if (!groups || strcmp(apim_json_text(rq->pool, groups), a->groups) == 0) {
        return;
    }
    if (strcmp(a->owner, rq->username) != 0) {
        po_problem(problems, "/groups", "can only be changed by the owner, %s.", a->owner);
        return;
    }
    json_array_foreach(groups, i, role)
    {
        const char *name = json_string_value(role);
        if (strncmp(name, "Internal/", 9) == 0 || strchr(name, '|') ||
            !strstr(st_roles(rq), apr_pstrcat(rq->pool, "|", name, "|", NULL))) {
            po_problem(problems, po_where_item(problems, "/groups", i), "you have no role %s to share with.",
                       name);
        }
    }
    a->groups = apim_json_text(rq->pool, groups);
}

/* Fills a from the body; what is absent stays. After st_know_caller. */
static apim_error_t *read_body(rest_request_t *rq, st_application_t *a)
{
    po_problems_t problems = {rq->pool, NULL, 0};
    const json_t *description;
    json_t *body, *groups;
    APIM_TRY(rest_read_json(rq->r, NULL, &body));
    a->name = po_check_text(&problems, "/name", json_object_get(body, "name"), 1, MAX_NAME, NULL);
    a->tier = po_check_text(&problems, "/throttlingPolicy", json_object_get(body, "throttlingPolicy"), 1, 512,
                            NULL);
    description = json_object_get(body, "description");
    if (description && !json_is_null(description)) {
        a->description = po_check_text(&problems, "/description", description, 0, MAX_DESCRIPTION, "\n\r\t");
    }
    a->token_type = read_token_type(&problems, json_object_get(body, "tokenType"), a->token_type);
    read_attributes(&problems, json_object_get(body, "attributes"), a);
    groups = json_object_get(body, "groups");
    if (groups && !json_is_null(groups)) {
        read_groups(&problems, rq, groups, a);
    }
    APIM_TRY(po_problems_error(&problems));
    return st_check_policy(rq, "application", "throttlingPolicy", a->tier);
}

static apim_error_t *name_taken(rest_request_t *rq, const char *name)
{
    return apim_error(rq->pool, 409, 900502, "Application already exists",
                      "You have an application named %s already.", name);
}

/* What the one who decides about an application is told. */
static json_t *facts(apr_pool_t *p, const st_application_t *a)
{
    return apim_json_own(p,
                         json_pack("{s:s, s:s, s:s, s:s}", "applicationName", a->name, "userName", a->owner,
                                   "applicationTier", a->tier, "applicationDescription", a->description));
}

static apim_error_t *ask(apim_db_t *db, rest_request_t *rq, const st_application_t *a, const char *type,
                         const char *what, int *waits)
{
    po_workflow_t wish = {.type = type, .subject = a->id, .parent = a->id, .created_by = rq->username};
    wish.description = apr_psprintf(rq->pool, "%s wants to %s the application %s.", a->owner, what, a->name);
    wish.properties = facts(rq->pool, a);
    return po_workflow_ask(db, rq->pool, &wish, waits);
}

/* a->groups as rows, for whom it is shared with to find it. */
static apim_error_t *write_groups(rest_request_t *rq, apim_db_t *db, const st_application_t *a)
{
    json_t *role, *groups = apim_json_own(rq->pool, parsed(rq->pool, a->groups, json_array()));
    size_t i;
    APIM_TRY(apim_db_query(db, &st_group_delete, NULL, APIM_ARGS(a->id)));
    json_array_foreach(groups, i, role)
    {
        APIM_TRY(apim_db_query(db, &st_group_insert, NULL, APIM_ARGS(a->id, json_string_value(role))));
    }
    return NULL;
}

/* Where approval is switched on it begins as CREATED. */
static apim_error_t *insert_in_transaction(rest_request_t *rq, apim_db_t *db, st_application_t *a)
{
    int added = 0, waits;
    const char *now = apim_i64(rq->pool, a->created_at);
    APIM_TRY(apim_db_begin(db));
    APIM_TRY(apim_db_query(db, &st_application_insert, &added,
                           APIM_ARGS(a->id, a->owner, a->name, a->description, a->tier, a->token_type,
                                     a->attributes, a->groups, now, now)));
    if (!added) {
        return name_taken(rq, a->name);
    }
    APIM_TRY(write_groups(rq, db, a));
    APIM_TRY(ask(db, rq, a, PO_WF_APPLICATION_CREATION, "make", &waits));
    if (waits) {
        a->status = "CREATED";
        APIM_TRY(apim_db_query(db, &wf_application_status, NULL, APIM_ARGS(a->status, now, a->id)));
    }
    return apim_db_commit(db);
}

static apim_error_t *insert(rest_request_t *rq, st_application_t *a)
{
    apim_error_t *err;
    apim_db_t *db;
    APIM_TRY(po_open(rq, APIM_DB_API_MANAGER, &db));
    err = insert_in_transaction(rq, db, a);
    apim_db_close(db);
    return err;
}

apim_error_t *st_applications_create(rest_request_t *rq)
{
    st_application_t a = {.owner = rq->username,
                          .description = "",
                          .token_type = "JWT",
                          .status = "APPROVED",
                          .attributes = "{}",
                          .groups = "[]"};
    APIM_TRY(st_know_caller(rq));
    APIM_TRY(read_body(rq, &a));
    a.id = apim_uuid(rq->pool);
    a.created_at = a.updated_at = apim_now_ms();
    if (!a.id) {
        return apim_internal(rq->pool, "no random id");
    }
    APIM_TRY(insert(rq, &a));
    apr_table_setn(rq->r->headers_out, "Location",
                   apr_pstrcat(rq->pool, rest_self_url(rq->r), PO_STORE_BASE "/applications/", a.id, NULL));
    return rest_reply_json(rq->r, 201, application_json(rq->pool, &a, 1));
}

static apim_error_t *update(rest_request_t *rq, apim_db_t *db, st_application_t *a)
{
    apim_rows_t *rows;
    int changed;
    APIM_TRY(apim_db_begin(db));
    APIM_TRY(
        apim_db_select(db, rq->pool, &st_application_name_taken, &rows, APIM_ARGS(a->owner, a->name, a->id)));
    if (rows->count) {
        return name_taken(rq, a->name);
    }
    a->updated_at = apim_now_ms();
    APIM_TRY(apim_db_query(db, &st_application_update, &changed,
                           APIM_ARGS(a->name, a->description, a->tier, a->token_type, a->attributes,
                                     a->groups, apim_i64(rq->pool, a->updated_at), a->id)));
    if (!changed) {
        return apim_not_found(rq->pool, "Application", a->id);
    }
    APIM_TRY(write_groups(rq, db, a));
    APIM_TRY(po_invalidate(db, rq->pool, "application", a->id));
    return apim_db_commit(db);
}

apim_error_t *st_application_replace(rest_request_t *rq)
{
    st_application_t a;
    apim_error_t *err;
    apim_db_t *db;
    APIM_TRY(st_application_of_caller(rq, rq->param[0], &a));
    APIM_TRY(read_body(rq, &a));
    APIM_TRY(po_open(rq, APIM_DB_API_MANAGER, &db));
    err = update(rq, db, &a);
    apim_db_close(db);
    return err ? err : rest_reply_json(rq->r, 200, application_json(rq->pool, &a, 1));
}

/* -- delete
 * --------------------------------------------------------------------------------------------------------------
 */

static apim_error_t *drop(rest_request_t *rq, apim_db_t *db, const char *id, const char *owner)
{
    int gone;
    APIM_TRY(apim_db_query(db, &wf_withdraw_parent, NULL, APIM_ARGS(id)));
    APIM_TRY(apim_db_query(db, &st_application_delete_subscriptions, NULL, APIM_ARGS(id)));
    APIM_TRY(apim_db_query(db, &st_application_delete_keys, NULL, APIM_ARGS(id)));
    APIM_TRY(apim_db_query(db, &st_application_delete_api_keys, NULL, APIM_ARGS(id)));
    APIM_TRY(apim_db_query(db, &st_application_delete, &gone, APIM_ARGS(id, owner)));
    return po_invalidate(db, rq->pool, "application", id);
}

static apim_error_t *drop_in_transaction(rest_request_t *rq, apim_db_t *db, const st_application_t *a)
{
    APIM_TRY(apim_db_begin(db));
    APIM_TRY(drop(rq, db, a->id, a->owner));
    return apim_db_commit(db);
}

/* Notes the wish, if deletions have to be approved; one that was never approved just goes. */
static apim_error_t *ask_to_drop(rest_request_t *rq, apim_db_t *db, st_application_t *a, int *waits)
{
    *waits = 0;
    APIM_TRY(apim_db_begin(db));
    APIM_TRY(st_application_find(db, rq, a->id, a));
    if (strcmp(a->owner, rq->username) != 0) {
        return apim_error(rq->pool, 403, 403, "Forbidden", "Only its owner, %s, can remove the application.",
                          a->owner);
    }
    if (!po_one_of(a->status, "CREATED|REJECTED")) {
        APIM_TRY(ask(db, rq, a, PO_WF_APPLICATION_DELETION, "remove", waits));
    }
    if (*waits) {
        a->status = "DELETE_PENDING";
        APIM_TRY(apim_db_query(db, &wf_application_deletion, NULL,
                               APIM_ARGS("1", apim_i64(rq->pool, apim_now_ms()), a->id)));
    }
    return apim_db_commit(db);
}

/* The keys first: if this stops half way, the application is still there to be deleted again, with fewer
 * keys. */
apim_error_t *st_application_drop(rest_request_t *rq)
{
    st_application_t a;
    apim_error_t *err;
    apim_db_t *db;
    int waits;
    a.id = rq->param[0];
    APIM_TRY(st_know_caller(rq));
    APIM_TRY(po_open(rq, APIM_DB_API_MANAGER, &db));
    err = ask_to_drop(rq, db, &a, &waits);
    apim_db_close(db);
    APIM_TRY(err);
    if (waits) {
        return rest_reply_json(rq->r, 202, application_json(rq->pool, &a, 1));
    }
    APIM_TRY(st_keys_delete_all(rq, a.id));
    APIM_TRY(po_open(rq, APIM_DB_API_MANAGER, &db));
    err = drop_in_transaction(rq, db, &a);
    apim_db_close(db);
    return err ? err : rest_reply_empty(rq->r, 200);
}

/* -- decisions
 * -----------------------------------------------------------------------------------------------------------
 */

static apim_error_t *set_status(rest_request_t *rq, apim_db_t *db, const char *id, const char *status)
{
    APIM_TRY(apim_db_query(db, &wf_application_status, NULL,
                           APIM_ARGS(status, apim_i64(rq->pool, apim_now_ms()), id)));
    return po_invalidate(db, rq->pool, "application", id);
}

apim_error_t *st_application_granted(rest_request_t *rq, apim_db_t *db, const po_workflow_t *workflow)
{
    return set_status(rq, db, workflow->subject, "APPROVED");
}

apim_error_t *st_application_refused(rest_request_t *rq, apim_db_t *db, const po_workflow_t *workflow)
{
    return set_status(rq, db, workflow->subject, "REJECTED");
}

apim_error_t *st_application_removal_begin(rest_request_t *rq, const po_workflow_t *workflow)
{
    return st_keys_delete_all(rq, workflow->subject);
}

apim_error_t *st_application_removal_granted(rest_request_t *rq, apim_db_t *db, const po_workflow_t *workflow)
{
    st_application_t a;
    APIM_TRY(st_application_of_any(db, rq->pool, workflow->subject, &a));
    return drop(rq, db, a.id, a.owner);
}

apim_error_t *st_application_removal_refused(rest_request_t *rq, apim_db_t *db, const po_workflow_t *workflow)
{
    return apim_db_query(db, &wf_application_deletion, NULL,
                         APIM_ARGS("0", apim_i64(rq->pool, apim_now_ms()), workflow->subject));
}
