/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APIM_COMMON_CONFIG_H
#define APIM_COMMON_CONFIG_H

#include <httpd.h>
#include <http_config.h>

/* The one symbol a module exports; everything else is hidden. Goes before APLOG_USE_MODULE in the main file.
 */
#define APIM_EXPORT_MODULE(NAME) extern __attribute__((visibility("default"))) module NAME##_module

/*
 * Directives that every role understands. Each role module registers them (httpd hands a directive to every
 * module that knows its name) and keeps its own copy as the FIRST member of its per-server configuration, so
 * that ap_get_module_config(server->module_config, module) can be read as apim_common_config_t.
 */
typedef enum { APIM_DB_USER_MANAGER, APIM_DB_API_MANAGER, APIM_DB_REGISTRY, APIM_DB_COUNT } apim_database_e;

typedef struct apim_common_config_t {
    const char
        *database_host[APIM_DB_COUNT]; /* ApimDatabase: ServerName of the vhost holding its DBD* directives */
    server_rec *database_server[APIM_DB_COUNT]; /* resolved in post_config */
    int database_connections;          /* ApimDatabaseConnections: loans at once per pool and process */
    apr_interval_time_t database_wait; /* ApimDatabaseWait: for a free connection, then 503 */
    const char *cluster_secret;        /* ApimClusterSecret: what nodes show each other */
    const char *keymgr_url; /* ApimKeyManager: "balancer://keymgr" or "http://host:port"; NULL: in process */
    apr_interval_time_t keymgr_timeout;         /* ApimKeyManagerTimeout */
    const char *node_name;                      /* ApimNodeName; filled by apim_common_config_resolve */
    apr_interval_time_t keepalive_hold;         /* ApimKeepAliveHold, of the main server; -1: not written */
    const char *audit_log;                      /* ApimAuditLog: a path, or "|program"; NULL: none */
    struct apim_audit_sink_t *audit;            /* made by apim_audit_open */
    struct apim_keymgr_server_t *keymgr_server; /* made by apim_keymgr_call_prepare */
} apim_common_config_t;

/* Initial values; call from the module's create_server_config. */
void apim_common_config_init(apim_common_config_t *conf);
/* to = base overlaid by add; call from merge_server_config. */
void apim_common_config_merge(apim_common_config_t *to, const apim_common_config_t *base,
                              const apim_common_config_t *add);

/* Effective values with their defaults. */
int apim_database_connections(const apim_common_config_t *conf);           /* 8 */
apr_interval_time_t apim_database_wait(const apim_common_config_t *conf);  /* 2 s */
apr_interval_time_t apim_keymgr_timeout(const apim_common_config_t *conf); /* 5 s */

/* What this node calls itself in reg_node; never NULL after apim_common_config_resolve. Default: the host's
 * name and the port of the first Listen. */
const char *apim_node_name(const apim_common_config_t *conf);

/* Resolves ApimDatabase names to their virtual hosts. Call from check_config and post_config for each server;
 * returns an error sentence naming the directive, NULL if all is well. Without ApimDatabase the main server's
 * DBD pool is used. */
const char *apim_common_config_resolve(apr_pool_t *p, server_rec *main_server, apim_common_config_t *conf);

/* Setters behind APIM_COMMON_COMMANDS. */
const char *apim_cmd_database(cmd_parms *cmd, void *dummy, const char *which, const char *host);
const char *apim_cmd_database_connections(cmd_parms *cmd, void *dummy, const char *arg);
const char *apim_cmd_database_wait(cmd_parms *cmd, void *dummy, const char *arg);
const char *apim_cmd_cluster_secret(cmd_parms *cmd, void *dummy, const char *arg);
const char *apim_cmd_keymgr(cmd_parms *cmd, void *dummy, const char *arg);
const char *apim_cmd_keymgr_timeout(cmd_parms *cmd, void *dummy, const char *arg);
const char *apim_cmd_node_name(cmd_parms *cmd, void *dummy, const char *arg);
const char *apim_cmd_keepalive_hold(cmd_parms *cmd, void *dummy, const char *arg);
const char *apim_cmd_audit_log(cmd_parms *cmd, void *dummy, const char *arg); /* audit.c */

/* Parses a directive's duration ("500ms", "2s", "5min", plain number = seconds) between min and max; returns
 * an error sentence that names the directive and says what to write, or NULL. */
const char *apim_config_duration(cmd_parms *cmd, const char *arg, apr_interval_time_t min,
                                 apr_interval_time_t max, apr_interval_time_t *out);
/* Parses a directive's integer between min and max, likewise. */
const char *apim_config_int(cmd_parms *cmd, const char *arg, int min, int max, int *out);

/* The module whose configuration cmd->info points to holds an apim_common_config_t first. Pass the address of
 * the module record: APIM_COMMON_COMMANDS(&apim_gateway_module). */
#define APIM_COMMON_COMMANDS(MODULE)                                                                         \
    AP_INIT_TAKE2("ApimDatabase", apim_cmd_database, MODULE, RSRC_CONF,                                      \
                  "user_manager|api_manager|registry, and the ServerName of the virtual host with its DBD* " \
                  "directives"),                                                                             \
        AP_INIT_TAKE1("ApimDatabaseConnections", apim_cmd_database_connections, MODULE, RSRC_CONF,           \
                      "connections in use at once per pool and process, at most DBDMax (default 8)"),        \
        AP_INIT_TAKE1("ApimDatabaseWait", apim_cmd_database_wait, MODULE, RSRC_CONF,                         \
                      "how long to wait for a free connection before answering 503 (default 2s)"),           \
        AP_INIT_TAKE1("ApimClusterSecret", apim_cmd_cluster_secret, MODULE, RSRC_CONF,                       \
                      "file:<path> of the secret that the nodes of a cluster show each other"),              \
        AP_INIT_TAKE1("ApimKeyManager", apim_cmd_keymgr, MODULE, RSRC_CONF,                                  \
                      "in-process, balancer://<name> or http(s)://<host>[:<port>] of the Key Managers"),     \
        AP_INIT_TAKE1("ApimKeyManagerTimeout", apim_cmd_keymgr_timeout, MODULE, RSRC_CONF,                   \
                      "how long to wait for a Key Manager's answer (default 5s)"),                           \
        AP_INIT_TAKE1("ApimNodeName", apim_cmd_node_name, MODULE, RSRC_CONF,                                 \
                      "what this node is called where nodes are listed (default <host>:<port>)"),            \
        AP_INIT_TAKE1("ApimKeepAliveHold", apim_cmd_keepalive_hold, MODULE, RSRC_CONF,                       \
                      "how long a busy kept-alive connection stays with its thread (default 10ms; 0: not)"), \
        AP_INIT_TAKE1("ApimAuditLog", apim_cmd_audit_log, MODULE, RSRC_CONF,                                 \
                      "file or \"|program\" that security events go to as lines of JSON (default none)")

#endif
