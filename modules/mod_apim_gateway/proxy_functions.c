/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy_functions.h"

#include <dlfcn.h>

static gw_proxy_functions_t found;

const gw_proxy_functions_t *gw_proxy_functions_find(void)
{
    *(void **)&found.hook_pre_request = dlsym(RTLD_DEFAULT, "proxy_hook_pre_request");
    *(void **)&found.define_worker = dlsym(RTLD_DEFAULT, "ap_proxy_define_worker_ex");
    *(void **)&found.initialize_worker = dlsym(RTLD_DEFAULT, "ap_proxy_initialize_worker");
    return found.hook_pre_request && found.define_worker && found.initialize_worker ? &found : NULL;
}

const gw_proxy_functions_t *gw_proxy_functions(void)
{
    return &found;
}
