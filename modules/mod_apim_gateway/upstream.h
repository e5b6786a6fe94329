/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GW_UPSTREAM_H
#define GW_UPSTREAM_H

#include <mod_proxy.h>

#include "gateway.h"

/*
 * Back ends. Each child keeps one mod_proxy worker for each back end (scheme, host, port, time-out) that its
 * APIs call, with a pool of keep-alive connections that all those APIs share. Workers are made at the first
 * call, so an API published a moment ago has pooled connections too. They are private: no balancer and no
 * worker array of httpd's configuration is touched.
 *
 * A back end that no call has used for ten minutes is dropped with its connections, once the last call on it
 * is done.
 */
typedef struct gw_upstream_t gw_upstream_t;

/** Call in child_init, after mod_proxy's. */
void gw_upstream_child_init(apr_pool_t *pchild, server_rec *s);

/**
 * The upstream for an endpoint URL ("http://host:8080/base"), held until r's pool is cleared. *path is the
 * URL's path without trailing slash ("/base", ""). timeout_ms 0: the server's ApimBackendTimeout. Errors: 503
 * with code 101503 if the URL is not usable.
 */
apim_error_t *gw_upstream_for(request_rec *r, const char *url, int timeout_ms, gw_upstream_t **upstream,
                              const char **path);

/** For the proxy pre_request hook. */
proxy_worker *gw_upstream_worker(const gw_upstream_t *upstream);

/** "http://host:8080": what mod_proxy is to call. */
const char *gw_upstream_origin(const gw_upstream_t *upstream);

/** Drops what has been idle; called now and then by the child's watchdog or by the request that makes a new
 * one. */
void gw_upstream_expire(void);

/** Number of back ends this child knows. */
int gw_upstream_count(void);

#endif
