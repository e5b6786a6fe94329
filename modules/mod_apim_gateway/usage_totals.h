/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GW_USAGE_TOTALS_H
#define GW_USAGE_TOTALS_H

#include <stddef.h>

#include "usage_table.h"

/*
 * What each API's calls come to since httpd was started, for metrics: in memory that all children share and
 * that outlives graceful restarts. One thread of the node adds (the one that adds usage up), any thread
 * reads. APIs past GW_USAGE_TOTALS_APIS are added up in one entry without a name.
 */
#define GW_USAGE_TOTALS_APIS 1000

typedef struct gw_usage_total_t {
    char api[GW_USAGE_NAME];
    char version[32];
    apim_usage_sums_t sums;
    apr_int64_t status[6]; /* calls by class: [2] for 2xx */
    apr_int64_t refused, throttled;
} gw_usage_total_t;

typedef struct gw_usage_totals_t gw_usage_totals_t;

/** Bytes that they need; zeroed memory is an empty one. */
size_t gw_usage_totals_size(void);

/** Adds everything in a table. */
void gw_usage_totals_add(gw_usage_totals_t *totals, const gw_usage_table_t *table);

/** Reads entry i; 0 past the last. */
int gw_usage_totals_get(const gw_usage_totals_t *totals, unsigned int i, gw_usage_total_t *out);

#endif
