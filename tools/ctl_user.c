/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl.h"

#include <apr_file_io.h>
#include <apr_lib.h>
#include <apr_strings.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "apim_crypto.h"
#include "apim_text.h"
#include "apimctl_sql.h"

#define PASSWORD_MIN 5
#define PASSWORD_MAX 72 /* bcrypt looks at no more */
#define USERNAME_MAX 100
#define EVERYONE     "Internal/everyone"

static apim_error_t *usable_password(apr_pool_t *p, const char *s)
{
    if (strlen(s) < PASSWORD_MIN || strlen(s) > PASSWORD_MAX) {
        return apim_bad_request(p, "a password has %d to %d bytes", PASSWORD_MIN, PASSWORD_MAX);
    }
    if (apim_has_control(s, "") || !apim_utf8_valid(s, strlen(s))) {
        return apim_bad_request(p, "a password is one line of UTF-8 without control characters");
    }
    return NULL;
}

static apim_error_t *ask_terminal(apr_pool_t *p, const char **password)
{
    char first[128], second[128];
    apr_size_t n = sizeof(first);
    if (apr_password_get("New password: ", first, &n) != APR_SUCCESS) {
        return apim_bad_request(p, "the password is too long");
    }
    n = sizeof(second);
    if (apr_password_get("Once more: ", second, &n) != APR_SUCCESS || strcmp(first, second) != 0) {
        return apim_bad_request(p, "the two passwords differ");
    }
    *password = apr_pstrdup(p, first);
    return NULL;
}

static apim_error_t *read_line(apr_pool_t *p, const char *file, const char **password)
{
    char line[256];
    apr_file_t *f;
    apr_status_t rv = file ? apr_file_open(&f, file, APR_READ, 0, p) : apr_file_open_stdin(&f, p);
    if (rv == APR_SUCCESS) {
        rv = apr_file_gets(line, sizeof(line), f);
    }
    if (rv != APR_SUCCESS) {
        return apim_bad_request(p, "no password could be read from %s", file ? file : "standard input");
    }
    line[strcspn(line, "\r\n")] = '\0';
    *password = apr_pstrdup(p, line);
    return NULL;
}

apim_error_t *ctl_read_password(const ctl_options_t *o, const char **password)
{
    if (!o->password_file && isatty(STDIN_FILENO)) {
        APIM_TRY(ask_terminal(o->pool, password));
    }
    else {
        APIM_TRY(read_line(o->pool, o->password_file, password));
    }
    return usable_password(o->pool, *password);
}

static apim_error_t *usable_name(apr_pool_t *p, const char *name)
{
    apr_size_t len = strlen(name);
    if (len < 1 || len > USERNAME_MAX || !apim_utf8_valid(name, len) || apim_has_control(name, "") ||
        strpbrk(name, " :")) {
        return apim_bad_request(
            p, "a user name has 1 to %d bytes of UTF-8, without blanks, colons and control characters",
            USERNAME_MAX);
    }
    return NULL;
}

static apim_error_t *open_users(const ctl_options_t *o, apim_db_t **db)
{
    apr_int64_t version;
    APIM_TRY(ctl_schema_version(o, o->params, "user_manager", &version));
    if (!version) {
        return apim_bad_request(o->pool,
                                "this database has no user_manager schema; run apimctl migrate first");
    }
    return ctl_open(o, o->pool, o->params, 1, db);
}

static apim_error_t *unknown_role(apim_db_t *db, apr_pool_t *p, const char *role)
{
    apim_rows_t *rows;
    const char *names = "";
    int i;
    APIM_TRY(apim_db_select(db, p, &ctl_role_names, &rows, APIM_NOARGS));
    for (i = 0; i < rows->count; i++) {
        names = apr_pstrcat(p, names, i ? ", " : "", rows->row[i][0], NULL);
    }
    return apim_bad_request(p, "there is no role '%s'; there are: %s", role, names);
}

static apim_error_t *grant(apim_db_t *db, apr_pool_t *p, const char *id, const char *role)
{
    apim_rows_t *rows;
    APIM_TRY(apim_db_select(db, p, &ctl_role_exists, &rows, APIM_ARGS(role)));
    if (!rows->count) {
        return unknown_role(db, p, role);
    }
    return apim_db_query(db, &ctl_user_role_insert, NULL, APIM_ARGS(id, role));
}

static apim_error_t *grant_all(apim_db_t *db, apr_pool_t *p, const char *id, const char *roles)
{
    char *rest = NULL, *role;
    APIM_TRY(grant(db, p, id, EVERYONE));
    for (role = apr_strtok(apr_pstrdup(p, roles ? roles : ""), ",", &rest); role;
         role = apr_strtok(NULL, ",", &rest)) {
        APIM_TRY(grant(db, p, id, role));
    }
    return NULL;
}

