/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APIM_PORTAL_USAGE_RESOURCE_H
#define APIM_PORTAL_USAGE_RESOURCE_H

#include "portal.h"

/** GET /usage (Publisher; query apiId, applicationId) and GET /applications/{applicationId}/usage (Store;
 * query apiId): calls that gateways counted, between from and to, added up by one of time, api, resource,
 * application, user, tier, status, code and node. 400 says what a query parameter should be. */
rest_handler_fn po_usage_read, st_usage_read;

#endif
