/* SPDX-License-Identifier: Apache-2.0 */
#include <apr_strings.h>
#include <string.h>

#include "admin.h"
#include "admin_sql.h"
#include "search_query.h"

/* Users and roles. When a user's rights shrink (locked, deleted, other roles, other password) the user's
 * tokens die. */

#define MAX_ROLES 64

static apr_int64_t number(const char *text)
{
    apr_int64_t n = 0;
    return text && !apim_parse_i64(text, &n) ? n : 0;
}

static void from_row(const char *const *row, po_user_t *u)
{
    u->id = row[0];
    u->username = row[1];
    u->email = row[2];
    u->given_name = row[3];
    u->family_name = row[4];
    u->organization = row[5];
    u->status = row[6];
    u->created_at = number(row[7]);
    u->updated_at = number(row[8]);
}

static apim_error_t *read_roles(rest_request_t *rq, apim_db_t *db, po_user_t *u)
{
    apim_rows_t *rows;
    int i;
    APIM_TRY(apim_db_select(db, rq->pool, &ad_user_roles, &rows, APIM_ARGS(u->id)));
    u->roles = apim_json_own(rq->pool, json_array());
    for (i = 0; i < rows->count; i++) {
        json_array_append_new(u->roles, json_string(rows->row[i][0]));
    }
    return NULL;
}

static json_t *user_json(apr_pool_t *p, const po_user_t *u)
{
    return json_pack("{s:s, s:s?, s:s?, s:s?, s:s?, s:s, s:O?, s:s, s:s}", "username", u->username, "email",
                     u->email, "givenName", u->given_name, "familyName", u->family_name, "organization",
                     u->organization, "status", u->status, "roles", u->roles, "createdTime",
                     apim_iso_time(p, u->created_at), "lastUpdatedTime", apim_iso_time(p, u->updated_at));
}

static apim_error_t *find(rest_request_t *rq, apim_db_t *db, const char *name, po_user_t *u)
{
    apim_rows_t *rows;
    APIM_TRY(apim_db_select(db, rq->pool, &ad_user_get, &rows, APIM_ARGS(name)));
    if (!rows->count) {
        return apim_not_found(rq->pool, "User", name);
    }
    from_row(rows->row[0], u);
    return read_roles(rq, db, u);
}

static apim_error_t *find_alone(rest_request_t *rq, const char *name, po_user_t *u)
{
    apim_error_t *err;
    apim_db_t *db;
    APIM_TRY(po_open(rq, APIM_DB_USER_MANAGER, &db));
    err = find(rq, db, name, u);
    apim_db_close(db);
    return err;
}

static apim_error_t *read_list(rest_request_t *rq, apim_db_t *db, int limit, int offset, json_t *list,
                               apr_int64_t *total)
{
    const char *query = apr_table_get(rq->query, "query"),
               *pattern = po_like_pattern(rq->pool, query ? query : "", 1);
    apim_rows_t *rows;
    int i;
    APIM_TRY(apim_db_select(db, rq->pool, &ad_user_count, &rows, APIM_ARGS(pattern)));
    *total = number(rows->row[0][0]);
    APIM_TRY(apim_db_select(db, rq->pool, &ad_user_list, &rows,
                            APIM_ARGS(pattern, apim_i64(rq->pool, limit), apim_i64(rq->pool, offset))));
    for (i = 0; i < rows->count; i++) {
        po_user_t u = {0};
        from_row(rows->row[i], &u);
        APIM_TRY(read_roles(rq, db, &u));
        json_array_append_new(list, user_json(rq->pool, &u));
    }
    return NULL;
}

apim_error_t *ad_users_list(rest_request_t *rq)
{
    json_t *list = apim_json_own(rq->pool, json_array());
    apr_int64_t total = 0;
    apim_error_t *err;
    int limit, offset;
    apim_db_t *db;
    APIM_TRY(rest_paging(rq, &limit, &offset));
    APIM_TRY(po_open(rq, APIM_DB_USER_MANAGER, &db));
    err = read_list(rq, db, limit, offset, list, &total);
    apim_db_close(db);
    return err ? err : rest_reply_json(rq->r, 200, rest_list(rq, json_incref(list), limit, offset, total));
}

apim_error_t *ad_user_read(rest_request_t *rq)
{
    po_user_t u;
    APIM_TRY(find_alone(rq, rq->param[0], &u));
    return rest_reply_json(rq->r, 200, user_json(rq->pool, &u));
}

