/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KM_REGISTRANT_H
#define KM_REGISTRANT_H

#include "user_store.h"

/** The user who registers a client: by Basic credentials or by a Bearer access token (see registration.h).
 * 401 otherwise, with a WWW-Authenticate that fits. */
apim_error_t *km_registrant(const km_call_t *call, km_user_t **out);

/** The text behind "Authorization: Bearer ", NULL if there is none. */
const char *km_bearer(request_rec *r);

#endif
