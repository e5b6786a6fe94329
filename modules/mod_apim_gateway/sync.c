/* SPDX-License-Identifier: Apache-2.0 */
#include "sync.h"

#include <apr_atomic.h>
#include <apr_shm.h>
#include <apr_strings.h>
#include <http_log.h>
#include <mod_watchdog.h>
#include <string.h>

#include "apim_json.h"
#include "apim_text.h"
#include "gateway_sql.h"
#include "httpd/db_pool.h"

APLOG_USE_MODULE(apim_gateway);

#define WATCHDOG_NAME  "_apim_gateway_sync_"
#define RETAINED_KEY   "apim_gateway_sync/1"
#define MAX_ARTIFACT   (16 * 1024 * 1024)
#define REAP_INTERVAL  apr_time_from_sec(60)
#define RETRY_INTERVAL apr_time_from_sec(1)
#define STOP_WAIT      apr_time_from_sec(5)

static gw_sync_state_t *state;

/* Of this child. */
static struct {
    server_rec *server;
    gw_replica_t *replica;
    apr_uint32_t stopping;
    apr_uint32_t running;
    apr_time_t retry_registry, retry_invalidations, reaped;
} here;

gw_sync_state_t *gw_sync_state(void)
{
    return state;
}

/* -- the registry's feed: artefacts
 * ------------------------------------------------------------------------------------ */

typedef struct head_t {
    const char *epoch;
    apr_int64_t revision;
} head_t;

static apim_error_t *read_head(apim_db_t *db, apr_pool_t *p, const apim_stmt_t *stmt, head_t *head)
{
    apim_rows_t *rows;
    const char *epoch;
    APIM_TRY(apim_db_select(db, p, stmt, &rows, APIM_NOARGS));
    epoch = rows->count == 1 ? rows->row[0][0] : NULL;
    if (!epoch || apim_parse_i64(rows->row[0][1], &head->revision)) {
        return apim_internal(p, "%s: no head; has the database been migrated?", stmt->label);
    }
    head->epoch = epoch;
    return NULL;
}

/* One artefact into the open write transaction. Its own faults are logged and passed over (what was served
 * before goes on being served); only the replica's faults come back. */
static apim_error_t *apply_artifact(apr_pool_t *p, const char *kind, const char *key, int deleted,
                                    const char *payload)
{
    apim_json_limits_t limits = {MAX_ARTIFACT, 64};
    const gw_record_t *record;
    apr_array_header_t *contexts;
    apim_error_t *err = NULL;
    apr_size_t size;
    json_t *json;
    int is_api = strcmp(kind, "api") == 0;
    if (deleted) {
        return is_api ? gw_replica_remove_api(here.replica, p, key)
                      : gw_replica_remove_policy(here.replica, p, key);
    }
    err = apim_json_parse(p, payload, strlen(payload), &limits, &json);
    if (!err && !is_api) {
        err = gw_replica_put_policy(here.replica, p, key, json);
    }
    if (!err && is_api && !(err = gw_record_compile(p, json, &record, &size, &contexts))) {
        err = gw_record_valid(record, size) ? gw_replica_put_api(here.replica, p, key, record, size, contexts)
                                            : apim_bad_request(p, "the compiled record is not valid");
    }
    if (err && err->status < 500) {
        state->refused++;
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, here.server, "APIM-GW0201: the %s %s cannot be deployed: %s",
                     kind, key, err->description);
        err = NULL;
    }
    else if (!err) {
        state->applied++;
    }
    return err;
}

/* Reads a batch and closes the database before anything is written. */
static apim_error_t *read_batch(apr_pool_t *p, apr_int64_t after, apim_rows_t **rows)
{
    gw_server_config_t *conf = gw_server_config(here.server);
    apim_error_t *err;
    apim_db_t *db;
    APIM_TRY(apim_db_open(p, &conf->common, APIM_DB_REGISTRY, &db));
    err = apim_db_select(db, p, &gw_artifacts_after, rows, APIM_ARGS(apim_i64(p, after), conf->environment));
    apim_db_close(db);
    return err;
}

static apim_error_t *apply_batch(apr_pool_t *p, const apim_rows_t *rows, apr_int64_t *revision)
{
    apr_pool_t *row_pool;
    apim_error_t *err = NULL;
    int i;
    apr_pool_create(&row_pool, p);
    for (i = 0; i < rows->count && !err; i++) {
        const char **row = rows->row[i];
        apr_pool_clear(row_pool);
        err = apply_artifact(row_pool, row[0], row[1], strcmp(row[3], "0") != 0, row[4] ? row[4] : "");
        if (err) {
            err = apim_internal(p, "%s", err->cause ? err->cause : err->message);
        }
        apim_parse_i64(row[2], revision);
    }
    apr_pool_destroy(row_pool);
    return err;
}

/* All of the feed past `from` in one transaction: a reader sees the old state or the new, and a feed that
 * starts over does not leave the node empty in between. */
