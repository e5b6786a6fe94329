/* SPDX-License-Identifier: Apache-2.0 */
#include "call.h"

#include <apr_atomic.h>
#include <apr_optional_hooks.h>
#include <apr_strings.h>
#include <http_core.h>
#include <http_log.h>
#include <http_protocol.h>
#include <http_request.h>
#include <mod_proxy.h>
#include <string.h>

#include "apim_text.h"
#include "backend_auth.h"
#include "correlation_id.h"
#include "cors.h"
#include "endpoint_group.h"
#include "fault.h"
#include "gateway_config.h"
#include "httpd/keymgr_call.h"
#include "proxy_functions.h"
#include "sync.h"
#include "upstream.h"
#include "usage.h"
#include "verification.h"

APLOG_USE_MODULE(apim_gateway);

#define FAULT_HANDLER  "apim-gateway-fault"
#define REWRITE_FILTER "APIM_GATEWAY_REWRITE"

#define DEFAULT_ASSERTION_HEADER "X-JWT-Assertion"

static gw_replica_t *replica;
static ap_filter_rec_t *rewrite_filter;

void gw_call_child_init(gw_replica_t *r)
{
    replica = r;
}

gw_replica_t *gw_call_replica(void)
{
    return replica;
}

gw_call_t *gw_call_of(request_rec *r)
{
    return ap_get_module_config(r->request_config, &apim_gateway_module);
}

const gw_policy_t *gw_policy_find(apr_pool_t *p, const char *level, const char *name)
{
    gw_policy_t *policy = NULL;
    return replica && !gw_replica_policy(replica, p, level, name, &policy) ? policy : NULL;
}

apim_error_t *gw_deny_check(request_rec *r, const gw_call_t *call, const gw_answer_t *answer)
{
    gw_deny_facts_t facts = {NULL, NULL, NULL, NULL};
    const char *id;
    if (!call->denials || !replica) {
        return NULL;
    }
    if (answer) {
        facts.user = answer->username;
        facts.application =
            apr_pstrcat(r->pool, answer->application_owner, ":", answer->application_name, NULL);
    }
    else {
        facts.api = call->api->context;
        facts.address = r->useragent_ip;
    }
    APIM_TRY(gw_replica_denied(replica, r->pool, &facts, &id));
    if (!id) {
        return NULL;
    }
    apr_table_setn(r->subprocess_env, "apim_deny_policy", id);
    return apim_error(r->pool, HTTP_FORBIDDEN, 900805, "Message blocked",
                      "You have been blocked from accessing the resource");
}

/* -- the route
 * ------------------------------------------------------------------------------------------------------ */

static void set_fault(request_rec *r, gw_call_t *call, const apim_error_t *fault)
{
    call->fault = fault;
    r->handler = FAULT_HANDLER;
    r->proxyreq = PROXYREQ_NONE;
    /* Not a file, and nothing that mod_proxy would take for its own. */
    r->filename = apr_pstrcat(r->pool, "apim-gateway:", r->uri, NULL);
}

static apim_error_t *not_found(request_rec *r, int code, const char *message, const char *description)
{
    return apim_error(r->pool, HTTP_NOT_FOUND, code, message, "%s", description);
}

static int is_https(request_rec *r)
{
    const char *env = apr_table_get(r->subprocess_env, "HTTPS");
    return strcmp(ap_http_scheme(r), "https") == 0 || (env && strcasecmp(env, "on") == 0);
}

/* What the life cycle and the transports say, before anybody asks for credentials. */
static apim_error_t *check_api(request_rec *r, const gw_api_t *api)
{
    if (api->status == GW_BLOCKED) {
        return apim_error(r->pool, HTTP_SERVICE_UNAVAILABLE, 700700, "API blocked",
                          "This API has been blocked temporarily. Please try again later or contact the "
                          "system administrators.");
    }
    if (!(is_https(r) ? api->transport_https : api->transport_http)) {
        return apim_error(r->pool, HTTP_FORBIDDEN, HTTP_FORBIDDEN, "Forbidden",
                          "This API does not answer over %s.", is_https(r) ? "https" : "http");
    }
    return NULL;
}

/* 1: the gateway answers it; else it goes on like any other call. */
static int preflight(request_rec *r, gw_call_t *call, const gw_route_t *route)
{
    if (route->match == GW_MATCH_FOUND) {
        gw_cors_leave_to_backend(r, call);
        return 0;
    }
    if (route->match == GW_MATCH_NO_RESOURCE) {
        return 0;
    }
    gw_cors_answer(r, call, route->allow);
    call->preflight = 1;
    return 1;
}

