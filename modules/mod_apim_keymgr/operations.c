/* SPDX-License-Identifier: Apache-2.0 */
#include "operations.h"

#include <apr_strings.h>
#include <string.h>

#include "apim_crypto.h"
#include "api_key_service.h"
#include "apim_usage.h"
#include "assertion.h"
#include "client_operations.h"
#include "feed_service.h"
#include "httpd/audit.h"
#include "httpd/db_pool.h"
#include "httpd/keymgr_call.h"
#include "httpd/rest.h"
#include "login_service.h"
#include "oauth_endpoints.h"
#include "operation_input.h"
#include "revocation.h"
#include "verify_service.h"

#define MAX_BODY (64 * 1024)

typedef apim_error_t *(operation_fn)(const km_call_t *call, const json_t *in, json_t **out);

static apim_error_t *token_revoke(const km_call_t *call, const json_t *in, json_t **out)
{
    const char *token;
    APIM_TRY(km_in_needed(call->pool, in, "token", 8192, &token));
    *out = apim_json_own(call->pool, json_object());
    return km_revoke_token(call, token, NULL);
}

/* A batch of a gateway without a database. */
static apim_error_t *usage_add(const km_call_t *call, const json_t *in, json_t **out)
{
    apim_error_t *err;
    apim_db_t *db;
    APIM_TRY(apim_db_open(call->pool, &call->conf->common, APIM_DB_API_MANAGER, &db));
    err = apim_usage_add(db, call->pool, in);
    apim_db_close(db);
    *out = apim_json_own(call->pool, json_object());
    return err;
}

/* Which grants are offered here, for the forms of portals. */
static apim_error_t *grant_types(const km_call_t *call, const json_t *in, json_t **out)
{
    char *state, *word, *copy = apr_pstrdup(call->pool, km_grant_names(call));
    json_t *list = json_array();
    for (word = apr_strtok(copy, " ", &state); word; word = apr_strtok(NULL, " ", &state)) {
        json_array_append_new(list, json_string(word));
    }
    *out = apim_json_own(call->pool, json_pack("{s:o}", "grantTypes", list));
    return *out ? NULL : apim_internal(call->pool, "the grant types could not be printed");
}

static const struct {
    const char *name;
    operation_fn *fn;
} operations[] = {{"verify", km_verify},
                  {"assertion", km_assertion},
                  {"introspect", km_introspect},
                  {"grant-types", grant_types},
                  {"client-create", km_client_create},
                  {"client-get", km_client_get},
                  {"client-update", km_client_change},
                  {"client-regenerate-secret", km_client_regenerate_secret},
                  {"client-add-secret", km_client_add_secret},
                  {"client-list-secrets", km_client_list_secrets},
                  {"client-revoke-secret", km_client_revoke_secret},
                  {"client-delete", km_client_drop},
                  {"token-generate", km_token_generate},
                  {"token-revoke", token_revoke},
                  {"user-revoke", km_user_revoke},
                  {"portal-login-begin", km_portal_login_begin},
                  {"portal-login-end", km_portal_login_end},
                  {"portal-logout", km_portal_logout},
                  {"usage-add", usage_add},
                  {"api-key-generate", km_api_key_generate},
                  {"api-key-revoke", km_api_key_revoke},
                  {"feed-heads", km_feed_heads},
                  {"feed-artifacts", km_feed_artifacts},
                  {"feed-invalidations", km_feed_invalidations}};

apim_error_t *km_operation(const km_call_t *call, const char *name, const json_t *in, json_t **out)
{
    apr_size_t i;
    if (!json_is_object(in)) {
        return apim_bad_request(call->pool, "The input must be a JSON object.");
    }
    for (i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
        if (strcmp(name, operations[i].name) == 0) {
            return operations[i].fn(call, in, out);
        }
    }
    return apim_not_found(call->pool, "Operation", name);
}

static apim_error_t *answer(const km_call_t *call, const char *operation, json_t **out)
{
    static const apim_json_limits_t limits = {MAX_BODY, 8};
    const char *secret = apr_table_get(call->r->headers_in, APIM_CLUSTER_SECRET_HEADER);
    json_t *in;
    if (!apim_equal_secret(secret, call->conf->common.cluster_secret)) {
        return apim_error(call->pool, HTTP_NOT_FOUND, APIM_E_NOT_FOUND, "Not Found",
                          "There is no resource at this path.");
    }
    if (strcmp(call->r->method, "POST") != 0) {
        apr_table_setn(call->r->err_headers_out, "Allow", "POST");
        return apim_error(call->pool, HTTP_METHOD_NOT_ALLOWED, 405, "Method Not Allowed",
                          "Operations are POSTed.");
    }
    APIM_TRY(rest_read_json(call->r, &limits, &in));
    return km_operation(call, operation, in, out);
}

/* What other nodes ask all the time changes nothing that the audit log is about. */
static int changes(const char *operation)
{
    static const char *const often[] = {"verify",      "assertion", "introspect", "client-get", "client-list",
                                        "grant-types", "usage-add", "feed-",      "portal-"};
    apr_size_t i;
    for (i = 0; i < sizeof(often) / sizeof(often[0]); i++) {
        if (strncmp(operation, often[i], strlen(often[i])) == 0) {
            return 0;
        }
    }
    return 1;
}

int km_endpoint_internal(const km_call_t *call, const char *operation)
{
    json_t *out;
    apim_error_t *err = answer(call, operation, &out);
    if (changes(operation) || (err && err->status < 500)) {
        apim_audit_about(call->r, "operation", operation);
        apim_audit(call->r, &call->conf->common, "node-operation", err);
    }
    if (err) {
        rest_log_error(call->r, "APIM-KM0002", err);
        rest_reply_error(call->r, err);
        return OK;
    }
    rest_reply_json(call->r, HTTP_OK, json_incref(out));
    return OK;
}
