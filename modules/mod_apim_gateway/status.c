/* SPDX-License-Identifier: Apache-2.0 */
#include "status.h"

#include <apr_file_io.h>
#include <apr_optional_hooks.h>
#include <apr_strings.h>
#include <http_main.h>
#include <http_protocol.h>
#include <mod_status.h>

#include "apim_text.h"
#include "call.h"
#include "gateway_metrics.h"
#include "httpd/health.h"
#include "httpd/metrics.h"
#include "gateway_config.h"
#include "sync.h"
#include "upstream.h"
#include "usage.h"

/* One fact in both forms: "ApimGatewayRequests: 12" or a table row. */
static void number(request_rec *r, int flags, const char *key, const char *title, apr_int64_t value)
{
    if (flags & APIM_METRICS_FLAG) {
        apim_metrics_fact(r, "gateway", key, title, value);
    }
    else if (flags & AP_STATUS_SHORT) {
        ap_rprintf(r, "ApimGateway%s: %" APR_INT64_T_FMT "\n", key, value);
    }
    else {
        ap_rprintf(r, "<tr><th>%s</th><td>%" APR_INT64_T_FMT "</td></tr>\n", title, value);
    }
}

static void word(request_rec *r, int flags, const char *key, const char *title, const char *value)
{
    if (flags & APIM_METRICS_FLAG) {
        return;
    }
    ap_rprintf(r, flags & AP_STATUS_SHORT ? "ApimGateway%s: %s\n" : "<tr><th>%s</th><td>%s</td></tr>\n",
               flags & AP_STATUS_SHORT ? key : title, ap_escape_html(r->pool, value));
}

/* Seconds since a moment, -1 for never. */
static apr_int64_t age(apr_time_t then)
{
    return then ? apr_time_sec(apr_time_now() - then) : -1;
}

static void replica_facts(request_rec *r, int flags)
{
    gw_replica_t *replica = gw_call_replica();
    gw_replica_stat_t stat;
    if (!replica || gw_replica_stat(replica, r->pool, &stat)) {
        number(r, flags, "ReplicaOpen", "Replica open", 0);
        return;
    }
    number(r, flags, "ReplicaOpen", "Replica open", 1);
    number(r, flags, "Apis", "APIs served", stat.apis);
    number(r, flags, "Contexts", "Contexts", stat.contexts);
    number(r, flags, "Policies", "Policies", stat.policies);
    number(r, flags, "NotDeployed", "Artefacts that could not be deployed", stat.failures);
    number(r, flags, "ReplicaBytes", "Replica size (bytes)", stat.bytes_used);
}

static void sync_facts(request_rec *r, int flags, const gw_sync_state_t *state)
{
    word(r, flags, "Node", "Node", apim_node_name(&gw_server_config(r->server)->common));
    word(r, flags, "Feed", "Changes come by", state->feed);
    number(r, flags, "RegistryRevision", "Registry revision served", state->registry_revision);
    number(r, flags, "RegistryAge", "Seconds since the registry answered", age(state->registry_seen));
    number(r, flags, "RegistryAway", "Registry away", state->registry_away);
    number(r, flags, "InvalidationRevision", "Invalidation revision", state->invalidation_revision);
    number(r, flags, "InvalidationAge", "Seconds since the API Manager database answered",
           age(state->invalidations_seen));
    number(r, flags, "InvalidationsAway", "API Manager database away", state->invalidations_away);
    number(r, flags, "ArtifactsApplied", "Artefacts deployed", state->applied);
    number(r, flags, "ArtifactsRefused", "Artefacts refused", state->refused);
    number(r, flags, "Requests", "Calls", (apr_int64_t)state->requests);
    number(r, flags, "Faults", "Calls answered with a fault", (apr_int64_t)state->faults);
    number(r, flags, "BackendFailures", "Back-end failures", (apr_int64_t)state->backend_failures);
}

static void usage_facts(request_rec *r, int flags)
{
    gw_usage_facts_t u;
    gw_usage_facts(&u);
    number(r, flags, "UsageDelivered", "Calls counted in the database", (apr_int64_t)u.delivered);
    number(r, flags, "UsageWaiting", "Calls not added up yet", (apr_int64_t)u.waiting);
    number(r, flags, "UsageRoom", "Room for such", (apr_int64_t)u.capacity);
    number(r, flags, "UsageLost", "Calls not counted for lack of room", (apr_int64_t)u.lost);
    number(r, flags, "UsageBehind", "Seconds that usage waits for the database",
           u.behind_since ? (apim_now_ms() - u.behind_since) / 1000 : 0);
}

