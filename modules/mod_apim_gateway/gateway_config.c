/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway_config.h"

#include <apr_file_io.h>
#include <apr_strings.h>
#include <apr_uri.h>
#include <http_core.h>
#include <string.h>

#include "apim_text.h"
#include "httpd/keymgr_call.h"

#define UNSET (-1)

/* Defaults, in one place. Per-server settings are read from the main server: the gateway's shared memory and
 * replica are the process's. */
static const gw_server_config_t defaults = {
    .environment = "Default",
    .sync_interval = 250 * 1000,
    .backend_timeout = 60 * (apr_interval_time_t)APR_USEC_PER_SEC,
    .connect_timeout = 5 * (apr_interval_time_t)APR_USEC_PER_SEC,
    .backend_keepalive = 16,
    .cache_size = 16 << 20,
    .cache_ttl = 900 * (apr_interval_time_t)APR_USEC_PER_SEC,
    .negative_cache_ttl = 10 * (apr_interval_time_t)APR_USEC_PER_SEC,
    .keymgr_connections = 0, /* half the threads of a child */
    .rate_limit_size = 16 << 20,
    .rate_limit_headers = 1,
    .usage = 1,
    .usage_buffer = 8 << 20,
    .usage_spool = 256 << 20,
    .usage_interval = 5 * (apr_interval_time_t)APR_USEC_PER_SEC,
    .assertion = 0,
    .assertion_header = "X-JWT-Assertion",
    .cors_max_age = 600 * (apr_interval_time_t)APR_USEC_PER_SEC,
};

/* Set by ApimGateway On while the configuration is read; the module is loaded anew for each reading. */
static int used;

void *gw_create_server_config(apr_pool_t *p, server_rec *s)
{
    gw_server_config_t *conf = apr_pcalloc(p, sizeof(*conf));
    apim_common_config_init(&conf->common);
    conf->sync_interval = conf->backend_timeout = conf->connect_timeout = UNSET;
    conf->cache_ttl = conf->negative_cache_ttl = conf->cors_max_age = UNSET;
    conf->cache_size = conf->rate_limit_size = UNSET;
    conf->assertion = conf->usage = UNSET;
    conf->usage_buffer = conf->usage_spool = conf->usage_interval = UNSET;
    conf->backend_keepalive = conf->keymgr_connections = conf->rate_limit_headers = UNSET;
    return conf;
}

#define MERGE(member) conf->member = add->member != UNSET ? add->member : base->member

void *gw_merge_server_config(apr_pool_t *p, void *basev, void *addv)
{
    gw_server_config_t *base = basev, *add = addv, *conf = apr_pcalloc(p, sizeof(*conf));
    apim_common_config_merge(&conf->common, &base->common, &add->common);
    conf->replica_dir = add->replica_dir ? add->replica_dir : base->replica_dir;
    conf->environment = add->environment ? add->environment : base->environment;
    MERGE(sync_interval);
    MERGE(backend_timeout);
    MERGE(connect_timeout);
    MERGE(backend_keepalive);
    MERGE(cache_size);
    MERGE(cache_ttl);
    MERGE(negative_cache_ttl);
    MERGE(keymgr_connections);
    MERGE(rate_limit_size);
    MERGE(rate_limit_headers);
    MERGE(cors_max_age);
    MERGE(usage);
    MERGE(usage_buffer);
    MERGE(usage_spool);
    MERGE(usage_interval);
    MERGE(assertion);
    conf->assertion_header = add->assertion_header ? add->assertion_header : base->assertion_header;
    conf->cors = add->cors ? add->cors : base->cors;
    conf->feed_urls = add->feed_urls ? add->feed_urls : base->feed_urls;
    conf->feed_ca = add->feed_ca ? add->feed_ca : base->feed_ca;
    conf->feed_certificate = add->feed_certificate ? add->feed_certificate : base->feed_certificate;
    conf->feed_key = add->feed_key ? add->feed_key : base->feed_key;
    return conf;
}

