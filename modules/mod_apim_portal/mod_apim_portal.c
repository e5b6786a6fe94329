/* SPDX-License-Identifier: Apache-2.0 */
#include <apr_strings.h>
#include <http_core.h>
#include <http_main.h>
#include <http_protocol.h>
#include <http_request.h>
#include <ap_mpm.h>
#include <mpm_common.h>

#include "access_control.h"
#include "admin.h"
#include "httpd/busy_connection.h"
#include "httpd/audit.h"
#include "httpd/health.h"
#include "httpd/metrics.h"
#include "httpd/presence.h"
#include "openapi/fetch.h"
#include "openapi_resource.h"
#include "pages.h"
#include "publication.h"

/* Calls that change something, and those that are refused to someone who says who he is. */
static void note_event(rest_request_t *rq, const apim_error_t *err)
{
    int reads = rq->r->method_number == M_GET;
    if (!rq->route || (reads && (!err || (err->status != HTTP_FORBIDDEN &&
                                          (err->status != HTTP_UNAUTHORIZED ||
                                           !apr_table_get(rq->r->headers_in, "Authorization")))))) {
        return;
    }
    apim_audit_about(rq->r, "user", rq->username);
    apim_audit_about(rq->r, "operation",
                     apr_pstrcat(rq->pool, rq->route->method, " ", rq->route->path, NULL));
    apim_audit(rq->r, &po_config(rq->r)->common, "operation", err);
}

static const rest_api_t publisher_api = {
    PO_PUBLISHER_BASE, po_publisher_routes, po_authenticate, "Publisher", NULL, note_event, po_access_guard};
static const rest_api_t store_api = {
    PO_STORE_BASE, po_store_routes, po_authenticate, "Store", NULL, note_event, NULL};
static const rest_api_t admin_api = {
    PO_ADMIN_BASE, po_admin_routes, po_authenticate, "Administration", NULL, note_event, NULL};

static const rest_api_t signup_api = {PO_SIGNUP_BASE, po_signup_routes, NULL, "Store",
                                      NULL,           note_event,       NULL};

static const rest_api_t pages_api = {PO_PAGES_BASE, po_pages_routes, NULL, "Portal", NULL, note_event, NULL};

static int lies_below(const char *uri, const char *base)
{
    apr_size_t n = strlen(base);
    return strncmp(uri, base, n) == 0 && (!uri[n] || uri[n] == '/');
}

/* The API that answers this request; NULL if none does. */
static const rest_api_t *api_of(const request_rec *r)
{
    const portal_dir_config_t *on = po_dir_config(r);
    if (on->publisher == 1 && lies_below(r->uri, publisher_api.base)) {
        return &publisher_api;
    }
    if (on->store == 1 && lies_below(r->uri, store_api.base)) {
        return &store_api;
    }
    if (on->store == 1 && lies_below(r->uri, signup_api.base)) {
        return &signup_api;
    }
    if (on->admin == 1 && lies_below(r->uri, admin_api.base)) {
        return &admin_api;
    }
    if (po_config(r)->pages && (on->publisher == 1 || on->store == 1 || on->admin == 1) &&
        lies_below(r->uri, pages_api.base)) {
        return &pages_api;
    }
    return NULL;
}

static int is_index(const request_rec *r)
{
    const portal_dir_config_t *on = po_dir_config(r);
    return (on->publisher == 1 || on->store == 1 || on->admin == 1) && strcmp(r->uri, "/") == 0;
}

static int is_ours(const request_rec *r)
{
    return api_of(r) != NULL || is_index(r) || po_pages_has(r);
}

/* Our resources are no files: neither DocumentRoot nor <Directory> has a say. <Location> and Require do. */
static int translate_name(request_rec *r)
{
    if (!is_ours(r)) {
        return DECLINED;
    }
    r->filename = apr_pstrcat(r->pool, "apim-portal:", r->uri, NULL);
    return OK;
}

static int map_to_storage(request_rec *r)
{
    return is_ours(r) ? OK : DECLINED;
}

static int handler(request_rec *r)
{
    const rest_api_t *api = api_of(r);
    if (api) {
        return rest_dispatch(r, api);
    }
    if (is_index(r) && r->method_number == M_GET) {
        return po_index_page(r);
    }
    if (po_pages_has(r)) {
        return po_pages_handler(r);
    }
    return DECLINED;
}

/* -- start -------------------------------------------------------------------------------------------------
 */