static apim_error_t *find_route(request_rec *r, gw_call_t *call, const char *prefix)
{
    const char *path = r->uri + strlen(prefix);
    gw_route_t *route;
    if (!replica) {
        return apim_unavailable(r->pool, "The gateway", "the replica is not open");
    }
    APIM_TRY(gw_replica_route(replica, r->pool, r->method, path, &route));
    if (!route) {
        return not_found(r, HTTP_NOT_FOUND, "Not Found", "The requested resource is not available.");
    }
    call->api = route->api;
    call->denials = route->denials;
    call->operation = route->operation;
    call->rest = path + route->context_length;
    call->public_base = apr_pstrmemdup(r->pool, r->uri, strlen(prefix) + route->context_length);
    gw_cors_begin(r, call);
    APIM_TRY(check_api(r, call->api));
    if (gw_cors_is_preflight(r, call) && preflight(r, call, route)) {
        return NULL;
    }
    if (route->match == GW_MATCH_NO_RESOURCE) {
        return not_found(r, 900906, "No matching resource found for given API Request",
                         "Check the API documentation and the path of the request.");
    }
    if (route->match == GW_MATCH_NO_VERB) {
        apr_table_setn(r->err_headers_out, "Allow", route->allow);
        return apim_error(r->pool, HTTP_METHOD_NOT_ALLOWED, HTTP_METHOD_NOT_ALLOWED, "Method Not Allowed",
                          "Method not allowed for given API resource; it answers %s.", route->allow);
    }
    return NULL;
}

/* Added, not set: these names have their first letters in common, by which tables look entries up. */
static void set_log_variables(request_rec *r, const gw_call_t *call)
{
    apr_table_t *env = r->subprocess_env;
    apr_table_addn(env, "apim_correlation_id", call->correlation_id);
    if (call->api) {
        apr_table_addn(env, "apim_api", call->api->name);
        apr_table_addn(env, "apim_api_id", call->api->id);
        apr_table_addn(env, "apim_version", call->api->version);
        apr_table_addn(env, "apim_context", call->api->context);
        apr_table_addn(env, "apim_provider", call->api->provider);
    }
    if (call->operation) {
        apr_table_addn(env, "apim_resource", call->operation->target);
    }
}

/* 1 if this request is to be taken for a call to an API: the first of its kind (no sub-request, no error
 * document) in a location with ApimGateway On. */
static int is_call(request_rec *r, const gw_dir_config_t *conf)
{
    apr_size_t n = conf->prefix ? strlen(conf->prefix) : 0;
    return conf->enabled == 1 && !r->main && !(r->prev && ap_is_HTTP_ERROR(r->prev->status)) &&
           r->uri[0] == '/' && (!n || strncmp(r->uri, conf->prefix, n) == 0) &&
           (!r->uri[n] || r->uri[n] == '/');
}

static int translate_name(request_rec *r)
{
    const gw_dir_config_t *conf = ap_get_module_config(r->per_dir_config, &apim_gateway_module);
    apim_error_t *fault;
    gw_call_t *call;
    if (!is_call(r, conf)) {
        return DECLINED;
    }
    call = apr_pcalloc(r->pool, sizeof(*call));
    call->correlation_id = gw_correlation_id(r);
    call->args = r->args;
    call->rest = "";
    ap_set_module_config(r->request_config, &apim_gateway_module, call);
    apr_table_setn(r->err_headers_out, GW_CORRELATION_HEADER, call->correlation_id);
    /* Until the call has an upstream nothing but the fault handler answers it. */
    r->handler = FAULT_HANDLER;
    r->filename = apr_pstrcat(r->pool, "apim-gateway:", r->uri, NULL);
    fault = find_route(r, call, conf->prefix);
    set_log_variables(r, call);
    if (fault) {
        set_fault(r, call, fault);
    }
    return OK;
}

/* APIs are no files: no directory walk, no .htaccess, no stat. */
static int map_to_storage(request_rec *r)
{
    return gw_call_of(r) ? OK : DECLINED;
}

/* -- authorization and the back end
 * ------------------------------------------------------------------------------------ */

const gw_endpoint_t *gw_call_endpoint(const gw_call_t *call)
{
    const gw_api_t *api = call->api;
    return call->sandbox || (!api->production.url && !call->answer) ? &api->sandbox : &api->production;
}

