/* SPDX-License-Identifier: Apache-2.0 */
#include <httpd.h>
#include <http_config.h>
#include <http_core.h>
#include <http_main.h>
#include <http_protocol.h>
#include <http_request.h>
#include <mpm_common.h>

#include <apr_optional.h>
#include <apr_strings.h>
#include <string.h>

#include "apim_text.h"
#include "authorize.h"
#include "cleaner.h"
#include "device_code.h"
#include "device_page.h"
#include "feed_service.h"
#include "httpd/audit.h"
#include "httpd/busy_connection.h"
#include "httpd/db_pool.h"
#include "httpd/keymgr_call.h"
#include "httpd/health.h"
#include "httpd/presence.h"
#include "httpd/rest.h"
#include "keymgr_config.h"
#include "keymgr_directives.h"
#include "keymgr_log.h"
#include "keymgr_stats.h"
#include "login_guard.h"
#include "logout.h"
#include "oauth_endpoints.h"
#include "operations.h"
#include "pushed_request.h"
#include "recall.h"
#include "recall_watch.h"
#include "registration.h"
#include "signing_keys.h"
#include "user_store.h"
#include "userinfo.h"
#include "web_page.h"

/* -- where the endpoints are
 * -------------------------------------------------------------------------------------- */

typedef int(endpoint_fn)(const km_call_t *call);

static const struct {
    const char *path;
    endpoint_fn *fn;
    int cors; /* programs in browsers, of any origin, may call it: they show what they have in the request
                 itself */
} endpoints[] = {{"/oauth2/token", km_endpoint_token, 1},
                 {KM_AUTHORIZE_PATH, km_endpoint_authorize, 0},
                 {KM_PAR_PATH, km_endpoint_par, 1},
                 {KM_DEVICE_AUTHORIZATION_PATH, km_endpoint_device_authorization, 1},
                 {KM_DEVICE_PATH, km_endpoint_device, 0},
                 {KM_LOGOUT_PATH, km_endpoint_logout, 0},
                 {KM_USERINFO_PATH, km_endpoint_userinfo, 1},
                 {KM_STYLE_PATH, km_endpoint_style, 0},
                 {"/oauth2/revoke", km_endpoint_revoke, 1},
                 {"/oauth2/introspect", km_endpoint_introspect, 0},
                 {"/oauth2/jwks", km_endpoint_jwks, 1},
                 {KM_REGISTER_PATH, km_endpoint_register, 0},
                 {"/client-registration/v0.17/register", km_endpoint_wso2_register, 0},
                 {"/.well-known/oauth-authorization-server", km_endpoint_metadata, 1},
                 {"/.well-known/openid-configuration", km_endpoint_metadata, 1}};

static endpoint_fn *find_endpoint(const char *path)
{
    apr_size_t i;
    for (i = 0; i < sizeof(endpoints) / sizeof(endpoints[0]); i++) {
        if (strcmp(path, endpoints[i].path) == 0) {
            return endpoints[i].fn;
        }
    }
    return strncmp(path, KM_REGISTER_PATH "/", sizeof(KM_REGISTER_PATH)) == 0 ? km_endpoint_registered : NULL;
}

/* Cross-origin calls (Fetch, "CORS protocol"), without cookies. 1 if a preflight was answered. */
static int cors(request_rec *r)
{
    apr_size_t i, n = sizeof(endpoints) / sizeof(endpoints[0]);
    for (i = 0; i < n && strcmp(r->uri, endpoints[i].path) != 0; i++) {
    }
    if (i == n || !endpoints[i].cors) {
        return 0;
    }
    apr_table_setn(r->err_headers_out, "Access-Control-Allow-Origin", "*");
    apr_table_setn(r->err_headers_out, "Access-Control-Expose-Headers", "WWW-Authenticate, Retry-After");
    if (r->method_number != M_OPTIONS || !apr_table_get(r->headers_in, "Access-Control-Request-Method")) {
        return 0;
    }
    apr_table_setn(r->err_headers_out, "Access-Control-Allow-Methods", "GET, POST");
    apr_table_setn(r->err_headers_out, "Access-Control-Allow-Headers", "Authorization, Content-Type");
    apr_table_setn(r->err_headers_out, "Access-Control-Max-Age", "3600");
    rest_reply_empty(r, HTTP_NO_CONTENT);
    return 1;
}

