/* SPDX-License-Identifier: Apache-2.0 */
#include "client_secrets.h"

#include <apr_strings.h>
#include <string.h>

#include "apim_crypto.h"
#include "apim_seal.h"
#include "apim_text.h"
#include "keymgr_sql.h"

#define SECRET_PURPOSE "apim client secret"
#define SALT_BYTES     16

/* Members of the client's metadata: the salt of the present secret, what is known of it, the older ones. */
#define SALT    "salt"
#define PRESENT "secret"
#define OLDER   "secrets"

static const char *derive_secret(const km_call_t *call, const char *consumer_key, const char *salt)
{
    return apim_derive(call->pool, call->conf->common.cluster_secret, SECRET_PURPOSE,
                       apr_pstrcat(call->pool, consumer_key, "\n", salt, NULL));
}

/* -- the secrets as a list
 * -------------------------------------------------------------------------------------------- */

/* The present secret in the form of the older ones. */
static json_t *present(const km_call_t *call, const km_client_t *client)
{
    json_t *about = json_object_get(client->metadata, PRESENT), *one = json_object();
    if (about) {
        json_object_update(one, about);
    }
    apim_json_set_str(one, "hash", client->secret_hash);
    apim_json_set_str(one, SALT, apim_json_str(client->metadata, SALT, NULL));
    if (!json_object_get(one, "createdAt")) {
        json_object_set_new(one, "createdAt", json_integer((json_int_t)client->created_at));
    }
    return apim_json_own(call->pool, one);
}

static int is_good(const km_call_t *call, const json_t *one)
{
    apr_int64_t until = apim_json_int(one, "expiresAt", 0);
    return !until || until > call->now;
}

/* Those that are good, the present one first. Lives with the pool. */
static json_t *good_ones(const km_call_t *call, const km_client_t *client)
{
    json_t *list = apim_json_own(call->pool, json_array()), *one;
    json_t *older = json_object_get(client->metadata, OLDER);
    size_t i;
    if (client->secret_hash && is_good(call, one = present(call, client))) {
        json_array_append(list, one);
    }
    json_array_foreach(older, i, one)
    {
        if (is_good(call, one)) {
            json_array_append(list, one);
        }
    }
    return list;
}

/* A name for a secret that tells nothing of it. */
static const char *id_of(apr_pool_t *p, const json_t *one)
{
    return apr_pstrndup(
        p, apim_sha256_hex(p, apr_pstrcat(p, "secret id\n", apim_json_str(one, "hash", ""), NULL)), 32);
}

json_t *km_client_secrets(const km_call_t *call, const km_client_t *client)
{
    json_t *list = json_array(), *good = good_ones(call, client), *one;
    size_t i;
    json_array_foreach(good, i, one)
    {
        json_int_t until = apim_json_int(one, "expiresAt", 0);
        json_array_append_new(list, json_pack("{s:s, s:I, s:o, s:s}", "secretId", id_of(call->pool, one),
                                              "createdAt", (json_int_t)apim_json_int(one, "createdAt", 0),
                                              "expiresAt", until ? json_integer(until) : json_null(),
                                              "description", apim_json_str(one, "description", "")));
    }
    return list;
}

const json_t *km_client_secret_at(const km_call_t *call, const km_client_t *client, int i,
                                  const char **secret)
{
    const json_t *one = json_array_get(good_ones(call, client), (size_t)i);
    const char *salt = apim_json_str(one, SALT, NULL);
    const char *made = salt ? derive_secret(call, client->consumer_key, salt) : NULL;
    *secret = made && apim_equal_secret(apim_sha256_hex(call->pool, made), apim_json_str(one, "hash", ""))
                  ? made
                  : NULL;
    return one;
}

const char *km_client_secret_of(const km_call_t *call, const km_client_t *client)
{
    const char *secret;
    return client->secret_hash && km_client_secret_at(call, client, 0, &secret) ? secret : NULL;
}

