/* SPDX-License-Identifier: Apache-2.0 */
#include "signing_keys.h"

#include <apr_strings.h>
#include <apr_thread_mutex.h>
#include <http_log.h>
#include <string.h>

#include "apim_seal.h"
#include "apim_text.h"
#include "httpd/db_pool.h"
#include "keymgr_log.h"
#include "keymgr_sql.h"

#define PURPOSE       "apim signing key"
#define KID_LENGTH    43
#define MAX_AGE       60000 /* ms: how old the copy may get */
#define UNKNOWN_PAUSE 2000  /* ms between reads that unknown key ids ask for */

typedef enum { KEY_NEXT, KEY_ACTIVE, KEY_RETIRED } state_e;

typedef struct entry_t {
    apim_jwk_t *jwk; /* private where it opened, else public */
    state_e state;
    apr_int64_t created_at, activated_at, retired_at;
} entry_t;

/* An immutable copy of the table in a pool of its own; readers share it under the mutex only long enough to
 * take what they need. */
typedef struct snapshot_t {
    apr_pool_t *pool;
    apr_array_header_t *entries; /* of entry_t */
    apr_int64_t loaded_at;
} snapshot_t;

struct km_keys_t {
    const km_config_t *conf;
    apr_thread_mutex_t *mutex; /* guards what follows */
    snapshot_t *current;       /* NULL before the first read */
    apr_int64_t tried_at;      /* last read, successful or not */
    int reading;               /* a thread is at it: others go on with what there is */
};

km_keys_t *km_keys_create(apr_pool_t *pool, const km_config_t *conf)
{
    km_keys_t *keys = apr_pcalloc(pool, sizeof(*keys));
    keys->conf = conf;
    apr_thread_mutex_create(&keys->mutex, APR_THREAD_MUTEX_DEFAULT, pool);
    return keys;
}

int km_keys_same(const km_config_t *a, const km_config_t *b)
{
    return a->common.database_server[APIM_DB_API_MANAGER] == b->common.database_server[APIM_DB_API_MANAGER] &&
           strcmp(a->common.cluster_secret, b->common.cluster_secret) == 0 &&
           km_algorithm(a) == km_algorithm(b) && km_rotation_ms(a) == km_rotation_ms(b);
}

/* -- reading the table
 * ------------------------------------------------------------------------------------------- */

static apr_int64_t number(const char *text)
{
    apr_int64_t value = 0;
    return text && apim_parse_i64(text, &value) == 0 ? value : 0;
}

static state_e parse_state(const char *s)
{
    return strcmp(s, "ACTIVE") == 0 ? KEY_ACTIVE : strcmp(s, "NEXT") == 0 ? KEY_NEXT : KEY_RETIRED;
}

/* The private JWK of a row if it has one and it opens, else the public one. */
static apim_error_t *parse_key(const km_call_t *call, apr_pool_t *p, const char *const *row, apim_jwk_t **jwk)
{
    const char *text = row[3];
    json_t *j;
    if (row[2] && *row[2]) {
        const char *opened;
        apim_error_t *err =
            apim_unseal(p, call->conf->common.cluster_secret, PURPOSE, row[0], row[2], &opened);
        if (err) {
            ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, call->r,
                          "APIM-KM0010: signing key %s cannot be used: it was stored under another "
                          "ApimClusterSecret; give "
                          "all Key Managers of this database the same one",
                          row[0]);
        }
        else {
            text = opened;
        }
    }
    APIM_TRY(apim_json_parse(p, text, strlen(text), NULL, &j));
    return apim_jwk_parse(p, j, jwk);
}

static apim_error_t *read_table(const km_call_t *call, apim_db_t *db, apr_pool_t *p, apr_array_header_t **out)
{
    apim_rows_t *rows;
    int i;
    *out = apr_array_make(p, 4, sizeof(entry_t));
    APIM_TRY(apim_db_select(db, p, &km_keys_select, &rows, APIM_NOARGS));
    for (i = 0; i < rows->count; i++) {
        const char *const *row = rows->row[i];
        entry_t e = {NULL, parse_state(row[4]), number(row[5]), number(row[6]), number(row[7])};
        apim_error_t *err = parse_key(call, p, row, &e.jwk);
        if (err || strcmp(e.jwk->kid, row[0]) != 0) {
            ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, call->r,
                          "APIM-KM0011: signing key %s in the database is damaged", row[0]);
            continue;
        }
        APR_ARRAY_PUSH(*out, entry_t) = e;
    }
    return NULL;
}

/* -- rotation
 * ---------------------------------------------------------------------------------------------------- */

static entry_t *find_state(apr_array_header_t *entries, state_e state, apim_alg_e alg)
{
    int i;
    for (i = 0; i < entries->nelts; i++) {
        entry_t *e = &APR_ARRAY_IDX(entries, i, entry_t);
        if (e->state == state && e->jwk->alg == alg) {
            return e;
        }
    }
    return NULL;
}