#define FILL(member) conf->member = conf->member != UNSET ? conf->member : defaults.member

gw_server_config_t *gw_server_config(server_rec *s)
{
    return ap_get_module_config(s->module_config, &apim_gateway_module);
}

/* Puts the defaults where nothing was said; after this no member is unset. */
static void fill_defaults(gw_server_config_t *conf)
{
    conf->environment = conf->environment ? conf->environment : defaults.environment;
    FILL(sync_interval);
    FILL(backend_timeout);
    FILL(connect_timeout);
    FILL(backend_keepalive);
    FILL(cache_size);
    FILL(cache_ttl);
    FILL(negative_cache_ttl);
    FILL(keymgr_connections);
    FILL(rate_limit_size);
    FILL(rate_limit_headers);
    FILL(cors_max_age);
    FILL(usage);
    FILL(usage_buffer);
    FILL(usage_spool);
    FILL(usage_interval);
    FILL(assertion);
    conf->assertion_header = conf->assertion_header ? conf->assertion_header : defaults.assertion_header;
}

void *gw_create_dir_config(apr_pool_t *p, char *path)
{
    gw_dir_config_t *conf = apr_pcalloc(p, sizeof(*conf));
    conf->enabled = conf->retry = UNSET;
    return conf;
}

void *gw_merge_dir_config(apr_pool_t *p, void *basev, void *addv)
{
    gw_dir_config_t *base = basev, *add = addv, *conf = apr_pcalloc(p, sizeof(*conf));
    *conf = add->enabled != UNSET ? *add : *base;
    conf->retry = add->retry != UNSET ? add->retry : base->retry;
    return conf;
}

void gw_config_reset(void)
{
    used = 0;
}

int gw_config_used(void)
{
    return used;
}

const char *gw_config_replica_dir(apr_pool_t *p, server_rec *main_server)
{
    gw_server_config_t *conf = gw_server_config(main_server);
    return conf->replica_dir ? conf->replica_dir : ap_runtime_dir_relative(p, "apim-replica");
}

static const char *needed_module(apr_pool_t *p, const char *file, const char *name)
{
    if (ap_find_linked_module(file)) {
        return NULL;
    }
    return apr_psprintf(p, "ApimGateway On needs %s; add LoadModule %s_module modules/%s.so", file, name,
                        apr_pstrmemdup(p, file, strlen(file) - 2));
}

static const char *check_feed(server_rec *main_server)
{
    const gw_server_config_t *conf = gw_server_config(main_server);
    if (conf->feed_urls && !conf->common.cluster_secret) {
        return "ApimFeed needs ApimClusterSecret: the Key Managers show their feed to nodes of the cluster "
               "only";
    }
    return NULL;
}

const char *gw_config_check(apr_pool_t *p, server_rec *main_server)
{
    static const char *const modules[][2] = {{"mod_proxy.c", "proxy"},
                                             {"mod_proxy_http.c", "proxy_http"},
                                             {"mod_watchdog.c", "watchdog"},
                                             {"mod_dbd.c", "dbd"}}; /* the last: not with a feed */
    size_t i,
        needed = sizeof(modules) / sizeof(modules[0]) - (gw_server_config(main_server)->feed_urls != NULL);
    const char *error = NULL;
    server_rec *s;
    for (s = main_server; s && !error; s = s->next) {
        gw_server_config_t *conf = gw_server_config(s);
        fill_defaults(conf);
        error = apim_common_config_resolve(p, main_server, &conf->common);
    }
    for (i = 0; used && !error && i < needed; i++) {
        error = needed_module(p, modules[i][0], modules[i][1]);
    }
    return error ? error : check_feed(main_server);
}

/* -- directives
 * -------------------------------------------------------------------------------------------------------- */

