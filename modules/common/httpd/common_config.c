/* SPDX-License-Identifier: Apache-2.0 */
#include "common_config.h"

#include <apr_file_io.h>
#include <ap_listen.h>
#include <apr_network_io.h>
#include <apr_strings.h>
#include <string.h>

#include "apim_node.h"
#include "apim_text.h"

#define UNSET      (-1)
#define SECRET_MIN 32

static const char *const database_names[APIM_DB_COUNT] = {"user_manager", "api_manager", "registry"};

void apim_common_config_init(apim_common_config_t *conf)
{
    memset(conf, 0, sizeof(*conf));
    conf->database_connections = UNSET;
    conf->database_wait = UNSET;
    conf->keymgr_timeout = UNSET;
    conf->keepalive_hold = UNSET;
}

void apim_common_config_merge(apim_common_config_t *to, const apim_common_config_t *base,
                              const apim_common_config_t *add)
{
    apim_common_config_t merged = *base;
    int i;
    for (i = 0; i < APIM_DB_COUNT; i++) {
        merged.database_host[i] = add->database_host[i] ? add->database_host[i] : base->database_host[i];
    }
    merged.database_connections =
        add->database_connections != UNSET ? add->database_connections : base->database_connections;
    merged.database_wait = add->database_wait != UNSET ? add->database_wait : base->database_wait;
    merged.cluster_secret = add->cluster_secret ? add->cluster_secret : base->cluster_secret;
    merged.keymgr_url = add->keymgr_url ? add->keymgr_url : base->keymgr_url;
    merged.keymgr_timeout = add->keymgr_timeout != UNSET ? add->keymgr_timeout : base->keymgr_timeout;
    merged.keepalive_hold = add->keepalive_hold != UNSET ? add->keepalive_hold : base->keepalive_hold;
    merged.node_name = add->node_name ? add->node_name : base->node_name;
    merged.audit_log = add->audit_log ? add->audit_log : base->audit_log;
    *to = merged;
}

int apim_database_connections(const apim_common_config_t *conf)
{
    return conf->database_connections != UNSET ? conf->database_connections : 8;
}

apr_interval_time_t apim_database_wait(const apim_common_config_t *conf)
{
    return conf->database_wait != UNSET ? conf->database_wait : apr_time_from_sec(2);
}

apr_interval_time_t apim_keymgr_timeout(const apim_common_config_t *conf)
{
    return conf->keymgr_timeout != UNSET ? conf->keymgr_timeout : apr_time_from_sec(5);
}

const char *apim_node_name(const apim_common_config_t *conf)
{
    return conf->node_name;
}

static const char *default_node_name(apr_pool_t *p)
{
    char host[APRMAXHOSTLEN + 1] = "";
    apr_port_t port = ap_listeners && ap_listeners->bind_addr ? ap_listeners->bind_addr->port : 0;
    if (apr_gethostname(host, sizeof(host), p) != APR_SUCCESS || !apim_node_name_ok(host)) {
        apr_cpystrn(host, "localhost", sizeof(host));
    }
    return apr_psprintf(p, "%s:%u", host, port);
}

const char *apim_common_config_resolve(apr_pool_t *p, server_rec *main_server, apim_common_config_t *conf)
{
    int i;
    conf->node_name = conf->node_name ? conf->node_name : default_node_name(p);
    for (i = 0; i < APIM_DB_COUNT; i++) {
        server_rec *s;
        conf->database_server[i] = main_server;
        if (!conf->database_host[i]) {
            continue;
        }
        for (s = main_server->next; s; s = s->next) {
            if (s->server_hostname && strcasecmp(s->server_hostname, conf->database_host[i]) == 0) {
                break;
            }
        }
        if (!s) {
            return apr_psprintf(
                p,
                "ApimDatabase %s %s: there is no <VirtualHost> with ServerName %s; write one that holds "
                "the DBDriver and DBDParams of that database",
                database_names[i], conf->database_host[i], conf->database_host[i]);
        }
        conf->database_server[i] = s;
    }
    return NULL;
}

/* cmd->info is the module record; its per-server configuration begins with ours. */
static apim_common_config_t *config_of(cmd_parms *cmd)
{
    return ap_get_module_config(cmd->server->module_config, (module *)cmd->info);
}

const char *apim_cmd_database(cmd_parms *cmd, void *dummy, const char *which, const char *host)
{
    int i;
    for (i = 0; i < APIM_DB_COUNT; i++) {
        if (strcasecmp(which, database_names[i]) == 0) {
            config_of(cmd)->database_host[i] = host;
            return NULL;
        }
    }
    return apr_psprintf(cmd->pool, "%s: '%s' is not a database; write user_manager, api_manager or registry",
                        cmd->cmd->name, which);
}

