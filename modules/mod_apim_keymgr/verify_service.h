/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KM_VERIFY_SERVICE_H
#define KM_VERIFY_SERVICE_H

#include "token_lookup.h"
#include "apim_json.h"

/* The operations verify and introspect of docs/architecture.md ("Between the roles"). *out belongs to
 * call->pool. */

apim_error_t *km_verify(const km_call_t *call, const json_t *in, json_t **out);
apim_error_t *km_introspect(const km_call_t *call, const json_t *in, json_t **out);

#endif
