/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GW_CREDENTIALS_H
#define GW_CREDENTIALS_H

#include "gateway.h"

/*
 * What a caller shows: an OAuth 2.0 bearer token (RFC 6750, in the header the API names; the scheme in any
 * case) or an API key (in the header the API names, or the query parameter "apikey"). Only what the API's
 * security schemes allow is a credential; anything else that looks like one belongs to the back end and
 * stays.
 */
typedef enum { GW_CREDENTIAL_NONE, GW_CREDENTIAL_TOKEN, GW_CREDENTIAL_API_KEY } gw_credential_e;

typedef struct gw_credential_t {
    gw_credential_e kind;
    const char *value;
    apr_size_t len;
} gw_credential_t;

/**
 * Finds the credential of a call and takes it out of the request (headers, and call->args instead of r->args)
 * unless the API passes credentials on. Credentials are taken out even where none are needed: they are for
 * us. 401 900901 for malformed or oversized ones and for more than one; none at all is no error here.
 */
apim_error_t *gw_credentials_take(request_rec *r, gw_call_t *call, gw_credential_t *credential);

#endif
