/* SPDX-License-Identifier: Apache-2.0 */
#include <apr_strings.h>
#include <string.h>

#include "admin.h"
#include "admin_sql.h"
#include "search_query.h"

/*
 * Rate limiting policies of three levels. They live in the registry, and every change writes the artefact
 * that gateways read (docs/architecture.md, "Artefact policy") in the same transaction.
 */
#define MAX_NAME        60
#define MAX_DESCRIPTION 1024
#define MAX_COUNT       APR_INT64_C(1000000000000)
#define MAX_UNITS       1000 /* of the unit: far from an overflow at the gateways */
#define UNITS           "sec|min|hour|days|day|week|month|year"

static const apim_json_limits_t stored_limits = {1024 * 1024, 64};

/* -- reading a body
 * ------------------------------------------------------------------------------------------------------ */

static apr_int64_t whole_number(po_problems_t *problems, const char *where, const json_t *value,
                                apr_int64_t min, apr_int64_t max)
{
    if (!json_is_integer(value) || json_integer_value(value) < min || json_integer_value(value) > max) {
        po_problem(problems, where,
                   "must be a whole number from %" APR_INT64_T_FMT " to %" APR_INT64_T_FMT ".", min, max);
        return min;
    }
    return json_integer_value(value);
}

/* {"type": "REQUESTCOUNTLIMIT", "requestCount": {"timeUnit", "unitTime", "requestCount"}} */
json_t *ad_read_limit(po_problems_t *problems, const char *where, const json_t *limit)
{
    const json_t *count = json_object_get(limit, "requestCount");
    const char *type = apim_json_str(limit, "type", ""), *place = po_where(problems, where, "requestCount");
    apr_int64_t number, units;
    if (strcmp(type, "REQUESTCOUNTLIMIT") != 0) {
        po_problem(problems, po_where(problems, where, "type"),
                   "must be REQUESTCOUNTLIMIT; %s is not enforced yet, and a limit that is not enforced is "
                   "not accepted.",
                   *type ? type : "no limit");
        return NULL;
    }
    number = whole_number(problems, po_where(problems, place, "requestCount"),
                          json_object_get(count, "requestCount"), -1, MAX_COUNT);
    units = whole_number(problems, po_where(problems, place, "unitTime"), json_object_get(count, "unitTime"),
                         1, MAX_UNITS);
    po_check_one_of(problems, po_where(problems, place, "timeUnit"), json_object_get(count, "timeUnit"),
                    UNITS);
    return json_pack("{s:s, s:{s:s, s:I, s:I}}", "type", type, "requestCount", "timeUnit",
                     apim_json_str(count, "timeUnit", ""), "unitTime", (json_int_t)units, "requestCount",
                     (json_int_t)number);
}

/* What only subscription policies have. */
static void read_subscription_facts(po_problems_t *problems, const json_t *body, json_t *out)
{
    const json_t *burst = json_object_get(body, "rateLimitCount"),
                 *unit = json_object_get(body, "rateLimitTimeUnit");
    const json_t *plan = json_object_get(body, "billingPlan"),
                 *stop = json_object_get(body, "stopOnQuotaReach");
    apr_int64_t count =
        burst && !json_is_null(burst) ? whole_number(problems, "/rateLimitCount", burst, 0, MAX_COUNT) : 0;
    if (count) {
        po_check_one_of(problems, "/rateLimitTimeUnit", unit, "sec|min|hour|day");
    }
    if (plan && !json_is_null(plan)) {
        po_check_one_of(problems, "/billingPlan", plan, "FREE|COMMERCIAL");
    }
    if (stop && !json_is_null(stop) && !json_is_boolean(stop)) {
        po_problem(problems, "/stopOnQuotaReach", "must be true or false.");
    }
    json_object_set_new(out, "rateLimitCount", json_integer(count));
    json_object_set_new(out, "rateLimitTimeUnit",
                        json_string(count ? apim_json_str(body, "rateLimitTimeUnit", "") : ""));
    json_object_set_new(out, "stopOnQuotaReach", json_boolean(apim_json_bool(body, "stopOnQuotaReach", 1)));
    json_object_set_new(out, "billingPlan", json_string(apim_json_str(body, "billingPlan", "FREE")));
    json_object_set_new(out, "subscriberCount", json_integer(0));
    json_object_set_new(out, "customAttributes", json_array());
}

