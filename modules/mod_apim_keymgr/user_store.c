/* SPDX-License-Identifier: Apache-2.0 */
#include "user_store.h"

#include <apr_strings.h>
#include <apr_thread_cond.h>
#include <apr_thread_mutex.h>
#include <string.h>

#include "apim_crypto.h"
#include "client_store.h"
#include "httpd/audit.h"
#include "httpd/db_pool.h"
#include "keymgr_sql.h"
#include "keymgr_stats.h"
#include "login_guard.h"

#define CHECKS_AT_ONCE 2
#define CHECK_WAIT     apr_time_from_sec(5)
#define MAX_NAME       255
#define MAX_PASSWORD   1024 /* bcrypt itself looks at 72 bytes */

/* bcrypt takes tens of milliseconds of processor time by design: more than a few at once would starve
 * everything else. */
static apr_thread_mutex_t *check_mutex;
static apr_thread_cond_t *check_done;
static int checks;

void km_user_store_child_init(apr_pool_t *pchild)
{
    apr_thread_mutex_create(&check_mutex, APR_THREAD_MUTEX_DEFAULT, pchild);
    apr_thread_cond_create(&check_done, pchild);
    checks = 0;
}

static int check_enter(void)
{
    apr_time_t deadline = apr_time_now() + CHECK_WAIT;
    apr_status_t rv = APR_SUCCESS;
    apr_thread_mutex_lock(check_mutex);
    while (checks >= CHECKS_AT_ONCE && rv == APR_SUCCESS) {
        apr_interval_time_t left = deadline - apr_time_now();
        rv = left > 0 ? apr_thread_cond_timedwait(check_done, check_mutex, left) : APR_TIMEUP;
    }
    checks += rv == APR_SUCCESS;
    apr_thread_mutex_unlock(check_mutex);
    return rv == APR_SUCCESS;
}

static void check_leave(void)
{
    apr_thread_mutex_lock(check_mutex);
    checks--;
    apr_thread_cond_signal(check_done);
    apr_thread_mutex_unlock(check_mutex);
}

/* Names that could not be told from a client's in a token's subject, or are no names at all. */
static int usable_name(const char *username)
{
    return *username && strlen(username) <= MAX_NAME && !km_is_consumer_key(username);
}

static apim_error_t *read_user(const km_call_t *call, const char *username, const char **hash,
                               km_user_t **out)
{
    apim_db_t *db;
    apim_rows_t *rows = NULL, *roles = NULL;
    apim_error_t *err;
    km_user_t *user;
    int i;
    *out = NULL;
    *hash = NULL;
    if (!usable_name(username)) {
        return NULL;
    }
    APIM_TRY(apim_db_open(call->pool, &call->conf->common, APIM_DB_USER_MANAGER, &db));
    err = apim_db_select(db, call->pool, &km_user_by_name, &rows, APIM_ARGS(username));
    if (!err && rows->count) {
        err = apim_db_select(db, call->pool, &km_user_roles, &roles, APIM_ARGS(rows->row[0][0]));
    }
    apim_db_close(db);
    if (err || !rows->count || strcmp(rows->row[0][2], "ACTIVE") != 0) {
        return err;
    }
    user = apr_pcalloc(call->pool, sizeof(*user));
    user->id = rows->row[0][0];
    user->username = apr_pstrdup(call->pool, username);
    user->roles = apr_array_make(call->pool, roles->count + 1, sizeof(const char *));
    APR_ARRAY_PUSH(user->roles, const char *) = "Internal/everyone";
    for (i = 0; i < roles->count; i++) {
        APR_ARRAY_PUSH(user->roles, const char *) = roles->row[i][0];
    }
    *hash = rows->row[0][1];
    *out = user;
    return NULL;
}

apim_error_t *km_user_find(const km_call_t *call, const char *username, km_user_t **out)
{
    const char *hash;
    return read_user(call, username, &hash, out);
}

static apim_error_t *too_many(const km_call_t *call, int seconds)
{
    apim_error_t *err =
        apim_error(call->pool, HTTP_TOO_MANY_REQUESTS, HTTP_TOO_MANY_REQUESTS, "Too Many Requests",
                   "Too many failed log-ins; try again in %d seconds.", seconds);
    err->retry_after = seconds;
    return err;
}

/* The name only of a user who exists: people type their password into the field of the name, too. */
static void note_login(const km_call_t *call, const km_user_t *user, const apim_error_t *err)
{
    apim_audit_about(call->r, "user", user ? user->username : NULL);
    apim_audit(call->r, &call->conf->common, "login", err);
}

apim_error_t *km_user_authenticate(const km_call_t *call, const char *username, const char *password,
                                   km_user_t **out)
{
    const char *address = call->r->useragent_ip, *hash;
    km_user_t *user;
    int wait = km_login_guard_wait(username, address), matches;
    apim_error_t *err;
    *out = NULL;
    if (wait) {
        err = too_many(call, wait);
        note_login(call, NULL, err);
        return err;
    }
    APIM_TRY(read_user(call, username, &hash, &user));
    if (!check_enter()) {
        return apim_unavailable(call->pool, "The password check", "more than %d at once", CHECKS_AT_ONCE);
    }
    /* Too long a password is checked as an empty one, which no user has. */
    matches = apim_password_matches(strlen(password) <= MAX_PASSWORD ? password : "", hash);
    check_leave();
    if (user && matches && *password) {
        km_login_guard_succeeded(username, address);
        *out = user;
        note_login(call, user, NULL);
        return NULL;
    }
    note_login(call, user,
               apim_error(call->pool, HTTP_FORBIDDEN, APIM_E_FORBIDDEN,
                          user ? "Wrong password" : "Unknown or locked user", "-"));
    km_login_guard_failed(username, address);
    km_count(KM_LOGINS_FAILED);
    return NULL;
}

apim_error_t *km_user_is_active(const km_call_t *call, const char *username, int *active)
{
    apim_db_t *db;
    apim_rows_t *rows = NULL;
    apim_error_t *err;
    *active = 0;
    APIM_TRY(apim_db_open(call->pool, &call->conf->common, APIM_DB_USER_MANAGER, &db));
    err = apim_db_select(db, call->pool, &km_user_status, &rows, APIM_ARGS(username));
    apim_db_close(db);
    if (!err) {
        *active = rows->count && strcmp(rows->row[0][0], "ACTIVE") == 0;
    }
    return err;
}

int km_user_has_role(const km_user_t *user, const char *role)
{
    int i;
    for (i = 0; i < user->roles->nelts; i++) {
        if (strcmp(APR_ARRAY_IDX(user->roles, i, const char *), role) == 0) {
            return 1;
        }
    }
    return 0;
}
