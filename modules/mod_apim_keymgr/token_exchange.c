/* SPDX-License-Identifier: Apache-2.0 */
#include "token_exchange.h"

#include <apr_strings.h>
#include <string.h>

#include "apim_crypto.h"
#include "apim_text.h"
#include "code_store.h"
#include "httpd/db_pool.h"
#include "id_token.h"
#include "oauth_error.h"
#include "resource_target.h"
#include "scope_service.h"
#include "token_lookup.h"

#define TYPE         "urn:ietf:params:oauth:token-type:"
#define TYPE_ACCESS  TYPE "access_token"
#define TYPE_JWT     TYPE "jwt"
#define TYPE_ID      TYPE "id_token"
#define MAX_ACTORS   4 /* nested in act */
#define MAX_SUBJECT  255
#define NOT_ACCEPTED "The %s is not valid, or this client may not use it."

/* What a token that was shown says. */
typedef struct party_t {
    const char *username;     /* NULL: the client itself */
    const char *consumer_key; /* whom it was issued to */
    const char *scopes;
    const char *audience;
    const json_t *act;
    const char *hash;       /* of its row, if it has one; NULL: it has none (ID token) */
    const char *token_id;   /* jti; NULL: opaque or an ID token */
    apr_int64_t expires_at; /* ms */
} party_t;

static const char *param(const apr_table_t *form, const char *name)
{
    const char *value = apr_table_get(form, name);
    return value && *value ? value : NULL;
}

static apim_error_t *invalid(const km_call_t *call, const char *text)
{
    return km_oauth_error(call->pool, HTTP_BAD_REQUEST, "invalid_request", "%s", text);
}

static apim_error_t *not_accepted(const km_call_t *call, const char *name)
{
    return km_oauth_error(call->pool, HTTP_BAD_REQUEST, "invalid_request", NOT_ACCEPTED, name);
}

/* -- tokens that are shown
 * ------------------------------------------------------------------------------------------- */

/* *out stays NULL if it is no active access token. */
static apim_error_t *read_access_token(const km_call_t *call, const char *token, party_t **out)
{
    km_token_info_t *info;
    party_t *t;
    APIM_TRY(km_lookup_token(call, token, NULL, NULL, &info));
    if (info->state != KM_ACTIVE) {
        return NULL;
    }
    t = *out = apr_pcalloc(call->pool, sizeof(*t));
    t->username = info->username;
    t->consumer_key = info->consumer_key;
    t->scopes = info->scopes;
    t->audience = info->audience;
    t->act = info->act;
    t->token_id = info->kind == KM_KIND_JWT ? info->token_id : NULL;
    t->hash = t->token_id ? apim_sha256_hex(call->pool, t->token_id) : info->token_id;
    t->expires_at = info->expires_at;
    return NULL;
}

/* An ID token has no scopes: it stands for what the user let its client have. */
static apim_error_t *read_id_token(const km_call_t *call, const char *token, party_t **out)
{
    const json_t *claims;
    party_t *t;
    int active = 0;
    APIM_TRY(km_id_token_claims(call, token, &claims));
    if (!claims || apim_json_int(claims, "exp", 0) * (json_int_t)1000 <= call->now) {
        return NULL;
    }
    t = apr_pcalloc(call->pool, sizeof(*t));
    t->username = apim_json_str(claims, "sub", NULL);
    t->consumer_key = apim_json_str(claims, "aud", NULL);
    t->expires_at = (apr_int64_t)apim_json_int(claims, "exp", 0) * 1000;
    if (t->username && t->consumer_key) {
        APIM_TRY(km_user_is_active(call, t->username, &active));
    }
    if (active) {
        APIM_TRY(km_consent_scopes(call, t->username, t->consumer_key, &t->scopes));
        *out = t;
    }
    return NULL;
}

