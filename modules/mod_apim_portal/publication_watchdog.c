/* SPDX-License-Identifier: Apache-2.0 */
#include <apr_atomic.h>
#include <apr_optional.h>
#include <apr_strings.h>
#include <mod_watchdog.h>

#include "nodes.h"
#include "publication.h"
#include "publisher_sql.h"
#include "workflow_callout.h"

/*
 * Takes up what is left in the publication outbox. A singleton: one child of one httpd runs it; several
 * portals may do so at once, which publication bears.
 */
#define WATCHDOG_NAME   "_apim_portal_"
#define WORKFLOWS_NAME  "_apim_portal_workflows_" /* a thread of its own: an engine may be slow to answer */
#define INTERVAL        apr_time_from_sec(2)
#define FORGET_INTERVAL apr_time_from_sec(600)
#define PAGES           20   /* of the outbox in one turn */
#define GRACE_MS        3000 /* younger rows are still in the hands of the request that wrote them */
#define EXIT_WAIT       apr_time_from_sec(5)

/* The watchdog's thread outlives the child's pools: these may be looked at until the process is gone. */
static apr_uint32_t stopping, inside;
static int complained; /* the database was away at the last look */

static apim_error_t *due(apr_pool_t *p, server_rec *s, apim_rows_t **rows)
{
    apim_db_t *db;
    apim_error_t *err;
    APIM_TRY(apim_db_open(p, &po_server_config(s)->common, APIM_DB_API_MANAGER, &db));
    err = apim_db_select(db, p, &po_outbox_due, rows, APIM_ARGS(apim_i64(p, apim_now_ms() - GRACE_MS)));
    apim_db_close(db);
    return err;
}

/* Publishes what is due, one page; returns how many that were. */
static int look_after(apr_pool_t *p, server_rec *s)
{
    apim_rows_t *rows;
    apim_error_t *err = due(p, s, &rows);
    int i;
    if (err) {
        if (!complained) {
            ap_log_error(APLOG_MARK, APLOG_WARNING, 0, s,
                         "APIM-PO0202: the publication outbox cannot be read: %s%s%s", err->description,
                         err->cause ? " -- " : "", err->cause ? err->cause : "");
        }
        complained = 1;
        return 0;
    }
    complained = 0;
    for (i = 0; i < rows->count && !apr_atomic_read32(&stopping); i++) {
        po_publish(p, s, rows->row[i][0]);
    }
    return rows->count;
}

/* A changed environment may put thousands of APIs there at once; other servers get their turn, too. */
static void look_after_all(apr_pool_t *p, server_rec *s)
{
    apr_pool_t *page;
    int i;
    apr_pool_create(&page, p);
    for (i = 0; i < PAGES && look_after(page, s) > 0 && !apr_atomic_read32(&stopping); i++) {
        apr_pool_clear(page);
    }
    apr_pool_destroy(page);
}

/* Rows of nodes that are long gone; nobody is in a hurry, and the database may be away. */
static void forget_nodes(apr_pool_t *p, server_rec *s)
{
    static apr_time_t due;
    apr_time_t now = apr_time_now();
    if (now >= due && !apr_atomic_read32(&stopping)) {
        due = now + FORGET_INTERVAL;
        po_nodes_forget(p, po_server_config(s));
    }
}

/* 1 if an earlier server has the same database. */
static int seen_before(server_rec *main_server, server_rec *s)
{
    const server_rec *database = po_server_config(s)->common.database_server[APIM_DB_API_MANAGER];
    server_rec *other;
    for (other = main_server; other && other != s; other = other->next) {
        const portal_config_t *conf = po_server_config(other);
        if (conf->enabled && conf->common.database_server[APIM_DB_API_MANAGER] == database) {
            return 1;
        }
    }
    return 0;
}

/* mod_watchdog never calls again a callback that returned an error. */
static apr_status_t for_each_database(int state, server_rec *main_server, apr_pool_t *pool,
                                      void (*work)(apr_pool_t *p, server_rec *s))
{
    server_rec *s;
    if (state != AP_WATCHDOG_STATE_RUNNING) {
        return APR_SUCCESS;
    }
    apr_atomic_inc32(&inside); /* before the look at stopping: whoever sets that looks here next */
    for (s = main_server; s && !apr_atomic_read32(&stopping); s = s->next) {
        if (po_server_config(s)->enabled && !seen_before(main_server, s)) {
            work(pool, s);
        }
    }
    apr_atomic_dec32(&inside);
    return APR_SUCCESS;
}

static void publish(apr_pool_t *p, server_rec *s)
{
    look_after_all(p, s);
    forget_nodes(p, s);
}

static apr_status_t tick(int state, void *data, apr_pool_t *pool)
{
    return for_each_database(state, data, pool, publish);
}

static void call_engines(apr_pool_t *p, server_rec *s)
{
    po_workflow_call_engines(p, s, &stopping);
}

static apr_status_t tick_workflows(int state, void *data, apr_pool_t *pool)
{
    return for_each_database(state, data, pool, call_engines);
}

const char *po_publication_start(apr_pool_t *pconf, server_rec *main_server)
{
    APR_OPTIONAL_FN_TYPE(ap_watchdog_get_instance) *get = APR_RETRIEVE_OPTIONAL_FN(ap_watchdog_get_instance);
    APR_OPTIONAL_FN_TYPE(ap_watchdog_register_callback) *call =
        APR_RETRIEVE_OPTIONAL_FN(ap_watchdog_register_callback);
    ap_watchdog_t *watchdog, *workflows;
    if (!get || !call) {
        return "the portal needs mod_watchdog; add LoadModule watchdog_module modules/mod_watchdog.so";
    }
    if (get(&watchdog, WATCHDOG_NAME, 0, 1, pconf) != APR_SUCCESS ||
        call(watchdog, INTERVAL, main_server, tick) != APR_SUCCESS ||
        get(&workflows, WORKFLOWS_NAME, 0, 1, pconf) != APR_SUCCESS ||
        call(workflows, INTERVAL, main_server, tick_workflows) != APR_SUCCESS) {
        return "mod_watchdog refused the portal's watchdog";
    }
    return NULL;
}

/* Threads of mod_watchdog outlive pchild: wait until ours has left what the pool holds. */
static apr_status_t wait_for_exit(void *data)
{
    apr_time_t deadline = apr_time_now() + EXIT_WAIT;
    apr_atomic_set32(&stopping, 1);
    while (apr_atomic_read32(&inside) && apr_time_now() < deadline) {
        apr_sleep(apr_time_from_msec(5));
    }
    return APR_SUCCESS;
}

void po_publication_child_init(apr_pool_t *pchild)
{
    apr_atomic_set32(&stopping, 0);
    apr_pool_pre_cleanup_register(pchild, NULL, wait_for_exit);
}

void po_publication_child_stopping(void)
{
    apr_atomic_set32(&stopping, 1);
}
