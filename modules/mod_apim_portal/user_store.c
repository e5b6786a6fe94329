/* SPDX-License-Identifier: Apache-2.0 */
#include <apr_strings.h>
#include <apr_thread_cond.h>
#include <string.h>

#include "admin.h"
#include "admin_sql.h"

/* Adding users: what sign-up and the administrator have in common. */

#define MAX_HASHING  2 /* bcrypt takes a processor each; the others are for calls */
#define HASHING_WAIT apr_time_from_sec(5)

static struct {
    apr_thread_mutex_t *mutex;
    apr_thread_cond_t *freed;
    int running;
} gate;

void po_users_child_init(apr_pool_t *pchild)
{
    apr_thread_mutex_create(&gate.mutex, APR_THREAD_MUTEX_DEFAULT, pchild);
    apr_thread_cond_create(&gate.freed, pchild);
}

void po_check_username(po_problems_t *problems, const char *where, const char *name)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._@+-";
    apr_size_t n = strlen(name);
    if (n < 3 || n > 60) {
        po_problem(problems, where, "must have 3 to 60 characters.");
    }
    else if (strspn(name, allowed) != n || strchr("._@+-", *name)) {
        po_problem(problems, where,
                   "may hold letters, digits and . _ @ + - only, and begins with a letter or a digit.");
    }
    else if (strcasecmp(name, "anonymous") == 0 || strcasecmp(name, "system") == 0 ||
             strcasecmp(name, "everyone") == 0) {
        po_problem(problems, where, "%s is a reserved name.", name);
    }
}

void po_check_password(po_problems_t *problems, const char *where, const char *password, const char *username)
{
    apr_size_t n = password ? strlen(password) : 0;
    if (n < 8) {
        po_problem(problems, where, "must have at least 8 characters.");
    }
    else if (n > 72) {
        po_problem(problems, where, "must not be longer than 72 bytes: bcrypt would ignore the rest.");
    }
    else if (apim_has_control(password, NULL)) {
        po_problem(problems, where, "must not hold control characters.");
    }
    else if (username && strcasecmp(password, username) == 0) {
        po_problem(problems, where, "must not be the user's name.");
    }
}

static void optional_text(po_problems_t *problems, const json_t *body, const char *name, int max,
                          const char **out)
{
    const json_t *value = json_object_get(body, name);
    if (value && !json_is_null(value)) {
        *out = po_check_text(problems, po_where(problems, "", name), value, 0, max, NULL);
    }
}

void po_read_user_facts(po_problems_t *problems, const json_t *body, po_user_t *user)
{
    optional_text(problems, body, "email", 254, &user->email);
    if (user->email && *user->email && !strchr(user->email, '@')) {
        po_problem(problems, "/email", "must be an e-mail address.");
    }
    optional_text(problems, body, "givenName", 100, &user->given_name);
    optional_text(problems, body, "familyName", 100, &user->family_name);
    optional_text(problems, body, "organization", 100, &user->organization);
}

static apr_status_t enter(void)
{
    apr_time_t deadline = apr_time_now() + HASHING_WAIT;
    apr_status_t rv = APR_SUCCESS;
    apr_thread_mutex_lock(gate.mutex);
    while (gate.running >= MAX_HASHING && rv == APR_SUCCESS) {
        apr_interval_time_t left = deadline - apr_time_now();
        rv = left > 0 ? apr_thread_cond_timedwait(gate.freed, gate.mutex, left) : APR_TIMEUP;
    }
    gate.running += rv == APR_SUCCESS;
    apr_thread_mutex_unlock(gate.mutex);
    return rv;
}

static void leave(void)
{
    apr_thread_mutex_lock(gate.mutex);
    gate.running--;
    apr_thread_cond_signal(gate.freed);
    apr_thread_mutex_unlock(gate.mutex);
}

static apim_error_t *too_many(rest_request_t *rq)
{
    return apim_unavailable(rq->pool, "The portal", "too many passwords to hash at once");
}

