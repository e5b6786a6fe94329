/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GW_METRICS_H
#define GW_METRICS_H

#include <httpd.h>

/** The gateway's part of apim-metrics (httpd/metrics.h): each API's calls since httpd was started. */
void gw_metrics_of_apis(request_rec *r);

#endif
