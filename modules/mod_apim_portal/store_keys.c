/* SPDX-License-Identifier: Apache-2.0 */
#include <apr_strings.h>
#include <string.h>

#include "store.h"
#include "store_sql.h"
#include "workflow_sql.h"
#include "workflow_types.h"

/*
 * Keys of an application: its OAuth 2.0 clients, one for PRODUCTION and one for SANDBOX. The Key Manager
 * makes and keeps them; here is only which client belongs to which application. Secrets are shown when they
 * are made and never again.
 */
#define MAX_LIST 64

typedef struct key_ref_t {
    const char *id, *type, *consumer_key;
} key_ref_t;

apim_error_t *st_ask_keymgr(rest_request_t *rq, const char *operation, json_t *in, json_t **out)
{
    apim_json_own(rq->pool, in);
    return apim_keymgr_call(rq->r, &po_config(rq->r)->common, operation, in, out);
}

/* -- which keys
 * -------------------------------------------------------------------------------------------------------- */

static apim_error_t *read_keys(rest_request_t *rq, const char *application, apim_rows_t **rows)
{
    apim_error_t *err;
    apim_db_t *db;
    APIM_TRY(po_open(rq, APIM_DB_API_MANAGER, &db));
    err = apim_db_select(db, rq->pool, &st_application_keys, rows, APIM_ARGS(application));
    apim_db_close(db);
    return err;
}

/* The key with this keyMappingId or, if by_type, of this key type. */
static apim_error_t *find_key(rest_request_t *rq, const char *application, const char *which, int by_type,
                              key_ref_t *key)
{
    apim_rows_t *rows;
    int i;
    APIM_TRY(read_keys(rq, application, &rows));
    for (i = 0; i < rows->count; i++) {
        if (strcmp(rows->row[i][by_type ? 1 : 0], which) == 0) {
            key->id = rows->row[i][0];
            key->type = rows->row[i][1];
            key->consumer_key = rows->row[i][2];
            return NULL;
        }
    }
    return apim_not_found(rq->pool, by_type ? "Key of type" : "Key", which);
}

static apim_error_t *key_of_request(rest_request_t *rq, int by_type, st_application_t *a, key_ref_t *key)
{
    APIM_TRY(st_application_of_caller(rq, rq->param[0], a));
    return find_key(rq, a->id, rq->param[1], by_type, key);
}

apim_error_t *st_key_of_request(rest_request_t *rq, const char **consumer_key)
{
    st_application_t a;
    key_ref_t key;
    APIM_TRY(key_of_request(rq, 0, &a, &key));
    *consumer_key = key.consumer_key;
    return NULL;
}

/* -- JSON
 * ----------------------------------------------------------------------------------------------------------------
 */

static const char *joined(apr_pool_t *p, const json_t *texts)
{
    const char *out = "";
    json_t *text;
    size_t i;
    json_array_foreach((json_t *)texts, i, text)
    {
        out = apr_pstrcat(p, out, *out ? "," : "", json_string_value(text), NULL);
    }
    return out;
}

/* DevPortal v3's ApplicationTokenDTO from the token endpoint's answer. */
static json_t *token_json(apr_pool_t *p, const json_t *issued)
{
    json_t *scopes = json_array();
    char *state, *word, *copy = apr_pstrdup(p, apim_json_str(issued, "scope", ""));
    for (word = apr_strtok(copy, " ", &state); word; word = apr_strtok(NULL, " ", &state)) {
        json_array_append_new(scopes, json_string(word));
    }
    return json_pack("{s:s, s:o, s:I}", "accessToken", apim_json_str(issued, "access_token", ""),
                     "tokenScopes", scopes, "validityTime",
                     (json_int_t)apim_json_int(issued, "expires_in", 0));
}

/* DevPortal v3's ApplicationKeyDTO from what the Key Manager says of a client. token is stolen; NULL for
 * none. */