/* The token of a pair of parameters; *out NULL if neither is there. */
static apim_error_t *read_party(const km_call_t *call, const apr_table_t *form, const char *name,
                                party_t **out)
{
    const char *token = param(form, name), *type = param(form, apr_pstrcat(call->pool, name, "_type", NULL));
    int is_jwt, any;
    *out = NULL;
    if (!token && !type) {
        return NULL;
    }
    if (!token || !type) {
        return km_oauth_error(call->pool, HTTP_BAD_REQUEST, "invalid_request", "%s and %s_type go together.",
                              name, name);
    }
    is_jwt = strcmp(type, TYPE_JWT) == 0;
    any = is_jwt && strchr(token, '.');
    if (!is_jwt && strcmp(type, TYPE_ACCESS) != 0 && strcmp(type, TYPE_ID) != 0) {
        return km_oauth_error(call->pool, HTTP_BAD_REQUEST, "invalid_request",
                              "%s_type must be access_token, id_token or jwt (" TYPE "...).", name);
    }
    if (any || strcmp(type, TYPE_ACCESS) == 0) {
        APIM_TRY(read_access_token(call, token, out));
    }
    if (!*out && (any || strcmp(type, TYPE_ID) == 0)) {
        APIM_TRY(read_id_token(call, token, out));
    }
    return *out ? NULL : not_accepted(call, name);
}

/* -- who may
 * ---------------------------------------------------------------------------------------------------------
 */

static int is_for(const km_client_t *client, const party_t *t)
{
    return strcmp(t->consumer_key, client->consumer_key) == 0 ||
           (t->audience && apim_word_in_list(client->consumer_key, t->audience));
}

/* A user's token, or the client's own; an ID token only if it was given to this client. */
static apim_error_t *check_subject(const km_call_t *call, const km_client_t *client, const party_t *subject)
{
    int own = strcmp(subject->consumer_key, client->consumer_key) == 0;
    return (own || (subject->username && subject->hash)) ? NULL : not_accepted(call, "subject_token");
}

/* may_act of the client that the subject token was issued to; *sub NULL if it says nothing. */
static apim_error_t *permitted_actor(const km_call_t *call, const party_t *subject, const char **sub)
{
    km_client_t *client = NULL;
    apim_error_t *err;
    apim_db_t *db;
    APIM_TRY(apim_db_open(call->pool, &call->conf->common, APIM_DB_API_MANAGER, &db));
    err = km_client_find(call->pool, db, subject->consumer_key, &client);
    apim_db_close(db);
    *sub = client ? apim_json_str(json_object_get(client->metadata, "may_act"), "sub", NULL) : NULL;
    return err;
}

static apim_error_t *check_actor(const km_call_t *call, const km_client_t *client, const party_t *subject,
                                 const party_t *actor)
{
    const char *permitted, *who = NULL;
    APIM_TRY(permitted_actor(call, subject, &permitted));
    if (actor) {
        who = actor->username ? actor->username : actor->consumer_key;
        return is_for(client, actor) && strcmp(who, permitted ? permitted : client->consumer_key) == 0
                   ? NULL
                   : not_accepted(call, "actor_token");
    }
    return !permitted || strcmp(permitted, client->consumer_key) == 0 ||
                   strcmp(subject->consumer_key, client->consumer_key) == 0
               ? NULL
               : not_accepted(call, "subject_token");
}

/* act of the new token: the actor, and inside it who acted before. */
static apim_error_t *make_act(const km_call_t *call, const party_t *subject, const party_t *actor,
                              const json_t **act)
{
    const json_t *before;
    json_t *made;
    int depth = actor ? 1 : 0;
    for (before = subject->act; before; before = json_object_get(before, "act")) {
        depth++;
    }
    if (depth > MAX_ACTORS) {
        return invalid(call, "The subject_token has gone through too many hands.");
    }
    *act = subject->act;
    if (actor) {
        made = apim_json_own(call->pool, json_pack("{s:s, s:O*}", "sub",
                                                   actor->username ? actor->username : actor->consumer_key,
                                                   "act", subject->act));
        if (!made) {
            return apim_internal(call->pool, "no act claim could be made");
        }
        if (actor->username) {
            apim_json_set_str(made, "client_id", actor->consumer_key);
        }
        *act = made;
    }
    return NULL;
}

/* -- what it gets
 * ---------------------------------------------------------------------------------------------------- */

