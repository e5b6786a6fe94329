/* SPDX-License-Identifier: Apache-2.0 */
#include "feed.h"

#include <http_log.h>
#include <poll.h>

#include "apim_text.h"
#include "gateway_sql.h"
#include "httpd/db_pool.h"
#include "apim_listener.h"

APLOG_USE_MODULE(apim_gateway);

#define LISTENERS     2
#define LISTENER_STEP apr_time_from_sec(1) /* how often a lost listener is looked after */

/* Of this child. The listeners are left to the process: their thread may outlive the child's pools. */
static struct {
    server_rec *server;
    apim_listener_t *listener[LISTENERS];
    int listening;
} here;

static const apim_database_e listened[LISTENERS] = {APIM_DB_REGISTRY, APIM_DB_API_MANAGER};

static const gw_server_config_t *conf(void)
{
    return gw_server_config(here.server);
}

/* -- reading
 * ----------------------------------------------------------------------------------------------------- */

static apim_error_t *select_from(apim_database_e which, apr_pool_t *p, const apim_stmt_t *stmt,
                                 apim_rows_t **rows, const char *const *args, int nargs)
{
    apim_error_t *err;
    apim_db_t *db;
    APIM_TRY(apim_db_open(p, &conf()->common, which, &db));
    err = apim_db_select(db, p, stmt, rows, args, nargs);
    apim_db_close(db);
    return err;
}

static apim_error_t *read_head(apim_database_e which, apr_pool_t *p, const apim_stmt_t *stmt,
                               gw_feed_head_t *head)
{
    apim_rows_t *rows;
    APIM_TRY(select_from(which, p, stmt, &rows, APIM_NOARGS));
    if (rows->count != 1 || !rows->row[0][0] || apim_parse_i64(rows->row[0][1], &head->revision)) {
        return apim_internal(p, "%s: no head; has the database been migrated?", stmt->label);
    }
    head->epoch = rows->row[0][0];
    return NULL;
}

static apim_error_t *registry_head(apr_pool_t *p, gw_feed_head_t *head)
{
    return read_head(APIM_DB_REGISTRY, p, &gw_registry_head, head);
}

static apim_error_t *invalidations_head(apr_pool_t *p, gw_feed_head_t *head)
{
    return read_head(APIM_DB_API_MANAGER, p, &gw_invalidation_head, head);
}

static apim_error_t *artifacts_after(apr_pool_t *p, apr_int64_t after, apim_rows_t **rows)
{
    return select_from(APIM_DB_REGISTRY, p, &gw_artifacts_after, rows,
                       APIM_ARGS(apim_i64(p, after), conf()->environment));
}

static apim_error_t *invalidations_after(apr_pool_t *p, apr_int64_t after, apim_rows_t **rows)
{
    return select_from(APIM_DB_API_MANAGER, p, &gw_invalidations_after, rows, APIM_ARGS(apim_i64(p, after)));
}

static apim_error_t *report(apr_pool_t *p, const apim_node_t *node)
{
    apim_error_t *err;
    apim_db_t *db;
    APIM_TRY(apim_db_open(p, &conf()->common, APIM_DB_REGISTRY, &db));
    err = apim_node_report(db, p, node);
    apim_db_close(db);
    return err;
}

static apim_error_t *usage(apr_pool_t *p, const json_t *batch)
{
    apim_error_t *err;
    apim_db_t *db;
    APIM_TRY(apim_db_open(p, &conf()->common, APIM_DB_API_MANAGER, &db));
    err = apim_usage_add(db, p, batch);
    apim_db_close(db);
    return err;
}

/* -- waiting
 * ----------------------------------------------------------------------------------------------------- */

/* One database for both feeds: one listener. */
static int is_needed(int i)
{
    return i == 0 ||
           conf()->common.database_server[listened[0]] != conf()->common.database_server[listened[i]];
}

static void connect_listener(apr_pool_t *p, int i)
{
    apim_error_t *err;
    apim_db_t *db;
    if (!is_needed(i) || !here.listener[i] || !apim_listener_wants_connection(here.listener[i])) {
        return;
    }
    err = apim_db_open(p, &conf()->common, listened[i], &db);
    if (err) {
        apim_listener_postpone(here.listener[i]);
        return;
    }
    apim_listener_connect(here.listener[i], db);
    apim_db_close(db);
}

/* Logs the change from asking to listening and back, once each. */
static void note_mode(void)
{
    int i, listening = 1;
    for (i = 0; i < LISTENERS; i++) {
        listening =
            listening && (!is_needed(i) || (here.listener[i] && apim_listener_active(here.listener[i])));
    }
    if (listening != here.listening) {
        here.listening = listening;
        ap_log_error(APLOG_MARK, APLOG_INFO, 0, here.server, "APIM-GW0205: changes come %s",
                     listening ? "by NOTIFY as they are made" : "by asking every ApimSyncInterval");
    }
}

/* Polls once; returns 1 if there may be news or the thread should stop. */
static int poll_once(apr_interval_time_t time, int stop_fd)
{
    struct pollfd fds[LISTENERS + 1] = {{.fd = stop_fd, .events = POLLIN}};
    int i, news = 0;
    for (i = 0; i < LISTENERS; i++) {
        fds[i + 1].fd = here.listener[i] ? apim_listener_socket(here.listener[i], &fds[i + 1].events) : -1;
    }
    if (poll(fds, LISTENERS + 1, (int)apr_time_as_msec(time + 999)) < 0) {
        return 1;
    }
    for (i = 0; i < LISTENERS; i++) {
        if (fds[i + 1].fd >= 0 && fds[i + 1].revents) {
            news |= apim_listener_step(here.listener[i]);
        }
    }
    return news || fds[0].revents;
}

static void wait_for_news(apr_pool_t *p, const gw_feed_place_t *place, int stop_fd)
{
    apr_time_t now = apr_time_now(), until = now + conf()->sync_interval;
    int i, news = 0;
    while (now < until && !news) {
        for (i = 0; i < LISTENERS; i++) {
            connect_listener(p, i);
        }
        news = poll_once(until - now < LISTENER_STEP ? until - now : LISTENER_STEP, stop_fd);
        note_mode();
        now = apr_time_now();
    }
}

static const char *mode(void)
{
    return here.listening ? "notify" : "poll";
}

void gw_feed_pause(apr_interval_time_t time, int stop_fd)
{
    struct pollfd fd = {.fd = stop_fd, .events = POLLIN};
    poll(&fd, 1, (int)apr_time_as_msec(time + 999));
}

const gw_feed_t *gw_feed_database(server_rec *main_server)
{
    static const gw_feed_t feed = {"the registry's change feed",
                                   "the API Manager database's change feed",
                                   registry_head,
                                   invalidations_head,
                                   artifacts_after,
                                   invalidations_after,
                                   report,
                                   usage,
                                   wait_for_news,
                                   0,
                                   mode};
    int i;
    here.server = main_server;
    for (i = 0; i < LISTENERS; i++) {
        here.listener[i] =
            here.listener[i] ? here.listener[i] : apim_listener_create(GW_LISTEN, "apim gateway feed");
    }
    return &feed;
}