/* The policy as it is stored, from a body. The result is owned by the pool. */
static apim_error_t *read_body(rest_request_t *rq, const char *level, const char *id, json_t **out)
{
    po_problems_t problems = {rq->pool, NULL, 0};
    const char *name, *display, *description = "";
    json_t *body, *limit, *policy;
    APIM_TRY(rest_read_json(rq->r, NULL, &body));
    name = po_check_text(&problems, "/policyName", json_object_get(body, "policyName"), 1, MAX_NAME, NULL);
    if (name && strpbrk(name, "/\"\\*")) { /* '*' would be a wildcard where its users are counted */
        po_problem(&problems, "/policyName", "must not hold a slash, a backslash, a double quote or a star.");
    }
    display = apim_json_str(body, "displayName", name);
    if (display && display != name) {
        display =
            po_check_text(&problems, "/displayName", json_object_get(body, "displayName"), 0, 512, NULL);
    }
    if (json_is_string(json_object_get(body, "description"))) {
        description = po_check_text(&problems, "/description", json_object_get(body, "description"), 0,
                                    MAX_DESCRIPTION, "\n\r\t");
    }
    if (strcmp(level, "advanced") != 0 && json_array_size(json_object_get(body, "conditionalGroups"))) {
        po_problem(&problems, "/conditionalGroups", "belong to advanced policies.");
    }
    limit = ad_read_limit(&problems, "/defaultLimit", json_object_get(body, "defaultLimit"));
    policy = apim_json_own(rq->pool,
                           json_pack("{s:s, s:s?, s:s?, s:s?, s:b}", "policyId", id, "policyName", name,
                                     "displayName", display, "description", description, "isDeployed", 1));
    json_object_set_new(policy, "defaultLimit", limit ? limit : json_null());
    if (strcmp(level, "subscription") == 0) {
        read_subscription_facts(&problems, body, policy);
    }
    if (strcmp(level, "advanced") == 0) {
        json_object_set(policy, "conditionalGroups",
                        ad_read_groups(&problems, json_object_get(body, "conditionalGroups")));
    }
    *out = policy;
    return po_problems_error(&problems);
}

/* The artefact for gateways. */
static const char *artifact_of(apr_pool_t *p, const char *level, const json_t *policy)
{
    const json_t *count = json_object_get(json_object_get(policy, "defaultLimit"), "requestCount");
    const char *name = apim_json_str(policy, "policyName", "");
    json_t *out = json_pack(
        "{s:s, s:s, s:s, s:I, s:I, s:s, s:b, s:I, s:s}", "level", level, "name", name, "type", "REQUESTCOUNT",
        "requestCount",
        (json_int_t)(strcmp(name, "Unlimited") == 0 ? -1 : apim_json_int(count, "requestCount", -1)),
        "unitTime", (json_int_t)apim_json_int(count, "unitTime", 1), "timeUnit",
        apim_json_str(count, "timeUnit", "min"), "stopOnQuotaReach",
        apim_json_bool(policy, "stopOnQuotaReach", 1), "rateLimitCount",
        (json_int_t)apim_json_int(policy, "rateLimitCount", 0), "rateLimitTimeUnit",
        apim_json_str(policy, "rateLimitTimeUnit", ""));
    if (json_array_size(json_object_get(policy, "conditionalGroups"))) {
        json_object_set_new(out, "groups",
                            ad_groups_for_gateway(json_object_get(policy, "conditionalGroups")));
    }
    return apim_json_text(p, apim_json_own(p, out));
}

/* -- storing
 * -------------------------------------------------------------------------------------------------------------
 */

apim_error_t *ad_put_policy_artifact(rest_request_t *rq, apim_db_t *db, const char *key, const char *payload)
{
    apim_rows_t *rows;
    APIM_TRY(apim_db_select(db, rq->pool, &ad_feed_next, &rows, APIM_NOARGS));
    if (!rows->count) {
        return apim_internal(rq->pool, "reg_feed_head has no row; run apimctl migrate");
    }
    return apim_db_query(db, &ad_artifact_put, NULL,
                         APIM_ARGS(key, rows->row[0][0], payload ? "0" : "1", payload ? payload : "",
                                   apim_i64(rq->pool, apim_now_ms())));
}

static apim_error_t *put_artifact(rest_request_t *rq, apim_db_t *db, const char *level, const char *name,
                                  const char *payload)
{
    return ad_put_policy_artifact(rq, db, apr_pstrcat(rq->pool, level, "/", name, NULL), payload);
}

static apim_error_t *insert(rest_request_t *rq, apim_db_t *db, const char *level, const json_t *policy)
{
    const char *now = apim_i64(rq->pool, apim_now_ms()), *name = apim_json_str(policy, "policyName", "");
    int added;
    APIM_TRY(apim_db_begin(db));
    APIM_TRY(apim_db_query(db, &ad_policy_insert, &added,
                           APIM_ARGS(apim_json_str(policy, "policyId", ""), level, name,
                                     apim_json_str(policy, "displayName", name),
                                     apim_json_str(policy, "description", ""),
                                     apim_json_text(rq->pool, policy), now, now)));
    if (!added) {
        return apim_error(rq->pool, 409, 900970, "Policy already exists",
                          "There is a policy %s of this level already.", name);
    }
    APIM_TRY(put_artifact(rq, db, level, name, artifact_of(rq->pool, level, policy)));
    return apim_db_commit(db);
}

