/* SPDX-License-Identifier: Apache-2.0 */
#include "keymgr_http.h"

#include <apr_strings.h>
#include <dlfcn.h>
#include <http_config.h>
#include <http_log.h>
#include <http_protocol.h>
#include <http_request.h>
#include <mod_proxy.h>
#include <pthread.h>
#include <string.h>
#include <util_filter.h>

#include "keymgr_call.h"
#include "proxy_run.h"

#define MAX_RESPONSE (256 * 1024)
#define RETRY_AFTER  2
#define TRIES        3
#define PAUSE        apr_time_from_msec(50)

/* -- what goes out and what comes back
 * ---------------------------------------------------------------------------- */

typedef struct exchange_t {
    apr_pool_t *pool;
    const char *body;
    apr_size_t body_left;
    char *response;
    apr_size_t len, room;
    apr_time_t deadline;
    const char *failure; /* what went wrong, for the log */
} exchange_t;

/* Input filter: the body of our POST. */
static apr_status_t body_filter(ap_filter_t *f, apr_bucket_brigade *bb, ap_input_mode_t mode,
                                apr_read_type_e block, apr_off_t readbytes)
{
    exchange_t *x = f->ctx;
    apr_size_t n = x->body_left;
    apr_bucket_alloc_t *alloc = f->c->bucket_alloc;
    if (mode != AP_MODE_READBYTES && mode != AP_MODE_SPECULATIVE) {
        return APR_ENOTIMPL;
    }
    if (readbytes > 0 && (apr_off_t)n > readbytes) {
        n = (apr_size_t)readbytes;
    }
    if (n) {
        APR_BRIGADE_INSERT_TAIL(bb, apr_bucket_immortal_create(x->body, n, alloc));
    }
    if (mode == AP_MODE_READBYTES) {
        x->body += n;
        x->body_left -= n;
    }
    if (!x->body_left) {
        APR_BRIGADE_INSERT_TAIL(bb, apr_bucket_eos_create(alloc));
    }
    return APR_SUCCESS;
}

static apr_status_t append(exchange_t *x, const char *data, apr_size_t n)
{
    if (n > MAX_RESPONSE - x->len) {
        x->failure = "its answer is too large";
        return APR_ENOSPC;
    }
    if (x->len + n + 1 > x->room) {
        char *larger;
        x->room = (x->len + n + 1) * 2;
        larger = apr_palloc(x->pool, x->room);
        if (x->len) {
            memcpy(larger, x->response, x->len);
        }
        x->response = larger;
    }
    memcpy(x->response + x->len, data, n);
    x->len += n;
    return APR_SUCCESS;
}

static apr_status_t take_bucket(exchange_t *x, apr_bucket *b)
{
    const char *data;
    apr_size_t n;
    apr_status_t rv;
    if (AP_BUCKET_IS_ERROR(b) || AP_BUCKET_IS_EOC(b)) {
        x->failure = "the connection broke off";
        return APR_SUCCESS;
    }
    if (APR_BUCKET_IS_METADATA(b)) {
        return APR_SUCCESS;
    }
    rv = apr_bucket_read(b, &data, &n, APR_BLOCK_READ);
    return rv == APR_SUCCESS ? append(x, data, n) : rv;
}

/* Output filter: keeps the response. */
static apr_status_t capture_filter(ap_filter_t *f, apr_bucket_brigade *bb)
{
    exchange_t *x = f->ctx;
    apr_status_t rv = APR_SUCCESS;
    apr_bucket *b;
    for (b = APR_BRIGADE_FIRST(bb); b != APR_BRIGADE_SENTINEL(bb) && rv == APR_SUCCESS;
         b = APR_BUCKET_NEXT(b)) {
        rv = take_bucket(x, b);
    }
    apr_brigade_cleanup(bb);
    if (rv == APR_SUCCESS && apr_time_now() > x->deadline) {
        x->failure = "its answer came too slowly";
        rv = APR_TIMEUP;
    }
    return rv;
}

