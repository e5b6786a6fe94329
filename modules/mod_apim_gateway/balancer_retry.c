/* SPDX-License-Identifier: Apache-2.0 */
#include "balancer_retry.h"

#include <http_config.h>
#include <http_log.h>
#include <mod_proxy.h>
#include <string.h>

#include "gateway_config.h"
#include "held_answer.h"
#include "httpd/proxy_run.h"

#define BALANCER  "proxy:balancer://"
#define TRIES     4                /* members may be killed one after the other */
#define TIMED_OUT "proxy_timedout" /* mod_proxy's note */

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

/* mod_proxy says 502 if the connection broke before an answer came, 500 if it broke while TLS was agreed on,
 * and nothing if it broke in the middle of an answer. A member that answers 502 itself has answered. */
static int broke_off(const gw_held_answer_t *held, const request_rec *r, int rc)
{
    return (rc == HTTP_BAD_GATEWAY || rc == HTTP_INTERNAL_SERVER_ERROR || gw_held_answer_broke(held)) &&
           !gw_held_answer_passed(held) && !r->connection->aborted;
}

/* A node that is just being killed takes connections for a moment, and the balancer may choose it again. */
static void pause_before(int tries)
{
    static const int milliseconds[TRIES] = {0, 0, 20, 100};
    apr_sleep(apr_time_from_msec(milliseconds[tries]));
}

/* ProxyTimeout, or Timeout: callers have waited for long then, and another try is not begun, but for the one
 * after a member that was silent. */
static apr_interval_time_t patience(const request_rec *r)
{
    module *proxy = ap_find_linked_module("mod_proxy.c");
    const proxy_server_conf *conf = ap_get_module_config(r->server->module_config, proxy);
    return conf->timeout_set ? conf->timeout : r->server->timeout;
}

static void begin_anew(request_rec *r, gw_held_answer_t *held)
{
    gw_held_answer_again(held);
    apr_table_unset(r->notes, "error-notes");
    apr_table_unset(r->notes, "verbose-error-to");
    apr_table_unset(r->notes, TIMED_OUT); /* or the balancer takes the next one for the one that hung */
    /* Idle connections to that member are as dead as the one that broke. */
    apr_table_setn(r->subprocess_env, "proxy-initial-not-pooled", "1");
}

static int timed_out(const request_rec *r)
{
    return apr_table_get(r->notes, TIMED_OUT) != NULL;
}

static int run(request_rec *r, gw_held_answer_t *held)
{
    char *target = r->filename; /* the balancer, in whose place its member is written */
    apr_time_t last = apr_time_now() + patience(r);
    int rc = apim_proxy_run(r), tries;
    for (tries = 1; tries < TRIES && broke_off(held, r, rc); tries++) {
        if (timed_out(r)) {
            tries = TRIES - 1; /* once more only */
        }
        else if (apr_time_now() >= last) {
            break;
        }
        ap_log_rerror(APLOG_MARK, APLOG_INFO, 0, r,
                      "APIM-GW0301: a member of the balancer went away before it answered; asking another");
        pause_before(tries);
        begin_anew(r, held);
        r->filename = target;
        rc = apim_proxy_run(r);
    }
    if (gw_held_answer_broke(held)) {
        gw_held_answer_again(held);
        rc = HTTP_BAD_GATEWAY;
    }
    return rc;
}

/* For a request that is not the first of its connection mod_proxy would close that instead of saying 502, so
 * that the client repeats it; here we do. So mod_proxy must take each for the first. */
static int handler(request_rec *r)
{
    gw_held_answer_t *held;
    int rc;
    if (!r->handler || strcmp(r->handler, "proxy-server") != 0 || !is_on(r) || r->main ||
        r->proxyreq != PROXYREQ_REVERSE || !r->filename ||
        strncmp(r->filename, BALANCER, sizeof(BALANCER) - 1) != 0 || !may_be_repeated(r)) {
        return DECLINED;
    }
    held = gw_held_answer_begin(r, r->connection->keepalives);
    r->connection->keepalives = 0;
    rc = run(r, held);
    gw_held_answer_end(held);
    return rc;
}

void gw_balancer_retry_register_hooks(void)
{
    static const char *const before[] = {"mod_proxy.c", NULL};
    gw_held_answer_register();
    ap_hook_handler(handler, NULL, before, APR_HOOK_FIRST);
}
