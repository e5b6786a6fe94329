/* SPDX-License-Identifier: Apache-2.0 */
#include <apr_strings.h>
#include <string.h>

#include "publisher.h"
#include "publisher_sql.h"

/* Publisher v4 calls the level of resources and whole APIs "api"; Admin v4, and the registry, "advanced". */
static apim_error_t *level_of(rest_request_t *rq, const char **level)
{
    const char *asked = rq->param[0];
    if (strcmp(asked, "api") == 0 || strcmp(asked, "advanced") == 0) {
        *level = "advanced";
    }
    else if (strcmp(asked, "application") == 0 || strcmp(asked, "subscription") == 0) {
        *level = asked;
    }
    else {
        return apim_bad_request(rq->pool, "The policy level must be api, application or subscription.");
    }
    return NULL;
}

static json_t *or_null(const json_t *value)
{
    return value ? json_incref((json_t *)(apr_uintptr_t)value) : json_null();
}

/* Admin v4's policy as Publisher v4 shows it. */
static apim_error_t *policy_json(rest_request_t *rq, const char *text, json_t **out)
{
    const json_t *limit, *numbers;
    json_t *policy;
    APIM_TRY(apim_json_parse(rq->pool, text, strlen(text), NULL, &policy));
    limit = json_object_get(policy, "defaultLimit");
    numbers = json_object_get(limit, "requestCount");
    numbers = json_is_object(numbers) ? numbers : json_object_get(limit, "bandwidth");
    *out = json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:s, s:b, s:o}", "name",
                     apim_json_str(policy, "policyName", ""), "displayName",
                     apim_json_str(policy, "displayName", apim_json_str(policy, "policyName", "")),
                     "description", apim_json_str(policy, "description", ""), "policyLevel", rq->param[0],
                     "requestCount", or_null(json_object_get(numbers, "requestCount")), "dataAmount",
                     or_null(json_object_get(numbers, "dataAmount")), "timeUnit",
                     or_null(json_object_get(numbers, "timeUnit")), "unitTime",
                     or_null(json_object_get(numbers, "unitTime")), "quotaPolicyType",
                     apim_json_str(limit, "type", "REQUESTCOUNTLIMIT"), "stopOnQuotaReach",
                     apim_json_bool(policy, "stopOnQuotaReach", 1), "tierPlan",
                     json_string(apim_json_str(policy, "billingPlan", "FREE")));
    return *out ? NULL : apim_internal(rq->pool, "a stored policy cannot be shown: %s", text);
}

apim_error_t *po_policies_list(rest_request_t *rq)
{
    json_t *list = apim_json_own(rq->pool, json_array()), *item;
    const char *level;
    int limit, offset, i;
    apim_rows_t *rows;
    apim_db_t *db;
    apim_error_t *err;
    APIM_TRY(level_of(rq, &level));
    APIM_TRY(rest_paging(rq, &limit, &offset));
    APIM_TRY(po_open(rq, APIM_DB_REGISTRY, &db));
    err = apim_db_select(db, rq->pool, &po_policy_list, &rows, APIM_ARGS(level));
    apim_db_close(db);
    APIM_TRY(err);
    for (i = offset; i < rows->count && i - offset < limit; i++) {
        APIM_TRY(policy_json(rq, rows->row[i][0], &item));
        json_array_append_new(list, item);
    }
    return rest_reply_json(rq->r, 200, rest_list(rq, json_incref(list), limit, offset, rows->count));
}

apim_error_t *po_policy_read(rest_request_t *rq)
{
    const char *level;
    apim_rows_t *rows;
    apim_db_t *db;
    apim_error_t *err;
    json_t *out;
    APIM_TRY(level_of(rq, &level));
    APIM_TRY(po_open(rq, APIM_DB_REGISTRY, &db));
    err = apim_db_select(db, rq->pool, &po_policy_get, &rows, APIM_ARGS(level, rq->param[1]));
    apim_db_close(db);
    APIM_TRY(err);
    if (!rows->count) {
        return apim_not_found(rq->pool, "Policy", rq->param[1]);
    }
    APIM_TRY(policy_json(rq, rows->row[0][0], &out));
    return rest_reply_json(rq->r, 200, out);
}
