/* SPDX-License-Identifier: Apache-2.0 */
#include "client_operations.h"

#include <apr_strings.h>
#include <string.h>

#include "apim_text.h"
#include "client_input.h"
#include "client_secrets.h"
#include "client_store.h"
#include "httpd/db_pool.h"
#include "operation_input.h"
#include "token_service.h"
#include "token_store.h"

#define MAX_KEY         255
#define MAX_LIST        8192
#define MAX_OVERLAP     (366 * 86400) /* s */
#define DEFAULT_MANAGER "Resident Key Manager"

static const char *const key_types[] = {"PRODUCTION", "SANDBOX", NULL};
static const char *const token_types[] = {"JWT", "OAUTH", NULL};

/* A step that runs on an open database, inside a transaction. */
typedef apim_error_t *(step_fn)(const km_call_t *call, apim_db_t *db, void *baton);

static apim_error_t *in_transaction(const km_call_t *call, step_fn *step, void *baton)
{
    apim_db_t *db;
    apim_error_t *err;
    APIM_TRY(apim_db_open(call->pool, &call->conf->common, APIM_DB_API_MANAGER, &db));
    err = apim_db_begin(db);
    if (!err) {
        err = step(call, db, baton);
    }
    if (!err) {
        err = apim_db_commit(db);
    }
    apim_db_close(db);
    return err;
}

static json_t *words_array(apr_pool_t *p, const char *words)
{
    json_t *array = json_array();
    char *state, *word, *copy = apr_pstrdup(p, words ? words : "");
    for (word = apr_strtok(copy, " ", &state); word; word = apr_strtok(NULL, " ", &state)) {
        json_array_append_new(array, json_string(word));
    }
    return array;
}

/* What a portal may show of a client; never a secret. */
static apim_error_t *client_json(const km_call_t *call, const km_client_t *c, json_t **out)
{
    *out = apim_json_own(call->pool,
                         json_pack("{s:s, s:s, s:s, s:s, s:o, s:O, s:I, s:s}", "consumerKey", c->consumer_key,
                                   "name", c->name, "owner", c->owner, "keyType", c->key_type, "grantTypes",
                                   words_array(call->pool, c->grant_types), "callbackUrls", c->redirect_uris,
                                   "validityTime", (json_int_t)km_client_access_lifetime(call, c, 0),
                                   "tokenType", c->token_type));
    if (!*out) {
        return apim_internal(call->pool, "a client could not be printed");
    }
    apim_json_set_str(*out, "keyMappingId", c->key_mapping_id);
    apim_json_set_str(*out, "applicationId", c->application_id);
    apim_json_set_str(*out, "keyManager", c->key_manager);
    json_object_set_new(*out, "scopes", c->scopes ? words_array(call->pool, c->scopes) : json_null());
    return NULL;
}

static apim_error_t *needed_client(const km_call_t *call, apim_db_t *db, const char *key, km_client_t **out)
{
    APIM_TRY(km_client_find(call->pool, db, key, out));
    return *out ? NULL : apim_not_found(call->pool, "OAuth client", key);
}

static apim_error_t *read_lifetime(const km_call_t *call, const json_t *in, const char *name,
                                   apr_int64_t *out)
{
    APIM_TRY(km_in_integer(call->pool, in, name, 0, out));
    if (*out < -1) {
        return apim_bad_request(call->pool, "%s must be a number of seconds, or -1 for the longest there is.",
                                name);
    }
    return NULL;
}

/* -- create
 * ------------------------------------------------------------------------------------------------------ */

typedef struct creation_t {
    km_client_t client;
    const char *secret;
} creation_t;

static apim_error_t *read_creation(const km_call_t *call, const json_t *in, km_client_t *c)
{
    apr_pool_t *p = call->pool;
    const char *grants, *scopes;
    APIM_TRY(km_in_needed(p, in, "applicationId", 64, &c->application_id));
    APIM_TRY(km_in_choice(p, in, "keyType", key_types, NULL, &c->key_type));
    APIM_TRY(km_in_needed(p, in, "name", KM_MAX_CLIENT_NAME, &c->name));
    APIM_TRY(km_in_needed(p, in, "owner", MAX_KEY, &c->owner));
    APIM_TRY(km_in_words(p, in, "grantTypes", MAX_LIST, &grants));
    APIM_TRY(km_check_grant_types(p, grants && *grants ? grants : "client_credentials", 0, &c->grant_types));
    APIM_TRY(km_check_redirect_uris(p, json_object_get(in, "callbackUrls"), &c->redirect_uris));
    APIM_TRY(read_lifetime(call, in, "validityTime", &c->access_lifetime));
    APIM_TRY(km_in_choice(p, in, "tokenType", token_types, "JWT", &c->token_type));
    APIM_TRY(km_in_text(p, in, "keyManager", MAX_KEY, &c->key_manager));
    APIM_TRY(km_in_words(p, in, "scopes", MAX_LIST, &scopes));
    /* "default" alone is what WSO2's portal sends for "no limit". */
    c->scopes = scopes && *scopes && strcmp(scopes, "default") != 0 ? scopes : NULL;
    c->key_manager = c->key_manager ? c->key_manager : DEFAULT_MANAGER;
    return NULL;
}