static json_t *key_json(apr_pool_t *p, const json_t *client, json_t *token)
{
    const json_t *grants = json_object_get(client, "grantTypes");
    json_t *more =
        json_pack("{s:s, s:s}", "application_access_token_expiry_time",
                  apim_i64(p, apim_json_int(client, "validityTime", 3600)), "user_access_token_expiry_time",
                  apim_i64(p, apim_json_int(client, "validityTime", 3600)));
    return json_pack("{s:s, s:s, s:s, s:s, s:O?, s:s, s:s, s:s, s:s, s:n, s:o, s:o}", "keyMappingId",
                     apim_json_str(client, "keyMappingId", ""), "keyManager",
                     apim_json_str(client, "keyManager", "Resident Key Manager"), "consumerKey",
                     apim_json_str(client, "consumerKey", ""), "consumerSecret",
                     apim_json_str(client, "consumerSecret", ""), "supportedGrantTypes", grants,
                     "callbackUrl", joined(p, json_object_get(client, "callbackUrls")), "keyState",
                     "APPROVED", "keyType", apim_json_str(client, "keyType", ""), "mode", "CREATED",
                     "groupId", "token", token ? token : json_null(), "additionalProperties", more);
}

/* -- bodies
 * --------------------------------------------------------------------------------------------------------------
 */

/* callbackUrl is one text, several URLs separated by commas. */
static json_t *callback_urls(apr_pool_t *p, const json_t *body)
{
    json_t *out = json_array();
    char *state, *url, *copy = apr_pstrdup(p, apim_json_str(body, "callbackUrl", ""));
    for (url = apr_strtok(copy, ", ", &state); url; url = apr_strtok(NULL, ", ", &state)) {
        json_array_append_new(out, json_string(url));
    }
    return out;
}

/* Seconds from a number or a text, as WSO2's clients send either; 0 if absent. */
static apim_error_t *seconds(rest_request_t *rq, const char *name, const json_t *value, apr_int64_t *out)
{
    *out = 0;
    if (!value || json_is_null(value) ||
        (json_is_string(value) &&
         (!*json_string_value(value) || strcmp(json_string_value(value), "N/A") == 0))) {
        return NULL;
    }
    if (json_is_integer(value)) {
        *out = json_integer_value(value);
    }
    else if (!json_is_string(value) || apim_parse_i64(json_string_value(value), out)) {
        return apim_bad_request(rq->pool, "%s must be a number of seconds.", name);
    }
    return *out < -1 ? apim_bad_request(rq->pool, "%s must not be negative.", name) : NULL;
}

/* validityTime, or WSO2 4.x's additionalProperties.application_access_token_expiry_time. */
static apim_error_t *lifetime_of(rest_request_t *rq, const json_t *body, apr_int64_t *out)
{
    const json_t *more = json_object_get(json_object_get(body, "additionalProperties"),
                                         "application_access_token_expiry_time");
    APIM_TRY(seconds(rq, "additionalProperties.application_access_token_expiry_time", more, out));
    return *out ? NULL : seconds(rq, "validityTime", json_object_get(body, "validityTime"), out);
}

static apim_error_t *texts_of(rest_request_t *rq, const json_t *body, const char *name, json_t **out)
{
    po_problems_t problems = {rq->pool, NULL, 0};
    const json_t *value = json_object_get(body, name);
    *out = NULL;
    if (!value || json_is_null(value)) {
        return NULL;
    }
    *out = po_check_texts(&problems, apr_pstrcat(rq->pool, "/", name, NULL), value, MAX_LIST, 256);
    return po_problems_error(&problems);
}

/* -- generate
 * ------------------------------------------------------------------------------------------------------------
 */

static apim_error_t *check_new_type(rest_request_t *rq, const char *application, const char *type)
{
    key_ref_t key;
    apim_error_t *err;
    if (strcmp(type, "PRODUCTION") != 0 && strcmp(type, "SANDBOX") != 0) {
        return apim_bad_request(rq->pool, "keyType must be PRODUCTION or SANDBOX.");
    }
    err = find_key(rq, application, type, 1, &key);
    if (!err) {
        return apim_error(rq->pool, 409, 900958, "Key already exists", "The application has %s keys already.",
                          type);
    }
    return err->status == 404 ? NULL : err;
}

