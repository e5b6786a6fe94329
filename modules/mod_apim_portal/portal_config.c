/* SPDX-License-Identifier: Apache-2.0 */
#include "portal.h"

#include <apr_strings.h>

#define UNSET (-1)
#define MIB   (1024 * 1024)

portal_config_t *po_server_config(const server_rec *s)
{
    return ap_get_module_config(s->module_config, &apim_portal_module);
}

portal_config_t *po_config(const request_rec *r)
{
    return po_server_config(r->server);
}

portal_dir_config_t *po_dir_config(const request_rec *r)
{
    return ap_get_module_config(r->per_dir_config, &apim_portal_module);
}

apr_size_t po_max_definition(const portal_config_t *conf)
{
    return conf->max_definition != UNSET ? (apr_size_t)conf->max_definition : 20 * MIB;
}

apr_interval_time_t po_publish_wait(const portal_config_t *conf)
{
    return conf->publish_wait != UNSET ? conf->publish_wait : apr_time_from_sec(1);
}

int po_self_signup(const portal_config_t *conf)
{
    return conf->self_signup != 0;
}

const char *po_gateway_url(request_rec *r)
{
    const char *url = po_config(r)->gateway_url;
    return url ? url : rest_self_url(r);
}

const char *po_keymgr_url(request_rec *r)
{
    const char *url = po_config(r)->keymgr_url;
    return url ? url : rest_self_url(r);
}

/* -- making and merging ------------------------------------------------------------------------------------
 */

void *po_create_server_config(apr_pool_t *p, server_rec *s)
{
    portal_config_t *conf = apr_pcalloc(p, sizeof(*conf));
    apim_common_config_init(&conf->common);
    conf->max_definition = UNSET;
    conf->self_signup = UNSET;
    conf->publish_wait = UNSET;
    return conf;
}

void *po_merge_server_config(apr_pool_t *p, void *basev, void *addv)
{
    portal_config_t *base = basev, *add = addv, *conf = apr_pcalloc(p, sizeof(*conf));
    apim_common_config_merge(&conf->common, &base->common, &add->common);
    conf->enabled = base->enabled || add->enabled;
    conf->max_definition = add->max_definition != UNSET ? add->max_definition : base->max_definition;
    conf->self_signup = add->self_signup != UNSET ? add->self_signup : base->self_signup;
    conf->publish_wait = add->publish_wait != UNSET ? add->publish_wait : base->publish_wait;
    conf->import_allow = add->import_allow ? add->import_allow : base->import_allow;
    conf->gateway_url = add->gateway_url ? add->gateway_url : base->gateway_url;
    conf->keymgr_url = add->keymgr_url ? add->keymgr_url : base->keymgr_url;
    conf->pages_dir = add->pages_dir ? add->pages_dir : base->pages_dir;
    return conf;
}

void *po_create_dir_config(apr_pool_t *p, char *dir)
{
    portal_dir_config_t *conf = apr_pcalloc(p, sizeof(*conf));
    conf->publisher = conf->store = conf->admin = UNSET;
    return conf;
}

void *po_merge_dir_config(apr_pool_t *p, void *basev, void *addv)
{
    portal_dir_config_t *base = basev, *add = addv, *conf = apr_pcalloc(p, sizeof(*conf));
    conf->publisher = add->publisher != UNSET ? add->publisher : base->publisher;
    conf->store = add->store != UNSET ? add->store : base->store;
    conf->admin = add->admin != UNSET ? add->admin : base->admin;
    return conf;
}

/* -- directives --------------------------------------------------------------------------------------------
 */

static const char *set_part(cmd_parms *cmd, void *dirv, int flag)
{
    *(int *)(void *)((char *)dirv + (apr_size_t)cmd->info) = flag;
    if (flag) {
        po_server_config(cmd->server)->enabled = 1;
    }
    return NULL;
}

static const char *set_max_definition(cmd_parms *cmd, void *dummy, const char *arg)
{
    int mib;
    const char *wrong;
    apr_size_t n = strlen(arg);
    const char *number =
        n > 1 && (arg[n - 1] == 'M' || arg[n - 1] == 'm') ? apr_pstrmemdup(cmd->pool, arg, n - 1) : arg;
    wrong = apim_config_int(cmd, number, 1, 200, &mib);
    if (wrong) {
        return apr_psprintf(cmd->pool,
                            "%s: '%s' is not usable; write a size in MiB from 1 to 200, such as 20M",
                            cmd->cmd->name, arg);
    }
    po_server_config(cmd->server)->max_definition = (apr_off_t)mib * MIB;
    return NULL;
}

static const char *set_self_signup(cmd_parms *cmd, void *dummy, int flag)
{
    po_server_config(cmd->server)->self_signup = flag;
    return NULL;
}