static apim_error_t *find(rest_request_t *rq, apim_db_t *db, const char *level, const char *id,
                          const char **document, const char **name)
{
    apim_rows_t *rows;
    APIM_TRY(apim_db_select(db, rq->pool, &ad_policy_get, &rows, APIM_ARGS(id, level)));
    if (!rows->count) {
        return apim_not_found(rq->pool, "Policy", id);
    }
    *document = rows->row[0][0];
    *name = rows->row[0][1];
    return NULL;
}

static apim_error_t *update(rest_request_t *rq, apim_db_t *db, const char *level, const char *id,
                            const json_t *policy)
{
    const char *document, *name;
    APIM_TRY(apim_db_begin(db));
    APIM_TRY(find(rq, db, level, id, &document, &name));
    if (strcmp(name, "Unlimited") == 0) {
        return apim_error(rq->pool, 403, 900971, "Policy cannot be changed",
                          "The policy Unlimited stays without a limit.");
    }
    if (strcmp(name, apim_json_str(policy, "policyName", "")) != 0) {
        return apim_bad_request(rq->pool,
                                "policyName: a policy keeps its name; make a new one and move its users.");
    }
    APIM_TRY(apim_db_query(
        db, &ad_policy_update, NULL,
        APIM_ARGS(apim_json_str(policy, "displayName", name), apim_json_str(policy, "description", ""),
                  apim_json_text(rq->pool, policy), apim_i64(rq->pool, apim_now_ms()), id)));
    APIM_TRY(put_artifact(rq, db, level, name, artifact_of(rq->pool, level, policy)));
    return apim_db_commit(db);
}

/* -- users of a policy
 * ----------------------------------------------------------------------------------------------------- */

static apim_error_t *count_users(rest_request_t *rq, apim_db_t *db, const char *level, const char *name,
                                 apr_int64_t *users)
{
    const char *quoted = apr_psprintf(rq->pool, "\"%s\"", name);
    apim_rows_t *rows;
    apr_int64_t more = 0;
    *users = 0;
    if (strcmp(level, "application") == 0) {
        APIM_TRY(apim_db_select(db, rq->pool, &ad_policy_applications, &rows, APIM_ARGS(name)));
        apim_parse_i64(rows->row[0][0], users);
        return NULL;
    }
    if (strcmp(level, "subscription") == 0) {
        APIM_TRY(apim_db_select(db, rq->pool, &ad_policy_subscriptions, &rows, APIM_ARGS(name)));
        apim_parse_i64(rows->row[0][0], &more);
    }
    /* APIs name their policies in their documents. */
    APIM_TRY(apim_db_select(db, rq->pool, &ad_policy_apis, &rows,
                            APIM_ARGS(po_like_pattern(rq->pool, quoted, 1))));
    apim_parse_i64(rows->row[0][0], users);
    *users += more;
    return NULL;
}

static apim_error_t *check_unused(rest_request_t *rq, const char *level, const char *name)
{
    apr_int64_t users;
    apim_error_t *err;
    apim_db_t *db;
    if (strcmp(name, "Unlimited") == 0 || strcmp(name, "Unauthenticated") == 0) {
        return apim_error(rq->pool, 403, 900971, "Policy cannot be deleted",
                          "The policy %s is needed by the gateways.", name);
    }
    APIM_TRY(po_open(rq, APIM_DB_API_MANAGER, &db));
    err = count_users(rq, db, level, name, &users);
    apim_db_close(db);
    if (!err && users) {
        err = apim_conflict(rq->pool, "The policy %s is in use (%" APR_INT64_T_FMT " times).", name, users);
    }
    return err;
}

static apim_error_t *drop(rest_request_t *rq, apim_db_t *db, const char *level, const char *id,
                          const char *name)
{
    APIM_TRY(apim_db_begin(db));
    APIM_TRY(apim_db_query(db, &ad_policy_delete, NULL, APIM_ARGS(id)));
    APIM_TRY(put_artifact(rq, db, level, name, NULL));
    return apim_db_commit(db);
}

/* -- the operations, for any level
 * ----------------------------------------------------------------------------------------- */

static apim_error_t *stored(rest_request_t *rq, const char *text, json_t **out)
{
    apim_error_t *err = apim_json_parse(rq->pool, text, strlen(text), &stored_limits, out);
    return err ? apim_internal(rq->pool, "a stored policy cannot be read: %s", err->description) : NULL;
}