/* What the Key Manager is asked for: the pool's. */
static apim_error_t *client_wanted(rest_request_t *rq, const st_application_t *a, const char *type,
                                   const json_t *body, json_t **out)
{
    json_t *grants, *scopes, *in;
    apr_int64_t lifetime;
    APIM_TRY(texts_of(rq, body, "grantTypesToBeSupported", &grants));
    APIM_TRY(texts_of(rq, body, "scopes", &scopes));
    APIM_TRY(lifetime_of(rq, body, &lifetime));
    in = json_pack("{s:s, s:s, s:s, s:s, s:o, s:s, s:s}", "applicationId", a->id, "keyType", type, "name",
                   apr_psprintf(rq->pool, "%s_%s", a->name, type), "owner", a->owner, "callbackUrls",
                   callback_urls(rq->pool, body), "tokenType", a->token_type, "keyManager",
                   apim_json_str(body, "keyManager", "Resident Key Manager"));
    if (grants && json_array_size(grants)) {
        json_object_set(in, "grantTypes", grants);
    }
    if (scopes && json_array_size(scopes)) {
        json_object_set(in, "scopes", scopes);
    }
    if (lifetime) {
        json_object_set_new(in, "validityTime", json_integer(lifetime));
    }
    *out = apim_json_own(rq->pool, in);
    return NULL;
}

static const char *workflow_type(const char *key_type)
{
    return strcmp(key_type, "PRODUCTION") == 0 ? PO_WF_PRODUCTION_KEYS : PO_WF_SANDBOX_KEYS;
}

static apim_error_t *ask_in_transaction(rest_request_t *rq, apim_db_t *db, const st_application_t *a,
                                        const char *type, json_t *wanted, po_workflow_t *wish, int *waits)
{
    wish->type = workflow_type(type);
    wish->subject = apr_pstrcat(rq->pool, a->id, "/", type, NULL);
    wish->parent = a->id;
    wish->created_by = rq->username;
    wish->description =
        apr_psprintf(rq->pool, "%s wants %s keys for the application %s.", a->owner, type, a->name);
    wish->request = wanted;
    wish->properties = apim_json_own(
        rq->pool, json_pack("{s:s, s:s, s:s, s:s, s:s}", "applicationName", a->name, "userName", a->owner,
                            "applicationTier", a->tier, "keyType", type, "callbackUrl",
                            joined(rq->pool, json_object_get(wanted, "callbackUrls"))));
    APIM_TRY(apim_db_begin(db));
    APIM_TRY(po_workflow_ask(db, rq->pool, wish, waits));
    return apim_db_commit(db);
}

static apim_error_t *ask_for_approval(rest_request_t *rq, const st_application_t *a, const char *type,
                                      json_t *wanted, po_workflow_t *wish, int *waits)
{
    apim_error_t *err;
    apim_db_t *db;
    APIM_TRY(po_open(rq, APIM_DB_API_MANAGER, &db));
    err = ask_in_transaction(rq, db, a, type, wanted, wish, waits);
    apim_db_close(db);
    return err;
}

/* Keys that wait for approval, or were refused: as keys without keys. */
static json_t *waiting_key_json(apr_pool_t *p, const po_workflow_t *workflow)
{
    json_t *out = key_json(p, workflow->request, NULL);
    apim_json_set_str(out, "keyMappingId", workflow->id);
    apim_json_set_str(out, "keyState", workflow->status);
    if (!json_is_array(json_object_get(out, "supportedGrantTypes"))) {
        json_object_set_new(out, "supportedGrantTypes", json_array());
    }
    return out;
}