/* Points the request at a member of its endpoint. */
static apim_error_t *aim(request_rec *r, gw_call_t *call, const char *url)
{
    const char *path, *base;
    APIM_TRY(gw_upstream_for(r, url, gw_call_endpoint(call)->timeout_ms, &call->upstream, &path));
    call->endpoint_url = url;
    /* mod_proxy encodes the path again, as it does with the client's. */
    base = apim_urldecode(r->pool, path, strlen(path), 0);
    r->filename = apr_pstrcat(r->pool, "proxy:", gw_upstream_origin(call->upstream), base ? base : path,
                              *call->rest || *path ? call->rest : "/", NULL);
    r->handler = "proxy-server";
    r->proxyreq = PROXYREQ_REVERSE;
    r->args = (char *)call->args;
    return NULL;
}

static apim_error_t *choose_upstream(request_rec *r, gw_call_t *call)
{
    const gw_endpoint_t *endpoint = gw_call_endpoint(call);
    const char *url = endpoint->url;
    if (!url) {
        call->challenge = "error=\"invalid_token\"";
        return apim_error(r->pool, HTTP_UNAUTHORIZED, 900901, "Invalid Credentials",
                          "%s key offered to an API without a %s endpoint.",
                          call->sandbox ? "Sandbox" : "Production", call->sandbox ? "sandbox" : "production");
    }
    if (endpoint->urls) {
        APIM_TRY(gw_group_choose(r, endpoint, &call->group, &url));
    }
    APIM_TRY(aim(r, call, url));
    return endpoint->security ? gw_backend_auth_apply(r, endpoint->security) : NULL;
}

static int access_checker_ex(request_rec *r)
{
    gw_call_t *call = gw_call_of(r);
    apim_error_t *fault;
    if (!call || call->fault || call->upstream || call->preflight) {
        return DECLINED;
    }
    /* What only the gateway may say to a back end. */
    apr_table_unset(r->headers_in, DEFAULT_ASSERTION_HEADER);
    apr_table_unset(r->headers_in, gw_server_config(r->server)->assertion_header);
    fault = gw_authorize(r, call);
    if (!fault) {
        fault = choose_upstream(r, call);
    }
    if (fault) {
        set_fault(r, call, fault);
    }
    /* Declining lets the operator's own Require directives have their say as well. */
    return DECLINED;
}

/* With `Require valid-user` beside the gateway: who has a verified token is a valid user. */
static int check_user_id(request_rec *r)
{
    gw_call_t *call = gw_call_of(r);
    return call && (call->fault || call->preflight || r->user) ? OK : DECLINED;
}

static int fixups(request_rec *r)
{
    static const char *const internal[] = {APIM_CLUSTER_SECRET_HEADER, "activityid", NULL};
    gw_call_t *call = gw_call_of(r);
    int i;
    if (!call || call->fault || call->preflight) {
        return DECLINED;
    }
    for (i = 0; internal[i]; i++) {
        apr_table_unset(r->headers_in, internal[i]);
    }
    apr_table_setn(r->headers_in, GW_CORRELATION_HEADER, call->correlation_id);
    if (!apr_table_get(r->headers_in, "X-Forwarded-Proto")) {
        apr_table_setn(r->headers_in, "X-Forwarded-Proto", is_https(r) ? "https" : "http");
    }
    /* mod_mime and others may have had ideas. */
    r->handler = "proxy-server";
    return DECLINED;
}

static int pre_request(proxy_worker **worker, proxy_balancer **balancer, request_rec *r,
                       proxy_server_conf *conf, char **url)
{
    gw_call_t *call = gw_call_of(r);
    if (!call || !call->upstream) {
        return DECLINED;
    }
    call->sent_at = call->sent_at ? call->sent_at : apr_time_now();
    *worker = gw_upstream_worker(call->upstream);
    *balancer = NULL;
    return OK;
}

static void backend_failed(request_rec *r, gw_call_t *call, int status)
{
    /* mod_proxy answers 502 to a time-out while it waits for the status line, and leaves a note. */
    int timed_out = apr_table_get(r->notes, "proxy_timedout") != NULL;
    call->fault = gw_fault_backend(r, timed_out ? HTTP_GATEWAY_TIME_OUT : status);
    apr_atomic_inc64(&gw_sync_state()->backend_failures);
    gw_fault_write(r, call);
}

