/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KM_AUTHORIZATION_REQUEST_H
#define KM_AUTHORIZATION_REQUEST_H

#include "client_store.h"

/*
 * What a client asks for at /oauth2/authorize (RFC 6749 section 4.1.1, RFC 7636, OpenID Connect Core
 * section 3.1.2.1), and where the answer goes. The request travels through the pages as its own encoded text,
 * sealed (login_session.h), and is checked again at each step, so that any Key Manager can take the next.
 */
#define KM_WANTS_CODE     1
#define KM_WANTS_TOKEN    2
#define KM_WANTS_ID_TOKEN 4
typedef enum { KM_MODE_QUERY, KM_MODE_FRAGMENT, KM_MODE_FORM_POST } km_mode_e;

typedef struct km_authz_t {
    const apr_table_t *params;
    const char *text; /* the parameters as a query string */
    km_client_t *client;
    const char *redirect_uri; /* one of the client's; NULL for a device */
    const char *user_code;    /* a device asks, which shows this code (device_page.h); NULL: it does not */
    const char *state;
    const char *scope;
    const char *audience;  /* blank-separated; NULL: the default (resource_target.h) */
    const char *challenge; /* PKCE, S256; NULL: none */
    const char *nonce;
    const char *login_hint;
    int wants;            /* response_type: KM_WANTS_* */
    km_mode_e mode;       /* how the answer travels */
    const char *username; /* who is expected (id_token_hint); NULL: anyone */
    int no_pages;         /* prompt=none */
    int login;            /* prompt=login or select_account */
    int consent;          /* prompt=consent */
    apr_int64_t max_age;  /* seconds, -1: not said */
} km_authz_t;

/** Finds the client and checks where answers go. An error here must be shown to the person and never be sent
 * on: who wrote the request is not known (RFC 6749 section 4.1.2.1). 503 if the database is away. */
apim_error_t *km_authz_begin(const km_call_t *call, const apr_table_t *params, km_authz_t **out);

/** Checks the rest. An error here goes back to the client. */
apim_error_t *km_authz_check(const km_call_t *call, const apr_table_t *params, km_authz_t *a);

/** 1 if the answer goes to a program on the person's own device, which cannot prove who it is: an app's own
 * scheme or a loopback address of a public client (RFC 8252 section 8.6). */
int km_authz_is_native(const km_authz_t *a);

/** The response types and modes that this server offers, for its metadata. The caller owns it. */
json_t *km_authz_response_types(const km_call_t *call);
/** Those that a client with these grants may use. */
json_t *km_authz_client_types(const km_client_t *client);

/** Parameters as a query string. */
const char *km_params_text(apr_pool_t *p, const apr_table_t *params);

#endif
