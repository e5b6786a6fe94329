/* SPDX-License-Identifier: Apache-2.0 */
#include "usage_totals.h"

#include <string.h>

struct gw_usage_totals_t {
    unsigned int count; /* grows once an entry is complete */
    gw_usage_total_t entry[GW_USAGE_TOTALS_APIS + 1];
};

size_t gw_usage_totals_size(void)
{
    return sizeof(gw_usage_totals_t);
}

static gw_usage_total_t *entry_of(gw_usage_totals_t *totals, const char *api, const char *version)
{
    unsigned int i, n = totals->count;
    gw_usage_total_t *entry;
    for (i = 0; i < n; i++) {
        entry = &totals->entry[i];
        if (strcmp(entry->api, api) == 0 && strcmp(entry->version, version) == 0) {
            return entry;
        }
    }
    if (n == GW_USAGE_TOTALS_APIS && *api) {
        return entry_of(totals, "", "");
    }
    if (n > GW_USAGE_TOTALS_APIS) {
        return &totals->entry[GW_USAGE_TOTALS_APIS];
    }
    entry = &totals->entry[n];
    memcpy(entry->api, api, strlen(api) + 1);
    memcpy(entry->version, version, strlen(version) + 1);
    __atomic_store_n(&totals->count, n + 1, __ATOMIC_RELEASE);
    return entry;
}

/* One writer: plain additions, stored so that a reader never sees half a number. */
static void add(apr_int64_t *to, apr_int64_t n)
{
    __atomic_store_n(to, *to + n, __ATOMIC_RELAXED);
}

static void add_series(void *baton, const gw_usage_record_t *r, const apim_usage_sums_t *sums)
{
    gw_usage_total_t *entry = entry_of(baton, r->api_name, r->api_version);
    int i, class = r->status / 100;
    add(&entry->sums.calls, sums->calls);
    add(&entry->sums.total_us, sums->total_us);
    add(&entry->sums.backend_us, sums->backend_us);
    add(&entry->sums.bytes_in, sums->bytes_in);
    add(&entry->sums.bytes_out, sums->bytes_out);
    for (i = 0; i < APIM_USAGE_BUCKETS; i++) {
        add(&entry->sums.bucket[i], sums->bucket[i]);
    }
    add(&entry->status[class >= 0 && class < 6 ? class : 0], sums->calls);
    add(&entry->refused, r->code ? sums->calls : 0);
    add(&entry->throttled, r->code >= 900800 && r->code <= 900804 ? sums->calls : 0);
}

void gw_usage_totals_add(gw_usage_totals_t *totals, const gw_usage_table_t *table)
{
    gw_usage_table_each(table, add_series, totals);
}

int gw_usage_totals_get(const gw_usage_totals_t *totals, unsigned int i, gw_usage_total_t *out)
{
    if (i >= __atomic_load_n(&totals->count, __ATOMIC_ACQUIRE)) {
        return 0;
    }
    *out = totals->entry[i];
    return 1;
}
