/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KM_TOKEN_ID_H
#define KM_TOKEN_ID_H

#include <apr_pools.h>

/** A new token id: UUID version 7 (RFC 9562), so that it carries the millisecond it was issued in. */
const char *km_token_id(apr_pool_t *p, apr_int64_t ms);
/** The millisecond of such an id; fallback if it is none. */
apr_int64_t km_token_id_time(const char *id, apr_int64_t fallback);

#endif