static int check_server(apr_pool_t *p, server_rec *main_server, server_rec *s)
{
    portal_config_t *conf = po_server_config(s);
    const char *wrong = apim_common_config_resolve(p, main_server, &conf->common);
    if (!wrong && conf->enabled && !apim_keymgr_call_possible(&conf->common) &&
        !ap_find_linked_module("mod_apim_keymgr.c")) {
        wrong = "the portal needs a Key Manager: write ApimKeyManager http://<host>:<port> (or "
                "balancer://<name>), or load "
                "mod_apim_keymgr into this httpd";
    }
    if (!wrong && conf->enabled) {
        wrong = apim_db_pool_setup();
    }
    if (!wrong) {
        wrong = po_pages_load(p, conf);
    }
    if (wrong) {
        ap_log_error(APLOG_MARK, APLOG_EMERG, 0, s, "APIM-PO0001: %s", wrong);
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    return OK;
}

static int check_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *main_server)
{
    server_rec *s;
    apim_keymgr_call_setup();
    for (s = main_server; s; s = s->next) {
        int rv = check_server(pconf, main_server, s);
        if (rv != OK) {
            return rv;
        }
    }
    return OK;
}

/* The first server with a part that is on; NULL: the portal is off. */
static server_rec *first_enabled(server_rec *s)
{
    while (s && !po_server_config(s)->enabled) {
        s = s->next;
    }
    return s;
}

static int start_watchdog(apr_pool_t *pconf, server_rec *main_server)
{
    server_rec *s = first_enabled(main_server);
    const char *wrong = NULL;
    if (s) {
        wrong = po_openapi_setup(pconf);
        wrong = wrong ? wrong : po_publication_start(pconf, main_server);
        wrong = wrong ? wrong : apim_presence_setup(pconf, s, "portal", &po_server_config(s)->common);
    }
    if (wrong) {
        ap_log_error(APLOG_MARK, APLOG_EMERG, 0, main_server, "APIM-PO0003: %s", wrong);
    }
    return wrong ? HTTP_INTERNAL_SERVER_ERROR : OK;
}

static int post_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *main_server)
{
    server_rec *s;
    if (ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG) {
        return OK;
    }
    json_object_seed(0); /* before there are threads */
    apim_db_pool_setup();
    for (s = main_server; s; s = s->next) {
        const char *wrong = apim_keymgr_call_prepare(pconf, s, &po_server_config(s)->common);
        wrong = wrong || !first_enabled(main_server)
                    ? wrong
                    : apim_audit_open(pconf, s, &po_server_config(s)->common);
        if (wrong) {
            ap_log_error(APLOG_MARK, APLOG_EMERG, 0, s, "APIM-PO0002: %s", wrong);
            return HTTP_INTERNAL_SERVER_ERROR;
        }
    }
    apim_fetch_init();
    if (check_config(pconf, plog, ptemp, main_server) != OK) {
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    return start_watchdog(pconf, main_server);
}

static void child_init(apr_pool_t *pchild, server_rec *main_server)
{
    server_rec *s;
    apim_busy_connection_child_init(pchild, &apim_portal_module, first_enabled(main_server) != NULL,
                                    po_server_config(main_server)->common.keepalive_hold);
    for (s = main_server; s; s = s->next) {
        apim_db_pool_child_init(pchild, s, &po_server_config(s)->common);
    }
    po_users_child_init(pchild);
    po_signup_child_init(pchild);
    po_auth_child_init(pchild);
    po_publication_child_init(pchild);
    apim_presence_child_init(pchild);
}

static void child_stopping(apr_pool_t *pchild, int graceful)
{
    po_publication_child_stopping();
    apim_presence_stop();
}

/* apim_up is all there is to tell. */
static void metrics(request_rec *r)
{
}

static int health(request_rec *r, json_t *about)
{
    return first_enabled(ap_server_conf) ? apim_presence_health(about) : -1;
}

static void register_hooks(apr_pool_t *p)
{
    static const char *const before_child_init[] = {"mod_dbd.c", NULL};
    static const char *const after_child_init[] = {"mod_watchdog.c", NULL};
    ap_hook_check_config(check_config, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_post_config(post_config, NULL, NULL, APR_HOOK_MIDDLE);
    apim_busy_connection_register_hooks();
    ap_hook_child_init(child_init, before_child_init, after_child_init, APR_HOOK_MIDDLE);
    ap_hook_child_stopping(child_stopping, NULL, NULL, APR_HOOK_MIDDLE);
    /* Before mod_alias, mod_dir and the like, and before a gateway that answers everything else of the
     * server. */
    ap_hook_translate_name(translate_name, NULL, NULL, APR_HOOK_FIRST);
    ap_hook_map_to_storage(map_to_storage, NULL, NULL, APR_HOOK_FIRST);
    ap_hook_handler(handler, NULL, NULL, APR_HOOK_FIRST);
    apim_health_register("portal", health);
    apim_metrics_register("portal", metrics);
}

module AP_MODULE_DECLARE_DATA apim_portal_module = {
    STANDARD20_MODULE_STUFF, po_create_dir_config, po_merge_dir_config, po_create_server_config,
    po_merge_server_config,  po_commands,          register_hooks,      0};
