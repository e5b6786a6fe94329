/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KM_REGISTRATION_H
#define KM_REGISTRATION_H

#include "keymgr_config.h"

/*
 * Clients that register themselves. Who registers shows a user's name and password (Basic) or that user's
 * access token (Bearer, with one of the scopes apim:subscribe, apim:app_manage, apim:admin); the client is
 * then that user's.
 *
 * WSO2's registration answers a second request for the same name and owner with the client that is there and
 * its secret, so that scripts may run again.
 */
#define KM_REGISTER_PATH "/oauth2/register"

/* They write their answer to call->r and return OK. */
int km_endpoint_register(const km_call_t *call); /* RFC 7591: POST /oauth2/register */
int km_endpoint_registered(
    const km_call_t *call); /* RFC 7592: GET, PUT, DELETE /oauth2/register/{client_id} */
int km_endpoint_wso2_register(const km_call_t *call); /* POST /client-registration/v0.17/register */

#endif
