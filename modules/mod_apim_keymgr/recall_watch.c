/* SPDX-License-Identifier: Apache-2.0 */
#include "recall_watch.h"

#include <ap_mpm.h>
#include <apr_atomic.h>
#include <apr_strings.h>
#include <fcntl.h>
#include <http_log.h>
#include <mod_watchdog.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "apim_listener.h"
#include "apim_text.h"
#include "httpd/db_pool.h"
#include "keymgr_log.h"
#include "keymgr_sql.h"
#include "recall.h"

#define WATCHDOG   "_apim_keymgr_recall_"
#define LISTEN     "LISTEN apim_invalidation"
#define BEAT       250  /* ms between two questions while somebody wants to recall */
#define IDLE_BEAT  1000 /* ms that the thread sleeps otherwise */
#define WANTED_FOR 5000 /* ms */

/* Of this child. The listener is left to the process: its thread may outlive the child's pools. */
static struct {
    const km_config_t *conf;
    server_rec *server;
    apim_listener_t *listener;
    apr_uint32_t stopping, running;
    int stop_pipe[2]; /* readable: the child stops */
    int away;
} here;

/* -- the feed
 * ------------------------------------------------------------------------------------------------------ */

static void forget_all(km_recall_state_t *state, const char *epoch, apr_int64_t revision)
{
    apim_marks_set_all(state->marks);
    apr_cpystrn(state->epoch, epoch, sizeof(state->epoch));
    state->revision = revision;
}

/* Revisions have no gaps: a gap means that rows were removed before we saw them. */
static int mark_rows(km_recall_state_t *state, const apim_rows_t *rows)
{
    int i;
    for (i = 0; i < rows->count; i++) {
        apr_int64_t revision;
        if (apim_parse_i64(rows->row[i][0], &revision) || revision != state->revision + 1) {
            return 0;
        }
        apim_marks_set_named(state->marks, rows->row[i][1], rows->row[i][2]);
        state->revision = revision;
    }
    return rows->count > 0;
}

static apim_error_t *follow(apr_pool_t *p, apim_db_t *db, km_recall_state_t *state)
{
    apim_rows_t *rows;
    apr_int64_t head;
    const char *epoch;
    APIM_TRY(apim_db_select(db, p, &km_feed_invalidation_head, &rows, APIM_NOARGS));
    if (rows->count != 1 || !rows->row[0][0] || apim_parse_i64(rows->row[0][1], &head)) {
        return apim_internal(p, "am_feed_head has no row; has the database been migrated?");
    }
    epoch = rows->row[0][0];
    if (state->revision < 0 || head < state->revision ||
        strncmp(state->epoch, epoch, sizeof(state->epoch) - 1) != 0) {
        forget_all(state, epoch, head);
        return NULL;
    }
    while (state->revision < head) {
        APIM_TRY(apim_db_select(db, p, &km_feed_invalidations_after, &rows,
                                APIM_ARGS(apim_i64(p, state->revision))));
        if (!mark_rows(state, rows)) {
            forget_all(state, epoch, head);
        }
    }
    return NULL;
}

static void confirm(km_recall_state_t *state, apr_uint64_t at)
{
    __atomic_store_n(&state->confirmed_at, at, __ATOMIC_RELEASE);
}

static apim_error_t *ask(apr_pool_t *p, km_recall_state_t *state)
{
    apim_db_t *db;
    apim_error_t *err;
    APIM_TRY(apim_db_open(p, &here.conf->common, APIM_DB_API_MANAGER, &db));
    if (apim_listener_wants_connection(here.listener)) {
        apim_listener_connect(here.listener, db);
    }
    err = apim_listener_active(here.listener) ? follow(p, db, state) : NULL;
    apim_db_close(db);
    return err;
}

/* Everything committed before this began is marked when it returns without an error. */
static apim_error_t *look(apr_pool_t *p, km_recall_state_t *state)
{
    apr_uint64_t begun = km_recall_now();
    apim_error_t *err = ask(p, state);
    confirm(state, !err && apim_listener_active(here.listener) ? begun : 0);
    return err;
}

static void note_outcome(const apim_error_t *err)
{
    if (err && !here.away && !apr_atomic_read32(&here.stopping)) {
        ap_log_error(APLOG_MARK, APLOG_INFO, 0, here.server,
                     "APIM-KM0090: changes cannot be followed (%s); every answer asks the database meanwhile",
                     err->cause ? err->cause : err->description);
    }
    here.away = err != NULL;
}

/* -- the thread
 * ---------------------------------------------------------------------------------------------------- */

static int should_stop(void)
{
    int mpm = AP_MPMQ_RUNNING;
    return apr_atomic_read32(&here.stopping) ||
           (ap_mpm_query(AP_MPMQ_MPM_STATE, &mpm) == APR_SUCCESS && mpm == AP_MPMQ_STOPPING);
}

