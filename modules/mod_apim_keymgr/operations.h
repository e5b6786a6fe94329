/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KM_OPERATIONS_H
#define KM_OPERATIONS_H

#include "apim_json.h"
#include "keymgr_config.h"

/** Runs one of the operations of docs/architecture.md ("Between the roles"). *out belongs to call->pool. 404
 * if there is no such operation. Whoever calls is trusted: the cluster secret or being in the same process
 * comes first. */
apim_error_t *km_operation(const km_call_t *call, const char *name, const json_t *in, json_t **out);

/** Answers POST /internal/keymgr/v1/{operation}; without the cluster secret there is nothing here (404).
 * Returns OK. */
int km_endpoint_internal(const km_call_t *call, const char *operation);

#endif
