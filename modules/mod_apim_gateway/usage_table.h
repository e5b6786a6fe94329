/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GW_USAGE_TABLE_H
#define GW_USAGE_TABLE_H

#include <apr_pools.h>
#include <jansson.h>

#include "apim_usage.h"
#include "usage_ring.h"

/*
 * Adds calls up: one series for each minute, API, resource, verb, application, user, tier, kind of key,
 * status class and code. Of one thread; its memory is a pool of its own and bounded by the number of series:
 * past GW_USAGE_SERIES a new one is counted without user and resource, so that no flood of names makes it
 * grow.
 */
#define GW_USAGE_SERIES 20000

typedef struct gw_usage_table_t gw_usage_table_t;

/** An empty table in a pool below p. */
gw_usage_table_t *gw_usage_table_create(apr_pool_t *p);

/** Counts one call. */
void gw_usage_table_add(gw_usage_table_t *table, const gw_usage_record_t *record);

/** How many series there are. */
unsigned int gw_usage_table_count(const gw_usage_table_t *table);

/** Calls fn for each series: a record that has what its calls have in common, and their sums. */
typedef void gw_usage_series_fn(void *baton, const gw_usage_record_t *record, const apim_usage_sums_t *sums);
void gw_usage_table_each(const gw_usage_table_t *table, gw_usage_series_fn *fn, void *baton);

/** Its rows as apim_usage.h has them; the caller owns the array. NULL: no memory. */
json_t *gw_usage_table_rows(const gw_usage_table_t *table);

/** Forgets all. */
void gw_usage_table_clear(gw_usage_table_t *table);

#endif