/* Facts, roles and status of a body; absent ones stay. *password is NULL if the body has none. */
static void read_body(po_problems_t *problems, const json_t *body, po_user_t *u, const char **password)
{
    const json_t *roles = json_object_get(body, "roles"), *status = json_object_get(body, "status");
    const json_t *secret = json_object_get(body, "password");
    po_read_user_facts(problems, body, u);
    if (roles && !json_is_null(roles)) {
        json_t *checked = po_check_texts(problems, "/roles", roles, MAX_ROLES, 255);
        u->roles = checked ? checked : u->roles;
    }
    if (status && !json_is_null(status) &&
        po_check_one_of(problems, "/status", status, "ACTIVE|PENDING|LOCKED|DISABLED")) {
        u->status = json_string_value(status);
    }
    *password = NULL;
    if (secret && !json_is_null(secret)) {
        *password = json_is_string(secret) ? json_string_value(secret) : "";
        po_check_password(problems, "/password", *password, u->username);
    }
}

apim_error_t *ad_user_add(rest_request_t *rq)
{
    po_problems_t problems = {rq->pool, NULL, 0};
    po_user_t u = {.status = "ACTIVE", .roles = apim_json_own(rq->pool, json_array())};
    const char *password, *hash;
    json_t *body;
    APIM_TRY(rest_read_json(rq->r, NULL, &body));
    u.username = apim_json_str(body, "username", "");
    po_check_username(&problems, "/username", u.username);
    read_body(&problems, body, &u, &password);
    if (!password) {
        po_problem(&problems, "/password", "is missing.");
    }
    APIM_TRY(po_problems_error(&problems));
    APIM_TRY(po_hash_password(rq, password, &hash));
    APIM_TRY(po_user_add(rq, &u, hash));
    apr_table_setn(rq->r->headers_out, "Location",
                   apr_pstrcat(rq->pool, rest_self_url(rq->r), PO_ADMIN_BASE "/users/", u.username, NULL));
    return rest_reply_json(rq->r, 201, user_json(rq->pool, &u));
}

static apim_error_t *update(rest_request_t *rq, apim_db_t *db, po_user_t *u, const char *hash)
{
    const char *now = apim_i64(rq->pool, apim_now_ms());
    apim_rows_t *rows;
    json_t *role;
    size_t i;
    APIM_TRY(apim_db_begin(db));
    APIM_TRY(apim_db_query(
        db, &ad_user_update, NULL,
        APIM_ARGS(u->email, u->given_name, u->family_name, u->organization, u->status, now, u->id)));
    APIM_TRY(apim_db_query(db, &ad_user_drop_roles, NULL, APIM_ARGS(u->id)));
    json_array_foreach(u->roles, i, role)
    {
        APIM_TRY(apim_db_select(db, rq->pool, &ad_role_get, &rows, APIM_ARGS(json_string_value(role))));
        if (!rows->count) {
            return apim_bad_request(rq->pool, "roles: there is no role %s.", json_string_value(role));
        }
        APIM_TRY(apim_db_query(db, &ad_user_add_role, NULL, APIM_ARGS(u->id, json_string_value(role))));
    }
    if (hash) {
        APIM_TRY(apim_db_query(db, &ad_user_set_password, NULL, APIM_ARGS(hash, now, u->id)));
    }
    return apim_db_commit(db);
}

/* Nobody locks himself out. */
static apim_error_t *check_not_self(rest_request_t *rq, const po_user_t *u)
{
    json_t *role;
    size_t i;
    if (strcmp(u->username, rq->username) != 0) {
        return NULL;
    }
    json_array_foreach(u->roles, i, role)
    {
        if (strcmp(json_string_value(role), "admin") == 0 && strcmp(u->status, "ACTIVE") == 0) {
            return NULL;
        }
    }
    return apim_error(rq->pool, 403, 403, "Forbidden",
                      "You would lock yourself out; ask another administrator.");
}

apim_error_t *ad_user_replace(rest_request_t *rq)
{
    po_problems_t problems = {rq->pool, NULL, 0};
    const char *password, *hash = NULL;
    apim_error_t *err;
    po_user_t u;
    apim_db_t *db;
    json_t *body;
    APIM_TRY(find_alone(rq, rq->param[0], &u));
    APIM_TRY(rest_read_json(rq->r, NULL, &body));
    read_body(&problems, body, &u, &password);
    APIM_TRY(po_problems_error(&problems));
    APIM_TRY(check_not_self(rq, &u));
    if (password) {
        APIM_TRY(po_hash_password(rq, password, &hash));
    }
    APIM_TRY(po_open(rq, APIM_DB_USER_MANAGER, &db));
    err = update(rq, db, &u, hash);
    apim_db_close(db);
    err = err ? err : po_user_tokens_die(rq, u.username);
    err = err ? err : find_alone(rq, u.username, &u);
    return err ? err : rest_reply_json(rq->r, 200, user_json(rq->pool, &u));
}

static apim_error_t *drop(rest_request_t *rq, apim_db_t *db, const char *id)
{
    APIM_TRY(apim_db_begin(db));
    APIM_TRY(apim_db_query(db, &ad_user_drop_roles, NULL, APIM_ARGS(id)));
    APIM_TRY(apim_db_query(db, &ad_user_delete, NULL, APIM_ARGS(id)));
    return apim_db_commit(db);
}

