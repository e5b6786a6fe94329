/* SPDX-License-Identifier: Apache-2.0 */
#include <apr_hash.h>
#include <apr_strings.h>
#include <apr_thread_mutex.h>
#include <string.h>

#include "admin.h"
#include "admin_sql.h"

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
    APIM_TRY(po_user_add(rq, &u, hash));
    return rest_reply_json(rq->r, 201, json_pack("{s:s}", "username", u.username));
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