/* Not registered with httpd by name: modules in one process have a copy of this code each, and must not get
 * each other's. */
static ap_filter_rec_t body_record = {
    .name = "apim_keymgr_body", .filter_func.in_func = body_filter, .ftype = AP_FTYPE_RESOURCE};
static ap_filter_rec_t capture_record = {
    .name = "apim_keymgr_capture", .filter_func.out_func = capture_filter, .ftype = AP_FTYPE_RESOURCE};

static ap_filter_t *make_filter(request_rec *rr, ap_filter_rec_t *record, exchange_t *x)
{
    ap_filter_t *f = apr_pcalloc(rr->pool, sizeof(*f));
    f->frec = record;
    f->ctx = x;
    f->r = rr;
    f->c = rr->connection;
    return f;
}

/* -- the request
 * ---------------------------------------------------------------------------------------------------- */

/* The client's connection without the client: no filters that lead there, none of its state. */
static conn_rec *private_connection(request_rec *r)
{
    conn_rec *c = apr_pmemdup(r->pool, r->connection, sizeof(*c));
    c->pool = r->pool;
    c->conn_config = ap_create_conn_config(r->pool);
    c->notes = apr_table_make(r->pool, 2);
    c->input_filters = NULL;
    c->output_filters = NULL;
    c->keepalive = AP_CONN_UNKNOWN;
    c->keepalives = 0;
    c->aborted = 0;
    return c;
}

/*
 * The server with our timeout in place of its own; a member of a balancer with a timeout= keeps that.
 * mod_proxy's connections point to the server they were made for as long as they are kept, so it is made
 * once, from the configuration's pool; what mod_proxy adds to its own configuration when a child starts is
 * taken over at the first call.
 */
typedef struct timed_server_t {
    server_rec server;
    proxy_server_conf proxy;
    const proxy_server_conf *original;
    apr_interval_time_t timeout;
    pthread_mutex_t mutex;
    int ready;
} timed_server_t;

/* Another try is begun in the first half of the time only and takes no longer than the other half. */
typedef struct apim_keymgr_server_t {
    timed_server_t first, again;
} apim_keymgr_server_t;

static void make_server(timed_server_t *ks, apr_pool_t *pconf, server_rec *s, module *proxy,
                        apr_interval_time_t timeout)
{
    module *m;
    ks->server = *s;
    ks->server.timeout = ks->timeout = timeout;
    ks->server.module_config = ap_create_conn_config(pconf);
    for (m = ap_top_module; m; m = m->next) {
        ap_set_module_config(ks->server.module_config, m, ap_get_module_config(s->module_config, m));
    }
    ks->original = ap_get_module_config(s->module_config, proxy);
    ap_set_module_config(ks->server.module_config, proxy, &ks->proxy);
    pthread_mutex_init(&ks->mutex, NULL);
}

static server_rec *server_with_timeout(timed_server_t *ks)
{
    pthread_mutex_lock(&ks->mutex);
    if (!ks->ready) {
        ks->proxy = *ks->original;
        ks->proxy.timeout = ks->timeout;
        ks->proxy.timeout_set = 1;
        ks->proxy.maxfwd = -1;
        ks->ready = 1;
    }
    pthread_mutex_unlock(&ks->mutex);
    return &ks->server;
}

static void set_headers(request_rec *rr, const apim_common_config_t *conf, apr_size_t body_len)
{
    apr_table_setn(rr->headers_in, "Content-Type", "application/json");
    apr_table_setn(rr->headers_in, "Content-Length", apr_psprintf(rr->pool, "%" APR_SIZE_T_FMT, body_len));
    apr_table_setn(rr->headers_in, "Accept", "application/json");
    apr_table_setn(rr->headers_in, APIM_CLUSTER_SECRET_HEADER,
                   conf->cluster_secret ? conf->cluster_secret : "");
    apr_table_setn(rr->subprocess_env, "proxy-interim-response", "Suppress");
}