/* A failure of mod_proxy's own (the back end's answers come through as they are) becomes a fault instead of
 * an HTML page. */
static int request_status(int *status, request_rec *r)
{
    gw_call_t *call = gw_call_of(r);
    if (!call || !call->upstream || call->group || r->sent_bodyct || r->eos_sent ||
        (*status != HTTP_BAD_GATEWAY && *status != HTTP_SERVICE_UNAVAILABLE &&
         *status != HTTP_GATEWAY_TIME_OUT)) {
        return DECLINED;
    }
    backend_failed(r, call, *status);
    *status = OK;
    return OK;
}

/* Endpoints with several members, or with a circuit breaker. */
static int run_group(request_rec *r, gw_call_t *call)
{
    int status = gw_group_run(r, call, aim);
    if (!ap_is_HTTP_SERVER_ERROR(status) || r->sent_bodyct || r->eos_sent) {
        return status;
    }
    backend_failed(r, call, status);
    return OK;
}

static int handler(request_rec *r)
{
    gw_call_t *call = gw_call_of(r);
    if (call && call->group && !call->fault && strcmp(r->handler, "proxy-server") == 0) {
        return run_group(r, call);
    }
    if (!call || strcmp(r->handler, FAULT_HANDLER) != 0) {
        return DECLINED;
    }
    if (call->preflight) {
        r->status = HTTP_NO_CONTENT;
        return OK;
    }
    if (!call->fault) {
        call->fault = apim_internal(r->pool, "a call without upstream and without fault");
    }
    return gw_fault_write(r, call);
}

static int log_transaction(request_rec *r)
{
    gw_call_t *call = gw_call_of(r);
    gw_sync_state_t *state = gw_sync_state();
    if (call && state) {
        apr_atomic_inc64(&state->requests);
        if (call->fault) {
            apr_atomic_inc64(&state->faults);
        }
        gw_usage_record(r, call);
        gw_upstream_expire();
    }
    return DECLINED;
}

/* -- what the back end says about its own addresses
 * -------------------------------------------------------------------- */

/* Path of an endpoint URL without trailing slash. */
static const char *endpoint_path(request_rec *r, const gw_call_t *call)
{
    const char *url = call->endpoint_url;
    const char *path = url ? strstr(url, "://") : NULL;
    apr_size_t len;
    path = path ? strchr(path + 3, '/') : NULL;
    len = path ? strcspn(path, "?#") : 0;
    while (len && path[len - 1] == '/') {
        len--;
    }
    return len ? apr_pstrmemdup(r->pool, path, len) : "";
}

/* "/base/x" -> "/gw/api/1.0/x" if it lies below base; NULL if not. */
static const char *to_public_path(request_rec *r, const gw_call_t *call, const char *base, const char *path)
{
    apr_size_t n = strlen(base);
    if (*path != '/' || strncmp(path, base, n) != 0 || (path[n] && !strchr("/?#;", path[n]))) {
        return NULL;
    }
    return apr_pstrcat(r->pool, call->public_base, path + n, NULL);
}

static const char *to_public_location(request_rec *r, const gw_call_t *call, const char *location)
{
    const char *origin = gw_upstream_origin(call->upstream), *base = endpoint_path(r, call), *path = location;
    apr_uri_t uri, own;
    if (*location != '/' || location[1] == '/') {
        if (apr_uri_parse(r->pool, location, &uri) != APR_SUCCESS ||
            apr_uri_parse(r->pool, origin, &own) != APR_SUCCESS || !uri.scheme || !uri.hostname ||
            strcasecmp(uri.scheme, own.scheme) || strcasecmp(uri.hostname, own.hostname) ||
            (uri.port ? uri.port : apr_uri_port_of_scheme(uri.scheme)) != own.port) {
            return NULL;
        }
        path = apr_uri_unparse(r->pool, &uri, APR_URI_UNP_OMITSITEPART);
        path = *path ? path : "/";
    }
    path = to_public_path(r, call, base, path);
    return path ? ap_construct_url(r->pool, path, r) : NULL;
}

static void rewrite_location(request_rec *r, const gw_call_t *call, const char *header)
{
    const char *value = apr_table_get(r->headers_out, header), *public_value;
    if (value && (public_value = to_public_location(r, call, value))) {
        apr_table_setn(r->headers_out, header, public_value);
    }
}

typedef struct cookie_walk_t {
    request_rec *r;
    const gw_call_t *call;
    apr_array_header_t *cookies;
    const char *base;
    int changed;
} cookie_walk_t;

