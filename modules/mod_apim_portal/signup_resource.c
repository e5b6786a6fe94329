/* SPDX-License-Identifier: Apache-2.0 */
#include <apr_hash.h>
#include <apr_strings.h>
#include <apr_thread_mutex.h>
#include <string.h>

#include "admin.h"
#include "admin_sql.h"
#include "workflow_sql.h"
#include "workflow_types.h"

/*
 * Self-registration as WSO2 has it (POST /api/identity/user/v1.0/me), and the change of one's own password
 * (POST /api/am/devportal/v3/me/change-password). An address may register SIGNUPS_PER_HOUR users an hour with
 * each process.
 */
#define SIGNUPS_PER_HOUR 60
#define SLOTS            1024 /* a power of two */
#define HOUR_MS          3600000

typedef struct slot_t {
    unsigned int address; /* hash */
    int count;
    apr_int64_t since;
} slot_t;

static slot_t *slots;
static apr_thread_mutex_t *slots_mutex;

void po_signup_child_init(apr_pool_t *pchild)
{
    slots = apr_pcalloc(pchild, sizeof(slot_t) * SLOTS);
    apr_thread_mutex_create(&slots_mutex, APR_THREAD_MUTEX_DEFAULT, pchild);
}

static unsigned int hash_of(const char *text)
{
    apr_ssize_t len = APR_HASH_KEY_STRING;
    return apr_hashfunc_default(text, &len);
}

/* Counts an attempt of this address; 429 past the limit. Two addresses in one slot take turns: the newer one
 * starts anew. */
static apim_error_t *check_rate(rest_request_t *rq)
{
    unsigned int address = hash_of(rq->r->useragent_ip);
    slot_t *slot = &slots[address & (SLOTS - 1)];
    apr_int64_t now = apim_now_ms();
    apim_error_t *err;
    int count;
    apr_thread_mutex_lock(slots_mutex);
    if (slot->address != address || now - slot->since > HOUR_MS) {
        slot->address = address;
        slot->since = now;
        slot->count = 0;
    }
    count = ++slot->count;
    apr_thread_mutex_unlock(slots_mutex);
    if (count <= SIGNUPS_PER_HOUR) {
        return NULL;
    }
    err = apim_error(rq->pool, 429, 429, "Too Many Requests",
                     "Too many users were registered from your address. Please try later.");
    err->retry_after = HOUR_MS / 1000;
    return err;
}

/* The value of a WSO2 claim ("http://wso2.org/claims/emailaddress"), NULL if absent. */
static const json_t *claim(const json_t *user, const char *name)
{
    const char *uri, *last;
    json_t *item;
    size_t i;
    json_array_foreach(json_object_get(user, "claims"), i, item)
    {
        uri = apim_json_str(item, "uri", "");
        last = strrchr(uri, '/');
        if (last && strcmp(last + 1, name) == 0) {
            return json_object_get(item, "value");
        }
    }
    return NULL;
}

static void set_fact(json_t *facts, const char *name, const json_t *value)
{
    if (value) {
        json_object_set(facts, name, (json_t *)(apr_uintptr_t)value);
    }
}

/* A user's name has no slash: no other subject looks like this. */
static const char *subject(apr_pool_t *p, const char *username)
{
    return apr_pstrcat(p, "user/", username, NULL);
}

/* Notes the wish, if new users have to be approved. */
static apim_error_t *ask_in_transaction(rest_request_t *rq, apim_db_t *db, const po_user_t *u, int *waits)
{
    po_workflow_t wish = {.type = PO_WF_USER_SIGNUP, .created_by = u->username};
    wish.subject = subject(rq->pool, u->username);
    wish.description = apr_psprintf(rq->pool, "%s has registered as a subscriber.", u->username);
    wish.properties =
        apim_json_own(rq->pool, json_pack("{s:s, s:s?, s:s?, s:s?, s:s?}", "userName", u->username, "email",
                                          u->email, "givenName", u->given_name, "familyName", u->family_name,
                                          "organization", u->organization));
    APIM_TRY(apim_db_begin(db));
    APIM_TRY(po_workflow_ask(db, rq->pool, &wish, waits));
    return apim_db_commit(db);
}

static apim_error_t *ask(rest_request_t *rq, const po_user_t *u, int *waits)
{
    apim_error_t *err;
    apim_db_t *db;
    APIM_TRY(po_open(rq, APIM_DB_API_MANAGER, &db));
    err = ask_in_transaction(rq, db, u, waits);
    apim_db_close(db);
    return err;
}

/* The wish of a user who was not made in the end. */
static void forget_wish(rest_request_t *rq, const po_user_t *u)
{
    apim_db_t *db;
    if (!po_open(rq, APIM_DB_API_MANAGER, &db)) {
        po_workflow_withdraw(db, subject(rq->pool, u->username));
        apim_db_close(db);
    }
}

/* The users are in another database: first the wish, so that nobody waits unseen. */
static apim_error_t *add_user(rest_request_t *rq, po_user_t *u, const char *hash)
{
    apim_error_t *err;
    int waits = 0;
    APIM_TRY(ask(rq, u, &waits));
    u->status = waits ? "PENDING" : "ACTIVE";
    err = po_user_add(rq, u, hash);
    if (err && waits) {
        forget_wish(rq, u);
    }
    return err;
}