static request_rec *make_request(request_rec *r, const apim_common_config_t *conf, const char *url,
                                 exchange_t *x, int attempt)
{
    request_rec *rr = ap_create_request(private_connection(r));
    apim_keymgr_server_t *servers = conf->keymgr_server;
    rr->server = server_with_timeout(attempt ? &servers->again : &servers->first);
    rr->per_dir_config = r->server->lookup_defaults;
    rr->input_filters = rr->proto_input_filters = make_filter(rr, &body_record, x);
    rr->output_filters = rr->proto_output_filters = make_filter(rr, &capture_record, x);
    rr->request_time = apr_time_now();
    rr->log_id = r->log_id;
    rr->method = "POST";
    rr->method_number = M_POST;
    rr->protocol = apr_pstrdup(rr->pool, "HTTP/1.1");
    rr->proto_num = HTTP_VERSION(1, 1);
    rr->the_request = apr_psprintf(rr->pool, "POST %s HTTP/1.1", url);
    rr->uri = rr->unparsed_uri = apr_pstrdup(rr->pool, APIM_KEYMGR_INTERNAL_PATH);
    rr->filename = apr_pstrcat(rr->pool, "proxy:", url, NULL);
    rr->handler = "proxy-server";
    rr->proxyreq = PROXYREQ_REVERSE;
    set_headers(rr, conf, x->body_left);
    return rr;
}

/* -- mod_proxy, without asking the whole server
 * ------------------------------------------------------------------- */

#define MOD_PROXY "mod_proxy.c"

/* Applies the <Proxy> sections, where SSLProxy* of a balancer stand. */
static void run_proxy_sections(request_rec *rr)
{
    const apr_array_header_t *hooks = ap_hook_get_map_to_storage();
    const ap_LINK_map_to_storage_t *link = (const ap_LINK_map_to_storage_t *)(const void *)hooks->elts;
    int i;
    for (i = 0; i < hooks->nelts; i++) {
        if (strcmp(link[i].szName, MOD_PROXY) == 0) {
            link[i].pFunc(rr);
            return;
        }
    }
}

/* One try. Returns the status of the answer, or 0 with x->failure; *again: nothing came back although the
 * connection was open. */
static int try_once(request_rec *r, const apim_common_config_t *conf, const char *url, exchange_t *x,
                    int attempt, int fresh, int *again)
{
    request_rec *rr = make_request(r, conf, url, x, attempt);
    int rc, status;
    if (fresh) {
        apr_table_setn(rr->subprocess_env, "proxy-initial-not-pooled", "1");
    }
    if (attempt) { /* its socket has the shorter time: not for another first try */
        apr_table_setn(rr->subprocess_env, "proxy-nokeepalive", "1");
    }
    run_proxy_sections(rr);
    rc = apim_proxy_run(rr); /* no other handler: another role in this process must not take it for its own */
    status = rc == OK || rc == DONE ? rr->status : rc;
    *again = rc == HTTP_BAD_GATEWAY && !apr_table_get(rr->notes, "proxy_timedout") && !x->len && !x->failure;
    if (rc != OK && rc != DONE && !x->len && !x->failure && (rc >= 500 || rc < 200)) {
        x->failure = apr_table_get(rr->notes, "proxy_timedout") ? "it did not answer in time"
                                                                : "it could not be reached";
    }
    apr_pool_destroy(rr->pool);
    return x->failure ? 0 : status;
}

/* 1 if another try may find a Key Manager that answers. None of them says 502 or 504: a balancer between
 * does, that lost the one it had asked, or that was not answered in time. */
static int worth_another_try(const apim_common_config_t *conf, int again, int status, apr_time_t begun)
{
    return (again || status == HTTP_BAD_GATEWAY || status == HTTP_GATEWAY_TIME_OUT) &&
           apr_time_now() - begun <= apim_keymgr_timeout(conf) / 2;
}