apim_error_t *po_hash_password(rest_request_t *rq, const char *password, const char **hash)
{
    apim_error_t *err;
    if (enter() != APR_SUCCESS) {
        return too_many(rq);
    }
    err = apim_password_hash(rq->pool, password, hash);
    leave();
    return err;
}

apim_error_t *po_password_fits(rest_request_t *rq, const char *password, const char *hash, int *fits)
{
    if (enter() != APR_SUCCESS) {
        return too_many(rq);
    }
    *fits = apim_password_matches(password, hash);
    leave();
    return NULL;
}

static apim_error_t *name_taken(rest_request_t *rq, const char *username)
{
    return apim_error(rq->pool, 409, 901409, "User already exists", "The user name %s is taken.", username);
}

static apim_error_t *nothing_left_in(rest_request_t *rq, apim_database_e which, const apim_stmt_t *stmt,
                                     const char *username)
{
    apim_rows_t *rows;
    apim_error_t *err;
    apim_db_t *db;
    APIM_TRY(po_open(rq, which, &db));
    err = apim_db_select(db, rq->pool, stmt, &rows, APIM_ARGS(username, username));
    apim_db_close(db);
    return err ? err : rows->count ? name_taken(rq, username) : NULL;
}

apim_error_t *po_user_name_unused(rest_request_t *rq, const char *username)
{
    APIM_TRY(nothing_left_in(rq, APIM_DB_API_MANAGER, &ad_user_left_behind, username));
    return nothing_left_in(rq, APIM_DB_REGISTRY, &ad_user_feedback_left_behind, username);
}

static apim_error_t *add_roles(rest_request_t *rq, apim_db_t *db, const po_user_t *user)
{
    apim_rows_t *rows;
    json_t *role;
    size_t i;
    json_array_foreach(user->roles, i, role)
    {
        const char *name = json_string_value(role);
        APIM_TRY(apim_db_select(db, rq->pool, &ad_role_get, &rows, APIM_ARGS(name)));
        if (!rows->count) {
            return apim_bad_request(rq->pool, "roles: there is no role %s.", name);
        }
        APIM_TRY(apim_db_query(db, &ad_user_add_role, NULL, APIM_ARGS(user->id, name)));
    }
    return apim_db_query(db, &ad_user_add_role, NULL, APIM_ARGS(user->id, "Internal/everyone"));
}

static apim_error_t *insert(rest_request_t *rq, apim_db_t *db, const po_user_t *user,
                            const char *password_hash)
{
    const char *now = apim_i64(rq->pool, user->created_at);
    apim_rows_t *rows;
    int added = 0;
    APIM_TRY(apim_db_begin(db));
    APIM_TRY(apim_db_select(db, rq->pool, &ad_user_same_name, &rows, APIM_ARGS(user->username)));
    if (!rows->count) {
        APIM_TRY(
            apim_db_query(db, &ad_user_insert, &added,
                          APIM_ARGS(user->id, user->username, password_hash, user->email, user->given_name,
                                    user->family_name, user->organization, user->status, now, now)));
    }
    if (!added) {
        return name_taken(rq, user->username);
    }
    APIM_TRY(add_roles(rq, db, user));
    return apim_db_commit(db);
}

apim_error_t *po_user_add(rest_request_t *rq, po_user_t *user, const char *password_hash)
{
    apim_error_t *err;
    apim_db_t *db;
    user->id = apim_uuid(rq->pool);
    user->created_at = user->updated_at = apim_now_ms();
    if (!user->id) {
        return apim_internal(rq->pool, "no random id");
    }
    APIM_TRY(po_open(rq, APIM_DB_USER_MANAGER, &db));
    err = insert(rq, db, user, password_hash);
    apim_db_close(db);
    return err;
}

apim_error_t *po_user_tokens_die(rest_request_t *rq, const char *username)
{
    json_t *out, *in = apim_json_own(rq->pool, json_pack("{s:s}", "username", username));
    return apim_keymgr_call(rq->r, &po_config(rq->r)->common, "user-revoke", in, &out);
}
