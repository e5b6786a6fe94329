/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mod_apim_gateway: secures, protects and proxies calls to APIs. This file only ties the gateway's objects to
 * httpd's life cycle; docs/architecture.md says which object does what.
 */
#include "backend_auth.h"
#include "balancer_retry.h"
#include "gateway.h"

#include <ap_mpm.h>
#include <apr_file_io.h>
#include <apr_strings.h>
#include <http_config.h>
#include <http_core.h>
#include <http_log.h>
#include <mpm_common.h>
#include <unixd.h>
#include <unistd.h>

#include "call.h"
#include "correlation_id.h"
#include "feed.h"
#include "gateway_config.h"
#include "oauth_client.h"
#include "httpd/busy_connection.h"
#include "httpd/db_pool.h"
#include "httpd/keymgr_call.h"
#include "replica.h"
#include "status.h"
#include "sync.h"
#include "upstream.h"
#include "usage.h"

APLOG_USE_MODULE(apim_gateway);

#define MIN_READERS 4096

static int pre_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp)
{
    gw_config_reset();
    gw_call_pre_config();
    return OK;
}

static int fail(server_rec *s, const char *sentence)
{
    ap_log_error(APLOG_MARK, APLOG_STARTUP | APLOG_EMERG, 0, s, "APIM-GW0001: %s", sentence);
    return HTTP_INTERNAL_SERVER_ERROR;
}

/* Runs for `apachectl configtest` and at start. */
static int check_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s)
{
    const char *error = gw_config_check(pconf, s);
    return error ? fail(s, error) : OK;
}

static void test_config(apr_pool_t *p, server_rec *s)
{
    if (ap_exists_config_define("DUMP_APIM_ROUTES")) {
        gw_status_dump_routes(p, s);
    }
}

/* The directory must be writable by the children, who run as another user when httpd is started by root. */
static const char *prepare_replica_dir(apr_pool_t *p, server_rec *s)
{
    const char *dir = gw_config_replica_dir(p, s);
    apr_status_t rv =
        apr_dir_make_recursive(dir, APR_UREAD | APR_UWRITE | APR_UEXECUTE | APR_GREAD | APR_GEXECUTE, p);
    if (rv != APR_SUCCESS) {
        return apr_psprintf(p, "ApimReplica: the directory %s cannot be made: %pm", dir, &rv);
    }
    if (geteuid() == 0 && chown(dir, ap_unixd_config.user_id, ap_unixd_config.group_id)) {
        rv = APR_FROM_OS_ERROR(errno);
        return apr_psprintf(p, "ApimReplica: the directory %s cannot be given to the server's user: %pm", dir,
                            &rv);
    }
    return NULL;
}

static int post_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s)
{
    const char *error = NULL;
    if (ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG || !gw_config_used()) {
        return OK;
    }
    apim_keymgr_call_setup();
    error = gw_server_config(s)->feed_urls ? gw_feed_http_setup() : apim_db_pool_setup();
    error = error ? error : gw_oauth_client_setup();
    error = error ? error : prepare_replica_dir(pconf, s);
    error = error ? error : gw_authorize_post_config(pconf, s);
    error = error ? error : gw_usage_post_config(pconf, s);
    error = error ? error : gw_sync_post_config(pconf, s);
    if (!error && !apim_keymgr_call_possible(&gw_server_config(s)->common)) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, s,
                     "APIM-GW0002: ApimKeyManager is not set and no Key Manager is in this process; calls "
                     "with credentials will "
                     "be answered 503");
    }
    return error ? fail(s, error) : OK;
}

/* Threads of all children, old and new generation, may read at once. */
static unsigned int reader_slots(void)
{
    int daemons = 0, threads = 0;
    ap_mpm_query(AP_MPMQ_MAX_DAEMONS, &daemons);
    ap_mpm_query(AP_MPMQ_MAX_THREADS, &threads);
    return (unsigned int)(daemons * (threads + 8) * 2 + MIN_READERS);
}

static gw_replica_t *open_replica(server_rec *s)
{
    gw_replica_t *replica = NULL;
    apim_error_t *err;
    apr_pool_t *p;
    int rebuilt;
    /* A pool that nobody destroys: a thread that outlives the child's pools must not read unmapped pages. */
    apr_pool_create_unmanaged_ex(&p, NULL, NULL);
    err = gw_replica_open(p, gw_config_replica_dir(p, s), reader_slots(), &rebuilt, &replica);
    if (err) {
        ap_log_error(APLOG_MARK, APLOG_CRIT, 0, s, "APIM-GW0003: %s; calls will be answered 503", err->cause);
    }
    else if (rebuilt) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, s,
                     "APIM-GW0004: the replica was damaged or of another version; it was moved aside and is "
                     "filled again");
    }
    return replica;
}

static void child_init(apr_pool_t *pchild, server_rec *s)
{
    gw_replica_t *replica;
    server_rec *each;
    apim_busy_connection_child_init(pchild, &apim_gateway_module, gw_config_used(),
                                    gw_server_config(s)->common.keepalive_hold);
    if (!gw_config_used()) {
        return;
    }
    for (each = s; each && !gw_server_config(s)->feed_urls; each = each->next) {
        apim_db_pool_child_init(pchild, each, &gw_server_config(each)->common);
    }
    replica = open_replica(s);
    gw_upstream_child_init(pchild, s);
    gw_backend_auth_child_init(pchild, s);
    gw_authorize_child_init(pchild, s);
    gw_call_child_init(replica);
    gw_correlation_id_child_init();
    gw_sync_child_init(pchild, s, replica);
}

static void child_stopping(apr_pool_t *pchild, int graceful)
{
    gw_usage_child_stopping();
    gw_sync_child_stopping();
}

static void register_hooks(apr_pool_t *p)
{
    static const char *const after[] = {"mod_proxy.c", "mod_dbd.c", NULL};
    static const char *const before[] = {"mod_watchdog.c", NULL};
    ap_hook_pre_config(pre_config, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_check_config(check_config, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_test_config(test_config, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_post_config(post_config, after, before, APR_HOOK_MIDDLE);
    ap_hook_child_init(child_init, after, before, APR_HOOK_MIDDLE);
    ap_hook_child_stopping(child_stopping, NULL, NULL, APR_HOOK_MIDDLE);
    gw_call_register_hooks(p);
    gw_status_register_hooks();
    gw_balancer_retry_register_hooks();
    apim_busy_connection_register_hooks();
}

module AP_MODULE_DECLARE_DATA apim_gateway_module = {
    STANDARD20_MODULE_STUFF, gw_create_dir_config, gw_merge_dir_config, gw_create_server_config,
    gw_merge_server_config,  gw_commands,          register_hooks,      0};
