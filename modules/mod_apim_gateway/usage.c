/* SPDX-License-Identifier: Apache-2.0 */
#include "usage.h"

#include <ap_mpm.h>
#include <apr_atomic.h>
#include <apr_strings.h>
#include <fcntl.h>
#include <http_core.h>
#include <http_log.h>
#include <mod_watchdog.h>
#include <string.h>
#include <unistd.h>
#include <unixd.h>

#include "apim_json.h"
#include "apim_text.h"
#include "apim_usage.h"
#include "gateway_config.h"
#include "shared_state.h"
#include "sync.h"
#include "usage_spool.h"
#include "usage_table.h"
#include "verification.h"

APLOG_USE_MODULE(apim_gateway);

#define WATCHDOG_NAME "_apim_gateway_usage_"
#define STEP          apr_time_from_msec(200)
#define RETRY         apr_time_from_sec(3)
#define STOP_WAIT     apr_time_from_sec(5)

/* Of this process. */
static struct {
    server_rec *server;
    const gw_feed_t *feed;
    gw_usage_spool_t *spool;
    gw_usage_table_t *table;
    uint64_t position, stuck; /* in the ring */
    int reading;              /* position and table are those of this thread's turn */
    apr_time_t flush_due, deliver_after, warned;
    apr_uint32_t stopping, running;
    int stop_pipe[2];
    pid_t parent; /* the process that made the spool */
    int alone;    /* it is the last one */
} here;

/* -- a call's record
 * ---------------------------------------------------------------------------------------------- */

/* What does not fit is cut, at the beginning of a character. */
static void copy(char *to, apr_size_t size, const char *from)
{
    apr_size_t n = from ? strlen(from) : 0;
    if (n >= size) {
        n = size - 1;
        while (n && ((unsigned char)from[n] & 0xC0) == 0x80) {
            n--;
        }
    }
    memcpy(to, n ? from : "", n);
    to[n] = '\0';
}

#define COPY(member, text) copy((member), sizeof(member), (text))

static uint32_t microseconds(apr_interval_time_t time)
{
    return time < 0 ? 0 : time > (apr_interval_time_t)UINT32_MAX ? UINT32_MAX : (uint32_t)time;
}

static uint64_t announced_length(const request_rec *r)
{
    const char *text = apr_table_get(r->headers_in, "Content-Length");
    apr_int64_t n;
    return text && !apim_parse_i64(text, &n) && n > 0 ? (uint64_t)n : 0;
}

static void who(gw_usage_record_t *record, const gw_call_t *call)
{
    const gw_answer_t *answer = call->answer;
    COPY(record->application_id, answer ? answer->application_id : "");
    COPY(record->user, answer && answer->by_user ? answer->username : "");
    COPY(record->tier, answer ? answer->subscription_tier : "");
    record->key_type = !answer ? '-' : answer->sandbox ? 'S' : 'P';
}

static void what(gw_usage_record_t *record, const request_rec *r, const gw_call_t *call)
{
    const gw_api_t *api = call->api;
    COPY(record->api_id, api ? api->id : "");
    COPY(record->api_name, api ? api->name : "");
    COPY(record->api_version, api ? api->version : "");
    COPY(record->resource, call->operation ? call->operation->target : "");
    COPY(record->verb, r->method_number == M_INVALID ? "OTHER" : r->method);
}

void gw_usage_record(request_rec *r, const gw_call_t *call)
{
    gw_usage_ring_t *ring = gw_shared_usage();
    gw_usage_record_t record;
    apr_time_t now;
    if (!ring) {
        return;
    }
    now = apr_time_now();
    memset(&record, 0, sizeof(record));
    record.time = apr_time_as_msec(r->request_time);
    record.total_us = microseconds(now - r->request_time);
    record.backend_us =
        call->sent_at ? microseconds((call->answered_at ? call->answered_at : now) - call->sent_at) : 0;
    record.bytes_in = announced_length(r);
    record.bytes_out = r->bytes_sent > 0 ? (uint64_t)r->bytes_sent : 0;
    record.code = call->fault ? call->fault->code : 0;
    record.status = (uint16_t)r->status;
    what(&record, r, call);
    who(&record, call);
    gw_usage_ring_put(ring, &record);
}