apim_error_t *ctl_user_add(const ctl_options_t *o)
{
    apr_pool_t *p = o->pool;
    const char *name = o->args[0], *password, *hash, *id = apim_uuid(p), *now = apim_i64(p, apim_now_ms());
    apim_db_t *db;
    int n;
    APIM_TRY(usable_name(p, name));
    APIM_TRY(open_users(o, &db));
    APIM_TRY(ctl_read_password(o, &password));
    APIM_TRY(apim_password_hash(p, password, &hash));
    if (!id) {
        return apim_internal(p, "the operating system gave no random bytes");
    }
    APIM_TRY(apim_db_begin(db));
    APIM_TRY(apim_db_query(db, &ctl_user_insert, &n, APIM_ARGS(id, name, hash, o->email, now, now)));
    if (!n) {
        return apim_conflict(
            p, "there is a user '%s' already; apimctl user set-password changes the password", name);
    }
    APIM_TRY(grant_all(db, p, id, o->roles));
    APIM_TRY(apim_db_commit(db));
    apim_db_close(db);
    printf("user %s added\n", name);
    return NULL;
}

/* Gateways keep verified calls for a while; this makes them ask again about the user's. */
static apim_error_t *forget_verified(const ctl_options_t *o, const char *name)
{
    apr_pool_t *p = o->pool;
    const char *params = o->api_manager_params ? o->api_manager_params : o->params;
    apr_int64_t version;
    apim_db_t *db;
    apim_rows_t *rows;
    APIM_TRY(ctl_schema_version(o, params, "api_manager", &version));
    if (!version) {
        printf("note: no api_manager schema here; gateways notice within the life of a cached verification. "
               "Name that "
               "database with --api-manager-params to tell them now\n");
        return NULL;
    }
    APIM_TRY(ctl_open(o, p, params, 1, &db));
    APIM_TRY(apim_db_begin(db));
    APIM_TRY(apim_db_select(db, p, &ctl_feed_next, &rows, APIM_NOARGS));
    if (!rows->count) {
        return apim_internal(p, "am_feed_head has lost its row");
    }
    APIM_TRY(apim_db_query(db, &ctl_invalidate_user, NULL,
                           APIM_ARGS(rows->row[0][0], name, apim_i64(p, apim_now_ms()))));
    APIM_TRY(apim_db_commit(db));
    apim_db_close(db);
    return NULL;
}

static apim_error_t *no_such_user(apr_pool_t *p, const char *name)
{
    return apim_bad_request(p, "there is no user '%s'", name);
}

apim_error_t *ctl_user_set_password(const ctl_options_t *o)
{
    apr_pool_t *p = o->pool;
    const char *password, *hash;
    apim_rows_t *rows;
    apim_db_t *db;
    int n;
    APIM_TRY(open_users(o, &db));
    APIM_TRY(apim_db_select(db, p, &ctl_user_id, &rows, APIM_ARGS(o->args[0])));
    if (!rows->count) {
        return no_such_user(p, o->args[0]);
    }
    APIM_TRY(ctl_read_password(o, &password));
    APIM_TRY(apim_password_hash(p, password, &hash));
    APIM_TRY(
        apim_db_query(db, &ctl_user_password, &n, APIM_ARGS(hash, apim_i64(p, apim_now_ms()), o->args[0])));
    apim_db_close(db);
    if (!n) {
        return no_such_user(p, o->args[0]);
    }
    printf("user %s has a new password\n", o->args[0]);
    return NULL;
}

static apim_error_t *set_status(const ctl_options_t *o, const char *status, const char *said)
{
    apim_db_t *db;
    int n;
    APIM_TRY(open_users(o, &db));
    APIM_TRY(apim_db_query(db, &ctl_user_status, &n,
                           APIM_ARGS(status, apim_i64(o->pool, apim_now_ms()), o->args[0])));
    apim_db_close(db);
    if (!n) {
        return no_such_user(o->pool, o->args[0]);
    }
    printf("user %s is %s\n", o->args[0], said);
    return forget_verified(o, o->args[0]);
}

apim_error_t *ctl_user_lock(const ctl_options_t *o)
{
    return set_status(o, "LOCKED", "locked");
}

apim_error_t *ctl_user_unlock(const ctl_options_t *o)
{
    return set_status(o, "ACTIVE", "active");
}

apim_error_t *ctl_user_show(const ctl_options_t *o)
{
    apr_pool_t *p = o->pool;
    apim_db_t *db;
    apim_rows_t *users, *roles;
    int i, j;
    APIM_TRY(open_users(o, &db));
    APIM_TRY(apim_db_select(db, p, &ctl_user_list, &users, APIM_NOARGS));
    for (i = 0; i < users->count; i++) {
        const char *names = "";
        APIM_TRY(apim_db_select(db, p, &ctl_user_roles, &roles, APIM_ARGS(users->row[i][3])));
        for (j = 0; j < roles->count; j++) {
            names = apr_pstrcat(p, names, j ? "," : "", roles->row[j][0], NULL);
        }
        printf("%-24s %-9s %s\n", users->row[i][0], users->row[i][1], names);
    }
    apim_db_close(db);
    return NULL;
}
