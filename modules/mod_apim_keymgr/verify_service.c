/* SPDX-License-Identifier: Apache-2.0 */
#include "verify_service.h"

#include <apr_strings.h>
#include <http_log.h>
#include <string.h>

#include "key_restrictions.h"
#include "keymgr_log.h"
#include "keymgr_stats.h"
#include "resource_target.h"

/* WSO2's codes; the gateway turns them into faults. */
typedef struct refusal_t {
    int code;
    const char *message;
    const char *description;
} refusal_t;

static const refusal_t invalid = {900901, "Invalid Credentials",
                                  "Access failure for API: the credentials are not valid or were revoked."};
static const refusal_t expired = {900903, "Access Token Expired",
                                  "The access token has expired; get a new one."};
static const refusal_t meant_for_others = {900901, "Invalid Credentials",
                                           "The access token is meant for another resource than this API."};
static const refusal_t blocked = {900907, "The requested API is temporarily blocked",
                                  "The subscription of the application to this API is blocked."};
static const refusal_t not_subscribed = {900908, "Resource forbidden",
                                         "The application has no subscription to this API."};
static const refusal_t not_permitted = {900908, "Resource forbidden",
                                        "The API key may not be used from this address or page."};
static const refusal_t on_hold = {900909, "The subscription to the API is inactive",
                                  "The subscription is waiting for approval or was rejected."};
static const refusal_t application_on_hold = {900909, "The subscription to the API is inactive",
                                              "The application is waiting for approval or was rejected."};

/* -- verify
 * ------------------------------------------------------------------------------------------------------ */

static int is(const char *a, const char *b)
{
    return a && strcmp(a, b) == 0;
}

static const refusal_t *judge_subscription(const km_token_info_t *info)
{
    const char *status = info->subscription_status;
    if (!status) {
        return &not_subscribed;
    }
    if (is(status, "BLOCKED") || (is(status, "PROD_ONLY_BLOCKED") && is(info->key_type, "PRODUCTION"))) {
        return &blocked;
    }
    return is(status, "UNBLOCKED") || is(status, "PROD_ONLY_BLOCKED") ? NULL : &on_hold;
}

static const refusal_t *judge(const km_call_t *call, const km_token_info_t *info, const json_t *in)
{
    if (info->state != KM_ACTIVE) {
        return info->state == KM_EXPIRED ? &expired : &invalid;
    }
    if (!km_audience_covers(call, info->audience, apim_json_str(in, "context", NULL))) {
        return &meant_for_others;
    }
    if (!km_address_permitted(call->pool, info->permitted_ips, apim_json_str(in, "clientIp", NULL)) ||
        !km_referer_permitted(call->pool, info->permitted_referers, apim_json_str(in, "referer", NULL))) {
        return &not_permitted;
    }
    if (info->application_status && !is(info->application_status, "APPROVED")) {
        return &application_on_hold;
    }
    return apim_json_bool(in, "subscriptionRequired", 1) ? judge_subscription(info) : NULL;
}

static json_t *scope_array(apr_pool_t *p, const char *scopes)
{
    json_t *array = json_array();
    char *state, *word, *copy = apr_pstrdup(p, scopes ? scopes : "");
    for (word = apr_strtok(copy, " ", &state); word; word = apr_strtok(NULL, " ", &state)) {
        json_array_append_new(array, json_string(word));
    }
    return array;
}

/* Members of a refusal and of a permission alike: what the answer depends on, so that a gateway forgets it
 * when that changes. */
static void add_subjects(json_t *out, const km_token_info_t *info)
{
    if (info->token_id) {
        apim_json_set_str(out, "tokenId", info->token_id);
    }
    if (info->consumer_key) {
        apim_json_set_str(out, "consumerKey", info->consumer_key);
    }
    if (info->application_id) {
        apim_json_set_str(out, "applicationId", info->application_id);
    }
    if (info->username) {
        apim_json_set_str(out, "username", info->username);
    }
    if ((info->permitted_ips && *info->permitted_ips) ||
        (info->permitted_referers && *info->permitted_referers)) {
        /* The answer holds for this address and page only. */
        json_object_set_new(out, "cacheable", json_false());
    }
}