apim_error_t *ad_user_drop(rest_request_t *rq)
{
    apim_error_t *err;
    po_user_t u;
    apim_db_t *db;
    APIM_TRY(find_alone(rq, rq->param[0], &u));
    if (strcmp(u.username, rq->username) == 0) {
        return apim_error(rq->pool, 403, 403, "Forbidden",
                          "You would lock yourself out; ask another administrator.");
    }
    /* Before, so that without a Key Manager nothing changes; after, for tokens fetched meanwhile. */
    APIM_TRY(po_user_tokens_die(rq, u.username));
    APIM_TRY(po_open(rq, APIM_DB_USER_MANAGER, &db));
    err = drop(rq, db, u.id);
    apim_db_close(db);
    err = err ? err : po_user_tokens_die(rq, u.username);
    return err ? err : rest_reply_empty(rq->r, 200);
}

/* -- roles
 * -----------------------------------------------------------------------------------------------------------------
 */

apim_error_t *ad_roles_list(rest_request_t *rq)
{
    json_t *list = apim_json_own(rq->pool, json_array());
    apim_rows_t *rows;
    apim_error_t *err;
    apim_db_t *db;
    int i;
    APIM_TRY(po_open(rq, APIM_DB_USER_MANAGER, &db));
    err = apim_db_select(db, rq->pool, &ad_role_list, &rows, APIM_NOARGS);
    apim_db_close(db);
    for (i = 0; !err && i < rows->count; i++) {
        json_array_append_new(list,
                              json_pack("{s:s, s:s, s:I}", "name", rows->row[i][0], "description",
                                        rows->row[i][1], "userCount", (json_int_t)number(rows->row[i][2])));
    }
    return err ? err
               : rest_reply_json(
                     rq->r, 200,
                     json_pack("{s:I, s:O}", "count", (json_int_t)json_array_size(list), "list", list));
}

apim_error_t *ad_role_add(rest_request_t *rq)
{
    po_problems_t problems = {rq->pool, NULL, 0};
    const char *name, *description = "";
    apim_error_t *err;
    apim_db_t *db;
    int added = 0;
    json_t *body;
    APIM_TRY(rest_read_json(rq->r, NULL, &body));
    name = po_check_text(&problems, "/name", json_object_get(body, "name"), 1, 255, NULL);
    if (name && (strpbrk(name, " |,\"") != NULL)) {
        po_problem(&problems, "/name", "must not hold blanks, commas, bars or quotes.");
    }
    if (json_object_get(body, "description")) {
        description =
            po_check_text(&problems, "/description", json_object_get(body, "description"), 0, 255, NULL);
    }
    APIM_TRY(po_problems_error(&problems));
    APIM_TRY(po_open(rq, APIM_DB_USER_MANAGER, &db));
    err = apim_db_query(db, &ad_role_insert, &added, APIM_ARGS(name, description));
    apim_db_close(db);
    if (!err && !added) {
        err = apim_conflict(rq->pool, "There is a role %s already.", name);
    }
    return err ? err
               : rest_reply_json(rq->r, 201,
                                 json_pack("{s:s, s:s}", "name", name, "description", description));
}

static apim_error_t *drop_role(rest_request_t *rq, apim_db_t *db, const char *name)
{
    apim_rows_t *rows;
    int gone;
    APIM_TRY(apim_db_begin(db));
    APIM_TRY(apim_db_select(db, rq->pool, &ad_role_users, &rows, APIM_ARGS(name)));
    if (number(rows->row[0][0])) {
        return apim_conflict(rq->pool, "%s users have the role %s.", rows->row[0][0], name);
    }
    APIM_TRY(apim_db_query(db, &ad_role_delete, &gone, APIM_ARGS(name)));
    if (!gone) {
        return apim_not_found(rq->pool, "Role", name);
    }
    return apim_db_commit(db);
}

/* ?name=: role names hold slashes. */
apim_error_t *ad_role_drop(rest_request_t *rq)
{
    const char *name = apr_table_get(rq->query, "name");
    apim_error_t *err;
    apim_db_t *db;
    if (!name || !*name) {
        return apim_bad_request(rq->pool, "The query parameter name is missing.");
    }
    if (strcmp(name, "admin") == 0 || strncmp(name, "Internal/", 9) == 0) {
        return apim_error(rq->pool, 403, 403, "Forbidden", "The role %s is needed by the system.", name);
    }
    APIM_TRY(po_open(rq, APIM_DB_USER_MANAGER, &db));
    err = drop_role(rq, db, name);
    apim_db_close(db);
    return err ? err : rest_reply_empty(rq->r, 200);
}
