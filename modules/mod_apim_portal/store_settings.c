/* SPDX-License-Identifier: Apache-2.0 */
#include <apr_strings.h>
#include <string.h>

#include "offered_grants.h"
#include "store.h"
#include "store_sql.h"

/* Policies that subscribers choose from, and what a client of the Store has to know. */

static const apim_json_limits_t policy_limits = {1024 * 1024, 32};

static apim_error_t *check_level(rest_request_t *rq, const char *level)
{
    if (strcmp(level, "application") == 0 || strcmp(level, "subscription") == 0) {
        return NULL;
    }
    return apim_bad_request(rq->pool, "The policy level must be application or subscription, not %s.", level);
}

static json_t *member_or(const json_t *object, const char *name, json_t *fallback)
{
    json_t *value = json_object_get(object, name);
    return value && !json_is_null(value) ? json_incref(value) : fallback;
}

/* DevPortal v3's ThrottlingPolicyDTO from the policy as Admin v4 has it. */
static json_t *policy_json(const char *level, const json_t *policy)
{
    const json_t *limit = json_object_get(policy, "defaultLimit"),
                 *count = json_object_get(limit, "requestCount");
    json_t *out = json_object();
    const char *unit = apim_json_str(count, "timeUnit", "");
    json_object_set_new(out, "policyId", member_or(policy, "policyId", json_null()));
    json_object_set_new(out, "name", member_or(policy, "policyName", json_null()));
    json_object_set_new(out, "displayName",
                        member_or(policy, "displayName", member_or(policy, "policyName", json_null())));
    json_object_set_new(out, "description", member_or(policy, "description", json_string("")));
    json_object_set_new(out, "policyLevel", json_string(level));
    json_object_set_new(out, "attributes", json_object());
    json_object_set_new(out, "requestCount", json_integer(apim_json_int(count, "requestCount", -1)));
    json_object_set_new(out, "unitTime", json_integer(apim_json_int(count, "unitTime", 0)));
    json_object_set_new(out, "timeUnit", json_string(unit));
    json_object_set_new(out, "rateLimitCount", member_or(policy, "rateLimitCount", json_integer(0)));
    json_object_set_new(out, "rateLimitTimeUnit", member_or(policy, "rateLimitTimeUnit", json_null()));
    json_object_set_new(out, "quotaPolicyType", json_string("REQUESTCOUNT"));
    json_object_set_new(out, "tierPlan", member_or(policy, "billingPlan", json_string("FREE")));
    json_object_set_new(out, "stopOnQuotaReach", member_or(policy, "stopOnQuotaReach", json_true()));
    return out;
}

typedef struct policies_t {
    rest_request_t *rq;
    const char *level;
    json_t *list;
} policies_t;

static apim_error_t *add_policy(void *baton, apr_pool_t *p, const char *const *values, int columns)
{
    policies_t *policies = baton;
    json_t *document;
    if (apim_json_parse(p, values[0], strlen(values[0]), &policy_limits, &document)) {
        return apim_internal(policies->rq->pool, "a stored policy cannot be read");
    }
    json_array_append_new(policies->list, policy_json(policies->level, document));
    return NULL;
}

static apim_error_t *read_policies(policies_t *policies, apim_db_t *db, int limit, int offset,
                                   apr_int64_t *total)
{
    apr_pool_t *p = policies->rq->pool;
    apim_rows_t *rows;
    APIM_TRY(apim_db_select(db, p, &st_policy_count, &rows, APIM_ARGS(policies->level)));
    apim_parse_i64(rows->row[0][0], total);
    return apim_db_each(db, p, &st_policy_list, add_policy, policies,
                        APIM_ARGS(policies->level, apim_i64(p, limit), apim_i64(p, offset)));
}

apim_error_t *st_policies_list(rest_request_t *rq)
{
    policies_t policies = {rq, rq->param[0], apim_json_own(rq->pool, json_array())};
    apr_int64_t total = 0;
    apim_error_t *err;
    int limit, offset;
    apim_db_t *db;
    APIM_TRY(check_level(rq, policies.level));
    APIM_TRY(rest_paging(rq, &limit, &offset));
    APIM_TRY(po_open(rq, APIM_DB_REGISTRY, &db));
    err = read_policies(&policies, db, limit, offset, &total);
    apim_db_close(db);
    return err ? err
               : rest_reply_json(rq->r, 200, rest_list(rq, json_incref(policies.list), limit, offset, total));
}

static apim_error_t *find_policy(rest_request_t *rq, const char *level, const char *name, json_t **out)
{
    apim_rows_t *rows;
    apim_error_t *err;
    apim_db_t *db;
    *out = NULL;
    APIM_TRY(po_open(rq, APIM_DB_REGISTRY, &db));
    err = apim_db_select(db, rq->pool, &st_policy_get, &rows, APIM_ARGS(level, name));
    apim_db_close(db);
    if (!err && rows->count &&
        apim_json_parse(rq->pool, rows->row[0][0], strlen(rows->row[0][0]), &policy_limits, out)) {
        err = apim_internal(rq->pool, "a stored policy cannot be read");
    }
    return err;
}

apim_error_t *st_policy_read(rest_request_t *rq)
{
    json_t *policy;
    APIM_TRY(check_level(rq, rq->param[0]));
    APIM_TRY(find_policy(rq, rq->param[0], rq->param[1], &policy));
    return policy ? rest_reply_json(rq->r, 200, policy_json(rq->param[0], policy))
                  : apim_not_found(rq->pool, "Policy", rq->param[1]);
}

apim_error_t *st_check_policy(rest_request_t *rq, const char *level, const char *member, const char *name)
{
    json_t *policy;
    if (strcmp(name, "Unlimited") == 0) {
        return NULL;
    }
    APIM_TRY(find_policy(rq, level, name, &policy));
    return policy ? NULL : apim_bad_request(rq->pool, "%s: there is no %s policy %s.", member, level, name);
}

apim_error_t *st_settings_read(rest_request_t *rq)
{
    json_t *scopes =
        json_pack("[s,s,s,s]", "apim:subscribe", "apim:app_manage", "apim:sub_manage", "apim:api_key");
    return rest_reply_json(rq->r, 200,
                           json_pack("{s:o, s:o, s:b, s:b, s:b, s:b, s:b, s:s, s:s, s:b}", "grantTypes",
                                     po_offered_grants(rq), "scopes", scopes, "applicationSharingEnabled", 1,
                                     "mapExistingAuthApps", 0, "monetizationEnabled", 0,
                                     "recommendationEnabled", 0, "IsUnlimitedTierPaid", 0,
                                     "apiGatewayEndpoint", po_gateway_url(rq->r), "tokenUrl",
                                     apr_pstrcat(rq->pool, po_keymgr_url(rq->r), "/oauth2/token", NULL),
                                     "IsAnonymousModeEnabled", 1));
}