static apim_error_t *apply_feed(apr_pool_t *p, const head_t *head, apr_int64_t from, int start_over)
{
    gw_position_t position = {head->epoch, from};
    apim_error_t *err = NULL;
    apim_rows_t *rows;
    apr_pool_t *batch;
    APIM_TRY(gw_replica_write_begin(here.replica, p));
    if (start_over) {
        err = gw_replica_clear(here.replica, p);
    }
    apr_pool_create(&batch, p);
    do {
        apr_pool_clear(batch);
        rows = NULL;
        err = err ? err : read_batch(batch, position.revision, &rows);
        err = err ? err : apply_batch(batch, rows, &position.revision);
        if (apr_atomic_read32(&here.stopping)) {
            err = err ? err : apim_unavailable(p, "The node", "stopping");
        }
    } while (!err && rows->count > 0);
    if (err) {
        gw_replica_abort(here.replica);
        return apim_error(p, err->status, err->code, err->message, "%s",
                          err->cause ? err->cause : err->description);
    }
    if (position.revision < head->revision) {
        position.revision = head->revision; /* the rest is of other environments */
    }
    err = gw_replica_set_position(here.replica, p, &position);
    err = err ? err : gw_replica_commit(here.replica, p);
    if (!err) {
        state->registry_revision = position.revision;
    }
    return err;
}

static apim_error_t *sync_registry(apr_pool_t *p)
{
    gw_server_config_t *conf = gw_server_config(here.server);
    gw_position_t position = {0};
    apim_error_t *err;
    apim_db_t *db;
    head_t head = {0};
    int start_over;
    APIM_TRY(apim_db_open(p, &conf->common, APIM_DB_REGISTRY, &db));
    err = read_head(db, p, &gw_registry_head, &head);
    apim_db_close(db);
    if (err) {
        return err;
    }
    APIM_TRY(gw_replica_position(here.replica, p, &position));
    /* Another epoch, or a head behind us: the database was restored or rebuilt, and its revisions mean
     * something else. */
    start_over = strcmp(head.epoch, position.epoch) != 0 || head.revision < position.revision;
    state->registry_revision = position.revision;
    if (!start_over && head.revision == position.revision) {
        return NULL;
    }
    if (start_over && *position.epoch) {
        ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, here.server,
                     "APIM-GW0202: the registry's feed starts over (revision %" APR_INT64_T_FMT
                     ", had %" APR_INT64_T_FMT "); loading all of it",
                     head.revision, position.revision);
    }
    return apply_feed(p, &head, start_over ? 0 : position.revision, start_over);
}

/* -- the API Manager database's feed: invalidations
 * ---------------------------------------------------------------------- */

static void forget_all(const head_t *head)
{
    gw_mark_all_stale();
    state->invalidation_revision = head->revision;
    apr_cpystrn(state->invalidation_epoch, head->epoch, sizeof(state->invalidation_epoch));
}

/* 1 if the rows go on where we are; revisions have no gaps, so a gap means that rows were removed before we
 * saw them. */
static int is_continuous(const apim_rows_t *rows)
{
    apr_int64_t first;
    return !rows->count ||
           (!apim_parse_i64(rows->row[0][0], &first) && first == state->invalidation_revision + 1);
}

static apim_error_t *read_invalidations(apim_db_t *db, apr_pool_t *p)
{
    apim_rows_t *rows;
    head_t head = {0};
    int i;
    APIM_TRY(read_head(db, p, &gw_invalidation_head, &head));
    if (state->invalidation_revision < 0 || head.revision < state->invalidation_revision ||
        strncmp(state->invalidation_epoch, head.epoch, sizeof(state->invalidation_epoch) - 1) != 0) {
        forget_all(&head);
        return NULL;
    }
    while (state->invalidation_revision < head.revision) {
        APIM_TRY(apim_db_select(db, p, &gw_invalidations_after, &rows,
                                APIM_ARGS(apim_i64(p, state->invalidation_revision))));
        if (!rows->count || !is_continuous(rows)) {
            forget_all(&head);
            return NULL;
        }
        for (i = 0; i < rows->count; i++) {
            if (strcmp(rows->row[i][1], "all") == 0) {
                gw_mark_all_stale();
            }
            else {
                gw_mark_stale(rows->row[i][1], rows->row[i][2]);
            }
            apim_parse_i64(rows->row[i][0], &state->invalidation_revision);
        }
    }
    return NULL;
}

static apim_error_t *sync_invalidations(apr_pool_t *p)
{
    gw_server_config_t *conf = gw_server_config(here.server);
    apim_error_t *err;
    apim_db_t *db;
    APIM_TRY(apim_db_open(p, &conf->common, APIM_DB_API_MANAGER, &db));
    err = read_invalidations(db, p);
    apim_db_close(db);
    return err;
}

/* -- the watchdog
 * -------------------------------------------------------------------------------------------------------- */

