/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KM_CLIENT_OPERATIONS_H
#define KM_CLIENT_OPERATIONS_H

#include "apim_json.h"
#include "keymgr_config.h"

/* Operations of docs/architecture.md that a portal runs for an application's keys. *out belongs to
 * call->pool. */

apim_error_t *km_client_create(const km_call_t *call, const json_t *in, json_t **out);
apim_error_t *km_client_get(const km_call_t *call, const json_t *in, json_t **out);
apim_error_t *km_client_change(const km_call_t *call, const json_t *in, json_t **out);
apim_error_t *km_client_regenerate_secret(const km_call_t *call, const json_t *in, json_t **out);
apim_error_t *km_client_add_secret(const km_call_t *call, const json_t *in, json_t **out);
apim_error_t *km_client_list_secrets(const km_call_t *call, const json_t *in, json_t **out);
apim_error_t *km_client_revoke_secret(const km_call_t *call, const json_t *in, json_t **out);
apim_error_t *km_client_drop(const km_call_t *call, const json_t *in, json_t **out);
apim_error_t *km_token_generate(const km_call_t *call, const json_t *in, json_t **out);
apim_error_t *km_user_revoke(const km_call_t *call, const json_t *in, json_t **out);

#endif
