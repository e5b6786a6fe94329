/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KM_LOG_H
#define KM_LOG_H

/* For the files of this module that write to the error log: whose LogLevel counts. */
#include "httpd/common_config.h"

APIM_EXPORT_MODULE(apim_keymgr);
#include <http_log.h>
APLOG_USE_MODULE(apim_keymgr);

#endif