/* -- adding up
 * ----------------------------------------------------------------------------------------------------- */

/* Says it once a minute, however often it goes wrong. */
static void warn(const char *text, const apim_error_t *err)
{
    apr_time_t now = apr_time_now();
    if (now - here.warned > apr_time_from_sec(60)) {
        here.warned = now;
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, here.server, "%s: %s", text,
                     err->cause ? err->cause : err->description);
    }
}

static const gw_server_config_t *conf(void)
{
    return gw_server_config(here.server);
}

static void read_records(gw_usage_ring_t *ring, uint64_t now)
{
    gw_usage_record_t record;
    if (!here.reading) {
        here.position = gw_usage_ring_begin(ring);
        here.stuck = 0;
        here.reading = 1;
        gw_usage_table_clear(here.table);
    }
    while (gw_usage_table_count(here.table) < GW_USAGE_SERIES &&
           gw_usage_ring_read(ring, &here.position, now, &here.stuck, &record)) {
        gw_usage_table_add(here.table, &record);
    }
}

/* The sums into a file; only then their records leave the ring. */
static apim_error_t *store(apr_pool_t *p, gw_usage_ring_t *ring)
{
    json_t *rows;
    apim_error_t *err;
    int dropped = 0;
    if (!gw_usage_table_count(here.table)) {
        gw_usage_ring_release(ring, here.position); /* of records that were given up */
        return NULL;
    }
    rows = gw_usage_table_rows(here.table);
    if (!rows) {
        return apim_internal(p, "no memory");
    }
    err = gw_usage_spool_put(here.spool, p, rows, conf()->usage_spool, &dropped);
    json_decref(rows);
    if (dropped) {
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, here.server,
                     "APIM-GW0402: usage waits for the database longer than ApimUsageSpool has room: %d of "
                     "the oldest files "
                     "were dropped",
                     dropped);
    }
    APIM_TRY(err);
    gw_usage_totals_add(gw_shared_totals(), here.table);
    gw_usage_ring_release(ring, here.position);
    gw_usage_table_clear(here.table);
    return NULL;
}

static int is_due(const gw_usage_ring_t *ring, apr_time_t now)
{
    return now >= here.flush_due || gw_usage_ring_waiting(ring) > gw_usage_ring_capacity(ring) / 2 ||
           gw_usage_table_count(here.table) >= GW_USAGE_SERIES;
}

static void add_up(apr_pool_t *p, int all)
{
    gw_usage_ring_t *ring = gw_shared_usage();
    apr_time_t now = apr_time_now();
    apim_error_t *err;
    read_records(ring, here.alone ? 0 : gw_now());
    if (!all && !is_due(ring, now)) {
        return;
    }
    here.flush_due = now + conf()->usage_interval;
    err = store(p, ring);
    if (err) {
        here.flush_due = now + RETRY;
        warn("APIM-GW0403: usage cannot be stored on disk; calls go on, and are counted while there is room "
             "in memory",
             err);
    }
}

/* -- handing over
 * -------------------------------------------------------------------------------------------------- */

