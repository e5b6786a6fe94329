/* SPDX-License-Identifier: Apache-2.0 */
#include "upstream.h"
#include "proxy_functions.h"

#include <apr_atomic.h>
#include <apr_hash.h>
#include <apr_strings.h>
#include <apr_thread_mutex.h>
#include <apr_uri.h>

#define IDLE_LIMIT apr_time_from_sec(600)
#define CONNECTION_TTL                                                                                       \
    30 /* seconds an idle connection is kept: below the keep-alive time-out of common back ends */

struct gw_upstream_t {
    apr_pool_t *pool; /* own allocator: destroying it gives memory and connections back */
    const char *key;
    const char *origin;
    proxy_worker *worker;
    apr_uint32_t references; /* the table's and one a call */
    apr_time_t last_used;
};

/* One table a child. The lock covers a hash look-up and a count, never I/O; making a worker opens no
 * connection. */
static struct {
    apr_pool_t *pool;
    apr_thread_mutex_t *mutex;
    apr_hash_t *by_key; /* key -> gw_upstream_t */
    server_rec *server;
    apr_time_t last_expiry;
} table;

void gw_upstream_child_init(apr_pool_t *pchild, server_rec *s)
{
    table.pool = pchild;
    table.server = s;
    table.by_key = apr_hash_make(pchild);
    apr_thread_mutex_create(&table.mutex, APR_THREAD_MUTEX_DEFAULT, pchild);
}

static void release(gw_upstream_t *u)
{
    if (!apr_atomic_dec32(&u->references)) {
        apr_pool_destroy(u->pool);
    }
}

static apr_status_t release_cleanup(void *data)
{
    release(data);
    return APR_SUCCESS;
}

static void set_worker_options(proxy_worker *w, const gw_server_config_t *conf, int timeout_ms)
{
    w->s->timeout = timeout_ms ? apr_time_from_msec(timeout_ms) : conf->backend_timeout;
    w->s->timeout_set = 1;
    w->s->conn_timeout = conf->connect_timeout < w->s->timeout ? conf->connect_timeout : w->s->timeout;
    w->s->conn_timeout_set = 1;
    w->s->smax = conf->backend_keepalive;
    w->s->ttl = apr_time_from_sec(CONNECTION_TTL);
    w->s->keepalive = 1;
    w->s->keepalive_set = 1;
    /* Addresses are looked up again now and then: back ends move. */
    w->s->address_ttl = 30;
    w->s->address_ttl_set = 1;
    w->s->is_address_reusable = 1;
    apr_cpystrn(w->s->upgrade, "websocket", sizeof(w->s->upgrade));
}

static gw_upstream_t *make_upstream(const char *key, const char *origin, int timeout_ms)
{
    const gw_proxy_functions_t *proxy = gw_proxy_functions();
    apr_allocator_t *allocator;
    apr_pool_t *pool;
    gw_upstream_t *u;
    char *error;
    if (apr_allocator_create(&allocator) != APR_SUCCESS) {
        return NULL;
    }
    apr_allocator_max_free_set(allocator, 1);
    if (apr_pool_create_ex(&pool, table.pool, NULL, allocator) != APR_SUCCESS) {
        apr_allocator_destroy(allocator);
        return NULL;
    }
    apr_allocator_owner_set(allocator, pool);
    apr_pool_tag(pool, "apim_upstream");
    u = apr_pcalloc(pool, sizeof(*u));
    u->pool = pool;
    u->key = apr_pstrdup(pool, key);
    u->origin = apr_pstrdup(pool, origin);
    u->references = 1;
    /* No balancer and no configuration: the worker is ours alone, allocated from our pool. */
    error = proxy->define_worker(pool, &u->worker, NULL, NULL, u->origin, AP_PROXY_WORKER_IS_PREFIX);
    if (!error) {
        set_worker_options(u->worker, gw_server_config(table.server), timeout_ms);
    }
    if (error || proxy->initialize_worker(u->worker, table.server, pool) != APR_SUCCESS) {
        apr_pool_destroy(pool);
        return NULL;
    }
    return u;
}