static int rewrite_cookie(void *data, const char *key, const char *value)
{
    cookie_walk_t *walk = data;
    const char *path = ap_strcasestr(value, "path="), *public_path;
    apr_size_t len;
    if (path && (path == value || path[-1] == ' ' || path[-1] == ';')) {
        len = strcspn(path + 5, ";");
        public_path =
            to_public_path(walk->r, walk->call, walk->base, apr_pstrmemdup(walk->r->pool, path + 5, len));
        if (public_path) {
            value = apr_pstrcat(walk->r->pool,
                                apr_pstrmemdup(walk->r->pool, value, (apr_size_t)(path + 5 - value)),
                                public_path, path + 5 + len, NULL);
            walk->changed = 1;
        }
    }
    APR_ARRAY_PUSH(walk->cookies, const char *) = value;
    return 1;
}

static void rewrite_cookies(request_rec *r, const gw_call_t *call)
{
    cookie_walk_t walk = {r, call, apr_array_make(r->pool, 4, sizeof(const char *)), endpoint_path(r, call),
                          0};
    int i;
    apr_table_do(rewrite_cookie, &walk, r->headers_out, "Set-Cookie", NULL);
    if (walk.changed) {
        apr_table_unset(r->headers_out, "Set-Cookie");
        for (i = 0; i < walk.cookies->nelts; i++) {
            apr_table_addn(r->headers_out, "Set-Cookie", APR_ARRAY_IDX(walk.cookies, i, const char *));
        }
    }
}

/* Sees the response headers once, then leaves the chain. */
static apr_status_t rewrite_out(ap_filter_t *f, apr_bucket_brigade *bb)
{
    request_rec *r = f->r;
    gw_call_t *call = gw_call_of(r);
    if (call && call->upstream && !call->fault) {
        call->answered_at = apr_time_now();
        rewrite_location(r, call, "Location");
        rewrite_location(r, call, "Content-Location");
        rewrite_cookies(r, call);
        gw_cors_clean_answer(r, call);
        if (r->status == HTTP_UNAUTHORIZED && gw_call_endpoint(call)->security) {
            gw_backend_auth_rejected(gw_call_endpoint(call)->security);
        }
    }
    ap_remove_output_filter(f);
    return ap_pass_brigade(f->next, bb);
}

static void insert_filter(request_rec *r)
{
    gw_call_t *call = gw_call_of(r);
    if (call && call->upstream && !call->fault) {
        ap_add_output_filter_handle(rewrite_filter, NULL, r, r->connection);
    }
}

void gw_call_pre_config(void)
{
    const gw_proxy_functions_t *proxy = gw_proxy_functions_find();
    if (proxy) { /* check_config tells if it is needed and not there */
        proxy->hook_pre_request(pre_request, NULL, NULL, APR_HOOK_FIRST);
    }
}

void gw_call_register_hooks(apr_pool_t *p)
{
    static const char *const before_routing[] = {"mod_proxy.c", "mod_rewrite.c", "mod_alias.c", NULL};
    static const char *const before_proxy[] = {"mod_proxy.c", NULL};
    ap_hook_translate_name(translate_name, NULL, before_routing, APR_HOOK_FIRST);
    ap_hook_map_to_storage(map_to_storage, NULL, before_proxy, APR_HOOK_FIRST);
    /* By URI, not by configuration: an internal redirect to another API must be authorized again. */
    ap_hook_check_access_ex(access_checker_ex, NULL, NULL, APR_HOOK_MIDDLE, AP_AUTH_INTERNAL_PER_URI);
    ap_hook_check_authn(check_user_id, NULL, NULL, APR_HOOK_FIRST, AP_AUTH_INTERNAL_PER_URI);
    /* mod_proxy's own fixup canonicalises the URL: ours comes first. */
    ap_hook_fixups(fixups, NULL, before_proxy, APR_HOOK_FIRST);
    ap_hook_insert_filter(insert_filter, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_handler(handler, NULL, before_proxy, APR_HOOK_FIRST);
    ap_hook_log_transaction(log_transaction, NULL, NULL, APR_HOOK_MIDDLE);
    APR_OPTIONAL_HOOK(proxy, request_status, request_status, NULL, NULL, APR_HOOK_MIDDLE);
    rewrite_filter = ap_register_output_filter(REWRITE_FILTER, rewrite_out, NULL, AP_FTYPE_RESOURCE);
}
