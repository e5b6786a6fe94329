/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy_run.h"

#include <http_config.h>
#include <http_request.h>
#include <string.h>

int apim_proxy_run(request_rec *r)
{
    const apr_array_header_t *hooks = ap_hook_get_handler();
    const ap_LINK_handler_t *link = (const ap_LINK_handler_t *)(const void *)hooks->elts;
    int i;
    for (i = 0; i < hooks->nelts; i++) {
        if (strcmp(link[i].szName, "mod_proxy.c") == 0) {
            return link[i].pFunc(r);
        }
    }
    return HTTP_SERVICE_UNAVAILABLE;
}

int apim_proxy_fixup(request_rec *r)
{
    const apr_array_header_t *hooks = ap_hook_get_fixups();
    const ap_LINK_fixups_t *link = (const ap_LINK_fixups_t *)(const void *)hooks->elts;
    int i;
    for (i = 0; i < hooks->nelts; i++) {
        if (strcmp(link[i].szName, "mod_proxy.c") == 0) {
            return link[i].pFunc(r);
        }
    }
    return HTTP_SERVICE_UNAVAILABLE;
}