/* The operation of an internal path, NULL if it is none. */
static const char *internal_operation(const char *path)
{
    apr_size_t n = sizeof(APIM_KEYMGR_INTERNAL_PATH) - 1;
    return strncmp(path, APIM_KEYMGR_INTERNAL_PATH, n) == 0 && path[n] ? path + n : NULL;
}

static int is_ours(request_rec *r)
{
    const km_dir_config_t *dir = ap_get_module_config(r->per_dir_config, &apim_keymgr_module);
    return dir->on == 1 && (find_endpoint(r->uri) || internal_operation(r->uri));
}

static km_config_t *config_of(server_rec *s)
{
    return ap_get_module_config(s->module_config, &apim_keymgr_module);
}

#define OUR_FILENAME "apim-keymgr:" /* no path on disk begins like this */

/* Our paths are no files: no other module translates them, and no <Directory> or .htaccess is looked for.
 * <Location> sections and what they require hold. */
static int translate_name(request_rec *r)
{
    if (!is_ours(r)) {
        return DECLINED;
    }
    r->filename = apr_pstrcat(r->pool, OUR_FILENAME, r->uri, NULL);
    return OK;
}

/* Runs with the server's defaults in per_dir_config, so what translate_name found is all there is to go by.
 */
static int map_to_storage(request_rec *r)
{
    return r->filename && strncmp(r->filename, OUR_FILENAME, sizeof(OUR_FILENAME) - 1) == 0 ? OK : DECLINED;
}

static km_call_t call_for(request_rec *r, const km_config_t *conf)
{
    km_call_t call = {r, r->pool, conf, apim_now_ms()};
    return call;
}

static int handler(request_rec *r)
{
    km_call_t call;
    const char *operation;
    int status;
    if (!is_ours(r)) {
        return DECLINED;
    }
    call = call_for(r, config_of(r->server));
    operation = internal_operation(r->uri);
    if (cors(r)) {
        return OK;
    }
    status = operation ? km_endpoint_internal(&call, operation) : find_endpoint(r->uri)(&call);
    km_recall_settle(r);
    return status;
}

/* -- for the roles in the same process
 * ---------------------------------------------------------------------------- */

/* The configuration for calls from servers that have no Key Manager of their own: the first that has one. */
static const km_config_t *shared_config;

static apim_error_t *apim_keymgr_operation(request_rec *r, const char *operation, json_t *in, json_t **out)
{
    const km_config_t *own = config_of(r->server);
    km_call_t call = call_for(r, own->enabled ? own : shared_config);
    apim_error_t *err;
    if (!call.conf || !call.conf->keys) {
        return apim_unavailable(r->pool, "The Key Manager", "ApimKeymgr is not On in this process");
    }
    err = km_operation(&call, operation, in, out);
    km_recall_settle(r);
    return err;
}

/* -- start
 * -------------------------------------------------------------------------------------------------------- */

static int any_enabled(server_rec *s)
{
    for (; s; s = s->next) {
        if (config_of(s)->enabled) {
            return 1;
        }
    }
    return 0;
}

static int check_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *main_server)
{
    server_rec *s;
    for (s = main_server; s; s = s->next) {
        const char *wrong = km_check_server_config(pconf, main_server, config_of(s));
        if (wrong) {
            ap_log_error(APLOG_MARK, APLOG_EMERG, 0, s, "APIM-KM0003: %s", wrong);
            return HTTP_INTERNAL_SERVER_ERROR;
        }
    }
    return OK;
}

static void resolve_configs(apr_pool_t *pconf, server_rec *main_server)
{
    server_rec *s;
    shared_config = NULL;
    for (s = main_server; s; s = s->next) {
        if (config_of(s)->enabled) {
            apim_common_config_resolve(pconf, main_server, &config_of(s)->common);
            shared_config = shared_config ? shared_config : config_of(s);
        }
    }
}

/* Shared memory of the node. NULL or what is wrong. */
static const char *set_up_memory(server_rec *main_server)
{
    const char *wrong = apim_db_pool_setup();
    wrong = wrong ? wrong : km_login_guard_setup(main_server);
    wrong = wrong ? wrong : km_stats_setup(main_server);
    return wrong ? wrong : km_recall_setup(shared_config);
}