static apim_error_t *deliver_rows(apr_pool_t *p, const char *name, const json_t *rows, apr_uint64_t *calls)
{
    apr_size_t from, i, n = json_array_size(rows);
    apr_pool_t *part;
    apim_error_t *err = NULL;
    apr_pool_create(&part, p);
    for (from = 0; from < n && !err && !apr_atomic_read32(&here.stopping); from += APIM_USAGE_BATCH_ROWS) {
        json_t *batch = json_pack("{s:o, s:s, s:[]}", "id",
                                  json_string(apr_psprintf(part, "%s/%s/%" APR_SIZE_T_FMT,
                                                           apim_node_name(&conf()->common), name, from)),
                                  "node", apim_node_name(&conf()->common), "rows");
        apr_pool_clear(part);
        for (i = from; i < n && i < from + APIM_USAGE_BATCH_ROWS; i++) {
            const json_t *row = json_array_get(rows, i);
            json_array_append(json_object_get(batch, "rows"), (json_t *)(uintptr_t)row);
            *calls += (apr_uint64_t)json_integer_value(json_array_get(json_object_get(row, "sums"), 0));
        }
        err = batch ? here.feed->usage(part, batch) : apim_internal(part, "no memory");
        json_decref(batch);
        if (err) {
            err = apim_error(p, err->status, err->code, err->message, "%s",
                             err->cause ? err->cause : err->description);
        }
    }
    apr_pool_destroy(part);
    return err ? err : from < n ? apim_unavailable(p, "The node", "stopping") : NULL;
}

/* The oldest file; 1 if there may be more. What no one can read is given up: it would stop all that follows.
 */
static int deliver_one(apr_pool_t *p)
{
    gw_sync_state_t *state = gw_sync_state();
    apr_uint64_t calls = 0;
    const char *name;
    json_t *rows;
    apim_error_t *err = gw_usage_spool_first(here.spool, p, &name, &rows);
    if (!err && !name) {
        state->usage_behind_since = 0;
        return 0;
    }
    err = err ? err : deliver_rows(p, name, rows, &calls);
    if (err && err->status >= 500) {
        here.deliver_after = apr_time_now() + RETRY;
        if (!apr_atomic_read32(&here.stopping)) {
            state->usage_behind_since = state->usage_behind_since ? state->usage_behind_since : apim_now_ms();
            warn("APIM-GW0401: usage cannot be handed over; it waits on disk", err);
        }
        return 0;
    }
    if (err) {
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, here.server,
                     "APIM-GW0404: the usage in %s was refused and is dropped: %s", name, err->description);
    }
    gw_usage_spool_remove(here.spool, p, name);
    apr_atomic_add64(&state->usage_delivered, err ? 0 : calls);
    return 1;
}

/* -- the watchdog
 * --------------------------------------------------------------------------------------------------- */

static int should_stop(void)
{
    int mpm = AP_MPMQ_RUNNING;
    return apr_atomic_read32(&here.stopping) ||
           (ap_mpm_query(AP_MPMQ_MPM_STATE, &mpm) == APR_SUCCESS && mpm == AP_MPMQ_STOPPING);
}

static void work(apr_pool_t *p)
{
    add_up(p, 0);
    while (apr_time_now() >= here.deliver_after && !should_stop() && deliver_one(p)) {
        apr_pool_clear(p);
        add_up(p, 0); /* a slow database must not let the ring run full */
    }
}

static apr_status_t watchdog_callback(int wd_state, void *data, apr_pool_t *pool)
{
    apr_pool_t *p;
    if (wd_state != AP_WATCHDOG_STATE_RUNNING || !here.spool || !here.feed || !gw_shared_usage()) {
        return APR_SUCCESS;
    }
    apr_atomic_set32(&here.running, 1); /* before the look at stopping: whoever sets that looks here next */
    apr_pool_create(&p, pool);
    here.table = gw_usage_table_create(pool);
    here.reading = 0;
    here.flush_due = apr_time_now() + conf()->usage_interval;
    while (!should_stop()) {
        if (gw_usage_spool_lock(here.spool) == 0) {
            work(p);
        }
        apr_pool_clear(p);
        gw_feed_pause(STEP, here.stop_pipe[0]);
    }
    if (gw_usage_spool_lock(here.spool) == 0) {
        add_up(p, 1);
    }
    gw_usage_spool_unlock(here.spool); /* for the child that goes on */
    here.reading = 0;
    apr_pool_destroy(p);
    apr_atomic_set32(&here.running, 0);
    return APR_SUCCESS; /* anything else would end the watchdog for good */
}