static const char *set_gateway(cmd_parms *cmd, void *confv, int on)
{
    gw_dir_config_t *conf = confv;
    const char *section = cmd->directive->parent ? cmd->directive->parent->directive : "";
    if (strcasecmp(section, "<LocationMatch") == 0 || (strcasecmp(section, "<Location") == 0 && cmd->path &&
                                                       (*cmd->path == '~' || strpbrk(cmd->path, "*?[")))) {
        return apr_psprintf(cmd->pool,
                            "%s: a location with a pattern has no path to take off; write <Location /path>",
                            cmd->cmd->name);
    }
    if (strcasecmp(section, "<Directory") == 0 || strcasecmp(section, "<Files") == 0) {
        return apr_psprintf(cmd->pool, "%s: APIs are no files; write it in a <Location> or <VirtualHost>",
                            cmd->cmd->name);
    }
    conf->enabled = on;
    conf->prefix = "";
    if (cmd->path && strcasecmp(section, "<Location") == 0) {
        apr_size_t len = strlen(cmd->path);
        while (len && cmd->path[len - 1] == '/') {
            len--;
        }
        conf->prefix = apr_pstrmemdup(cmd->pool, cmd->path, len);
    }
    used |= on;
    return NULL;
}

static gw_server_config_t *conf_of(cmd_parms *cmd)
{
    return gw_server_config(cmd->server);
}

/* Settings of the whole process must not differ between virtual hosts. */
static const char *main_server_only(cmd_parms *cmd)
{
    return cmd->server->is_virtual
               ? apr_psprintf(cmd->pool,
                              "%s: write it outside of <VirtualHost>; it is one setting for the whole server",
                              cmd->cmd->name)
               : NULL;
}

static const char *set_replica(cmd_parms *cmd, void *dummy, const char *arg)
{
    conf_of(cmd)->replica_dir = ap_server_root_relative(cmd->pool, arg);
    return conf_of(cmd)->replica_dir
               ? main_server_only(cmd)
               : apr_psprintf(cmd->pool, "%s: '%s' is not a usable path", cmd->cmd->name, arg);
}

static const char *set_environment(cmd_parms *cmd, void *dummy, const char *arg)
{
    if (!*arg || strlen(arg) > 255 || apim_has_control(arg, NULL)) {
        return apr_psprintf(cmd->pool, "%s: write the name of a gateway environment, such as Default",
                            cmd->cmd->name);
    }
    conf_of(cmd)->environment = arg;
    return main_server_only(cmd);
}

/* A directive whose value is a duration: its member and its bounds. */
static const char *set_duration(cmd_parms *cmd, const char *arg, apr_interval_time_t *member,
                                apr_interval_time_t min, apr_interval_time_t max)
{
    const char *error = apim_config_duration(cmd, arg, min, max, member);
    return error ? error : main_server_only(cmd);
}

static const char *set_sync_interval(cmd_parms *cmd, void *dummy, const char *arg)
{
    return set_duration(cmd, arg, &conf_of(cmd)->sync_interval, apr_time_from_msec(100),
                        apr_time_from_sec(60));
}

static const char *set_backend_timeout(cmd_parms *cmd, void *dummy, const char *arg)
{
    return set_duration(cmd, arg, &conf_of(cmd)->backend_timeout, apr_time_from_msec(10),
                        apr_time_from_sec(3600));
}

static const char *set_connect_timeout(cmd_parms *cmd, void *dummy, const char *arg)
{
    return set_duration(cmd, arg, &conf_of(cmd)->connect_timeout, apr_time_from_msec(10),
                        apr_time_from_sec(300));
}

static const char *set_cache_ttl(cmd_parms *cmd, void *dummy, const char *arg)
{
    return set_duration(cmd, arg, &conf_of(cmd)->cache_ttl, apr_time_from_sec(1), apr_time_from_sec(86400));
}

static const char *set_negative_cache_ttl(cmd_parms *cmd, void *dummy, const char *arg)
{
    return set_duration(cmd, arg, &conf_of(cmd)->negative_cache_ttl, apr_time_from_msec(1),
                        apr_time_from_sec(300));
}

