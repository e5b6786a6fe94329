/* SPDX-License-Identifier: Apache-2.0 */
#include "db_pool.h"

#include <apr_optional.h>
#include <apr_strings.h>
#include <apr_thread_cond.h>
#include <apr_thread_mutex.h>
#include <mod_dbd.h>

static const char *const database_titles[APIM_DB_COUNT] = {
    "The User Manager database", "The API Manager database", "The Registry database"};

/* Counts the loans of one mod_dbd pool in this process. */
typedef struct gate_t {
    apr_thread_mutex_t *mutex;
    apr_thread_cond_t *freed;
    int in_use;
    int limit;
} gate_t;

static APR_OPTIONAL_FN_TYPE(ap_dbd_open) * dbd_open;
static APR_OPTIONAL_FN_TYPE(ap_dbd_close) * dbd_close;

const char *apim_db_pool_setup(void)
{
    dbd_open = APR_RETRIEVE_OPTIONAL_FN(ap_dbd_open);
    dbd_close = APR_RETRIEVE_OPTIONAL_FN(ap_dbd_close);
    return dbd_open && dbd_close ? NULL
                                 : "mod_dbd is not loaded; add LoadModule dbd_module modules/mod_dbd.so";
}

/* The gate of a server_rec lives in the process pool's userdata, so that all roles of the process find the
 * same one. */
static gate_t *gate_of(server_rec *s)
{
    char key[64];
    void *gate = NULL;
    apr_snprintf(key, sizeof(key), "apim_db_gate/%pp", (void *)s);
    apr_pool_userdata_get(&gate, key, s->process->pool);
    return gate;
}

void apim_db_pool_child_init(apr_pool_t *pchild, server_rec *s, apim_common_config_t *conf)
{
    int i;
    for (i = 0; i < APIM_DB_COUNT; i++) {
        server_rec *holder = conf->database_server[i];
        gate_t *gate;
        if (!holder || gate_of(holder)) {
            continue;
        }
        gate = apr_pcalloc(pchild, sizeof(*gate));
        gate->limit = apim_database_connections(conf);
        apr_thread_mutex_create(&gate->mutex, APR_THREAD_MUTEX_DEFAULT, pchild);
        apr_thread_cond_create(&gate->freed, pchild);
        apr_pool_userdata_set(gate, apr_psprintf(pchild, "apim_db_gate/%pp", (void *)holder), NULL,
                              s->process->pool);
    }
}

static apr_status_t gate_enter(gate_t *gate, apr_interval_time_t wait)
{
    apr_time_t deadline = apr_time_now() + wait;
    apr_status_t rv = APR_SUCCESS;
    apr_thread_mutex_lock(gate->mutex);
    while (gate->in_use >= gate->limit && rv == APR_SUCCESS) {
        apr_interval_time_t left = deadline - apr_time_now();
        rv = left > 0 ? apr_thread_cond_timedwait(gate->freed, gate->mutex, left) : APR_TIMEUP;
    }
    if (rv == APR_SUCCESS) {
        gate->in_use++;
    }
    apr_thread_mutex_unlock(gate->mutex);
    return rv;
}

static void gate_leave(gate_t *gate)
{
    apr_thread_mutex_lock(gate->mutex);
    gate->in_use--;
    apr_thread_cond_signal(gate->freed);
    apr_thread_mutex_unlock(gate->mutex);
}

typedef struct loan_t {
    server_rec *server;
    ap_dbd_t *dbd;
    gate_t *gate;
} loan_t;

static void give_back(void *baton)
{
    loan_t *loan = baton;
    dbd_close(loan->server, loan->dbd);
    gate_leave(loan->gate);
}

apim_error_t *apim_db_open(apr_pool_t *p, const apim_common_config_t *conf, apim_database_e which,
                           apim_db_t **db)
{
    loan_t *loan = apr_pcalloc(p, sizeof(*loan));
    loan->server = conf->database_server[which];
    loan->gate = loan->server ? gate_of(loan->server) : NULL;
    if (!loan->gate || !dbd_open) {
        return apim_internal(p, "apim_db_open before child_init");
    }
    if (gate_enter(loan->gate, apim_database_wait(conf)) != APR_SUCCESS) {
        return apim_unavailable(p, database_titles[which], "all %d connections were in use",
                                loan->gate->limit);
    }
    loan->dbd = dbd_open(p, loan->server);
    if (!loan->dbd) {
        gate_leave(loan->gate);
        return apim_unavailable(p, database_titles[which], "mod_dbd has no connection");
    }
    return apim_db_lend(p, loan->dbd->pool, loan->dbd->driver, loan->dbd->handle, give_back, loan, db);
}