void gw_usage_child_stopping(void)
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
    gw_usage_child_stopping();
    while (apr_atomic_read32(&here.running) && apr_time_now() < deadline) {
        apr_sleep(apr_time_from_msec(5));
    }
    return APR_SUCCESS;
}

void gw_usage_child_init(apr_pool_t *pchild, server_rec *main_server, const gw_feed_t *feed)
{
    here.server = main_server;
    here.feed = feed;
    /* Never closed: the thread that reads it may be there until the process is gone. */
    if (pipe2(here.stop_pipe, O_CLOEXEC | O_NONBLOCK) != 0) {
        here.stop_pipe[0] = here.stop_pipe[1] = -1; /* then the child stops a little later */
    }
    apr_pool_pre_cleanup_register(pchild, NULL, wait_for_callback);
}

/* -- the parent
 * ---------------------------------------------------------------------------------------------------------
 */

/* All children are gone, and httpd ends: what the last of them recorded is stored for the next start. */
static apr_status_t store_the_rest(void *data)
{
    gw_usage_ring_t *ring = gw_shared_usage();
    apr_pool_t *p = data, *scratch;
    uint64_t before;
    if (getpid() != here.parent || ap_state_query(AP_SQ_MAIN_STATE) != AP_SQ_MS_EXITING || !ring ||
        gw_usage_spool_lock(here.spool)) {
        return APR_SUCCESS;
    }
    apr_pool_create(&scratch, p);
    here.table = gw_usage_table_create(scratch);
    here.reading = 0;
    here.alone = 1;
    do {
        before = gw_usage_ring_begin(ring);
        add_up(scratch, 1);
    } while (gw_usage_ring_begin(ring) != before);
    gw_usage_spool_unlock(here.spool);
    apr_pool_destroy(scratch);
    return APR_SUCCESS;
}

static const char *register_watchdog(apr_pool_t *pconf)
{
    APR_OPTIONAL_FN_TYPE(ap_watchdog_get_instance) *get = APR_RETRIEVE_OPTIONAL_FN(ap_watchdog_get_instance);
    APR_OPTIONAL_FN_TYPE(ap_watchdog_register_callback) *add =
        APR_RETRIEVE_OPTIONAL_FN(ap_watchdog_register_callback);
    ap_watchdog_t *watchdog;
    return get && add && get(&watchdog, WATCHDOG_NAME, 0, 1, pconf) == APR_SUCCESS &&
                   add(watchdog, AP_WD_TM_SLICE, NULL, watchdog_callback) == APR_SUCCESS
               ? NULL
               : "the watchdog for usage cannot be registered";
}

const char *gw_usage_post_config(apr_pool_t *pconf, server_rec *main_server)
{
    const char *dir = apr_pstrcat(pconf, gw_config_replica_dir(pconf, main_server), "/usage", NULL), *wrong;
    here.server = main_server;
    here.spool = NULL;
    if (!gw_server_config(main_server)->usage) {
        return NULL;
    }
    here.spool = gw_usage_spool_create(pconf, dir, &wrong);
    if (!wrong && geteuid() == 0 && chown(dir, ap_unixd_config.user_id, ap_unixd_config.group_id)) {
        wrong = apr_psprintf(pconf, "the directory %s cannot be given to the server's user", dir);
    }
    if (wrong) {
        return wrong;
    }
    here.parent = getpid();
    apr_pool_cleanup_register(pconf, pconf, store_the_rest, apr_pool_cleanup_null);
    return register_watchdog(pconf);
}

void gw_usage_facts(gw_usage_facts_t *out)
{
    const gw_usage_ring_t *ring = gw_shared_usage();
    gw_sync_state_t *state = gw_sync_state();
    memset(out, 0, sizeof(*out));
    if (ring && state) {
        out->waiting = gw_usage_ring_waiting(ring);
        out->capacity = gw_usage_ring_capacity(ring);
        out->lost = gw_usage_ring_lost(ring);
        out->delivered = apr_atomic_read64(&state->usage_delivered);
        out->behind_since = state->usage_behind_since;
    }
}