static apim_error_t *waiting_keys(rest_request_t *rq, const char *application, apr_array_header_t **out)
{
    apim_error_t *err;
    apim_db_t *db;
    APIM_TRY(po_open(rq, APIM_DB_API_MANAGER, &db));
    err = po_workflow_of_parent(db, rq->pool, application, out);
    apim_db_close(db);
    return err;
}

static int is_for_keys(const po_workflow_t *workflow)
{
    return strcmp(workflow->type, PO_WF_PRODUCTION_KEYS) == 0 ||
           strcmp(workflow->type, PO_WF_SANDBOX_KEYS) == 0;
}

/* A first access token, so that the keys can be tried at once; without the client_credentials grant there is
 * none. */
static apim_error_t *first_token(rest_request_t *rq, const json_t *client, json_t **token)
{
    const json_t *grants = json_object_get(client, "grantTypes");
    json_t *grant, *issued;
    size_t i;
    *token = NULL;
    json_array_foreach((json_t *)grants, i, grant)
    {
        if (strcmp(json_string_value(grant), "client_credentials") == 0) {
            APIM_TRY(
                st_ask_keymgr(rq, "token-generate",
                              json_pack("{s:O, s:O}", "consumerKey", json_object_get(client, "consumerKey"),
                                        "consumerSecret", json_object_get(client, "consumerSecret")),
                              &issued));
            *token = token_json(rq->pool, issued);
        }
    }
    return NULL;
}

apim_error_t *st_keys_generate(rest_request_t *rq)
{
    json_t *body, *wanted, *client, *token;
    po_workflow_t wish = {0};
    st_application_t a;
    const char *type;
    int waits;
    APIM_TRY(st_application_of_caller(rq, rq->param[0], &a));
    APIM_TRY(st_check_approved(rq, &a));
    APIM_TRY(rest_read_json(rq->r, NULL, &body));
    APIM_TRY(st_needed_text(rq, body, "keyType", 32, &type));
    APIM_TRY(check_new_type(rq, a.id, type));
    APIM_TRY(client_wanted(rq, &a, type, body, &wanted));
    APIM_TRY(ask_for_approval(rq, &a, type, wanted, &wish, &waits));
    if (waits) {
        return rest_reply_json(rq->r, 200, waiting_key_json(rq->pool, &wish));
    }
    APIM_TRY(st_ask_keymgr(rq, "client-create", json_incref(wanted), &client));
    APIM_TRY(first_token(rq, client, &token));
    return rest_reply_json(rq->r, 200, key_json(rq->pool, client, token));
}

/* Approved: the keys are made. Their secret is not shown to anybody; whoever wants it makes a new one. */
apim_error_t *st_keys_granted(rest_request_t *rq, const po_workflow_t *workflow)
{
    json_t *wanted = workflow->request, *client;
    st_application_t a;
    apim_error_t *err;
    apim_db_t *db;
    APIM_TRY(po_open(rq, APIM_DB_API_MANAGER, &db));
    err = st_application_of_any(db, rq->pool, workflow->parent, &a);
    apim_db_close(db);
    APIM_TRY(err);
    apim_json_set_str(wanted, "owner", a.owner);
    err = st_ask_keymgr(rq, "client-create", json_incref(wanted), &client);
    return err && err->status == 409 ? NULL : err; /* made already, by an approval that broke off */
}

/* -- read
 * ----------------------------------------------------------------------------------------------------------------
 */

