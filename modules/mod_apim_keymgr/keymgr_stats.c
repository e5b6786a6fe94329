/* SPDX-License-Identifier: Apache-2.0 */
#include "keymgr_stats.h"

#include <apr_optional_hooks.h>
#include <apr_shm.h>
#include <http_config.h>
#include <http_protocol.h>
#include <mod_status.h>
#include <string.h>

#include "httpd/metrics.h"

#define RETAINED "apim_keymgr_stats/2"

typedef struct stats_t {
    apr_uint64_t value[KM_COUNTERS];
} stats_t;

/* Labels of the page and of ?auto, in the order of km_counter_e. */
static const struct {
    const char *title;
    const char *key;
} labels[KM_COUNTERS] = {{"Tokens issued", "ApimKeymgrTokensIssued"},
                         {"Tokens refreshed", "ApimKeymgrTokensRefreshed"},
                         {"Tokens revoked", "ApimKeymgrTokensRevoked"},
                         {"Refresh tokens used twice", "ApimKeymgrRefreshReused"},
                         {"Client log-ins refused", "ApimKeymgrClientsRefused"},
                         {"User log-ins failed", "ApimKeymgrLoginsFailed"},
                         {"Verifications", "ApimKeymgrVerified"},
                         {"Verifications refused", "ApimKeymgrVerifyRefused"},
                         {"Expired rows removed", "ApimKeymgrRowsCleaned"},
                         {"Rows recalled without a statement", "ApimKeymgrRecalled"},
                         {"Rows read to be recalled", "ApimKeymgrRecallMisses"}};

static stats_t *stats;

const char *km_stats_setup(server_rec *s)
{
    stats_t **kept = ap_retained_data_get(RETAINED);
    apr_shm_t *shm;
    if (!kept) {
        if (apr_shm_create(&shm, sizeof(stats_t), NULL, s->process->pool) != APR_SUCCESS) {
            return "no shared memory for the counters";
        }
        kept = ap_retained_data_create(RETAINED, sizeof(*kept));
        *kept = apr_shm_baseaddr_get(shm);
        memset(*kept, 0, sizeof(**kept));
    }
    stats = *kept;
    return NULL;
}

void km_count_n(km_counter_e counter, apr_uint64_t n)
{
    if (stats) {
        __atomic_fetch_add(&stats->value[counter], n, __ATOMIC_RELAXED);
    }
}

void km_count(km_counter_e counter)
{
    km_count_n(counter, 1);
}

static int status_hook(request_rec *r, int flags)
{
    int i;
    if (!stats) {
        return DECLINED;
    }
    if (!(flags & AP_STATUS_SHORT)) {
        ap_rputs("<hr />\n<h2>API Manager: Key Manager</h2>\n<table border=\"0\">", r);
    }
    for (i = 0; i < KM_COUNTERS; i++) {
        apr_uint64_t n = __atomic_load_n(&stats->value[i], __ATOMIC_RELAXED);
        if (flags & APIM_METRICS_FLAG) {
            apim_metrics_fact(r, "keymgr", labels[i].key + sizeof("ApimKeymgr") - 1, labels[i].title,
                              (apr_int64_t)n);
        }
        else if (flags & AP_STATUS_SHORT) {
            ap_rprintf(r, "%s: %" APR_UINT64_T_FMT "\n", labels[i].key, n);
        }
        else {
            ap_rprintf(r, "<tr><td>%s</td><td>%" APR_UINT64_T_FMT "</td></tr>\n", labels[i].title, n);
        }
    }
    if (!(flags & AP_STATUS_SHORT)) {
        ap_rputs("</table>\n", r);
    }
    return OK;
}

static void metrics(request_rec *r)
{
    status_hook(r, AP_STATUS_SHORT | APIM_METRICS_FLAG);
}

void km_stats_register_status(apr_pool_t *p)
{
    apim_metrics_register("keymgr", metrics);
    APR_OPTIONAL_HOOK(ap, status_hook, status_hook, NULL, NULL, APR_HOOK_MIDDLE);
}
