/* SPDX-License-Identifier: Apache-2.0 */
#include <httpd.h>
#include <http_config.h>
#include <http_log.h>

#include "httpd/common_config.h"
#include "httpd/db_pool.h"
#include "httpd/keymgr_call.h"

APIM_EXPORT_MODULE(apim_portal);
APLOG_USE_MODULE(apim_portal);

typedef struct portal_config_t {
    apim_common_config_t common; /* first: see common_config.h */
} portal_config_t;

static void *create_server_config(apr_pool_t *p, server_rec *s)
{
    portal_config_t *conf = apr_pcalloc(p, sizeof(*conf));
    apim_common_config_init(&conf->common);
    return conf;
}

static void *merge_server_config(apr_pool_t *p, void *basev, void *addv)
{
    portal_config_t *base = basev, *add = addv, *conf = apr_pcalloc(p, sizeof(*conf));
    apim_common_config_merge(&conf->common, &base->common, &add->common);
    return conf;
}

static const command_rec commands[] = {APIM_COMMON_COMMANDS(&apim_portal_module), {NULL}};

static void register_hooks(apr_pool_t *p)
{
}

module AP_MODULE_DECLARE_DATA apim_portal_module = {
    STANDARD20_MODULE_STUFF, NULL, NULL, create_server_config, merge_server_config, commands, register_hooks, 0};
