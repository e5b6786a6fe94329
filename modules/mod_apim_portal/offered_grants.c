/* SPDX-License-Identifier: Apache-2.0 */
#include "offered_grants.h"

#include "httpd/keymgr_call.h"

json_t *po_offered_grants(rest_request_t *rq)
{
    json_t *in = apim_json_own(rq->pool, json_object()), *out = NULL;
    apim_error_t *err = apim_keymgr_call(rq->r, &po_config(rq->r)->common, "grant-types", in, &out);
    json_t *grants = err ? NULL : json_object_get(out, "grantTypes");
    return json_is_array(grants)
               ? json_incref(grants)
               : json_pack("[s, s, s]", "client_credentials", "authorization_code", "refresh_token");
}