const char *apim_cmd_database_connections(cmd_parms *cmd, void *dummy, const char *arg)
{
    return apim_config_int(cmd, arg, 1, 1000, &config_of(cmd)->database_connections);
}

const char *apim_cmd_database_wait(cmd_parms *cmd, void *dummy, const char *arg)
{
    return apim_config_duration(cmd, arg, apr_time_from_msec(10), apr_time_from_sec(60),
                                &config_of(cmd)->database_wait);
}

static const char *read_secret(cmd_parms *cmd, const char *path, const char **secret)
{
    char buf[512] = "";
    apr_file_t *f;
    apr_size_t len = sizeof(buf) - 1;
    const char *full = ap_server_root_relative(cmd->temp_pool, path);
    apr_status_t rv = apr_file_open(&f, full, APR_READ, 0, cmd->temp_pool);
    if (rv == APR_SUCCESS) {
        rv = apr_file_read(f, buf, &len);
        apr_file_close(f);
    }
    if (rv != APR_SUCCESS && rv != APR_EOF) {
        return apr_psprintf(cmd->pool, "%s: cannot read %s: %pm", cmd->cmd->name, full, &rv);
    }
    while (len && strchr(" \t\r\n", buf[len - 1])) {
        len--;
    }
    if (rv == APR_EOF || len < SECRET_MIN) {
        return apr_psprintf(
            cmd->pool, "%s: %s must hold one line of at least %d characters (openssl rand -hex 32 makes one)",
            cmd->cmd->name, full, SECRET_MIN);
    }
    *secret = apr_pstrmemdup(cmd->pool, buf, len);
    return NULL;
}

const char *apim_cmd_cluster_secret(cmd_parms *cmd, void *dummy, const char *arg)
{
    if (strncmp(arg, "file:", 5) != 0) {
        return apr_psprintf(cmd->pool,
                            "%s: write file:<path>, so that the secret itself stays out of httpd.conf",
                            cmd->cmd->name);
    }
    return read_secret(cmd, arg + 5, &config_of(cmd)->cluster_secret);
}

const char *apim_cmd_keymgr(cmd_parms *cmd, void *dummy, const char *arg)
{
    if (strcasecmp(arg, "in-process") == 0) {
        config_of(cmd)->keymgr_url = "";
        return NULL;
    }
    if (strncmp(arg, "balancer://", 11) != 0 && strncmp(arg, "http://", 7) != 0 &&
        strncmp(arg, "https://", 8) != 0) {
        return apr_psprintf(
            cmd->pool,
            "%s: '%s' is not usable; write in-process, balancer://<name>, http://<host>:<port> "
            "or https://<host>:<port>",
            cmd->cmd->name, arg);
    }
    config_of(cmd)->keymgr_url = apr_pstrmemdup(cmd->pool, arg, strlen(arg) - (arg[strlen(arg) - 1] == '/'));
    return NULL;
}

const char *apim_cmd_keymgr_timeout(cmd_parms *cmd, void *dummy, const char *arg)
{
    return apim_config_duration(cmd, arg, apr_time_from_msec(10), apr_time_from_sec(60),
                                &config_of(cmd)->keymgr_timeout);
}

const char *apim_cmd_keepalive_hold(cmd_parms *cmd, void *dummy, const char *arg)
{
    return apim_config_duration(cmd, arg, 0, apr_time_from_sec(1), &config_of(cmd)->keepalive_hold);
}

const char *apim_cmd_node_name(cmd_parms *cmd, void *dummy, const char *arg)
{
    if (!apim_node_name_ok(arg)) {
        return apr_psprintf(
            cmd->pool, "%s: '%s' is not usable; write letters, digits and . _ : - only, such as gateway-1",
            cmd->cmd->name, arg);
    }
    config_of(cmd)->node_name = arg;
    return NULL;
}

const char *apim_config_duration(cmd_parms *cmd, const char *arg, apr_interval_time_t min,
                                 apr_interval_time_t max, apr_interval_time_t *out)
{
    apr_interval_time_t value;
    if (ap_timeout_parameter_parse(arg, &value, "s") != APR_SUCCESS || value < min || value > max) {
        return apr_psprintf(cmd->pool,
                            "%s: '%s' is not usable; write a duration from %" APR_TIME_T_FMT
                            "ms to %" APR_TIME_T_FMT "s, such as 500ms, 5s or 2min",
                            cmd->cmd->name, arg, apr_time_as_msec(min), apr_time_sec(max));
    }
    *out = value;
    return NULL;
}

const char *apim_config_int(cmd_parms *cmd, const char *arg, int min, int max, int *out)
{
    apr_int64_t value;
    if (apim_parse_i64(arg, &value) || value < min || value > max) {
        return apr_psprintf(cmd->pool, "%s: '%s' is not usable; write a whole number from %d to %d",
                            cmd->cmd->name, arg, min, max);
    }
    *out = (int)value;
    return NULL;
}
