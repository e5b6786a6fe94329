/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PO_OFFERED_GRANTS_H
#define PO_OFFERED_GRANTS_H

#include "portal.h"

/** The grant types that keys can be generated with: those that the Key Manager offers, or the usual ones
 * while it cannot be asked. An array; the caller owns it. */
json_t *po_offered_grants(rest_request_t *rq);

#endif
