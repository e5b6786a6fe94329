/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KM_API_KEY_SERVICE_H
#define KM_API_KEY_SERVICE_H

#include "apim_json.h"
#include "keymgr_config.h"

/*
 * API keys: JWTs of type apikey+jwt signed with our keys. The database holds their id and what they are bound
 * to, never the key itself; deleting the row revokes it. Operations api-key-generate and api-key-revoke of
 * docs/architecture.md.
 */
apim_error_t *km_api_key_generate(const km_call_t *call, const json_t *in, json_t **out);
apim_error_t *km_api_key_revoke(const km_call_t *call, const json_t *in, json_t **out);

#endif
