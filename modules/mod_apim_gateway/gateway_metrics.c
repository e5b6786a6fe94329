/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway_metrics.h"

#include <apr_strings.h>

#include "httpd/metrics.h"
#include "shared_state.h"

#define BASE "apim_gateway_"

typedef struct sample_t {
    gw_usage_total_t total;
    const char *labels;
} sample_t;

typedef struct samples_t {
    sample_t *item;
    int count;
} samples_t;

static samples_t read_all(request_rec *r, const gw_usage_totals_t *totals)
{
    apr_array_header_t *all = apr_array_make(r->pool, 16, sizeof(sample_t));
    sample_t sample;
    unsigned int i;
    for (i = 0; gw_usage_totals_get(totals, i, &sample.total); i++) {
        sample.labels = apr_pstrcat(r->pool, "api=\"", apim_metrics_label(r, sample.total.api),
                                    "\",version=\"", apim_metrics_label(r, sample.total.version), "\"", NULL);
        APR_ARRAY_PUSH(all, sample_t) = sample;
    }
    return (samples_t){(sample_t *)(void *)all->elts, all->nelts};
}

static void by_class(request_rec *r, const samples_t *all)
{
    int i, class;
    apim_metrics_family(r, BASE "calls_total", "counter", "Calls by class of their status");
    for (i = 0; i < all->count; i++) {
        for (class = 1; class < 6; class ++) {
            if (all->item[i].total.status[class]) {
                apim_metrics_sample(r, BASE "calls_total",
                                    apr_psprintf(r->pool, "%s,status=\"%dxx\"", all->item[i].labels, class),
                                    (double)all->item[i].total.status[class]);
            }
        }
    }
}

typedef apr_int64_t (*pick_fn)(const gw_usage_total_t *total);

static void one_number(request_rec *r, const samples_t *all, const char *name, const char *help, pick_fn pick,
                       double unit)
{
    int i;
    apim_metrics_family(r, name, "counter", help);
    for (i = 0; i < all->count; i++) {
        apim_metrics_sample(r, name, all->item[i].labels, (double)pick(&all->item[i].total) * unit);
    }
}

static apr_int64_t refused(const gw_usage_total_t *total)
{
    return total->refused;
}

static apr_int64_t throttled(const gw_usage_total_t *total)
{
    return total->throttled;
}

static apr_int64_t backend_time(const gw_usage_total_t *total)
{
    return total->sums.backend_us;
}

static apr_int64_t bytes_in(const gw_usage_total_t *total)
{
    return total->sums.bytes_in;
}

static apr_int64_t bytes_out(const gw_usage_total_t *total)
{
    return total->sums.bytes_out;
}

static void histogram_of(request_rec *r, const sample_t *sample)
{
    apr_int64_t below = 0;
    int i;
    for (i = 0; i < APIM_USAGE_BUCKETS; i++) {
        int bound = apim_usage_bound(i);
        const char *le = bound < 0 ? "+Inf" : apr_psprintf(r->pool, "%g", bound / 1000.0);
        below += sample->total.sums.bucket[i];
        apim_metrics_sample(r, BASE "call_seconds_bucket",
                            apr_pstrcat(r->pool, sample->labels, ",le=\"", le, "\"", NULL), (double)below);
    }
    apim_metrics_sample(r, BASE "call_seconds_sum", sample->labels,
                        (double)sample->total.sums.total_us / 1e6);
    apim_metrics_sample(r, BASE "call_seconds_count", sample->labels, (double)below);
}

void gw_metrics_of_apis(request_rec *r)
{
    const gw_usage_totals_t *totals = gw_shared_totals();
    samples_t all;
    int i;
    if (!totals) {
        return;
    }
    all = read_all(r, totals);
    by_class(r, &all);
    one_number(r, &all, BASE "refused_total", "Calls refused by the gateway", refused, 1);
    one_number(r, &all, BASE "throttled_total", "Calls over a limit", throttled, 1);
    one_number(r, &all, BASE "backend_seconds_total", "Time until the back ends' first bytes", backend_time,
               1e-6);
    one_number(r, &all, BASE "request_bytes_total", "Bodies received", bytes_in, 1);
    one_number(r, &all, BASE "response_bytes_total", "Bodies sent", bytes_out, 1);
    apim_metrics_family(r, BASE "call_seconds", "histogram",
                        "Time from the request to the last byte of the answer");
    for (i = 0; i < all.count; i++) {
        histogram_of(r, &all.item[i]);
    }
}
