/* SPDX-License-Identifier: Apache-2.0 */
#include "client_store.h"

#include <apr_strings.h>
#include <string.h>

#include "apim_crypto.h"
#include "apim_text.h"
#include "client_secrets.h"
#include "keymgr_sql.h"
#include "recall.h"

#define KEY_BYTES 20

static apr_int64_t number(const char *text)
{
    apr_int64_t value = 0;
    return text && apim_parse_i64(text, &value) == 0 ? value : 0;
}

/* What we wrote ourselves; an unreadable text is worth an empty value, not a failure. */
static json_t *stored_json(apr_pool_t *p, const char *text, json_t *(*empty)(void))
{
    json_t *j = text ? json_loads(text, 0, NULL) : NULL;
    return apim_json_own(p, j ? j : empty());
}

int km_is_consumer_key(const char *text)
{
    apr_size_t n = sizeof(KM_CONSUMER_KEY_PREFIX) - 1;
    return text && strlen(text) == KM_CONSUMER_KEY_LENGTH && strncmp(text, KM_CONSUMER_KEY_PREFIX, n) == 0;
}

static km_client_t *from_row(apr_pool_t *p, const char *const *row)
{
    km_client_t *c = apr_pcalloc(p, sizeof(*c));
    c->consumer_key = row[0];
    c->secret_hash = row[1];
    c->name = row[2];
    c->owner = row[3];
    c->grant_types = row[4];
    c->redirect_uris = stored_json(p, row[5], json_array);
    c->scopes = row[6];
    c->token_type = row[7];
    c->access_lifetime = number(row[8]);
    c->refresh_lifetime = number(row[9]);
    c->registration_token_hash = row[10];
    c->metadata = stored_json(p, row[11], json_object);
    c->created_at = number(row[12]);
    c->key_mapping_id = row[13];
    c->application_id = row[14];
    c->key_type = row[15] ? row[15] : "PRODUCTION";
    c->key_manager = row[16];
    return c;
}

apim_error_t *km_client_find(apr_pool_t *p, apim_db_t *db, const char *consumer_key, km_client_t **out)
{
    apim_rows_t *rows;
    APIM_TRY(apim_db_select(db, p, &km_client_by_key, &rows, APIM_ARGS(consumer_key)));
    *out = rows->count ? from_row(p, rows->row[0]) : NULL;
    return NULL;
}

static void client_subjects(const char *const *args, const char *const *row, km_subjects_t *subjects)
{
    km_subject_add(subjects, APIM_MARK_CLIENT, args[0]);
    km_subject_add(subjects, APIM_MARK_APPLICATION, row[14]);
}

apim_error_t *km_client_recall(const km_call_t *call, const char *consumer_key, km_client_t **out)
{
    const char *const *row;
    APIM_TRY(km_recall_row(call, &km_client_by_key, client_subjects, APIM_ARGS(consumer_key), &row));
    *out = row ? from_row(call->pool, row) : NULL;
    return NULL;
}

apim_error_t *km_client_find_registered(apr_pool_t *p, apim_db_t *db, const char *owner, const char *name,
                                        km_client_t **out)
{
    apim_rows_t *rows;
    APIM_TRY(apim_db_select(db, p, &km_client_by_name, &rows, APIM_ARGS(owner, name)));
    *out = rows->count ? from_row(p, rows->row[0]) : NULL;
    return NULL;
}

/* NULL for "the server's default". */
static const char *lifetime_text(apr_pool_t *p, apr_int64_t lifetime)
{
    return lifetime ? apim_i64(p, lifetime) : NULL;
}

static apim_error_t *tie_to_application(const km_call_t *call, apim_db_t *db, km_client_t *c)
{
    apim_rows_t *rows;
    int inserted = 0;
    APIM_TRY(apim_db_select(db, call->pool, &km_application_status, &rows, APIM_ARGS(c->application_id)));
    if (!rows->count) {
        return apim_not_found(call->pool, "Application", c->application_id);
    }
    c->key_mapping_id = apim_uuid(call->pool);
    APIM_TRY(apim_db_query(db, &km_application_key_insert, &inserted,
                           APIM_ARGS(c->key_mapping_id, c->application_id, c->key_type, c->key_manager,
                                     c->consumer_key, apim_i64(call->pool, call->now))));
    return inserted ? NULL
                    : apim_conflict(call->pool, "The application has %s keys of the key manager %s already.",
                                    c->key_type, c->key_manager);
}

