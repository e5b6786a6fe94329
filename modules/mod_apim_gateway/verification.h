/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GW_VERIFICATION_H
#define GW_VERIFICATION_H

#include <jansson.h>

#include "credentials.h"
#include "shared_state.h"

/* What the Key Manager said about a credential and an API. Strings are never NULL; they live with the
 * request. */
typedef struct gw_answer_t {
    int authorized;
    int code;                /* of a refusal, WSO2's; 0 if authorized */
    int sandbox;             /* a SANDBOX key */
    int by_user;             /* the token was issued to a user (APPLICATION_USER) */
    apr_int64_t expires_at;  /* ms since the epoch, 0: never */
    const char *description; /* of a refusal */
    const char *token_id;
    const char *consumer_key;
    const char *username;
    const char *application_id;
    const char *application_name;
    const char *application_tier;
    const char *application_owner;
    const char *subscription_id;
    const char *subscription_tier;
    const char *scopes; /* blank-separated */
} gw_answer_t;

/* A child's means to verify. */
typedef struct gw_verifier_t {
    gw_shared_state_t *shared;
    gw_keymgr_gate_t *gate;
} gw_verifier_t;

/**
 * Says whether the credential may call the API: from the shared cache; else the Key Manager is asked, once
 * for all that wait. *answer is a grant or a refusal; a refusal is no error. Error: 503 900900 with
 * retry_after when the Key Manager cannot be asked or answers nonsense; that is never remembered.
 */
apim_error_t *gw_verify(request_rec *r, const gw_verifier_t *verifier, const gw_call_t *call,
                        const gw_credential_t *credential, const gw_answer_t **answer);

/** Asks the Key Manager about the credential with another operation that takes what `verify` takes, and
 * apiName; through the same gate, nothing is remembered. *out in r->pool. Errors as of gw_verify. */
apim_error_t *gw_verification_ask(request_rec *r, const gw_verifier_t *verifier, const gw_call_t *call,
                                  const gw_credential_t *credential, const char *operation, json_t **out);

#endif
