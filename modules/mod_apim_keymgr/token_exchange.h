/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KM_TOKEN_EXCHANGE_H
#define KM_TOKEN_EXCHANGE_H

#include <apr_tables.h>

#include "token_service.h"

/*
 * Token exchange (RFC 8693): a client shows an access token of a user (or its own, or an ID token that it was
 * given) and gets one that is its own, for the same user. The new token has no scope and no target that the
 * old one has not, ends with it at the latest, and is revoked with it.
 *
 * Delegation: with an actor_token the new token says in act who acts. Who may is said by may_act in the
 * registration of the client that the subject token was issued to; where that says nothing, the client that
 * exchanges may name itself.
 */
#define KM_GRANT_EXCHANGE "urn:ietf:params:oauth:grant-type:token-exchange"

/** Answers a token request of that grant. 400: invalid_request if a parameter or a token is not acceptable
 * (one text for every reason that a token is not), invalid_scope, invalid_target. */
apim_error_t *km_exchange(const km_call_t *call, const km_client_t *client, const apr_table_t *form,
                          const km_wanted_t *wanted, km_issued_t **out);

/** Checks may_act of a registration: an object with sub, a consumer key or a user's name, alone. NULL is
 * fine. */
apim_error_t *km_check_may_act(apr_pool_t *p, const json_t *may_act);

#endif
