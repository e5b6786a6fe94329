/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GW_PROXY_FUNCTIONS_H
#define GW_PROXY_FUNCTIONS_H

#include <mod_proxy.h>

/*
 * What the gateway calls in mod_proxy, looked up by name once all modules are loaded. Linked in the usual way
 * mod_apim_gateway could only be loaded after mod_proxy; a2enmod's .load files are read in the order of the
 * alphabet.
 */
typedef struct gw_proxy_functions_t {
    __typeof__(proxy_hook_pre_request) *hook_pre_request;
    __typeof__(ap_proxy_define_worker_ex) *define_worker;
    __typeof__(ap_proxy_initialize_worker) *initialize_worker;
} gw_proxy_functions_t;

/** Call in pre_config. NULL if mod_proxy is not loaded; else valid until the configuration is read again. */
const gw_proxy_functions_t *gw_proxy_functions_find(void);

/** What was found; call where check_config has made sure of mod_proxy. */
const gw_proxy_functions_t *gw_proxy_functions(void);

#endif
