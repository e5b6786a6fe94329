/* SPDX-License-Identifier: Apache-2.0 */
#include <apr_strings.h>

#include "offered_grants.h"
#include "portal.h"
#include "publisher.h"

/* The Key Managers that applications can have keys of: the one of this system. */

apim_error_t *po_key_managers_list(rest_request_t *rq)
{
    const char *base = po_keymgr_url(rq->r);
    json_t *grants = po_offered_grants(rq);
    json_t *one = json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:b, s:b, s:b, s:b, s:o}", "id", "Resident Key Manager", "name",
        "Resident Key Manager", "displayName", "Resident Key Manager", "type", "default", "description",
        "This system's own Key Manager", "enabled", 1, "enableTokenGeneration", 1, "enableOAuthAppCreation",
        1, "enableMapOAuthConsumerApps", 0, "availableGrantTypes", grants);
    apim_json_set_str(one, "tokenEndpoint", apr_pstrcat(rq->pool, base, "/oauth2/token", NULL));
    apim_json_set_str(one, "revokeEndpoint", apr_pstrcat(rq->pool, base, "/oauth2/revoke", NULL));
    apim_json_set_str(one, "authorizeEndpoint", apr_pstrcat(rq->pool, base, "/oauth2/authorize", NULL));
    apim_json_set_str(one, "userInfoEndpoint", apr_pstrcat(rq->pool, base, "/oauth2/userinfo", NULL));
    return rest_reply_json(rq->r, 200, json_pack("{s:i, s:[o]}", "count", 1, "list", one));
}