static apim_error_t *change_pending(rest_request_t *rq, apim_db_t *db, const char *username, int grant)
{
    const char *now = apim_i64(rq->pool, apim_now_ms());
    APIM_TRY(apim_db_begin(db));
    if (grant) {
        APIM_TRY(apim_db_query(db, &wf_user_activate, NULL, APIM_ARGS(now, username)));
    }
    else {
        APIM_TRY(apim_db_query(db, &wf_user_roles_delete, NULL, APIM_ARGS(username)));
        APIM_TRY(apim_db_query(db, &wf_user_delete, NULL, APIM_ARGS(username)));
    }
    return apim_db_commit(db);
}

static apim_error_t *settle(rest_request_t *rq, const char *username, int grant)
{
    apim_error_t *err;
    apim_db_t *db;
    APIM_TRY(po_open(rq, APIM_DB_USER_MANAGER, &db));
    err = change_pending(rq, db, username, grant);
    apim_db_close(db);
    return err;
}

apim_error_t *po_sign_up_granted(rest_request_t *rq, const po_workflow_t *workflow)
{
    return settle(rq, workflow->created_by, 1);
}

/* The name is free again. */
apim_error_t *po_sign_up_refused(rest_request_t *rq, const po_workflow_t *workflow)
{
    return settle(rq, workflow->created_by, 0);
}

static apim_error_t *sign_up(rest_request_t *rq)
{
    po_problems_t problems = {rq->pool, NULL, 0};
    po_user_t u = {.status = "ACTIVE"};
    json_t *body, *facts = apim_json_own(rq->pool, json_object());
    const json_t *user;
    const char *password, *hash;
    if (!po_self_signup(po_config(rq->r))) {
        return apim_error(rq->pool, 403, 403, "Forbidden",
                          "Self sign-up is switched off here; ask the administrator for an account.");
    }
    APIM_TRY(rest_read_json(rq->r, NULL, &body));
    user = json_object_get(body, "user");
    u.username = apim_json_str(user, "username", "");
    password = apim_json_str(user, "password", "");
    po_check_username(&problems, "/user/username", u.username);
    po_check_password(&problems, "/user/password", password, u.username);
    set_fact(facts, "email", claim(user, "emailaddress"));
    set_fact(facts, "givenName", claim(user, "givenname"));
    set_fact(facts, "familyName", claim(user, "lastname"));
    set_fact(facts, "organization", claim(user, "organization"));
    po_read_user_facts(&problems, facts, &u);
    APIM_TRY(po_problems_error(&problems));
    APIM_TRY(check_rate(rq));
    APIM_TRY(po_user_name_unused(rq, u.username));
    u.roles = apim_json_own(rq->pool, json_pack("[s]", "Internal/subscriber"));
    APIM_TRY(po_hash_password(rq, password, &hash));
    APIM_TRY(add_user(rq, &u, hash));
    return rest_reply_json(rq->r, 201, json_pack("{s:s, s:s}", "username", u.username, "status", u.status));
}

const rest_route_t po_signup_routes[] = {{"POST", "/me", sign_up, NULL, REST_ANONYMOUS_OK}, {NULL}};

/* -- change of one's own password
 * --------------------------------------------------------------------------------------------- */

static apim_error_t *read_password(rest_request_t *rq, const char **id, const char **hash)
{
    apim_rows_t *rows;
    apim_error_t *err;
    apim_db_t *db;
    APIM_TRY(po_open(rq, APIM_DB_USER_MANAGER, &db));
    err = apim_db_select(db, rq->pool, &ad_user_password, &rows, APIM_ARGS(rq->username));
    apim_db_close(db);
    if (err || !rows->count) {
        return err ? err : apim_not_found(rq->pool, "User", rq->username);
    }
    *id = rows->row[0][0];
    *hash = rows->row[0][1];
    return NULL;
}

apim_error_t *po_change_password(rest_request_t *rq)
{
    po_problems_t problems = {rq->pool, NULL, 0};
    const char *current, *wanted, *id = "", *hash = NULL;
    int fits = 0;
    apim_error_t *err;
    apim_db_t *db;
    json_t *body;
    APIM_TRY(rest_read_json(rq->r, NULL, &body));
    current = apim_json_str(body, "currentPassword", "");
    wanted = apim_json_str(body, "newPassword", "");
    po_check_password(&problems, "/newPassword", wanted, rq->username);
    APIM_TRY(po_problems_error(&problems));
    APIM_TRY(check_rate(rq)); /* guesses at the current password are limited like registrations */
    APIM_TRY(read_password(rq, &id, &hash));
    APIM_TRY(po_password_fits(rq, current, hash, &fits));
    if (!fits) {
        return apim_error(rq->pool, 400, 901450, "Current password incorrect",
                          "currentPassword is not your password.");
    }
    APIM_TRY(po_hash_password(rq, wanted, &hash));
    /* Before, so that without a Key Manager nothing changes; after, for tokens fetched meanwhile. */
    APIM_TRY(po_user_tokens_die(rq, rq->username));
    APIM_TRY(po_open(rq, APIM_DB_USER_MANAGER, &db));
    err = apim_db_query(db, &ad_user_set_password, NULL,
                        APIM_ARGS(hash, apim_i64(rq->pool, apim_now_ms()), id));
    apim_db_close(db);
    err = err ? err : po_user_tokens_die(rq, rq->username);
    return err ? err : rest_reply_empty(rq->r, 200);
}
