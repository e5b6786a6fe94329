/* SPDX-License-Identifier: Apache-2.0 */
#include "balancer_retry.h"

#include <http_config.h>
#include <http_log.h>
#include <string.h>

#include "gateway_config.h"
#include "httpd/proxy_run.h"

#define BALANCER "proxy:balancer://"
#define TRIES    3 /* another member may be killed right after the first */

static int is_on(const request_rec *r)
{
    const gw_dir_config_t *conf = ap_get_module_config(r->per_dir_config, &apim_gateway_module);
    return conf->retry == 1;
}

static int may_be_repeated(const request_rec *r)
{
    const char *length = apr_table_get(r->headers_in, "Content-Length");
    int method = r->method_number;
    return (method == M_GET || method == M_OPTIONS || method == M_DELETE || method == M_PUT) &&
           (!length || strcmp(length, "0") == 0) && !apr_table_get(r->headers_in, "Transfer-Encoding") &&
           !apr_table_get(r->headers_in, "Upgrade");
}

/* mod_proxy says 502 if the connection broke before an answer came; a member that answers 502 itself has
 * answered. */
static int broke_off(const request_rec *r, int rc)
{
    return rc == HTTP_BAD_GATEWAY && !r->connection->aborted && !r->sent_bodyct && !r->bytes_sent;
}

static void begin_anew(request_rec *r)
{
    apr_table_unset(r->notes, "error-notes");
    apr_table_unset(r->notes, "verbose-error-to");
    r->status = HTTP_OK;
    r->status_line = NULL;
    /* Idle connections to that member are as dead as the one that broke. */
    apr_table_setn(r->subprocess_env, "proxy-initial-not-pooled", "1");
}

static int run(request_rec *r)
{
    char *target = r->filename; /* the balancer, in whose place its member is written */
    int rc = apim_proxy_run(r), tries;
    for (tries = 1; tries < TRIES && broke_off(r, rc); tries++) {
        ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r,
                      "APIM-GW0301: a member of the balancer went away before it answered; asking another");
        begin_anew(r);
        r->filename = target;
        rc = apim_proxy_run(r);
    }
    return rc;
}

/* For a request that is not the first of its connection mod_proxy would close that instead of saying 502, so
 * that the client repeats it; here we do. */
static int handler(request_rec *r)
{
    conn_rec *c = r->connection;
    int before = c->keepalives, rc;
    if (!r->handler || strcmp(r->handler, "proxy-server") != 0 || !is_on(r) || r->main ||
        r->proxyreq != PROXYREQ_REVERSE || !r->filename ||
        strncmp(r->filename, BALANCER, sizeof(BALANCER) - 1) != 0 || !may_be_repeated(r)) {
        return DECLINED;
    }
    if (r->server->keep_alive_max > 0 && before >= r->server->keep_alive_max) {
        c->keepalive = AP_CONN_CLOSE; /* what httpd would decide if it could see the number */
    }
    c->keepalives = 0;
    rc = run(r);
    c->keepalives += before;
    return rc;
}

void gw_balancer_retry_register_hooks(void)
{
    static const char *const before[] = {"mod_proxy.c", NULL};
    ap_hook_handler(handler, NULL, before, APR_HOOK_FIRST);
}
