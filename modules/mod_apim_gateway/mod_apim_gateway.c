/* SPDX-License-Identifier: Apache-2.0 */
#include <httpd.h>
#include <http_config.h>
#include <http_log.h>

#include "httpd/common_config.h"
#include "httpd/db_pool.h"
#include "httpd/keymgr_call.h"

APIM_EXPORT_MODULE(apim_gateway);
APLOG_USE_MODULE(apim_gateway);

typedef struct gateway_config_t {
    apim_common_config_t common; /* first: see common_config.h */
} gateway_config_t;

static void *create_server_config(apr_pool_t *p, server_rec *s)
{
    gateway_config_t *conf = apr_pcalloc(p, sizeof(*conf));
    apim_common_config_init(&conf->common);
    return conf;
}

static void *merge_server_config(apr_pool_t *p, void *basev, void *addv)
{
    gateway_config_t *base = basev, *add = addv, *conf = apr_pcalloc(p, sizeof(*conf));
    apim_common_config_merge(&conf->common, &base->common, &add->common);
    return conf;
}

static const command_rec commands[] = {APIM_COMMON_COMMANDS(&apim_gateway_module), {NULL}};

static void register_hooks(apr_pool_t *p)
{
}

module AP_MODULE_DECLARE_DATA apim_gateway_module = {
    STANDARD20_MODULE_STUFF, NULL, NULL, create_server_config, merge_server_config, commands, register_hooks, 0};