/* Nothing to do on most reads; looked at before any transaction is begun. */
static int rotation_due(const km_call_t *call, apr_array_header_t *entries)
{
    apim_alg_e alg = km_algorithm(call->conf);
    const entry_t *active = find_state(entries, KEY_ACTIVE, alg);
    return !active || !find_state(entries, KEY_NEXT, alg) ||
           active->activated_at + km_rotation_ms(call->conf) <= call->now;
}

static apim_error_t *insert_key(const km_call_t *call, apim_db_t *db, state_e state)
{
    apr_pool_t *p = call->pool;
    apim_jwk_t *jwk;
    const char *sealed, *now = apim_i64(p, call->now);
    json_t *private_json, *public_json;
    APIM_TRY(apim_jwk_generate(p, km_algorithm(call->conf), &jwk));
    private_json = apim_json_own(p, apim_jwk_json(p, jwk, 1));
    public_json = apim_json_own(p, apim_jwk_json(p, jwk, 0));
    if (!private_json || !public_json) {
        return apim_internal(p, "a new signing key could not be printed");
    }
    APIM_TRY(apim_seal(p, call->conf->common.cluster_secret, PURPOSE, jwk->kid,
                       apim_json_text(p, private_json), &sealed));
    APIM_TRY(apim_db_query(db, &km_keys_insert, NULL,
                           APIM_ARGS(jwk->kid, apim_alg_name(jwk->alg), sealed,
                                     apim_json_text(p, public_json), state == KEY_ACTIVE ? "ACTIVE" : "NEXT",
                                     now, state == KEY_ACTIVE ? now : NULL)));
    ap_log_rerror(APLOG_MARK, APLOG_NOTICE, 0, call->r, "APIM-KM0012: new %s signing key %s, %s",
                  apim_alg_name(jwk->alg), jwk->kid,
                  state == KEY_ACTIVE ? "in use at once" : "published for the next rotation");
    return NULL;
}

/* Brings the table to where it should be. Runs inside a transaction that holds the row of am_feed_head. */
static apim_error_t *rotate_locked(const km_call_t *call, apim_db_t *db)
{
    apim_alg_e alg = km_algorithm(call->conf);
    const char *now = apim_i64(call->pool, call->now);
    apr_array_header_t *entries;
    entry_t *active, *next;
    int changed;
    APIM_TRY(apim_db_query(db, &km_keys_lock, NULL, APIM_NOARGS));
    APIM_TRY(read_table(call, db, call->pool, &entries));
    if (!rotation_due(call, entries)) {
        return NULL; /* another Key Manager was first */
    }
    active = find_state(entries, KEY_ACTIVE, alg);
    next = find_state(entries, KEY_NEXT, alg);
    if (active && active->activated_at + km_rotation_ms(call->conf) > call->now) {
        return insert_key(call, db, KEY_NEXT);
    }
    /* A NEXT that was made a moment ago is not known to others yet; but an old ACTIVE is worse than that. */
    if (active) {
        APIM_TRY(apim_db_query(db, &km_keys_retire, &changed, APIM_ARGS(now, active->jwk->kid)));
    }
    if (next) {
        APIM_TRY(apim_db_query(db, &km_keys_activate, &changed, APIM_ARGS(now, next->jwk->kid)));
        ap_log_rerror(APLOG_MARK, APLOG_NOTICE, 0, call->r, "APIM-KM0013: signing key %s is now in use",
                      next->jwk->kid);
    }
    else {
        APIM_TRY(insert_key(call, db, KEY_ACTIVE));
    }
    return insert_key(call, db, KEY_NEXT);
}

static apim_error_t *rotate(const km_call_t *call, apim_db_t *db)
{
    APIM_TRY(apim_db_begin(db));
    APIM_TRY(rotate_locked(call, db));
    return apim_db_commit(db);
}

/* -- the copy in memory
 * ------------------------------------------------------------------------------------------ */

static apim_error_t *read_and_rotate(const km_call_t *call, apr_pool_t *p, apr_array_header_t **entries)
{
    apim_db_t *db;
    apim_error_t *err;
    APIM_TRY(apim_db_open(call->pool, &call->conf->common, APIM_DB_API_MANAGER, &db));
    err = read_table(call, db, p, entries);
    if (!err && rotation_due(call, *entries)) {
        err = rotate(call, db);
        if (!err) {
            err = read_table(call, db, p, entries);
        }
    }
    apim_db_close(db);
    return err;
}

/* A pool that no other thread's pool is a parent of, and that nobody destroys at exit: its cleanups lie in
 * this module, which is unloaded by then when httpd runs as one process (-X). */
static apr_pool_t *own_pool(void)
{
    apr_allocator_t *allocator;
    apr_pool_t *p;
    apr_allocator_create(&allocator);
    apr_allocator_max_free_set(allocator, 1);
    apr_pool_create_unmanaged_ex(&p, NULL, allocator);
    apr_allocator_owner_set(allocator, p);
    return p;
}

static void publish(km_keys_t *keys, snapshot_t *fresh)
{
    snapshot_t *old;
    apr_thread_mutex_lock(keys->mutex);
    old = keys->current;
    keys->reading = 0;
    if (fresh) {
        keys->current = fresh;
    }
    apr_thread_mutex_unlock(keys->mutex);
    /* Readers copied what they needed (with a count of the key) under the mutex: no one looks into old any
     * more. */
    if (fresh && old) {
        apr_pool_destroy(old->pool);
    }
}

