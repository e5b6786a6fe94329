/* SPDX-License-Identifier: Apache-2.0 */
#include "portal.h"

const rest_route_t po_admin_routes[] = {{NULL}};