apim_error_t *apim_keymgr_http_post(request_rec *r, const apim_common_config_t *conf, const char *url,
                                    const char *body, int idempotent, int *status, const char **response,
                                    apr_size_t *len)
{
    exchange_t x = {0};
    int attempt, again = 0;
    apr_time_t begun = apr_time_now();
    apim_error_t *err;
    if (!conf->keymgr_server) {
        return apim_unavailable(r->pool, "The Key Manager", "apim_keymgr_call_prepare was not called");
    }
    for (attempt = 0; attempt < TRIES; attempt++) {
        if (attempt == TRIES - 1) {
            apr_sleep(PAUSE); /* a node that is just being killed takes connections for a moment */
        }
        memset(&x, 0, sizeof(x));
        x.pool = r->pool;
        x.body = body;
        x.body_left = strlen(body);
        x.deadline = begun + apim_keymgr_timeout(conf);
        *status = try_once(r, conf, url, &x, attempt, attempt > 0 || !idempotent, &again);
        if (!idempotent || !worth_another_try(conf, again, *status, begun)) {
            break;
        }
    }
    if (!*status) {
        err = apim_unavailable(r->pool, "The Key Manager", "%s: %s", url, x.failure);
        err->retry_after = RETRY_AFTER;
        return err;
    }
    *len = x.len;
    *response = x.len ? (x.response[x.len] = '\0', x.response) : "";
    return NULL;
}

/* -- workers for single Key Managers
 * -------------------------------------------------------------------------------- */

/* Looked up by name, not linked: a role that has its Key Manager in process loads without mod_proxy, whatever
 * the order. */
typedef __typeof__(ap_proxy_get_worker_ex) get_worker_fn;
typedef __typeof__(ap_proxy_define_worker_ex) define_worker_fn;

static void *proxy_function(const char *name)
{
    return dlsym(RTLD_DEFAULT, name);
}

const char *apim_keymgr_http_setup(apr_pool_t *pconf, server_rec *s, apim_common_config_t *conf)
{
    module *proxy = ap_find_linked_module(MOD_PROXY);
    get_worker_fn *get_worker;
    define_worker_fn *define_worker;
    proxy_server_conf *pc;
    proxy_worker *worker;
    const char *sentence, *url = conf->keymgr_url;
    if (!url || !*url) {
        return NULL;
    }
    if (!proxy) {
        return apr_psprintf(
            pconf, "ApimKeyManager %s needs mod_proxy and mod_proxy_http; load them (a2enmod proxy_http)",
            url);
    }
    conf->keymgr_server = apr_pcalloc(pconf, sizeof(*conf->keymgr_server));
    make_server(&conf->keymgr_server->first, pconf, s, proxy, apim_keymgr_timeout(conf));
    make_server(&conf->keymgr_server->again, pconf, s, proxy, apim_keymgr_timeout(conf) / 2);
    if (strncmp(url, "balancer://", 11) == 0) {
        return NULL;
    }
    *(void **)&get_worker = proxy_function("ap_proxy_get_worker_ex");
    *(void **)&define_worker = proxy_function("ap_proxy_define_worker_ex");
    if (!get_worker || !define_worker) {
        return NULL; /* works still, without keeping connections */
    }
    pc = ap_get_module_config(s->module_config, proxy);
    if (get_worker(pconf, NULL, pc, url, AP_PROXY_WORKER_IS_PREFIX)) {
        return NULL; /* the operator's own, with its settings */
    }
    sentence = define_worker(pconf, &worker, NULL, pc, url, AP_PROXY_WORKER_IS_PREFIX);
    if (sentence) {
        return apr_psprintf(pconf, "ApimKeyManager %s: %s", url, sentence);
    }
    worker->s->conn_timeout = apim_keymgr_timeout(conf) / 2; /* that for answers is the server's: see above */
    worker->s->conn_timeout_set = 1;
    worker->s->keepalive = worker->s->keepalive_set = 1;
    return NULL;
}