static apim_error_t *reload(const km_call_t *call, km_keys_t *keys)
{
    apr_pool_t *p = own_pool();
    snapshot_t *fresh = apr_pcalloc(p, sizeof(*fresh));
    apim_error_t *err;
    fresh->pool = p;
    fresh->loaded_at = call->now;
    err = read_and_rotate(call, p, &fresh->entries);
    publish(keys, err ? NULL : fresh);
    if (err) {
        apr_pool_destroy(p);
    }
    return err;
}

static apr_int64_t max_age(const km_config_t *conf)
{
    apr_int64_t quarter = km_rotation_ms(conf) / 4;
    return quarter < MAX_AGE ? quarter : MAX_AGE;
}

/* Reads the table if the copy is missing or old, or (unknown) a key id was not found in it. A failure matters
 * only where there is no copy at all. */
static apim_error_t *refresh(const km_call_t *call, int unknown)
{
    km_keys_t *keys = call->conf->keys;
    apim_error_t *err;
    int due, have;
    apr_thread_mutex_lock(keys->mutex);
    have = keys->current != NULL;
    if (!have) {
        due = 1;
    }
    else if (keys->reading || call->now - keys->tried_at < (unknown ? UNKNOWN_PAUSE : 1000)) {
        due = 0;
    }
    else {
        due = unknown || call->now - keys->current->loaded_at >= max_age(call->conf);
    }
    if (due) {
        keys->reading = 1;
        keys->tried_at = call->now;
    }
    apr_thread_mutex_unlock(keys->mutex);
    err = due ? reload(call, keys) : NULL;
    if (err && have) {
        ap_log_rerror(APLOG_MARK, APLOG_WARNING, 0, call->r,
                      "APIM-KM0014: signing keys could not be read again: %s",
                      err->cause ? err->cause : err->description);
        return NULL;
    }
    return err;
}

apim_error_t *km_keys_active(const km_call_t *call, apim_jwk_t **out)
{
    km_keys_t *keys = call->conf->keys;
    entry_t *e = NULL;
    APIM_TRY(refresh(call, 0));
    *out = NULL;
    apr_thread_mutex_lock(keys->mutex);
    if (keys->current) {
        e = find_state(keys->current->entries, KEY_ACTIVE, km_algorithm(call->conf));
    }
    if (e && e->jwk->is_private) {
        *out = apim_jwk_share(call->pool, e->jwk);
    }
    apr_thread_mutex_unlock(keys->mutex);
    return *out ? NULL
                : apim_unavailable(call->pool, "The signing key", "no usable signing key (see APIM-KM0010)");
}

static apim_jwk_t *lookup(const km_call_t *call, const char *kid)
{
    km_keys_t *keys = call->conf->keys;
    apim_jwk_t *found = NULL;
    int i;
    apr_thread_mutex_lock(keys->mutex);
    for (i = 0; keys->current && i < keys->current->entries->nelts && !found; i++) {
        const entry_t *e = &APR_ARRAY_IDX(keys->current->entries, i, entry_t);
        if (strcmp(e->jwk->kid, kid) == 0) {
            found = apim_jwk_share(call->pool, e->jwk);
        }
    }
    apr_thread_mutex_unlock(keys->mutex);
    return found;
}

apim_error_t *km_keys_find(const km_call_t *call, const char *kid, apim_jwk_t **out)
{
    *out = NULL;
    if (!kid || strlen(kid) != KID_LENGTH) {
        return NULL;
    }
    APIM_TRY(refresh(call, 0));
    *out = lookup(call, kid);
    if (!*out) {
        APIM_TRY(refresh(call, 1));
        *out = lookup(call, kid);
    }
    return NULL;
}

apim_error_t *km_keys_jwks(const km_call_t *call, json_t **out)
{
    km_keys_t *keys = call->conf->keys;
    json_t *list;
    int i;
    APIM_TRY(refresh(call, 0));
    list = json_array();
    apr_thread_mutex_lock(keys->mutex);
    for (i = 0; keys->current && i < keys->current->entries->nelts; i++) {
        const entry_t *e = &APR_ARRAY_IDX(keys->current->entries, i, entry_t);
        if (e->state != KEY_RETIRED || e->retired_at + km_rotation_ms(call->conf) > call->now) {
            json_array_append_new(list, apim_jwk_json(call->pool, e->jwk, 0));
        }
    }
    apr_thread_mutex_unlock(keys->mutex);
    *out = json_pack("{s:o}", "keys", list);
    return NULL;
}

void km_keys_counts(km_keys_t *keys, int *count, apr_int64_t *loaded_at)
{
    apr_thread_mutex_lock(keys->mutex);
    *count = keys->current ? keys->current->entries->nelts : 0;
    *loaded_at = keys->current ? keys->current->loaded_at : 0;
    apr_thread_mutex_unlock(keys->mutex);
}
