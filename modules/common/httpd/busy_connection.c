/* SPDX-License-Identifier: Apache-2.0 */
#include "busy_connection.h"

#include <ap_mpm.h>
#include <apr_atomic.h>
#include <apr_portable.h>
#include <http_config.h>
#include <http_connection.h>
#include <http_core.h>
#include <poll.h>
#include <scoreboard.h>
#include <util_filter.h>

#define DEFAULT_HOLD apr_time_from_msec(10)

/* Of this child. */
static struct {
    apr_interval_time_t hold;
    apr_uint32_t most; /* threads that may be at work while one waits here */
    module *self;
    apr_uint32_t working; /* threads that are in process_connection, those that wait here too */
} here;

typedef struct busy_t {
    int inside;       /* the hooks run for us */
    int quick;        /* the last request came in time, or there was none yet */
    apr_time_t ended; /* when the connection went back to the MPM */
} busy_t;

static busy_t *busy_of(conn_rec *c)
{
    busy_t *busy = ap_get_module_config(c->conn_config, here.self);
    if (!busy) {
        busy = apr_pcalloc(c->pool, sizeof(*busy));
        busy->quick = 1;
        ap_set_module_config(c->conn_config, here.self, busy);
    }
    return busy;
}

static int is_stopping(void)
{
    int state = AP_MPMQ_RUNNING;
    ap_mpm_query(AP_MPMQ_MPM_STATE, &state);
    return state != AP_MPMQ_RUNNING;
}

/* Sends what is buffered, as the MPM would. */
static int flushed(conn_rec *c)
{
    ap_filter_t *last = c->output_filters;
    while (last->next) {
        last = last->next;
    }
    ap_update_child_status(c->sbh, SERVER_BUSY_WRITE, NULL);
    if (last->frec->filter_func.out_func(last, NULL) != APR_SUCCESS) {
        c->cs->state = CONN_STATE_LINGER;
        return 0;
    }
    return !c->data_in_output_filters && c->cs->sense != CONN_SENSE_WANT_READ;
}

static int readable(conn_rec *c)
{
    struct pollfd p = {.events = POLLIN};
    apr_os_sock_t fd;
    if (apr_os_sock_get(&fd, ap_get_conn_socket(c)) != APR_SUCCESS) {
        return 0;
    }
    p.fd = fd;
    ap_update_child_status(c->sbh, SERVER_BUSY_KEEPALIVE, NULL);
    return poll(&p, 1, (int)apr_time_as_msec(here.hold)) > 0;
}

/* 1 if the next request of the connection is there. Else the MPM goes on with it, in the state that it is in.
 */
static int next_is_there(conn_rec *c, busy_t *busy)
{
    if (c->cs->state != CONN_STATE_WRITE_COMPLETION || !flushed(c) || c->aborted ||
        c->keepalive != AP_CONN_KEEPALIVE || is_stopping()) {
        return 0;
    }
    if (c->data_in_input_filters) {
        return 1;
    }
    if (!busy->quick || apr_atomic_read32(&here.working) > here.most) {
        return 0;
    }
    return busy->quick = readable(c);
}

static int process_connection(conn_rec *c)
{
    busy_t *busy;
    int rc;
    if (!here.hold || c->master || !c->cs) {
        return DECLINED;
    }
    busy = busy_of(c);
    if (busy->inside) {
        return DECLINED;
    }
    if (busy->ended) {
        busy->quick = apr_time_now() - busy->ended <= here.hold;
    }
    apr_atomic_inc32(&here.working);
    busy->inside = 1;
    while ((rc = ap_run_process_connection(c)) == OK && next_is_there(c, busy)) {
        c->cs->state = CONN_STATE_READ_REQUEST_LINE;
    }
    busy->inside = 0;
    busy->ended = apr_time_now();
    apr_atomic_dec32(&here.working);
    return rc;
}

/* Each module has its own copy of this file: the first one takes the child. */
static int taken(apr_pool_t *pchild)
{
    static const char key[] = "apim_busy_connection";
    void *by = NULL;
    apr_pool_userdata_get(&by, key, pchild);
    if (!by) {
        apr_pool_userdata_setn(here.self, key, NULL, pchild);
    }
    return by != NULL;
}

void apim_busy_connection_child_init(apr_pool_t *pchild, module *self, int in_use, apr_interval_time_t hold)
{
    int async = 0, threads = 0;
    here.self = self;
    here.hold = 0;
    if (hold < 0) { /* an httpd that only balances says if it wants it */
        hold = in_use ? DEFAULT_HOLD : 0;
    }
    if (!hold || taken(pchild)) {
        return;
    }
    ap_mpm_query(AP_MPMQ_IS_ASYNC, &async);
    ap_mpm_query(AP_MPMQ_MAX_THREADS, &threads);
    here.hold = async ? hold : 0;
    here.most = (apr_uint32_t)(threads - threads / 4);
}

void apim_busy_connection_register_hooks(void)
{
    ap_hook_process_connection(process_connection, NULL, NULL, APR_HOOK_REALLY_FIRST);
}