static apim_error_t *list_keys(rest_request_t *rq)
{
    json_t *list = apim_json_own(rq->pool, json_array()), *client;
    apr_array_header_t *waiting;
    st_application_t a;
    apim_rows_t *rows;
    int i;
    APIM_TRY(st_application_of_caller(rq, rq->param[0], &a));
    APIM_TRY(read_keys(rq, a.id, &rows));
    APIM_TRY(waiting_keys(rq, a.id, &waiting));
    for (i = 0; i < rows->count; i++) {
        APIM_TRY(
            st_ask_keymgr(rq, "client-get", json_pack("{s:s}", "consumerKey", rows->row[i][2]), &client));
        json_array_append_new(list, key_json(rq->pool, client, NULL));
    }
    for (i = 0; i < waiting->nelts; i++) {
        const po_workflow_t *workflow = &APR_ARRAY_IDX(waiting, i, po_workflow_t);
        if (is_for_keys(workflow)) {
            json_array_append_new(list, waiting_key_json(rq->pool, workflow));
        }
    }
    return rest_reply_json(rq->r, 200,
                           json_pack("{s:i, s:O}", "count", (int)json_array_size(list), "list", list));
}

static apim_error_t *reply_key(rest_request_t *rq, int by_type)
{
    st_application_t a;
    key_ref_t key;
    json_t *client;
    APIM_TRY(key_of_request(rq, by_type, &a, &key));
    APIM_TRY(st_ask_keymgr(rq, "client-get", json_pack("{s:s}", "consumerKey", key.consumer_key), &client));
    return rest_reply_json(rq->r, 200, key_json(rq->pool, client, NULL));
}

/* -- change
 * --------------------------------------------------------------------------------------------------------------
 */

static apim_error_t *change_key(rest_request_t *rq, int by_type)
{
    json_t *body, *grants, *in, *client;
    apr_int64_t lifetime;
    st_application_t a;
    key_ref_t key;
    APIM_TRY(key_of_request(rq, by_type, &a, &key));
    APIM_TRY(rest_read_json(rq->r, NULL, &body));
    APIM_TRY(texts_of(rq, body, "supportedGrantTypes", &grants));
    APIM_TRY(lifetime_of(rq, body, &lifetime));
    in = json_pack("{s:s}", "consumerKey", key.consumer_key);
    if (grants) {
        json_object_set(in, "grantTypes", grants);
    }
    if (json_is_string(json_object_get(body, "callbackUrl"))) {
        json_object_set_new(in, "callbackUrls", callback_urls(rq->pool, body));
    }
    if (lifetime) {
        json_object_set_new(in, "validityTime", json_integer(lifetime));
    }
    APIM_TRY(st_ask_keymgr(rq, "client-update", in, &client));
    return rest_reply_json(rq->r, 200, key_json(rq->pool, client, NULL));
}

static apim_error_t *new_secret(rest_request_t *rq, int by_type)
{
    const char *overlap = apr_table_get(rq->query, "overlap");
    st_application_t a;
    apr_int64_t kept;
    key_ref_t key;
    json_t *in, *out;
    APIM_TRY(key_of_request(rq, by_type, &a, &key));
    in = json_pack("{s:s}", "consumerKey", key.consumer_key);
    if (overlap) {
        if (apim_parse_i64(overlap, &kept)) {
            json_decref(in);
            return apim_bad_request(rq->pool, "overlap must be a number of seconds.");
        }
        json_object_set_new(in, "overlap", json_integer(kept));
    }
    APIM_TRY(st_ask_keymgr(rq, "client-regenerate-secret", in, &out));
    return rest_reply_json(rq->r, 200,
                           json_pack("{s:s, s:s}", "consumerKey", key.consumer_key, "consumerSecret",
                                     apim_json_str(out, "consumerSecret", "")));
}

