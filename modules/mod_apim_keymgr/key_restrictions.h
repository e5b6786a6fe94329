/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KM_KEY_RESTRICTIONS_H
#define KM_KEY_RESTRICTIONS_H

#include <apr_pools.h>

/* Where an API key may be used from. */

/** 1 if address is in a comma-separated list of addresses and CIDR blocks; an empty list permits all. */
int km_address_permitted(apr_pool_t *p, const char *list, const char *address);

/** 1 if referer fits one of the comma-separated patterns ("*" stands for anything); an empty list permits
 * all. */
int km_referer_permitted(apr_pool_t *p, const char *list, const char *referer);

#endif
