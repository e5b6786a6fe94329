/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KM_PUSHED_REQUEST_H
#define KM_PUSHED_REQUEST_H

#include "keymgr_config.h"

/*
 * Pushed authorization requests (RFC 9126): the client hands the request over itself, and sends the browser
 * with a request_uri only. That is the request sealed under the cluster secret for this client: nothing is
 * stored, any Key Manager reads it, nobody else does. It may begin log-ins for KM_PUSHED_LIFETIME and ends in
 * one code at most.
 */
#define KM_PAR_PATH        "/oauth2/par"
#define KM_PUSHED_LIFETIME 90 /* s */

/** POST /oauth2/par. Writes its answer to call->r and returns OK. */
int km_endpoint_par(const km_call_t *call);

/** Replaces *params by the pushed ones if they hold a request_uri; *pushed tells. In the end they hold
 * KM_PUSHED_ID only if they were. An error (unknown, another client's, too old) is for the person: no
 * redirect_uri is known. */
apim_error_t *km_pushed_resolve(const km_call_t *call, apr_table_t **params, int *pushed);

/** 1 if these parameters were pushed: km_pushed_resolve found them. */
int km_pushed_is(const apr_table_t *params);

/** Seals form as that client's request: *uri is what the browser brings as request_uri. form gets a client_id
 * and loses credentials. 400 if it is too long. */
apim_error_t *km_pushed_seal(const km_call_t *call, const char *client_id, apr_table_t *form,
                             const char **uri);

/** To be called when params end in a code: 400 if they have before. */
apim_error_t *km_pushed_use(const km_call_t *call, const apr_table_t *params);

#endif