static const char *set_publish_wait(cmd_parms *cmd, void *dummy, const char *arg)
{
    return apim_config_duration(cmd, arg, 0, apr_time_from_sec(30),
                                &po_server_config(cmd->server)->publish_wait);
}

static const char *set_import_allow(cmd_parms *cmd, void *dummy, const char *arg)
{
    portal_config_t *conf = po_server_config(cmd->server);
    apr_ipsubnet_t *subnet;
    char *address = apr_pstrdup(cmd->pool, arg);
    char *mask = strchr(address, '/');
    if (mask) {
        *mask++ = '\0';
    }
    if (apr_ipsubnet_create(&subnet, address, mask, cmd->pool) != APR_SUCCESS) {
        return apr_psprintf(
            cmd->pool, "%s: '%s' is not usable; write an address or a network, such as 10.1.0.0/16 or ::1",
            cmd->cmd->name, arg);
    }
    conf->import_allow =
        conf->import_allow ? apr_pstrcat(cmd->pool, conf->import_allow, " ", arg, NULL) : arg;
    return NULL;
}

static const char *set_pages(cmd_parms *cmd, void *dummy, const char *arg)
{
    portal_config_t *conf = po_server_config(cmd->server);
    conf->pages_dir = strcasecmp(arg, "Off") == 0 ? "" : ap_server_root_relative(cmd->pool, arg);
    return conf->pages_dir ? NULL
                           : apr_psprintf(cmd->pool, "%s: '%s' is not usable; write a directory, or Off",
                                          cmd->cmd->name, arg);
}

static const char *set_url(cmd_parms *cmd, void *dummy, const char *arg)
{
    const char **member =
        (const char **)(void *)((char *)po_server_config(cmd->server) + (apr_size_t)cmd->info);
    apr_uri_t uri;
    apr_size_t n = strlen(arg);
    if (apr_uri_parse(cmd->temp_pool, arg, &uri) != APR_SUCCESS || !uri.scheme || !uri.hostname ||
        !*uri.hostname || (strcmp(uri.scheme, "http") != 0 && strcmp(uri.scheme, "https") != 0) || uri.user ||
        uri.query || uri.fragment) {
        return apr_psprintf(
            cmd->pool, "%s: '%s' is not usable; write a base URL such as https://gateway.example.org:8243",
            cmd->cmd->name, arg);
    }
    while (n && arg[n - 1] == '/') {
        n--;
    }
    *member = apr_pstrmemdup(cmd->pool, arg, n);
    return NULL;
}

#define DIR_MEMBER(NAME)    (void *)APR_OFFSETOF(portal_dir_config_t, NAME)
#define SERVER_MEMBER(NAME) (void *)APR_OFFSETOF(portal_config_t, NAME)

const command_rec po_commands[] = {
    APIM_COMMON_COMMANDS(&apim_portal_module),
    AP_INIT_FLAG("ApimPublisher", set_part, DIR_MEMBER(publisher), RSRC_CONF | ACCESS_CONF,
                 "On answers the Publisher's REST API below " PO_PUBLISHER_BASE " here (default Off)"),
    AP_INIT_FLAG("ApimStore", set_part, DIR_MEMBER(store), RSRC_CONF | ACCESS_CONF,
                 "On answers the Store's REST API below " PO_STORE_BASE " here (default Off)"),
    AP_INIT_FLAG("ApimAdmin", set_part, DIR_MEMBER(admin), RSRC_CONF | ACCESS_CONF,
                 "On answers the administrator's REST API below " PO_ADMIN_BASE " here (default Off)"),
    AP_INIT_FLAG("ApimSelfSignUp", set_self_signup, NULL, RSRC_CONF,
                 "On: anybody may register as a subscriber (default On)"),
    AP_INIT_TAKE1("ApimMaxDefinitionSize", set_max_definition, NULL, RSRC_CONF,
                  "largest API definition that may be imported, in MiB (default 20M)"),
    AP_INIT_TAKE1("ApimPublishWait", set_publish_wait, NULL, RSRC_CONF,
                  "how long a publication waits for the gateways to confirm it (default 1s)"),
    AP_INIT_ITERATE("ApimImportAllow", set_import_allow, NULL, RSRC_CONF,
                    "internal addresses or networks that an import by URL may reach (default none)"),
    AP_INIT_TAKE1("ApimPages", set_pages, NULL, RSRC_CONF,
                  "directory of the web pages, or Off (default: where make install put them)"),
    AP_INIT_TAKE1("ApimGatewayUrl", set_url, SERVER_MEMBER(gateway_url), RSRC_CONF,
                  "base URL under which APIs are called (default: the URL the portal is called by)"),
    AP_INIT_TAKE1(
        "ApimKeyManagerUrl", set_url, SERVER_MEMBER(keymgr_url), RSRC_CONF,
        "base URL of the Key Manager's public endpoints (default: the URL the portal is called by)"),
    {NULL}};