static apim_error_t *new_token(rest_request_t *rq, int by_type)
{
    json_t *body, *scopes, *in, *issued, *ignored;
    apr_int64_t lifetime;
    st_application_t a;
    key_ref_t key;
    const char *secret, *old;
    APIM_TRY(key_of_request(rq, by_type, &a, &key));
    APIM_TRY(rest_read_json(rq->r, NULL, &body));
    APIM_TRY(texts_of(rq, body, "scopes", &scopes));
    APIM_TRY(seconds(rq, "validityPeriod", json_object_get(body, "validityPeriod"), &lifetime));
    secret = apim_json_str(body, "consumerSecret", NULL);
    old = apim_json_str(body, "revokeToken", NULL);
    if (old && *old) {
        APIM_TRY(st_ask_keymgr(rq, "token-revoke", json_pack("{s:s}", "token", old), &ignored));
    }
    in = json_pack("{s:s}", "consumerKey", key.consumer_key);
    if (secret && *secret) {
        json_object_set_new(in, "consumerSecret", json_string(secret));
    }
    if (scopes) {
        json_object_set(in, "scopes", scopes);
    }
    if (lifetime) {
        json_object_set_new(in, "validityPeriod", json_integer(lifetime));
    }
    APIM_TRY(st_ask_keymgr(rq, "token-generate", in, &issued));
    return rest_reply_json(rq->r, 200, token_json(rq->pool, issued));
}

/* -- delete
 * --------------------------------------------------------------------------------------------------------------
 */

/* A client that is gone already is as good as deleted. */
static apim_error_t *delete_client(rest_request_t *rq, const char *consumer_key)
{
    json_t *ignored;
    apim_error_t *err =
        st_ask_keymgr(rq, "client-delete", json_pack("{s:s}", "consumerKey", consumer_key), &ignored);
    return err && err->status == 404 ? NULL : err;
}

apim_error_t *st_keys_delete_all(rest_request_t *rq, const char *application_id)
{
    apim_rows_t *rows;
    int i;
    APIM_TRY(read_keys(rq, application_id, &rows));
    for (i = 0; i < rows->count; i++) {
        APIM_TRY(delete_client(rq, rows->row[i][2]));
    }
    return NULL;
}

/* What waits for approval is withdrawn, what was refused is forgotten. */
static apim_error_t *withdraw_key(rest_request_t *rq, const char *application, const char *id, int *gone)
{
    apim_error_t *err;
    apim_db_t *db;
    APIM_TRY(po_open(rq, APIM_DB_API_MANAGER, &db));
    err = apim_db_query(db, &wf_withdraw_one, gone, APIM_ARGS(id, application));
    apim_db_close(db);
    return err;
}

static apim_error_t *drop_key(rest_request_t *rq, int by_type)
{
    st_application_t a;
    key_ref_t key;
    apim_error_t *err = key_of_request(rq, by_type, &a, &key);
    int gone = 0;
    if (err && err->status == 404 && !by_type) {
        APIM_TRY(st_application_of_caller(rq, rq->param[0], &a));
        APIM_TRY(withdraw_key(rq, a.id, rq->param[1], &gone));
        return gone ? rest_reply_empty(rq->r, 200) : err;
    }
    APIM_TRY(err);
    APIM_TRY(delete_client(rq, key.consumer_key));
    return rest_reply_empty(rq->r, 200);
}

/* -- by keyMappingId, and the older resources by key type
 * -------------------------------------------------------------------- */

apim_error_t *st_keys_list(rest_request_t *rq)
{
    return list_keys(rq);
}

apim_error_t *st_type_keys_list(rest_request_t *rq)
{
    return list_keys(rq);
}

#define BOTH(BY_ID, BY_TYPE, FUNCTION)                                                                       \
    apim_error_t *BY_ID(rest_request_t *rq)                                                                  \
    {                                                                                                        \
        return FUNCTION(rq, 0);                                                                              \
    }                                                                                                        \
    apim_error_t *BY_TYPE(rest_request_t *rq)                                                                \
    {                                                                                                        \
        return FUNCTION(rq, 1);                                                                              \
    }

BOTH(st_key_read, st_type_key_read, reply_key)
BOTH(st_key_replace, st_type_key_replace, change_key)
BOTH(st_key_regenerate_secret, st_type_key_regenerate_secret, new_secret)
BOTH(st_key_generate_token, st_type_key_generate_token, new_token)
BOTH(st_key_clean_up, st_type_key_clean_up, drop_key)

apim_error_t *st_key_drop(rest_request_t *rq)
{
    return drop_key(rq, 0);
}