static int is_wanted(const km_recall_state_t *state)
{
    apr_uint64_t at = __atomic_load_n(&state->wanted_at, __ATOMIC_RELAXED);
    return at && km_recall_now() - at < WANTED_FOR;
}

/* Returns 1 if something may have changed. */
static int wait_for_news(int ms)
{
    struct pollfd fds[2] = {{.fd = here.stop_pipe[0], .events = POLLIN}};
    fds[1].fd = apim_listener_socket(here.listener, &fds[1].events);
    if (poll(fds, 2, ms) > 0 && fds[1].fd >= 0 && fds[1].revents) {
        return apim_listener_step(here.listener);
    }
    return 0;
}

/* A server that goes away closes the listener's connection: from then on nothing is known to hold. */
static void notice_loss(km_recall_state_t *state)
{
    if (!apim_listener_active(here.listener)) {
        confirm(state, 0);
    }
}

/* While nobody wants to recall anything, only what is notified is looked at, so that marks stay complete. */
static void watch(apr_pool_t *pool, km_recall_state_t *state)
{
    apr_uint64_t looked_at = 0;
    apr_pool_t *p;
    apr_pool_create(&p, pool);
    while (!should_stop() && apim_listener_possible(here.listener)) {
        int wanted = is_wanted(state), news = wait_for_news(wanted ? BEAT : IDLE_BEAT);
        apr_uint64_t pause = is_wanted(state) ? BEAT : 60 * IDLE_BEAT;
        notice_loss(state);
        if (should_stop()) {
            break;
        }
        if (news || km_recall_now() - looked_at >= pause || apim_listener_wants_connection(here.listener)) {
            note_outcome(look(p, state));
            looked_at = km_recall_now();
            apr_pool_clear(p);
        }
    }
    apr_pool_destroy(p);
}

/* Stays until the child stops. Always APR_SUCCESS: mod_watchdog never calls a callback again that returned an
 * error. */
static apr_status_t on_tick(int wd_state, void *data, apr_pool_t *pool)
{
    km_recall_state_t *state = km_recall_state();
    if (wd_state != AP_WATCHDOG_STATE_RUNNING || !here.listener || !state ||
        !apim_listener_possible(here.listener)) {
        return APR_SUCCESS;
    }
    apr_atomic_set32(&here.running, 1); /* before the look at stopping: whoever sets that looks here next */
    watch(pool, state);
    apr_atomic_set32(&here.running, 0);
    return APR_SUCCESS;
}

void km_recall_watch_stop(void)
{
    apr_atomic_set32(&here.stopping, 1);
    if (here.stop_pipe[1] > 0 && write(here.stop_pipe[1], "s", 1) < 0) {
        return; /* full: it has been written before */
    }
}

/* Bounded: a database that hangs must not keep the child from ending. */
static apr_status_t wait_for_thread(void *dummy)
{
    int i;
    km_recall_watch_stop();
    for (i = 0; i < 1000 && apr_atomic_read32(&here.running); i++) {
        apr_sleep(apr_time_from_msec(5));
    }
    return APR_SUCCESS;
}

void km_recall_watch_child_init(apr_pool_t *pchild)
{
    here.listener = here.conf ? apim_listener_create(LISTEN, "apim keymgr recall") : NULL;
    /* Never closed: the thread that reads it may be there until the process is gone. */
    if (pipe2(here.stop_pipe, O_CLOEXEC | O_NONBLOCK) != 0) {
        here.stop_pipe[0] = here.stop_pipe[1] = -1; /* then the child stops a little later */
    }
    apr_pool_pre_cleanup_register(pchild, NULL, wait_for_thread);
}

const char *km_recall_watch_setup(apr_pool_t *pconf, server_rec *main_server, const km_config_t *followed)
{
    APR_OPTIONAL_FN_TYPE(ap_watchdog_get_instance) *get = APR_RETRIEVE_OPTIONAL_FN(ap_watchdog_get_instance);
    APR_OPTIONAL_FN_TYPE(ap_watchdog_register_callback) *add =
        APR_RETRIEVE_OPTIONAL_FN(ap_watchdog_register_callback);
    ap_watchdog_t *watchdog;
    here.conf = followed;
    here.server = main_server;
    if (!get || !add) {
        return "mod_watchdog is not loaded; add LoadModule watchdog_module modules/mod_watchdog.so";
    }
    if (get(&watchdog, WATCHDOG, 0, 1, pconf) != APR_SUCCESS ||
        add(watchdog, AP_WD_TM_SLICE, NULL, on_tick) != APR_SUCCESS) {
        return "the watchdog that follows changes cannot be registered";
    }
    return NULL;
}