static const char *set_idle_connections(cmd_parms *cmd, void *dummy, const char *arg)
{
    const char *error = apim_config_int(cmd, arg, 0, 100000, &conf_of(cmd)->backend_keepalive);
    return error ? error : main_server_only(cmd);
}

static const char *set_keymgr_connections(cmd_parms *cmd, void *dummy, const char *arg)
{
    const char *error = apim_config_int(cmd, arg, 1, 100000, &conf_of(cmd)->keymgr_connections);
    return error ? error : main_server_only(cmd);
}

/* "16M", "512K", "1G", plain bytes. */
static const char *set_size(cmd_parms *cmd, const char *arg, apr_int64_t *member)
{
    apr_size_t len = strlen(arg);
    char unit = len ? arg[len - 1] : 'x';
    int shift = strchr("Kk", unit) ? 10 : strchr("Mm", unit) ? 20 : strchr("Gg", unit) ? 30 : 0;
    apr_int64_t value;
    if (apim_parse_i64(apr_pstrmemdup(cmd->pool, arg, len - (shift != 0)), &value) || value < 1 ||
        value > (apr_int64_t)64 << 30 || (value << shift) < 1024 * 1024 ||
        (value << shift) > (apr_int64_t)64 << 30) {
        return apr_psprintf(cmd->pool, "%s: '%s' is not usable; write a size from 1M to 64G, such as 16M",
                            cmd->cmd->name, arg);
    }
    *member = value << shift;
    return main_server_only(cmd);
}

static const char *set_cache_size(cmd_parms *cmd, void *dummy, const char *arg)
{
    return set_size(cmd, arg, &conf_of(cmd)->cache_size);
}

static const char *set_rate_limit_size(cmd_parms *cmd, void *dummy, const char *arg)
{
    return set_size(cmd, arg, &conf_of(cmd)->rate_limit_size);
}

static const char *set_rate_limit_headers(cmd_parms *cmd, void *dummy, int on)
{
    conf_of(cmd)->rate_limit_headers = on;
    return main_server_only(cmd);
}

static const char *set_usage(cmd_parms *cmd, void *dummy, int on)
{
    conf_of(cmd)->usage = on;
    return main_server_only(cmd);
}

static const char *set_usage_buffer(cmd_parms *cmd, void *dummy, const char *arg)
{
    return set_size(cmd, arg, &conf_of(cmd)->usage_buffer);
}

static const char *set_usage_spool(cmd_parms *cmd, void *dummy, const char *arg)
{
    return set_size(cmd, arg, &conf_of(cmd)->usage_spool);
}

static const char *set_usage_interval(cmd_parms *cmd, void *dummy, const char *arg)
{
    return set_duration(cmd, arg, &conf_of(cmd)->usage_interval, apr_time_from_msec(200),
                        apr_time_from_sec(60));
}

static const char *set_assertion(cmd_parms *cmd, void *dummy, int on)
{
    conf_of(cmd)->assertion = on;
    return NULL;
}