/* Takes idle ones out of the table into a list; they are released outside of the lock. */
static apr_array_header_t *take_idle(apr_pool_t *p, apr_time_t now)
{
    apr_array_header_t *idle = apr_array_make(p, 4, sizeof(gw_upstream_t *));
    apr_hash_index_t *hi;
    int i;
    for (hi = apr_hash_first(p, table.by_key); hi; hi = apr_hash_next(hi)) {
        void *v;
        gw_upstream_t *u;
        apr_hash_this(hi, NULL, NULL, &v);
        u = v;
        if (now - u->last_used > IDLE_LIMIT && apr_atomic_read32(&u->references) == 1) {
            APR_ARRAY_PUSH(idle, gw_upstream_t *) = u;
        }
    }
    for (i = 0; i < idle->nelts; i++) {
        apr_hash_set(table.by_key, APR_ARRAY_IDX(idle, i, gw_upstream_t *)->key, APR_HASH_KEY_STRING, NULL);
    }
    return idle;
}

void gw_upstream_expire(void)
{
    apr_time_t now = apr_time_now();
    apr_array_header_t *idle;
    apr_pool_t *p;
    int i;
    if (!table.mutex || now - table.last_expiry < IDLE_LIMIT / 10) {
        return;
    }
    apr_pool_create(&p, NULL);
    apr_thread_mutex_lock(table.mutex);
    table.last_expiry = now;
    idle = take_idle(p, now);
    apr_thread_mutex_unlock(table.mutex);
    for (i = 0; i < idle->nelts; i++) {
        release(APR_ARRAY_IDX(idle, i, gw_upstream_t *));
    }
    apr_pool_destroy(p);
}

/* The upstream of that key with a reference for the caller, made if it is not there; NULL if it cannot be
 * made. */
static gw_upstream_t *acquire(const char *key, const char *origin, int timeout_ms)
{
    gw_upstream_t *u;
    apr_thread_mutex_lock(table.mutex);
    u = apr_hash_get(table.by_key, key, APR_HASH_KEY_STRING);
    if (!u && (u = make_upstream(key, origin, timeout_ms))) {
        apr_hash_set(table.by_key, u->key, APR_HASH_KEY_STRING, u);
    }
    if (u) {
        apr_atomic_inc32(&u->references);
        u->last_used = apr_time_now();
    }
    apr_thread_mutex_unlock(table.mutex);
    return u;
}

apim_error_t *gw_upstream_for(request_rec *r, const char *url, int timeout_ms, gw_upstream_t **upstream,
                              const char **path)
{
    apr_uri_t uri;
    const char *origin;
    apr_size_t len;
    int tls = strncasecmp(url, "https://", 8) == 0;
    if (apr_uri_parse(r->pool, url, &uri) != APR_SUCCESS || !uri.hostname || !*uri.hostname ||
        (!tls && strncasecmp(url, "http://", 7) != 0)) {
        return apim_error(r->pool, HTTP_SERVICE_UNAVAILABLE, 101503, "Error connecting to the back end",
                          "The endpoint of this API is not a usable URL.");
    }
    origin = apr_psprintf(r->pool, strchr(uri.hostname, ':') ? "%s://[%s]:%u" : "%s://%s:%u",
                          tls ? "https" : "http", uri.hostname, uri.port ? uri.port : (tls ? 443u : 80u));
    *upstream = acquire(apr_psprintf(r->pool, "%s|%d", origin, timeout_ms), origin, timeout_ms);
    if (!*upstream) {
        return apim_unavailable(r->pool, "The back end", "no worker could be made for %s", origin);
    }
    apr_pool_cleanup_register(r->pool, *upstream, release_cleanup, apr_pool_cleanup_null);
    len = uri.path ? strlen(uri.path) : 0;
    while (len && uri.path[len - 1] == '/') {
        len--;
    }
    *path = len ? apr_pstrmemdup(r->pool, uri.path, len) : "";
    return NULL;
}

proxy_worker *gw_upstream_worker(const gw_upstream_t *upstream)
{
    return upstream->worker;
}

const char *gw_upstream_origin(const gw_upstream_t *upstream)
{
    return upstream->origin;
}

int gw_upstream_count(void)
{
    int count = 0;
    if (table.mutex) {
        apr_thread_mutex_lock(table.mutex);
        count = (int)apr_hash_count(table.by_key);
        apr_thread_mutex_unlock(table.mutex);
    }
    return count;
}