static apim_error_t *list_policies(rest_request_t *rq, const char *level)
{
    json_t *list = apim_json_own(rq->pool, json_array()), *policy;
    apim_rows_t *rows;
    apim_error_t *err;
    apim_db_t *db;
    int i;
    APIM_TRY(po_open(rq, APIM_DB_REGISTRY, &db));
    err = level ? apim_db_select(db, rq->pool, &ad_policy_list, &rows, APIM_ARGS(level))
                : apim_db_select(db, rq->pool, &ad_policy_all, &rows, APIM_NOARGS);
    apim_db_close(db);
    for (i = 0; !err && i < rows->count; i++) {
        err = stored(rq, rows->row[i][1], &policy);
        if (!err && !level) {
            json_object_set_new(policy, "type", json_string(rows->row[i][2]));
        }
        if (!err) {
            json_array_append(list, policy);
        }
    }
    return err ? err
               : rest_reply_json(
                     rq->r, 200,
                     json_pack("{s:I, s:O}", "count", (json_int_t)json_array_size(list), "list", list));
}

static apim_error_t *add_policy(rest_request_t *rq, const char *level)
{
    const char *id = apim_uuid(rq->pool);
    apim_error_t *err;
    json_t *policy;
    apim_db_t *db;
    if (!id) {
        return apim_internal(rq->pool, "no random id");
    }
    APIM_TRY(read_body(rq, level, id, &policy));
    APIM_TRY(po_open(rq, APIM_DB_REGISTRY, &db));
    err = insert(rq, db, level, policy);
    apim_db_close(db);
    if (err) {
        return err;
    }
    apr_table_setn(rq->r->headers_out, "Location",
                   apr_pstrcat(rq->pool, rest_self_url(rq->r), PO_ADMIN_BASE "/throttling/policies/", level,
                               "/", id, NULL));
    return rest_reply_json(rq->r, 201, json_incref(policy));
}

static apim_error_t *read_policy(rest_request_t *rq, const char *level)
{
    const char *document, *name;
    apim_error_t *err;
    json_t *policy;
    apim_db_t *db;
    APIM_TRY(po_open(rq, APIM_DB_REGISTRY, &db));
    err = find(rq, db, level, rq->param[0], &document, &name);
    apim_db_close(db);
    err = err ? err : stored(rq, document, &policy);
    return err ? err : rest_reply_json(rq->r, 200, json_incref(policy));
}

static apim_error_t *replace_policy(rest_request_t *rq, const char *level)
{
    apim_error_t *err;
    json_t *policy;
    apim_db_t *db;
    APIM_TRY(read_body(rq, level, rq->param[0], &policy));
    APIM_TRY(po_open(rq, APIM_DB_REGISTRY, &db));
    err = update(rq, db, level, rq->param[0], policy);
    apim_db_close(db);
    return err ? err : rest_reply_json(rq->r, 200, json_incref(policy));
}

static apim_error_t *drop_policy(rest_request_t *rq, const char *level)
{
    const char *document, *name;
    apim_error_t *err;
    apim_db_t *db;
    APIM_TRY(po_open(rq, APIM_DB_REGISTRY, &db));
    err = find(rq, db, level, rq->param[0], &document, &name);
    apim_db_close(db);
    err = err ? err : check_unused(rq, level, name);
    if (err) {
        return err;
    }
    APIM_TRY(po_open(rq, APIM_DB_REGISTRY, &db));
    err = drop(rq, db, level, rq->param[0], name);
    apim_db_close(db);
    return err ? err : rest_reply_empty(rq->r, 200);
}

apim_error_t *ad_policies_search(rest_request_t *rq)
{
    return list_policies(rq, NULL);
}

#define LEVEL(NAME, TEXT)                                                                                    \
    apim_error_t *ad_##NAME##_policies(rest_request_t *rq)                                                   \
    {                                                                                                        \
        return list_policies(rq, TEXT);                                                                      \
    }                                                                                                        \
    apim_error_t *ad_##NAME##_policy_add(rest_request_t *rq)                                                 \
    {                                                                                                        \
        return add_policy(rq, TEXT);                                                                         \
    }                                                                                                        \
    apim_error_t *ad_##NAME##_policy_read(rest_request_t *rq)                                                \
    {                                                                                                        \
        return read_policy(rq, TEXT);                                                                        \
    }                                                                                                        \
    apim_error_t *ad_##NAME##_policy_replace(rest_request_t *rq)                                             \
    {                                                                                                        \
        return replace_policy(rq, TEXT);                                                                     \
    }                                                                                                        \
    apim_error_t *ad_##NAME##_policy_drop(rest_request_t *rq)                                                \
    {                                                                                                        \
        return drop_policy(rq, TEXT);                                                                        \
    }

LEVEL(application, "application")
LEVEL(subscription, "subscription")
LEVEL(advanced, "advanced")