static const char *set_assertion_header(cmd_parms *cmd, void *dummy, const char *arg)
{
    if (!*arg || strlen(arg) > 100 ||
        strspn(arg, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != strlen(arg)) {
        return apr_psprintf(cmd->pool, "%s: '%s' is no name of a header; write X-JWT-Assertion or such",
                            cmd->cmd->name, arg);
    }
    conf_of(cmd)->assertion_header = arg;
    return NULL;
}

/* Each argument is one origin. With pages of any origin there are no credentials, so "*" stands alone. */
static const char *set_cors_origins(cmd_parms *cmd, void *dummy, const char *arg)
{
    gw_server_config_t *conf = conf_of(cmd);
    if (!gw_cors_origin_usable(arg)) {
        return apr_psprintf(cmd->pool,
                            "%s: '%s' is no origin; write *, https://app.example.org or "
                            "https://*.example.org",
                            cmd->cmd->name, arg);
    }
    if (!conf->cors) {
        conf->cors = apr_pcalloc(cmd->pool, sizeof(*conf->cors));
        conf->cors->origins = "";
        conf->cors->headers = GW_CORS_DEFAULT_HEADERS;
        conf->cors->methods = GW_CORS_DEFAULT_METHODS;
    }
    conf->cors->origins =
        apr_pstrcat(cmd->pool, conf->cors->origins, *conf->cors->origins ? " " : "", arg, NULL);
    return NULL;
}

static const char *set_cors_max_age(cmd_parms *cmd, void *dummy, const char *arg)
{
    return apim_config_duration(cmd, arg, 0, apr_time_from_sec(86400), &conf_of(cmd)->cors_max_age);
}

static const char *set_feed(cmd_parms *cmd, void *dummy, const char *arg)
{
    gw_server_config_t *conf = conf_of(cmd);
    apr_size_t len = strlen(arg);
    apr_uri_t uri;
    if (strcasecmp(arg, "database") == 0) {
        return conf->feed_urls
                   ? apr_psprintf(cmd->pool, "%s: write database alone, or addresses only", cmd->cmd->name)
                   : main_server_only(cmd);
    }
    if (apr_uri_parse(cmd->temp_pool, arg, &uri) != APR_SUCCESS || !uri.scheme || !uri.hostname ||
        uri.query || uri.fragment || uri.user ||
        (strcmp(uri.scheme, "http") != 0 && strcmp(uri.scheme, "https") != 0)) {
        return apr_psprintf(cmd->pool,
                            "%s: '%s' is not usable; write database, or http(s)://<host>[:<port>] of a Key "
                            "Manager or of the balancer in front of them, and more of them if there are",
                            cmd->cmd->name, arg);
    }
    if (!conf->feed_urls) {
        conf->feed_urls = apr_array_make(cmd->pool, 2, sizeof(const char *));
    }
    APR_ARRAY_PUSH(conf->feed_urls, const char *) =
        apr_pstrmemdup(cmd->pool, arg, len - (arg[len - 1] == '/'));
    return main_server_only(cmd);
}

/* A file that must be there and readable now; its absolute name in *member. */
static const char *set_file(cmd_parms *cmd, const char *arg, const char **member)
{
    const char *path = ap_server_root_relative(cmd->pool, arg);
    apr_file_t *f;
    apr_status_t rv = path ? apr_file_open(&f, path, APR_READ, 0, cmd->temp_pool) : APR_EBADPATH;
    if (rv != APR_SUCCESS) {
        return apr_psprintf(cmd->pool, "%s: cannot read '%s': %pm", cmd->cmd->name, arg, &rv);
    }
    apr_file_close(f);
    *member = path;
    return main_server_only(cmd);
}

static const char *set_feed_ca(cmd_parms *cmd, void *dummy, const char *arg)
{
    return set_file(cmd, arg, &conf_of(cmd)->feed_ca);
}

static const char *set_feed_certificate(cmd_parms *cmd, void *dummy, const char *certificate, const char *key)
{
    gw_server_config_t *conf = conf_of(cmd);
    const char *error = set_file(cmd, certificate, &conf->feed_certificate);
    return error ? error : set_file(cmd, key ? key : certificate, &conf->feed_key);
}

const command_rec gw_commands[] = {
    APIM_COMMON_COMMANDS(&apim_gateway_module),
    AP_INIT_FLAG("ApimGateway", set_gateway, NULL, RSRC_CONF | ACCESS_CONF,
                 "On: APIs are served below this location or host"),
    AP_INIT_FLAG("ApimRetryIdempotent", ap_set_flag_slot, (void *)APR_OFFSETOF(gw_dir_config_t, retry),
                 RSRC_CONF | ACCESS_CONF,
                 "On: a balancer of this httpd asks another member if one goes away before it answers"),
    AP_INIT_TAKE1("ApimReplica", set_replica, NULL, RSRC_CONF,
                  "directory of this node's own copy of what it serves"),
    AP_INIT_TAKE1("ApimEnvironment", set_environment, NULL, RSRC_CONF,
                  "gateway environment of this node (default Default)"),
    AP_INIT_ITERATE(
        "ApimFeed", set_feed, NULL, RSRC_CONF,
        "database, or the addresses of Key Managers whose feed tells of changes (default database)"),
    AP_INIT_TAKE1("ApimFeedCA", set_feed_ca, NULL, RSRC_CONF,
                  "file of the certificate authorities of ApimFeed's addresses (default: the system's)"),
    AP_INIT_TAKE12("ApimFeedCertificate", set_feed_certificate, NULL, RSRC_CONF,
                   "file of the client certificate for ApimFeed, and of its key if that is another"),
    AP_INIT_TAKE1("ApimSyncInterval", set_sync_interval, NULL, RSRC_CONF,
                  "how often changes are asked for (default 250ms)"),
    AP_INIT_TAKE1("ApimBackendTimeout", set_backend_timeout, NULL, RSRC_CONF,
                  "how long to wait for a back end, unless the endpoint says otherwise (default 60s)"),
    AP_INIT_TAKE1("ApimBackendConnectTimeout", set_connect_timeout, NULL, RSRC_CONF,
                  "how long to wait for a connection to a back end (default 5s)"),
    AP_INIT_TAKE1("ApimBackendIdleConnections", set_idle_connections, NULL, RSRC_CONF,
                  "idle connections kept per child and back end (default 16)"),
    AP_INIT_TAKE1("ApimCacheSize", set_cache_size, NULL, RSRC_CONF,
                  "shared memory for verified credentials (default 16M)"),
    AP_INIT_TAKE1("ApimCacheTTL", set_cache_ttl, NULL, RSRC_CONF,
                  "how long a verification is used at most (default 15min)"),
    AP_INIT_TAKE1("ApimNegativeCacheTTL", set_negative_cache_ttl, NULL, RSRC_CONF,
                  "how long a refusal is remembered at most (default 10s)"),
    AP_INIT_TAKE1("ApimKeyManagerConnections", set_keymgr_connections, NULL, RSRC_CONF,
                  "verifications under way at once per child (default: half its threads)"),
    AP_INIT_TAKE1("ApimRateLimitSize", set_rate_limit_size, NULL, RSRC_CONF,
                  "shared memory for counters (default 16M)"),
    AP_INIT_FLAG("ApimRateLimitHeaders", set_rate_limit_headers, NULL, RSRC_CONF,
                 "RateLimit headers (default On)"),
    AP_INIT_FLAG("ApimUsage", set_usage, NULL, RSRC_CONF,
                 "On: calls are counted for the API Manager database (default On)"),
    AP_INIT_TAKE1("ApimUsageInterval", set_usage_interval, NULL, RSRC_CONF,
                  "how often what was counted is written (default 5s)"),
    AP_INIT_TAKE1("ApimUsageBuffer", set_usage_buffer, NULL, RSRC_CONF,
                  "shared memory for calls that are not added up yet (default 8M)"),
    AP_INIT_TAKE1("ApimUsageSpool", set_usage_spool, NULL, RSRC_CONF,
                  "room on disk for usage while the database is away (default 256M)"),
    AP_INIT_FLAG("ApimBackendAssertion", set_assertion, NULL, RSRC_CONF,
                 "On: a signed JWT tells back ends who calls (default Off)"),
    AP_INIT_TAKE1("ApimBackendAssertionHeader", set_assertion_header, NULL, RSRC_CONF,
                  "the header that it is in (default X-JWT-Assertion)"),
    AP_INIT_ITERATE("ApimCorsOrigins", set_cors_origins, NULL, RSRC_CONF,
                    "origins whose pages may call APIs that have no CORS rules of their own (default: none)"),
    AP_INIT_TAKE1("ApimCorsMaxAge", set_cors_max_age, NULL, RSRC_CONF,
                  "how long browsers may remember the answer to a preflight (default 10min)"),
    {NULL}};