int km_client_secret_matches(const km_call_t *call, const km_client_t *client, const char *secret)
{
    static const char none[] = "0000000000000000000000000000000000000000000000000000000000000000";
    const char *hash = apim_sha256_hex(call->pool, secret);
    json_t *list = client ? good_ones(call, client) : NULL, *one;
    int found = 0;
    size_t i;
    if (!hash) {
        return 0;
    }
    if (!json_array_size(list)) {
        (void)apim_equal_secret(hash, none);
        return 0;
    }
    json_array_foreach(list, i, one)
    {
        found |= apim_equal_secret(hash, apim_json_str(one, "hash", none));
    }
    return found;
}

/* -- changes
 * ----------------------------------------------------------------------------------------------------------
 */

/* Puts a salt into the metadata and returns the secret that goes with it. */
static const char *make_secret(const km_call_t *call, km_client_t *client, const km_new_secret_t *how)
{
    const char *salt = apim_random_token(call->pool, SALT_BYTES), *secret;
    json_t *about =
        json_pack("{s:I, s:s*}", "createdAt", (json_int_t)call->now, "description", how->description);
    if (!client->metadata) {
        client->metadata = apim_json_own(call->pool, json_object());
    }
    if (about && how->expires_at) {
        json_object_set_new(about, "expiresAt", json_integer((json_int_t)how->expires_at));
    }
    json_object_set_new(client->metadata, PRESENT, about);
    secret = salt ? derive_secret(call, client->consumer_key, salt) : NULL;
    if (secret) {
        apim_json_set_str(client->metadata, SALT, salt);
        client->secret_hash = apim_sha256_hex(call->pool, secret);
    }
    return secret;
}

const char *km_client_first_secret(const km_call_t *call, km_client_t *client)
{
    static const km_new_secret_t plain = {0, NULL, 0};
    return make_secret(call, client, &plain);
}

static apim_error_t *save(const km_call_t *call, apim_db_t *db, const km_client_t *client)
{
    return apim_db_query(db, &km_client_secret, NULL,
                         APIM_ARGS(client->secret_hash, apim_json_text(call->pool, client->metadata),
                                   apim_i64(call->pool, call->now), client->consumer_key));
}

/* Those that stay good beside a new one, and until when. */
static json_t *kept(const km_call_t *call, const km_client_t *client, apr_int64_t overlap)
{
    json_t *list = overlap ? good_ones(call, client) : apim_json_own(call->pool, json_array()), *one;
    size_t i;
    json_array_foreach(list, i, one)
    {
        json_int_t until = apim_json_int(one, "expiresAt", 0), end = (json_int_t)(call->now + overlap);
        if (overlap > 0 && (!until || until > end)) {
            json_object_set_new(one, "expiresAt", json_integer(end));
        }
    }
    return list;
}

apim_error_t *km_client_new_secret(const km_call_t *call, apim_db_t *db, km_client_t *client,
                                   const km_new_secret_t *how, const char **secret)
{
    json_t *older = kept(call, client, how->overlap);
    if (json_array_size(older) >= KM_MAX_SECRETS) {
        return apim_conflict(call->pool, "The client has %d secrets already; revoke one first.",
                             KM_MAX_SECRETS);
    }
    *secret = make_secret(call, client, how);
    if (!*secret) {
        return apim_internal(call->pool, "no client secret could be made");
    }
    json_object_set(client->metadata, OLDER, older);
    return save(call, db, client);
}

/* The first of the list becomes the present secret. */
static void put_list(km_client_t *client, json_t *list)
{
    json_t *first = json_array_get(list, 0);
    client->secret_hash = apim_json_str(first, "hash", NULL);
    json_object_set(client->metadata, SALT, json_object_get(first, SALT));
    json_object_set(client->metadata, PRESENT, first);
    json_array_remove(list, 0);
    json_object_set(client->metadata, OLDER, list);
}

apim_error_t *km_client_drop_secret(const km_call_t *call, apim_db_t *db, km_client_t *client, const char *id)
{
    json_t *list = good_ones(call, client), *one;
    size_t i, found = json_array_size(list);
    json_array_foreach(list, i, one)
    {
        found = strcmp(id, id_of(call->pool, one)) == 0 ? i : found;
    }
    if (found == json_array_size(list)) {
        return apim_not_found(call->pool, "Secret", id);
    }
    if (json_array_size(list) == 1) {
        return apim_conflict(call->pool, "This is the last secret; make another one first.");
    }
    json_array_remove(list, found);
    put_list(client, list);
    return save(call, db, client);
}