static int status_hook(request_rec *r, int flags)
{
    const gw_sync_state_t *state = gw_sync_state();
    if (!gw_config_used() || !state) {
        return DECLINED;
    }
    if (!(flags & AP_STATUS_SHORT)) {
        ap_rputs("<hr />\n<h2>API gateway</h2>\n<table border=\"0\">\n", r);
    }
    replica_facts(r, flags);
    sync_facts(r, flags, state);
    usage_facts(r, flags);
    number(r, flags, "Backends", "Back ends known to this child", gw_upstream_count());
    gw_authorize_status(r, flags);
    if (!(flags & AP_STATUS_SHORT)) {
        ap_rputs("</table>\n", r);
    }
    return OK;
}

static void metrics(request_rec *r)
{
    status_hook(r, AP_STATUS_SHORT | APIM_METRICS_FLAG);
    gw_metrics_of_apis(r);
}

/* A node that never was filled would answer 404 to everything; one that was serves what it has. */
static int health(request_rec *r, json_t *about)
{
    const gw_sync_state_t *state = gw_sync_state();
    gw_replica_t *replica = gw_call_replica();
    gw_position_t position;
    if (!gw_config_used()) {
        return -1;
    }
    if (!state || !replica || gw_replica_position(replica, r->pool, &position)) {
        return 0;
    }
    json_object_set_new(about, "environment", json_string(gw_server_config(ap_server_conf)->environment));
    json_object_set_new(about, "revision", json_integer((json_int_t)position.revision));
    json_object_set_new(about, "registry", json_string(state->registry_away ? "DOWN" : "UP"));
    json_object_set_new(about, "invalidations", json_string(state->invalidations_away ? "DOWN" : "UP"));
    return *position.epoch != '\0';
}

void gw_status_register_hooks(void)
{
    apim_health_register("gateway", health);
    apim_metrics_register("gateway", metrics);
    APR_OPTIONAL_HOOK(ap, status_hook, status_hook, NULL, NULL, APR_HOOK_MIDDLE);
}

static void dump_operation(void *baton, const gw_operation_t *op)
{
    static const char *const auth[] = {"none", "application", "user", "any"};
    apr_file_printf(baton, "    %-7s %-40s auth=%s policy=%s%s%s\n", op->verb, op->target,
                    auth[op->auth_type], op->policy, *op->scopes ? " scopes=" : "", op->scopes);
}

static void dump_api(void *baton, apr_pool_t *p, const char *context, const gw_record_t *record)
{
    static const char *const status[] = {"PUBLISHED", "PROTOTYPED", "BLOCKED", "DEPRECATED"};
    gw_api_t *api = gw_record_api(p, record);
    apr_file_printf(baton, "%s  %s %s by %s (%s, revision %" APR_INT64_T_FMT ")\n", context, api->name,
                    api->version, api->provider, status[api->status], api->revision);
    apr_file_printf(baton, "    production %s  sandbox %s\n", api->production.url ? api->production.url : "-",
                    api->sandbox.url ? api->sandbox.url : "-");
    gw_record_operations(p, record, dump_operation, baton);
}

void gw_status_dump_routes(apr_pool_t *p, server_rec *main_server)
{
    const char *dir = gw_config_replica_dir(p, main_server);
    gw_replica_t *replica = NULL;
    gw_position_t position;
    apim_error_t *err;
    apr_file_t *out;
    apr_file_open_stdout(&out, p);
    err = gw_replica_open_readonly(p, dir, &replica);
    if (!err && replica) {
        err = gw_replica_position(replica, p, &position);
    }
    if (err || !replica) {
        apr_file_printf(out, "API routes: the replica in %s cannot be read: %s\n", dir,
                        err ? err->cause : "there is none yet; it is made when the server starts");
        return;
    }
    apr_file_printf(out, "API routes (replica %s, registry revision %" APR_INT64_T_FMT "):\n", dir,
                    position.revision);
    gw_replica_each(replica, p, dump_api, out);
    gw_replica_close(replica);
}