/* Logs the loss of a feed and its return, once each. */
static void note_outcome(const char *what, const apim_error_t *err, int *away, apr_time_t *seen,
                         apr_time_t *retry)
{
    apr_time_t now = apr_time_now();
    if (err) {
        if (!*away && !apr_atomic_read32(&here.stopping)) {
            *away = 1;
            ap_log_error(APLOG_MARK, APLOG_ERR, 0, here.server,
                         "APIM-GW0203: %s cannot be read (%s); this node goes on with what it has and tries "
                         "again every second",
                         what, err->cause ? err->cause : err->description);
        }
        *retry = now + RETRY_INTERVAL;
        return;
    }
    if (*away) {
        *away = 0;
        ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, here.server, "APIM-GW0204: %s can be read again", what);
    }
    *seen = now;
    *retry = 0;
}

static void tick(apr_pool_t *pool)
{
    apr_time_t now = apr_time_now();
    apr_pool_t *p;
    apr_pool_create(&p, pool);
    if (now >= here.retry_registry) {
        note_outcome("the registry's change feed", sync_registry(p), &state->registry_away,
                     &state->registry_seen, &here.retry_registry);
    }
    apr_pool_clear(p);
    if (now >= here.retry_invalidations && !apr_atomic_read32(&here.stopping)) {
        note_outcome("the API Manager database's change feed", sync_invalidations(p),
                     &state->invalidations_away, &state->invalidations_seen, &here.retry_invalidations);
    }
    apr_pool_destroy(p);
    if (now - here.reaped > REAP_INTERVAL) {
        here.reaped = now;
        gw_replica_reap_readers(here.replica);
    }
}

/* Always APR_SUCCESS: mod_watchdog never calls a callback again that returned an error. */
static apr_status_t watchdog_callback(int wd_state, void *data, apr_pool_t *pool)
{
    if (wd_state != AP_WATCHDOG_STATE_RUNNING || !here.replica) {
        return APR_SUCCESS;
    }
    apr_atomic_set32(&here.running, 1);
    if (!apr_atomic_read32(&here.stopping)) {
        tick(pool);
    }
    apr_atomic_set32(&here.running, 0);
    return APR_SUCCESS;
}

void gw_sync_child_stopping(void)
{
    apr_atomic_set32(&here.stopping, 1);
}

/* The watchdog thread is not joined in a forked child: wait for it to leave before the child's pools go. */
static apr_status_t wait_for_callback(void *data)
{
    apr_time_t deadline = apr_time_now() + STOP_WAIT;
    gw_sync_child_stopping();
    while (apr_atomic_read32(&here.running) && apr_time_now() < deadline) {
        apr_sleep(apr_time_from_msec(5));
    }
    return APR_SUCCESS;
}

void gw_sync_child_init(apr_pool_t *pchild, server_rec *main_server, gw_replica_t *replica)
{
    here.server = main_server;
    here.replica = replica;
    apr_pool_pre_cleanup_register(pchild, NULL, wait_for_callback);
}

/* The state lives as long as the parent process, so that a graceful restart keeps the place in the feed, and
 * children of the old and the new generation share it. */
static const char *make_state(server_rec *main_server)
{
    struct {
        gw_sync_state_t *state;
    } *retained = ap_retained_data_get(RETAINED_KEY);
    if (!retained) {
        apr_shm_t *shm;
        apr_status_t rv = apr_shm_create(&shm, sizeof(gw_sync_state_t), NULL, main_server->process->pool);
        if (rv != APR_SUCCESS) {
            return "no shared memory for the state of the sync";
        }
        retained = ap_retained_data_create(RETAINED_KEY, sizeof(*retained));
        retained->state = apr_shm_baseaddr_get(shm);
        memset(retained->state, 0, sizeof(*retained->state));
        retained->state->invalidation_revision = -1;
    }
    state = retained->state;
    return NULL;
}

const char *gw_sync_post_config(apr_pool_t *pconf, server_rec *main_server)
{
    APR_OPTIONAL_FN_TYPE(ap_watchdog_get_instance) *get_instance =
        APR_RETRIEVE_OPTIONAL_FN(ap_watchdog_get_instance);
    APR_OPTIONAL_FN_TYPE(ap_watchdog_register_callback) *register_callback =
        APR_RETRIEVE_OPTIONAL_FN(ap_watchdog_register_callback);
    ap_watchdog_t *watchdog;
    const char *error = make_state(main_server);
    if (error) {
        return error;
    }
    if (!get_instance || !register_callback) {
        return "mod_watchdog is not loaded; add LoadModule watchdog_module modules/mod_watchdog.so";
    }
    if (get_instance(&watchdog, WATCHDOG_NAME, 0, 1, pconf) != APR_SUCCESS ||
        register_callback(watchdog, gw_server_config(main_server)->sync_interval, NULL, watchdog_callback) !=
            APR_SUCCESS) {
        return "the sync watchdog cannot be registered";
    }
    return NULL;
}
