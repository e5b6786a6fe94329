/* SPDX-License-Identifier: Apache-2.0 */
#include "sync.h"

#include <ap_mpm.h>
#include <apr_atomic.h>
#include <apr_shm.h>
#include <apr_strings.h>
#include <fcntl.h>
#include <http_log.h>
#include <mod_watchdog.h>
#include <string.h>
#include <unistd.h>

#include "apim_json.h"
#include "apim_text.h"
#include "feed.h"
#include "usage.h"

APLOG_USE_MODULE(apim_gateway);

#define WATCHDOG_NAME  "_apim_gateway_sync_"
#define RETAINED_KEY   "apim_gateway_sync/2"
#define MAX_FAILURES   20 /* of those that a report names */
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
    const gw_feed_t *feed;
    int stop_pipe[2]; /* readable: the child stops */
    apr_int64_t reported_revision;
    apr_time_t report_due, retry_report;
    int report_failed;
} here;

gw_sync_state_t *gw_sync_state(void)
{
    return state;
}

/* -- the registry's feed: artefacts
 * ------------------------------------------------------------------------------------ */

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
        APIM_TRY(is_api ? gw_replica_remove_api(here.replica, p, key)
                        : gw_replica_remove_policy(here.replica, p, key));
        return gw_replica_note_failure(here.replica, p, kind, key, NULL);
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
        return gw_replica_note_failure(here.replica, p, kind, key, err->description);
    }
    if (err) {
        return err;
    }
    state->applied++;
    return gw_replica_note_failure(here.replica, p, kind, key, NULL);
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
static apim_error_t *apply_feed(apr_pool_t *p, const gw_feed_head_t *head, apr_int64_t from, int start_over)
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
        err = err ? err : here.feed->artifacts_after(batch, position.revision, &rows);
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
    gw_position_t position = {0};
    gw_feed_head_t head = {0};
    int start_over;
    APIM_TRY(here.feed->registry_head(p, &head));
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

static void forget_all(const gw_feed_head_t *head)
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

static void mark_rows(const apim_rows_t *rows)
{
    int i;
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

static apim_error_t *sync_invalidations(apr_pool_t *p)
{
    apim_rows_t *rows;
    gw_feed_head_t head = {0};
    APIM_TRY(here.feed->invalidations_head(p, &head));
    if (state->invalidation_revision < 0 || head.revision < state->invalidation_revision ||
        strncmp(state->invalidation_epoch, head.epoch, sizeof(state->invalidation_epoch) - 1) != 0) {
        forget_all(&head);
        return NULL;
    }
    while (state->invalidation_revision < head.revision) {
        APIM_TRY(here.feed->invalidations_after(p, state->invalidation_revision, &rows));
        if (!rows->count || !is_continuous(rows)) {
            forget_all(&head);
            return NULL;
        }
        mark_rows(rows);
    }
    return NULL;
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
            ap_log_error(
                APLOG_MARK, APLOG_ERR, 0, here.server,
                "APIM-GW0203: %s cannot be followed (%s); this node goes on with what it has and tries "
                "again every second",
                what, err->cause ? err->cause : err->description);
        }
        *retry = here.feed->paces_itself ? 0 : now + RETRY_INTERVAL;
        return;
    }
    if (*away) {
        *away = 0;
        ap_log_error(APLOG_MARK, APLOG_NOTICE, 0, here.server, "APIM-GW0204: %s can be read again", what);
    }
    *seen = now;
    *retry = 0;
}

/* -- what the node says of itself
 * ------------------------------------------------------------------------------------------ */

static const char *detail_of(apr_pool_t *p, const gw_replica_stat_t *stat)
{
    json_t *failures = json_array(), *detail;
    apim_error_t *err = stat->failures ? gw_replica_failures(here.replica, p, MAX_FAILURES, failures) : NULL;
    detail = json_pack("{s:s, s:I, s:I, s:o}", "feed", here.feed->mode(), "apis", (json_int_t)stat->apis,
                       "failureCount", (json_int_t)stat->failures, "failures", failures);
    return detail && !err ? apim_json_text(p, apim_json_own(p, detail)) : "{}";
}

static apim_error_t *report(apr_pool_t *p, const gw_position_t *position)
{
    const gw_server_config_t *conf = gw_server_config(here.server);
    apim_node_t node = {apim_node_name(&conf->common),
                        "gateway",
                        conf->environment,
                        APIM_VERSION,
                        position->epoch,
                        position->revision,
                        state->started_at,
                        "{}"};
    gw_replica_stat_t stat;
    APIM_TRY(gw_replica_stat(here.replica, p, &stat));
    node.detail = detail_of(p, &stat);
    return here.feed->report(p, &node);
}

