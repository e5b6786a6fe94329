/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway.h"

/* Authorization is not connected yet: nothing that needs credentials is let through. */
const char *gw_authorize_post_config(apr_pool_t *pconf, server_rec *main_server)
{
    return NULL;
}

void gw_authorize_child_init(apr_pool_t *pchild, server_rec *main_server)
{
}

apim_error_t *gw_authorize(request_rec *r, gw_call_t *call)
{
    if (call->operation->auth_type == GW_AUTH_NONE) {
        return NULL;
    }
    return apim_error(r->pool, 503, 900900, "Unclassified Authentication Failure", "Authorization is not available.");
}

void gw_authorize_status(request_rec *r, int flags)
{
}

void gw_mark_stale(const char *kind, const char *subject)
{
}

void gw_mark_all_stale(void)
{
}