static json_t *permission(const km_call_t *call, const km_token_info_t *info)
{
    int by_user = info->kind != KM_KIND_API_KEY && info->username;
    json_t *out = json_pack("{s:b, s:s, s:s, s:o}", "authorized", 1, "keyType", info->key_type, "userType",
                            by_user ? "APPLICATION_USER" : "APPLICATION", "scopes",
                            scope_array(call->pool, info->scopes));
    add_subjects(out, info);
    if (!info->username) {
        apim_json_set_str(out, "username",
                          info->application_owner ? info->application_owner : info->client_owner);
    }
    apim_json_set_str(out, "applicationName", info->application_name);
    apim_json_set_str(out, "applicationTier", info->application_tier);
    apim_json_set_str(out, "applicationOwner", info->application_owner);
    apim_json_set_str(out, "subscriptionId", info->subscription_id);
    apim_json_set_str(out, "subscriptionTier", info->subscription_tier);
    if (info->expires_at) {
        json_object_set_new(out, "expiresAt", json_integer((json_int_t)info->expires_at));
    }
    return out;
}

static json_t *refusal(const km_call_t *call, const km_token_info_t *info, const refusal_t *why)
{
    json_t *out = json_pack("{s:b, s:i, s:s, s:s}", "authorized", 0, "code", why->code, "message",
                            why->message, "description", why->description);
    add_subjects(out, info);
    if (info->subscription_id) {
        apim_json_set_str(out, "subscriptionId", info->subscription_id);
    }
    return out;
}

apim_error_t *km_verify(const km_call_t *call, const json_t *in, json_t **out)
{
    const char *token = apim_json_str(in, "token", NULL), *api_key = apim_json_str(in, "apiKey", NULL);
    const char *api_id = apim_json_str(in, "apiId", NULL), *context = apim_json_str(in, "context", NULL);
    km_token_info_t *info;
    const refusal_t *why;
    if (!token == !api_key) {
        return apim_bad_request(call->pool, "Give either token or apiKey.");
    }
    APIM_TRY(token ? km_lookup_token(call, token, api_id, context, &info)
                   : km_lookup_api_key(call, api_key, api_id, context, &info));
    why = judge(call, info, in);
    km_count(KM_VERIFIED);
    if (why) {
        km_count(KM_VERIFY_REFUSED);
        ap_log_rerror(APLOG_MARK, APLOG_DEBUG, 0, call->r, "APIM-KM0031: refused with %d: %s", why->code,
                      why->description);
    }
    *out = apim_json_own(call->pool, why ? refusal(call, info, why) : permission(call, info));
    return *out ? NULL : apim_internal(call->pool, "no JSON could be made of a verification");
}

/* -- introspect
 * -------------------------------------------------------------------------------------------------- */

apim_error_t *km_introspect(const km_call_t *call, const json_t *in, json_t **out)
{
    const char *token = apim_json_str(in, "token", NULL);
    km_token_info_t *info;
    json_t *j;
    if (!token) {
        return apim_bad_request(call->pool, "token is missing.");
    }
    APIM_TRY(km_lookup_token(call, token, NULL, NULL, &info));
    if (info->state != KM_ACTIVE || !km_audience_is_ours(call, info->audience)) {
        j = json_pack("{s:b}", "active", 0);
    }
    else {
        j = json_pack("{s:b, s:s, s:s, s:s, s:I, s:s, s:s, s:s}", "active", 1, "username",
                      info->username ? info->username : info->client_owner, "scope", info->scopes, "clientId",
                      info->consumer_key, "exp", (json_int_t)(info->expires_at / 1000), "tokenType", "Bearer",
                      "userType", info->username ? "APPLICATION_USER" : "APPLICATION", "tokenId",
                      info->token_id);
    }
    *out = apim_json_own(call->pool, j);
    return *out ? NULL : apim_internal(call->pool, "no JSON could be made of an introspection");
}
