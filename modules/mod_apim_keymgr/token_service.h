/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KM_TOKEN_SERVICE_H
#define KM_TOKEN_SERVICE_H

#include "client_store.h"
#include "device_code.h"
#include "token_store.h"
#include "user_store.h"

/*
 * Issues tokens. An access token is a JWT (RFC 9068, type at+jwt) or, for clients of token type OAUTH,
 * opaque. A JWT of the client_credentials grant has no row in the database; opaque tokens and whatever can be
 * refreshed have one.
 */
#define KM_ACCESS_PREFIX  "apim_at_"
#define KM_REFRESH_PREFIX "apim_rt_"
#define KM_TYP_ACCESS     "at+jwt"
#define KM_TYP_API_KEY    "apikey+jwt"
#define KM_RETRY_WINDOW   10000 /* ms in which a refresh may be repeated after a lost answer */

/* What a request says of the token it wants. */
typedef struct km_wanted_t {
    const char *scopes;   /* NULL: nothing said */
    const char *audience; /* km_targets_read; NULL: nothing said */
    apr_int64_t lifetime; /* seconds; 0: the default */
} km_wanted_t;

typedef struct km_issued_t {
    const char *access_token;
    const char *refresh_token; /* NULL: none */
    const char *id_token;      /* NULL: none */
    const char *scopes;
    const char *token_type_uri; /* issued_token_type of a token exchange; NULL: none was */
    apr_int64_t lifetime;       /* seconds */
} km_issued_t;

/** A token for the application itself. */
apim_error_t *km_issue_application_token(const km_call_t *call, const km_client_t *client,
                                         const km_wanted_t *wanted, km_issued_t **out);

/** A token for a user who has just shown the password. */
apim_error_t *km_issue_user_token(const km_call_t *call, const km_client_t *client, const km_user_t *user,
                                  const km_wanted_t *wanted, km_issued_t **out);

/** An access token, and nothing to refresh it, for a user at a browser who was granted these scopes. */
apim_error_t *km_issue_implicit(const km_call_t *call, const km_client_t *client, const char *username,
                                const char *scopes, const char *audience, km_issued_t **out);

/**
 * Redeems an authorization code (RFC 6749 section 4.1.3, RFC 7636 section 4.6). 400 invalid_grant if it is
 * unknown, expired, another client's, for another redirect_uri, if verifier does not fit (or is there without
 * a challenge), or its user is no longer active. A code that was used before kills the tokens it was used
 * for. audience: of the access token, among what the code was asked for (else 400 invalid_target); NULL: all
 * of it.
 */
apim_error_t *km_redeem_code(const km_call_t *call, const km_client_t *client, const char *code,
                             const char *redirect_uri, const char *verifier, const char *audience,
                             km_issued_t **out);

/** Redeems what a person has allowed a device (km_device_poll), once. audience: as of a code. 400
 * invalid_grant if it was used meanwhile, or its user is no longer active. */
apim_error_t *km_redeem_device(const km_call_t *call, const km_client_t *client, const km_device_t *device,
                               const char *audience, km_issued_t **out);

/**
 * Redeems a refresh token (RFC 6749 section 6, RFC 9700 section 4.14.2): it is used up, the access token
 * issued with it dies, both get a successor. 400 invalid_grant if it is unknown, another client's, expired or
 * revoked, or its user is no longer active. A used one shown again kills the whole family; except that within
 * KM_RETRY_WINDOW of its first use, while the successor has not been used, it replaces that successor: a
 * client whose answer got lost tries again and there is still one live descendant. wanted: scopes and
 * audience, of what was granted.
 */
apim_error_t *km_refresh(const km_call_t *call, const km_client_t *client, const char *refresh_token,
                         const km_wanted_t *wanted, km_issued_t **out);

/* What a token was exchanged for (token_exchange.h), and what the new one is to be. */
typedef struct km_exchange_t {
    const char *username; /* NULL: the client itself */
    const char *scopes;
    const char *audience; /* NULL: the default */
    const json_t *act;    /* NULL: nobody else acts */
    apr_int64_t lifetime; /* seconds */
    const char
        *subject_hash;      /* by which the row of the subject token is found, if there is one; may be NULL */
    const char *subject_id; /* what it is known by if there is none; NULL: nothing can revoke it */
} km_exchange_t;

/** A token that dies with the one it was exchanged for. *out NULL if that died meanwhile. */
apim_error_t *km_issue_exchanged(const km_call_t *call, const km_client_t *client, const km_exchange_t *x,
                                 km_issued_t **out);

/** The answer of the token endpoint (RFC 6749 section 5.1). The caller owns it. */
json_t *km_issued_json(const km_issued_t *issued);

#endif