static apim_error_t *create_step(const km_call_t *call, apim_db_t *db, void *baton)
{
    creation_t *creation = baton;
    APIM_TRY(km_client_insert(call, db, &creation->client, &creation->secret));
    return km_invalidate(call, db, "application", creation->client.application_id);
}

apim_error_t *km_client_create(const km_call_t *call, const json_t *in, json_t **out)
{
    creation_t creation = {0};
    APIM_TRY(read_creation(call, in, &creation.client));
    APIM_TRY(in_transaction(call, create_step, &creation));
    APIM_TRY(client_json(call, &creation.client, out));
    apim_json_set_str(*out, "consumerSecret", creation.secret);
    return NULL;
}

/* -- get, change
 * -------------------------------------------------------------------------------------------------- */

static apim_error_t *find(const km_call_t *call, const json_t *in, km_client_t **client)
{
    const char *key;
    apim_db_t *db;
    apim_error_t *err;
    APIM_TRY(km_in_needed(call->pool, in, "consumerKey", MAX_KEY, &key));
    APIM_TRY(apim_db_open(call->pool, &call->conf->common, APIM_DB_API_MANAGER, &db));
    err = needed_client(call, db, key, client);
    apim_db_close(db);
    return err;
}

apim_error_t *km_client_get(const km_call_t *call, const json_t *in, json_t **out)
{
    km_client_t *client;
    APIM_TRY(find(call, in, &client));
    return client_json(call, client, out);
}

static apim_error_t *save_step(const km_call_t *call, apim_db_t *db, void *baton)
{
    km_client_t *client = baton;
    APIM_TRY(km_client_save(call, db, client));
    return km_invalidate(call, db, "client", client->consumer_key);
}

/* Members that are absent stay as they are. */
apim_error_t *km_client_change(const km_call_t *call, const json_t *in, json_t **out)
{
    apr_pool_t *p = call->pool;
    km_client_t *client;
    const char *grants, *token_type;
    APIM_TRY(find(call, in, &client));
    APIM_TRY(km_in_words(p, in, "grantTypes", MAX_LIST, &grants));
    if (grants) {
        APIM_TRY(km_check_grant_types(p, grants, 0, &client->grant_types));
    }
    if (json_object_get(in, "callbackUrls")) {
        APIM_TRY(km_check_redirect_uris(p, json_object_get(in, "callbackUrls"), &client->redirect_uris));
    }
    if (json_object_get(in, "validityTime")) {
        APIM_TRY(read_lifetime(call, in, "validityTime", &client->access_lifetime));
    }
    APIM_TRY(km_in_choice(p, in, "tokenType", token_types, client->token_type, &token_type));
    client->token_type = token_type;
    APIM_TRY(in_transaction(call, save_step, client));
    return client_json(call, client, out);
}

/* -- secret, delete
 * ------------------------------------------------------------------------------------------------ */

typedef struct secret_change_t {
    const char *consumer_key;
    km_client_t *client; /* as it is after the change */
    km_new_secret_t how;
    const char *dropped; /* id of a secret to end; NULL: one is made */
    const char *secret;
} secret_change_t;

/* The client is read inside the transaction, so that no other change is lost. */
static apim_error_t *secret_step(const km_call_t *call, apim_db_t *db, void *baton)
{
    secret_change_t *change = baton;
    APIM_TRY(km_client_hold(db, change->consumer_key));
    APIM_TRY(needed_client(call, db, change->consumer_key, &change->client));
    if (!change->client->secret_hash) {
        return apim_bad_request(call->pool, "This client has no secret.");
    }
    APIM_TRY(change->dropped ? km_client_drop_secret(call, db, change->client, change->dropped)
                             : km_client_new_secret(call, db, change->client, &change->how, &change->secret));
    return change->dropped || change->how.overlap ? km_invalidate(call, db, "client", change->consumer_key)
                                                  : km_revoke_client(call, db, change->consumer_key);
}