apim_error_t *km_client_insert(const km_call_t *call, apim_db_t *db, km_client_t *c, const char **secret)
{
    apr_pool_t *p = call->pool;
    const char *random = apim_random_token(p, KEY_BYTES), *now = apim_i64(p, call->now);
    if (!random) {
        return apim_internal(p, "no random bytes");
    }
    c->consumer_key = apr_pstrcat(p, KM_CONSUMER_KEY_PREFIX, random, NULL);
    c->created_at = call->now;
    *secret = km_client_has_secret(c) ? km_client_first_secret(call, c) : NULL;
    if (!*secret && km_client_has_secret(c)) {
        return apim_internal(p, "no client secret could be made");
    }
    if (c->application_id) {
        APIM_TRY(tie_to_application(call, db, c));
    }
    return apim_db_query(db, &km_client_insert_row, NULL,
                         APIM_ARGS(c->consumer_key, c->secret_hash, c->name, c->owner, c->grant_types,
                                   apim_json_text(p, c->redirect_uris), c->scopes, c->token_type,
                                   lifetime_text(p, c->access_lifetime),
                                   lifetime_text(p, c->refresh_lifetime), c->registration_token_hash,
                                   apim_json_text(p, c->metadata), now, now));
}

apim_error_t *km_client_save(const km_call_t *call, apim_db_t *db, const km_client_t *c)
{
    apr_pool_t *p = call->pool;
    return apim_db_query(db, &km_client_update, NULL,
                         APIM_ARGS(c->name, c->grant_types, apim_json_text(p, c->redirect_uris), c->scopes,
                                   c->token_type, lifetime_text(p, c->access_lifetime),
                                   apim_json_text(p, c->metadata), apim_i64(p, call->now), c->consumer_key));
}

apim_error_t *km_client_hold(apim_db_t *db, const char *consumer_key)
{
    return apim_db_query(db, &km_client_lock, NULL, APIM_ARGS(consumer_key));
}

apim_error_t *km_client_remove(const km_call_t *call, apim_db_t *db, const char *consumer_key)
{
    APIM_TRY(apim_db_query(db, &km_token_client_delete, NULL, APIM_ARGS(consumer_key)));
    APIM_TRY(apim_db_query(db, &km_application_key_delete, NULL, APIM_ARGS(consumer_key)));
    APIM_TRY(apim_db_query(db, &km_consent_client_delete, NULL, APIM_ARGS(consumer_key)));
    return apim_db_query(db, &km_client_delete, NULL, APIM_ARGS(consumer_key));
}

int km_client_is_public(const km_client_t *client)
{
    return strcmp(apim_json_str(client->metadata, "token_endpoint_auth_method", ""), "none") == 0;
}

int km_client_has_secret(const km_client_t *client)
{
    return !km_client_is_public(client) &&
           strcmp(apim_json_str(client->metadata, "token_endpoint_auth_method", ""), "private_key_jwt") != 0;
}

int km_client_may(const km_client_t *client, const char *grant_type)
{
    return apim_word_in_list(grant_type, client->grant_types);
}

static apr_int64_t bounded(apr_int64_t wanted, apr_int64_t own, apr_int64_t fallback, apr_int64_t max)
{
    apr_int64_t chosen = wanted ? wanted : own ? own : fallback;
    return chosen < 0 || chosen > max ? max : chosen;
}

apr_int64_t km_client_access_lifetime(const km_call_t *call, const km_client_t *client, apr_int64_t wanted)
{
    return bounded(wanted, client->access_lifetime, km_access_lifetime(call->conf),
                   km_max_lifetime(call->conf));
}

apr_int64_t km_client_refresh_lifetime(const km_call_t *call, const km_client_t *client)
{
    return bounded(0, client->refresh_lifetime, km_refresh_lifetime(call->conf),
                   APR_INT64_C(10) * 366 * 86400);
}
