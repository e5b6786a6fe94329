/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KM_TOKEN_LOOKUP_H
#define KM_TOKEN_LOOKUP_H

#include "apim_json.h"
#include "keymgr_config.h"

/*
 * What a presented access token or API key is worth now: signature, times, revocation, the client, and (by
 * the same statement) the application and its subscription to one API.
 */
typedef enum { KM_ACTIVE, KM_INVALID, KM_EXPIRED } km_state_e;
typedef enum { KM_KIND_UNKNOWN, KM_KIND_JWT, KM_KIND_OPAQUE, KM_KIND_API_KEY } km_kind_e;

/* Members are NULL or 0 where they do not apply or were not found. */
typedef struct km_token_info_t {
    km_state_e state;
    km_kind_e kind;
    const char *token_id; /* what gateways know it by: jti, or SHA-256 of an opaque token */
    const char *consumer_key;
    const char *client_owner;
    const char *key_type;
    const char *username; /* NULL: application token */
    const char *scopes;
    const char *grant_type;
    const char *audience;              /* blank-separated; NULL: the default (resource_target.h) */
    const json_t *act;                 /* who acts for the user (RFC 8693); NULL: nobody else */
    apr_int64_t issued_at, expires_at; /* ms; expires_at 0: never */
    const char *application_id, *application_name, *application_tier, *application_owner, *application_status;
    const char *subscription_id, *subscription_tier, *subscription_status;
    const char *permitted_ips, *permitted_referers; /* of an API key */
} km_token_info_t;

/** Looks an access token (JWT or opaque) up. api_id or context (with version) names the API whose
 * subscription is read; both may be NULL. Always fills *out; what is wrong with the token is its state, not
 * an error. Errors: 503 if a database is away. */
apim_error_t *km_lookup_token(const km_call_t *call, const char *token, const char *api_id,
                              const char *context, km_token_info_t **out);

/** The same for an API key. */
apim_error_t *km_lookup_api_key(const km_call_t *call, const char *api_key, const char *api_id,
                                const char *context, km_token_info_t **out);

#endif