/* At once when what is served has changed, else every while. A row that cannot be written keeps nothing up.
 */
static void report_if_due(apr_pool_t *p)
{
    apr_time_t now = apr_time_now();
    gw_position_t position = {0};
    apim_error_t *err = gw_replica_position(here.replica, p, &position);
    if (err || (position.revision == here.reported_revision && now < here.report_due) ||
        now < here.retry_report) {
        return;
    }
    err = report(p, &position);
    here.report_due = now + apr_time_from_msec(APIM_NODE_INTERVAL);
    here.reported_revision = err ? -1 : position.revision;
    here.retry_report = err ? now + apr_time_from_msec(APIM_NODE_INTERVAL) : 0;
    if (err && !state->registry_away && !here.report_failed) {
        ap_log_error(
            APLOG_MARK, APLOG_WARNING, 0, here.server,
            "APIM-GW0206: what this node serves cannot be written to reg_node, so the Publisher will "
            "show it as away: %s",
            err->cause ? err->cause : err->description);
    }
    here.report_failed = err != NULL;
}

/* -- the watchdog's work
 * --------------------------------------------------------------------------------------------------- */

static void tick(apr_pool_t *p)
{
    apr_time_t now = apr_time_now();
    if (now >= here.retry_registry) {
        note_outcome(here.feed->registry_name, sync_registry(p), &state->registry_away, &state->registry_seen,
                     &here.retry_registry);
    }
    if (now >= here.retry_invalidations && !apr_atomic_read32(&here.stopping)) {
        note_outcome(here.feed->invalidations_name, sync_invalidations(p), &state->invalidations_away,
                     &state->invalidations_seen, &here.retry_invalidations);
    }
    if (!state->registry_away && !apr_atomic_read32(&here.stopping)) {
        report_if_due(p);
    }
    if (now - here.reaped > REAP_INTERVAL) {
        here.reaped = now;
        gw_replica_reap_readers(here.replica);
    }
}

static int should_stop(void)
{
    int mpm = AP_MPMQ_RUNNING;
    return apr_atomic_read32(&here.stopping) ||
           (ap_mpm_query(AP_MPMQ_MPM_STATE, &mpm) == APR_SUCCESS && mpm == AP_MPMQ_STOPPING);
}

static void wait_for_news(apr_pool_t *p)
{
    gw_position_t position = {"", -1};
    gw_feed_place_t place;
    if (gw_replica_position(here.replica, p, &position)) {
        position.epoch = "";
        position.revision = -1;
    }
    place.registry.epoch = position.epoch;
    place.registry.revision = position.revision;
    place.invalidations.epoch = state->invalidation_epoch;
    place.invalidations.revision = state->invalidation_revision;
    here.feed->wait(p, &place, here.stop_pipe[0]);
}

/* Stays until the child stops: between two calls mod_watchdog would sleep, whatever is notified. Always
 * APR_SUCCESS: mod_watchdog never calls a callback again that returned an error. */
static apr_status_t watchdog_callback(int wd_state, void *data, apr_pool_t *pool)
{
    apr_pool_t *p;
    if (wd_state != AP_WATCHDOG_STATE_RUNNING || !here.replica) {
        return APR_SUCCESS;
    }
    apr_atomic_set32(&here.running, 1); /* before the look at stopping: whoever sets that looks here next */
    apr_pool_create(&p, pool);
    while (!should_stop()) {
        tick(p);
        apr_pool_clear(p);
        if (!should_stop()) {
            wait_for_news(p);
            apr_cpystrn(state->feed, here.feed->mode(), sizeof(state->feed));
            apr_pool_clear(p);
        }
    }
    apr_pool_destroy(p);
    apr_atomic_set32(&here.running, 0);
    return APR_SUCCESS;
}

void gw_sync_child_stopping(void)
{
    apr_atomic_set32(&here.stopping, 1);
    if (here.stop_pipe[1] > 0 && write(here.stop_pipe[1], "s", 1) < 0) {
        return; /* full: it has been written before */
    }
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
    here.feed =
        gw_server_config(main_server)->feed_urls ? gw_feed_http(main_server) : gw_feed_database(main_server);
    here.reported_revision = -1;
    gw_usage_child_init(pchild, main_server, here.feed);
    /* Never closed: the thread that reads it may be there until the process is gone. */
    if (pipe2(here.stop_pipe, O_CLOEXEC | O_NONBLOCK) != 0) {
        here.stop_pipe[0] = here.stop_pipe[1] = -1; /* then the child stops a little later */
    }
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
        retained->state->started_at = apim_now_ms();
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
        register_callback(watchdog, AP_WD_TM_SLICE, NULL, watchdog_callback) != APR_SUCCESS) {
        return "the sync watchdog cannot be registered";
    }
    return NULL;
}