static apim_error_t *check_requested_type(const km_call_t *call, const km_client_t *client,
                                          const apr_table_t *form, const char **issued)
{
    const char *type = param(form, "requested_token_type");
    int is_jwt = type && strcmp(type, TYPE_JWT) == 0;
    *issued = is_jwt ? TYPE_JWT : TYPE_ACCESS;
    if (type && !is_jwt && strcmp(type, TYPE_ACCESS) != 0) {
        return invalid(call, "requested_token_type must be access_token or jwt (" TYPE "...).");
    }
    return is_jwt && strcmp(client->token_type, "JWT") != 0
               ? invalid(call, "The tokens of this client are opaque: ask for an access_token.")
               : NULL;
}

static apim_error_t *narrowed_scopes(const km_call_t *call, const party_t *subject, const char *wanted,
                                     const char **scopes)
{
    APIM_TRY(km_scope_check(call->pool, wanted));
    if (wanted && !km_scope_subset(call->pool, wanted, subject->scopes)) {
        return km_oauth_error(call->pool, HTTP_BAD_REQUEST, "invalid_scope",
                              "The subject_token does not have all of these scopes.");
    }
    *scopes = wanted ? wanted : subject->scopes;
    return NULL;
}

/* Whom a token is meant for may pass it on to others; everyone else stays within its targets. */
static apim_error_t *narrowed_audience(const km_call_t *call, const km_client_t *client,
                                       const party_t *subject, const char *wanted, const char **audience)
{
    int addressed = subject->audience && apim_word_in_list(client->consumer_key, subject->audience);
    const char *granted = wanted && addressed ? NULL : subject->audience;
    if (!granted || !wanted) {
        return km_targets_narrow(call, NULL, wanted ? wanted : granted, audience);
    }
    return km_targets_narrow(call, granted, wanted, audience);
}

static apim_error_t *lifetime_of(const km_call_t *call, const party_t *subject, const km_wanted_t *wanted,
                                 const km_client_t *client, apr_int64_t *lifetime)
{
    apr_int64_t left = (subject->expires_at - call->now) / 1000;
    *lifetime = km_client_access_lifetime(call, client, wanted->lifetime);
    *lifetime = *lifetime > left ? left : *lifetime;
    return *lifetime > 0 ? NULL : not_accepted(call, "subject_token");
}

apim_error_t *km_exchange(const km_call_t *call, const km_client_t *client, const apr_table_t *form,
                          const km_wanted_t *wanted, km_issued_t **out)
{
    km_exchange_t x = {0};
    party_t *subject, *actor;
    const char *type;
    APIM_TRY(check_requested_type(call, client, form, &type));
    APIM_TRY(read_party(call, form, "subject_token", &subject));
    if (!subject) {
        return invalid(call, "subject_token and subject_token_type are needed.");
    }
    APIM_TRY(read_party(call, form, "actor_token", &actor));
    APIM_TRY(check_subject(call, client, subject));
    APIM_TRY(check_actor(call, client, subject, actor));
    APIM_TRY(make_act(call, subject, actor, &x.act));
    APIM_TRY(narrowed_scopes(call, subject, wanted->scopes, &x.scopes));
    APIM_TRY(narrowed_audience(call, client, subject, wanted->audience, &x.audience));
    APIM_TRY(lifetime_of(call, subject, wanted, client, &x.lifetime));
    x.username = subject->username;
    x.subject_hash = subject->hash;
    x.subject_id = subject->token_id;
    APIM_TRY(km_issue_exchanged(call, client, &x, out));
    if (!*out) {
        return not_accepted(call, "subject_token"); /* revoked meanwhile */
    }
    (*out)->token_type_uri = type;
    return NULL;
}

apim_error_t *km_check_may_act(apr_pool_t *p, const json_t *may_act)
{
    const char *sub = apim_json_str(may_act, "sub", NULL);
    if (!may_act || json_is_null(may_act)) {
        return NULL;
    }
    return sub && *sub && strlen(sub) <= MAX_SUBJECT && !apim_has_control(sub, NULL) &&
                   json_object_size(may_act) == 1
               ? NULL
               : apim_bad_request(p, "may_act must be an object with sub alone: a client_id or the name of a "
                                     "user.");
}
