/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KM_CLIENT_STORE_H
#define KM_CLIENT_STORE_H

#include "apim_db.h"
#include "apim_json.h"
#include "keymgr_config.h"

/*
 * OAuth clients (am_oauth_client) and what ties them to an application (am_application_key).
 * Their secrets: client_secrets.h.
 */
#define KM_CONSUMER_KEY_PREFIX "ck_"
#define KM_CONSUMER_KEY_LENGTH                                                                               \
    30 /* prefix and 20 random bytes; no user may have a name of that shape (user_store.c) */

typedef struct km_client_t {
    const char *consumer_key;
    const char
        *secret_hash; /* of the present one; NULL: a public client, or one that has a key (private_key_jwt) */
    const char *name;
    const char *owner;
    const char *grant_types; /* blank-separated */
    json_t *redirect_uris;
    const char *scopes;           /* what it may ask for; NULL: no limit */
    const char *token_type;       /* JWT or OAUTH */
    apr_int64_t access_lifetime;  /* seconds; 0: the server's default, -1: the longest there is */
    apr_int64_t refresh_lifetime; /* likewise */
    const char *registration_token_hash;
    json_t *metadata;
    apr_int64_t created_at;
    const char *key_mapping_id; /* NULL: not tied to an application */
    const char *application_id;
    const char *key_type; /* PRODUCTION or SANDBOX; PRODUCTION where there is no application */
    const char *key_manager;
} km_client_t;

/** 1 if the text looks like a consumer key of ours. */
int km_is_consumer_key(const char *text);

/** The client of that key; *out NULL if there is none. */
apim_error_t *km_client_find(apr_pool_t *p, apim_db_t *db, const char *consumer_key, km_client_t **out);

/** The same as remembered (recall.h): for the paths that clients take again and again. To change a client,
 * use km_client_find. Opens the database itself. */
apim_error_t *km_client_recall(const km_call_t *call, const char *consumer_key, km_client_t **out);

/** The oldest client that owner registered under that name through WSO2's registration; *out NULL if none. */
apim_error_t *km_client_find_registered(apr_pool_t *p, apim_db_t *db, const char *owner, const char *name,
                                        km_client_t **out);

/** Stores a new client: fills consumer_key and created_at, makes a secret (*secret NULL for a
 * client that has none). With application_id set it is tied
 * to it as key_type of key_manager (key_mapping_id is filled): 404 if the application does not exist, 409 if
 * it has such keys already. Runs inside the caller's transaction. */
apim_error_t *km_client_insert(const km_call_t *call, apim_db_t *db, km_client_t *client,
                               const char **secret);

/** Writes name, grant types, redirect URIs, scopes, token type, access token lifetime and metadata. */
apim_error_t *km_client_save(const km_call_t *call, apim_db_t *db, const km_client_t *client);

/** Holds the client until the end of the transaction: whoever changes it meanwhile waits. */
apim_error_t *km_client_hold(apim_db_t *db, const char *consumer_key);

/** Removes the client, its key mapping and its tokens. Inside the caller's transaction. */
apim_error_t *km_client_remove(const km_call_t *call, apim_db_t *db, const char *consumer_key);

/** 1 if the client cannot prove who it is: it runs where no secret could be kept (token_endpoint_auth_method
 * none). */
int km_client_is_public(const km_client_t *client);
/** 1 if it proves that by a secret. */
int km_client_has_secret(const km_client_t *client);

/** 1 if the client may use that grant. */
int km_client_may(const km_client_t *client, const char *grant_type);

/** Seconds that an access token of this client lives: wanted (0: not said), else the client's own, else the
 * server's default; never more than km_max_lifetime. */
apr_int64_t km_client_access_lifetime(const km_call_t *call, const km_client_t *client, apr_int64_t wanted);
apr_int64_t km_client_refresh_lifetime(const km_call_t *call, const km_client_t *client);

#endif