/* What runs beside the requests, and the audit log. */
static const char *set_up_work(apr_pool_t *pconf, server_rec *main_server)
{
    const char *wrong = km_cleaner_setup(pconf, main_server, km_clean_interval(config_of(main_server)));
    server_rec *s;
    wrong = wrong ? wrong : km_recall_watch_setup(pconf, main_server, shared_config);
    for (s = main_server; s && !wrong; s = s->next) {
        wrong = apim_audit_open(pconf, s, &config_of(s)->common);
    }
    for (s = main_server; s && !wrong && !config_of(s)->enabled; s = s->next) {
    }
    return wrong || !s ? wrong : apim_presence_setup(pconf, s, "keymgr", &config_of(s)->common);
}

static int post_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *main_server)
{
    const char *wrong;
    shared_config = NULL;
    if (!any_enabled(main_server)) {
        return OK;
    }
    json_object_seed(0);
    resolve_configs(pconf, main_server);
    wrong = set_up_memory(main_server);
    if (!wrong && ap_state_query(AP_SQ_MAIN_STATE) != AP_SQ_MS_CREATE_PRE_CONFIG) {
        wrong = set_up_work(pconf, main_server);
    }
    if (wrong) {
        ap_log_error(APLOG_MARK, APLOG_EMERG, 0, main_server, "APIM-KM0004: %s", wrong);
        return HTTP_INTERNAL_SERVER_ERROR;
    }
    return OK;
}

/* Servers with the same database and secret share one copy of the signing keys. */
static km_keys_t *keys_for(apr_pool_t *pchild, server_rec *main_server, km_config_t *conf)
{
    server_rec *s;
    for (s = main_server; s; s = s->next) {
        km_config_t *other = config_of(s);
        if (other->enabled && other->keys && km_keys_same(other, conf)) {
            return other->keys;
        }
    }
    return km_keys_create(pchild, conf);
}

static void child_init(apr_pool_t *pchild, server_rec *main_server)
{
    server_rec *s;
    apim_busy_connection_child_init(pchild, &apim_keymgr_module, any_enabled(main_server),
                                    config_of(main_server)->common.keepalive_hold);
    if (!any_enabled(main_server)) {
        return;
    }
    km_user_store_child_init(pchild);
    km_cleaner_child_init(pchild);
    km_recall_watch_child_init(pchild);
    km_feed_child_init();
    apim_presence_child_init(pchild);
    for (s = main_server; s; s = s->next) {
        km_config_t *conf = config_of(s);
        conf->keys = NULL;
        if (conf->enabled) {
            apim_db_pool_child_init(pchild, s, &conf->common);
        }
    }
    for (s = main_server; s; s = s->next) {
        if (config_of(s)->enabled) {
            config_of(s)->keys = keys_for(pchild, main_server, config_of(s));
        }
    }
}

static void child_stopping(apr_pool_t *pchild, int graceful)
{
    km_cleaner_stop();
    km_recall_watch_stop();
    km_feed_stop();
    apim_presence_stop();
}

static int health(request_rec *r, json_t *about)
{
    return any_enabled(ap_server_conf) ? apim_presence_health(about) : -1;
}

static void register_hooks(apr_pool_t *p)
{
    static const char *const before_dbd[] = {"mod_dbd.c", NULL};
    static const char *const before_proxy[] = {"mod_proxy.c", NULL};
    APR_REGISTER_OPTIONAL_FN(apim_keymgr_operation);
    ap_hook_check_config(check_config, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_post_config(post_config, before_dbd, NULL, APR_HOOK_MIDDLE);
    ap_hook_child_init(child_init, before_dbd, NULL, APR_HOOK_MIDDLE);
    ap_hook_child_stopping(child_stopping, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_translate_name(translate_name, NULL, NULL, APR_HOOK_REALLY_FIRST);
    ap_hook_map_to_storage(map_to_storage, NULL, NULL, APR_HOOK_FIRST);
    ap_hook_handler(handler, NULL, before_proxy, APR_HOOK_FIRST);
    km_stats_register_status(p);
    apim_busy_connection_register_hooks();
    apim_health_register("keymgr", health);
}

module AP_MODULE_DECLARE_DATA apim_keymgr_module = {
    STANDARD20_MODULE_STUFF, km_create_dir_config, km_merge_dir_config, km_create_server_config,
    km_merge_server_config,  km_commands,          register_hooks,      AP_MODULE_FLAG_ALWAYS_MERGE};
