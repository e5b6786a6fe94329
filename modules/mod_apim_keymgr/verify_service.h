/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KM_VERIFY_SERVICE_H
#define KM_VERIFY_SERVICE_H

#include "token_lookup.h"
#include "apim_json.h"

/* The operations verify and introspect of docs/architecture.md ("Between the roles"). *out belongs to call->pool. */

apim_error_t *km_verify(const km_call_t *call, const json_t *in, json_t **out);
apim_error_t *km_introspect(const km_call_t *call, const json_t *in, json_t **out);

/** 1 if address is in a comma-separated list of addresses and CIDR blocks; an empty list permits all. */
int km_address_permitted(apr_pool_t *p, const char *list, const char *address);

/** 1 if referer fits one of the comma-separated patterns ("*" stands for anything); an empty list permits all. */
int km_referer_permitted(apr_pool_t *p, const char *list, const char *referer);

#endif
