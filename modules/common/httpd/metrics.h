/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APIM_METRICS_H
#define APIM_METRICS_H

#include <httpd.h>

/*
 * For Prometheus: the handler apim-metrics (SetHandler in a <Location>) answers GET and HEAD in its text
 * format (version 0.0.4) with what the roles of this httpd tell, and apim_up for each of them
 * (httpd/health.h). It opens no database. The roles find each other by optional functions, so any of the
 * modules may answer for all of them.
 */
#define APIM_METRICS_FLAG 0x4000 /* beside AP_STATUS_SHORT: a status hook's numbers are wanted as metrics */

/** Writes the role's metrics to r. Called from any request thread, on the node where the role is switched on.
 */
typedef void apim_metrics_fn(request_rec *r);

/** For register_hooks: the role ("gateway", "keymgr", "portal") is asked from now on, and this module can
 * answer. */
void apim_metrics_register(const char *role, apim_metrics_fn *fn);

/** Begins a family: its HELP and TYPE ("counter", "gauge", "histogram", "untyped"). */
void apim_metrics_family(request_rec *r, const char *name, const char *type, const char *help);

/** A sample. labels: "api=\"x\",version=\"1\"" with values from apim_metrics_label, or "" . */
void apim_metrics_sample(request_rec *r, const char *name, const char *labels, double value);

/** A label's value, escaped, in r->pool. */
const char *apim_metrics_label(request_rec *r, const char *value);

/** A number of the status page as a metric: key "CacheHits" of the role gateway becomes
 * apim_gateway_cache_hits. */
void apim_metrics_fact(request_rec *r, const char *role, const char *key, const char *title,
                       apr_int64_t value);

#endif