apim_error_t *km_client_regenerate_secret(const km_call_t *call, const json_t *in, json_t **out)
{
    secret_change_t change = {0};
    apr_int64_t overlap;
    APIM_TRY(km_in_needed(call->pool, in, "consumerKey", MAX_KEY, &change.consumer_key));
    APIM_TRY(km_in_integer(call->pool, in, "overlap", km_secret_overlap(call->conf), &overlap));
    if (overlap < 0 || overlap > MAX_OVERLAP) {
        return apim_bad_request(call->pool, "overlap must be a number of seconds from 0 to %d.", MAX_OVERLAP);
    }
    change.how.overlap = overlap * 1000;
    APIM_TRY(in_transaction(call, secret_step, &change));
    *out = apim_json_own(call->pool, json_pack("{s:s, s:s}", "consumerKey", change.consumer_key,
                                               "consumerSecret", change.secret));
    return NULL;
}

apim_error_t *km_client_add_secret(const km_call_t *call, const json_t *in, json_t **out)
{
    secret_change_t change = {.how = {.overlap = KM_SECRETS_FOREVER}};
    apr_int64_t lifetime;
    json_t *secrets;
    APIM_TRY(km_in_needed(call->pool, in, "consumerKey", MAX_KEY, &change.consumer_key));
    APIM_TRY(km_in_text(call->pool, in, "description", MAX_KEY, &change.how.description));
    APIM_TRY(km_in_integer(call->pool, in, "expiresIn", 0, &lifetime));
    if (lifetime < 0 || lifetime > APR_INT64_C(10) * 366 * 86400) {
        return apim_bad_request(call->pool, "expiresIn must be a number of seconds, 0 for ever.");
    }
    change.how.expires_at = lifetime ? call->now + lifetime * 1000 : 0;
    APIM_TRY(in_transaction(call, secret_step, &change));
    secrets = apim_json_own(call->pool, km_client_secrets(call, change.client));
    *out = json_array_get(secrets, 0);
    apim_json_set_str(*out, "secretValue", change.secret);
    return NULL;
}

apim_error_t *km_client_list_secrets(const km_call_t *call, const json_t *in, json_t **out)
{
    km_client_t *client;
    APIM_TRY(find(call, in, &client));
    *out = apim_json_own(call->pool, json_pack("{s:o}", "secrets", km_client_secrets(call, client)));
    return NULL;
}

apim_error_t *km_client_revoke_secret(const km_call_t *call, const json_t *in, json_t **out)
{
    secret_change_t change = {0};
    APIM_TRY(km_in_needed(call->pool, in, "consumerKey", MAX_KEY, &change.consumer_key));
    APIM_TRY(km_in_needed(call->pool, in, "secretId", MAX_KEY, &change.dropped));
    APIM_TRY(in_transaction(call, secret_step, &change));
    *out = apim_json_own(call->pool, json_object());
    return NULL;
}

static apim_error_t *drop_step(const km_call_t *call, apim_db_t *db, void *baton)
{
    const char *key = baton;
    APIM_TRY(km_client_remove(call, db, key));
    return km_revoke_client(call, db, key);
}

apim_error_t *km_client_drop(const km_call_t *call, const json_t *in, json_t **out)
{
    km_client_t *client;
    APIM_TRY(find(call, in, &client));
    *out = apim_json_own(call->pool, json_object());
    return in_transaction(call, drop_step, (void *)client->consumer_key);
}

/* -- tokens
 * -------------------------------------------------------------------------------------------------------- */

apim_error_t *km_token_generate(const km_call_t *call, const json_t *in, json_t **out)
{
    km_client_t *client;
    km_issued_t *issued;
    km_wanted_t wanted = {0};
    const char *secret;
    APIM_TRY(find(call, in, &client));
    APIM_TRY(km_in_text(call->pool, in, "consumerSecret", MAX_KEY, &secret));
    APIM_TRY(km_in_words(call->pool, in, "scopes", MAX_LIST, &wanted.scopes));
    APIM_TRY(read_lifetime(call, in, "validityPeriod", &wanted.lifetime));
    /* The caller is a portal that has already decided whether its user may do this; a secret is checked if it
     * gives one. */
    if (secret && !km_client_secret_matches(call, client, secret)) {
        return apim_bad_request(call->pool, "consumerSecret is not the secret of this consumer key.");
    }
    APIM_TRY(km_issue_application_token(call, client, &wanted, &issued));
    *out = apim_json_own(call->pool, km_issued_json(issued));
    return *out ? NULL : apim_internal(call->pool, "a token could not be printed");
}

static apim_error_t *user_step(const km_call_t *call, apim_db_t *db, void *baton)
{
    return km_revoke_user(call, db, baton);
}

apim_error_t *km_user_revoke(const km_call_t *call, const json_t *in, json_t **out)
{
    const char *username;
    APIM_TRY(km_in_needed(call->pool, in, "username", MAX_KEY, &username));
    *out = apim_json_own(call->pool, json_object());
    return in_transaction(call, user_step, (void *)username);
}
