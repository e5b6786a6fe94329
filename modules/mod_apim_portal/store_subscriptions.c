/* SPDX-License-Identifier: Apache-2.0 */
#include <apr_strings.h>
#include <string.h>

#include "api_store.h"
#include "store.h"
#include "store_sql.h"
#include "workflow_sql.h"
#include "workflow_types.h"

/* Subscriptions of the caller's applications to APIs of the catalogue. */

#define MAX_MULTIPLE 100

/* Columns of ST_SUBSCRIPTION. */
enum {
    C_ID,
    C_APPLICATION,
    C_API,
    C_TIER,
    C_STATUS,
    C_APP_NAME,
    C_APP_TIER,
    C_APP_DESCRIPTION,
    C_APP_STATUS,
    C_APP_OWNER,
    C_API_NAME,
    C_API_VERSION,
    C_API_CONTEXT,
    C_API_PROVIDER,
    C_API_STATUS,
    C_API_DESCRIPTION,
    C_API_TYPE,
    C_WANTED_TIER
};

static json_t *api_json(const char *const *row)
{
    if (!row[C_API_NAME]) {
        return json_null();
    }
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "id", row[C_API], "name", row[C_API_NAME],
                     "description", row[C_API_DESCRIPTION], "context", row[C_API_CONTEXT], "version",
                     row[C_API_VERSION], "type", row[C_API_TYPE], "provider", row[C_API_PROVIDER],
                     "lifeCycleStatus", row[C_API_STATUS]);
}

static json_t *subscription_json(const char *const *row)
{
    json_t *application =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "applicationId", row[C_APPLICATION], "name",
                  row[C_APP_NAME], "throttlingPolicy", row[C_APP_TIER], "description", row[C_APP_DESCRIPTION],
                  "status", row[C_APP_STATUS], "owner", row[C_APP_OWNER]);
    return json_pack("{s:s, s:s, s:s, s:o, s:o, s:s, s:s, s:s, s:s}", "subscriptionId", row[C_ID],
                     "applicationId", row[C_APPLICATION], "apiId", row[C_API], "apiInfo", api_json(row),
                     "applicationInfo", application, "throttlingPolicy", row[C_TIER],
                     "requestedThrottlingPolicy", row[C_WANTED_TIER], "status", row[C_STATUS],
                     "redirectionParams", "");
}

static apim_error_t *find(rest_request_t *rq, apim_db_t *db, const char *id, const char *const **row)
{
    apim_rows_t *rows;
    APIM_TRY(apim_db_select(db, rq->pool, &st_subscription_get, &rows, APIM_ARGS(id, ST_CALLER(rq))));
    if (!rows->count) {
        return apim_not_found(rq->pool, "Subscription", id);
    }
    *row = rows->row[0];
    return NULL;
}

/* -- list and read
 * ------------------------------------------------------------------------------------------------------- */

static apim_error_t *read_list(rest_request_t *rq, apim_db_t *db, const char *application, const char *api,
                               int limit, int offset, apim_rows_t **rows, apr_int64_t *total)
{
    APIM_TRY(apim_db_select(db, rq->pool, &st_subscription_count, rows,
                            APIM_ARGS(ST_CALLER(rq), application, application, api, api)));
    apim_parse_i64((*rows)->row[0][0], total);
    return apim_db_select(db, rq->pool, &st_subscription_list, rows,
                          APIM_ARGS(ST_CALLER(rq), application, application, api, api,
                                    apim_i64(rq->pool, limit), apim_i64(rq->pool, offset)));
}

apim_error_t *st_subscriptions_list(rest_request_t *rq)
{
    const char *application = apr_table_get(rq->query, "applicationId"),
               *api = apr_table_get(rq->query, "apiId");
    json_t *list = apim_json_own(rq->pool, json_array());
    apr_int64_t total = 0;
    apim_rows_t *rows;
    apim_error_t *err;
    int limit, offset, i;
    apim_db_t *db;
    APIM_TRY(rest_paging(rq, &limit, &offset));
    APIM_TRY(st_know_caller(rq));
    APIM_TRY(po_open(rq, APIM_DB_API_MANAGER, &db));
    err = read_list(rq, db, application ? application : "", api ? api : "", limit, offset, &rows, &total);
    apim_db_close(db);
    for (i = 0; !err && i < rows->count; i++) {
        json_array_append_new(list, subscription_json(rows->row[i]));
    }
    return err ? err : rest_reply_json(rq->r, 200, rest_list(rq, json_incref(list), limit, offset, total));
}

/* Reads a subscription again and answers with it. */
static apim_error_t *reply(rest_request_t *rq, int status, const char *id)
{
    const char *const *row;
    apim_error_t *err;
    apim_db_t *db;
    APIM_TRY(po_open(rq, APIM_DB_API_MANAGER, &db));
    err = find(rq, db, id, &row);
    apim_db_close(db);
    return err ? err : rest_reply_json(rq->r, status, subscription_json(row));
}

apim_error_t *st_subscription_read(rest_request_t *rq)
{
    APIM_TRY(st_know_caller(rq));
    return reply(rq, 200, rq->param[0]);
}

/* -- create
 * ----------------------------------------------------------------------------------------------------------------
 */

static int offers_tier(const json_t *document, const char *name)
{
    json_t *tier;
    size_t i;
    json_array_foreach(json_object_get(document, "tiers"), i, tier)
    {
        if (strcmp(apim_json_str(tier, "tierName", ""), name) == 0) {
            return 1;
        }
    }
    return 0;
}

/* May the caller subscribe to this API in this tier? */
static apim_error_t *check_api(rest_request_t *rq, const char *api, const char *tier)
{
    json_t *document;
    const char *status;
    APIM_TRY(st_catalogue_get(rq, api, &document, &status));
    if (strcmp(status, "PUBLISHED") != 0) {
        return apim_error(rq->pool, 403, 900908, "Subscription not allowed",
                          "Subscriptions are not allowed on APIs in the state %s.", status);
    }
    if (!offers_tier(document, tier)) {
        return apim_bad_request(rq->pool, "throttlingPolicy: the API is not offered in the tier %s.", tier);
    }
    return NULL;
}

/* Notes what the caller wants of a subscription, if that has to be approved. */
static apim_error_t *ask(rest_request_t *rq, apim_db_t *db, const char *const *row, const char *type,
                         const char *tier, int *waits)
{
    static const struct {
        const char *type, *sentence;
    } sentences[] = {{PO_WF_SUBSCRIPTION_CREATION, "wants to subscribe to"},
                     {PO_WF_SUBSCRIPTION_UPDATE, "wants another tier of"},
                     {PO_WF_SUBSCRIPTION_DELETION, "wants to end the subscription to"}};
    po_workflow_t wish = {
        .type = type, .subject = row[C_ID], .parent = row[C_APPLICATION], .created_by = rq->username};
    const char *api = row[C_API_NAME] ? row[C_API_NAME] : row[C_API];
    const char *version = row[C_API_VERSION] ? row[C_API_VERSION] : "";
    size_t i = 0;
    while (strcmp(sentences[i].type, type) != 0) {
        i++;
    }
    wish.description = apr_psprintf(rq->pool, "%s %s %s %s with the application %s.", rq->username,
                                    sentences[i].sentence, api, version, row[C_APP_NAME]);
    wish.properties =
        apim_json_own(rq->pool, json_pack("{s:s, s:s, s:s?, s:s, s:s, s:s, s:s}", "apiName", api,
                                          "apiVersion", version, "apiProvider", row[C_API_PROVIDER],
                                          "applicationName", row[C_APP_NAME], "subscriber", rq->username,
                                          "subscriptionTier", tier, "currentTier", row[C_TIER]));
    return po_workflow_ask(db, rq->pool, &wish, waits);
}

static apim_error_t *hold(rest_request_t *rq, apim_db_t *db, const char *id, const char *tier)
{
    const char *const *row;
    int waits;
    APIM_TRY(find(rq, db, id, &row));
    APIM_TRY(ask(rq, db, row, PO_WF_SUBSCRIPTION_CREATION, tier, &waits));
    return waits ? apim_db_query(db, &wf_subscription_status, NULL,
                                 APIM_ARGS("ON_HOLD", apim_i64(rq->pool, apim_now_ms()), id))
                 : NULL;
}

static apim_error_t *insert(rest_request_t *rq, apim_db_t *db, const char *id, const char *application,
                            const char *api, const char *tier)
{
    const char *now = apim_i64(rq->pool, apim_now_ms());
    st_application_t a;
    int added;
    APIM_TRY(apim_db_begin(db));
    APIM_TRY(st_application_find(db, rq, application, &a));
    APIM_TRY(st_check_approved(rq, &a));
    APIM_TRY(
        apim_db_query(db, &st_subscription_insert, &added, APIM_ARGS(id, application, api, tier, now, now)));
    if (!added) {
        return apim_error(rq->pool, 409, 900552, "Subscription already exists",
                          "The application %s is subscribed to this API already.", a.name);
    }
    APIM_TRY(hold(rq, db, id, tier));
    APIM_TRY(po_invalidate(db, rq->pool, "application", application));
    return apim_db_commit(db);
}

/* One subscription from its JSON; *id of the new one. */
static apim_error_t *subscribe(rest_request_t *rq, const json_t *body, const char **id)
{
    const char *application, *api, *tier;
    apim_error_t *err;
    apim_db_t *db;
    APIM_TRY(st_needed_text(rq, body, "applicationId", 64, &application));
    APIM_TRY(st_needed_text(rq, body, "apiId", 64, &api));
    APIM_TRY(st_needed_text(rq, body, "throttlingPolicy", 512, &tier));
    APIM_TRY(st_know_caller(rq));
    APIM_TRY(check_api(rq, api, tier));
    *id = apim_uuid(rq->pool);
    if (!*id) {
        return apim_internal(rq->pool, "no random id");
    }
    APIM_TRY(po_open(rq, APIM_DB_API_MANAGER, &db));
    err = insert(rq, db, *id, application, api, tier);
    apim_db_close(db);
    return err;
}

apim_error_t *st_subscriptions_create(rest_request_t *rq)
{
    const char *id;
    json_t *body;
    APIM_TRY(rest_read_json(rq->r, NULL, &body));
    APIM_TRY(subscribe(rq, body, &id));
    apr_table_setn(rq->r->headers_out, "Location",
                   apr_pstrcat(rq->pool, rest_self_url(rq->r), PO_STORE_BASE "/subscriptions/", id, NULL));
    return reply(rq, 201, id);
}

/* Each for itself: one that cannot be made is reported in its place, as WSO2 does, and does not stop the
 * others. */
static json_t *subscribe_one_of_many(rest_request_t *rq, const json_t *body)
{
    const char *const *row;
    apim_error_t *err;
    const char *id;
    apim_db_t *db;
    err = subscribe(rq, body, &id);
    err = err ? err : po_open(rq, APIM_DB_API_MANAGER, &db);
    if (!err) {
        err = find(rq, db, id, &row);
        apim_db_close(db);
    }
    if (!err) {
        return subscription_json(row);
    }
    return json_pack("{s:O?, s:O?, s:O?, s:s, s:i, s:s}", "applicationId",
                     json_object_get(body, "applicationId"), "apiId", json_object_get(body, "apiId"),
                     "throttlingPolicy", json_object_get(body, "throttlingPolicy"), "status", "REJECTED",
                     "code", err->code, "description", err->description);
}

apim_error_t *st_subscriptions_create_many(rest_request_t *rq)
{
    json_t *body, *item, *out = apim_json_own(rq->pool, json_array());
    size_t i;
    APIM_TRY(rest_read_json(rq->r, NULL, &body));
    if (!json_is_array(body) || json_array_size(body) > MAX_MULTIPLE) {
        return apim_bad_request(rq->pool, "The body must be an array of at most %d subscriptions.",
                                MAX_MULTIPLE);
    }
    json_array_foreach(body, i, item)
    {
        json_array_append_new(out, subscribe_one_of_many(rq, item));
    }
    return rest_reply_json(rq->r, 200, json_incref(out));
}

/* -- change and delete
 * ----------------------------------------------------------------------------------------------------- */

/* What waits for approval, or was refused, stays as it is. */
static apim_error_t *check_settled(rest_request_t *rq, const char *const *row)
{
    return po_one_of(row[C_STATUS], "ON_HOLD|REJECTED|DELETE_PENDING|TIER_UPDATE_PENDING")
               ? apim_error(rq->pool, 409, 900911, "Waits for approval", "The subscription is %s.",
                            row[C_STATUS])
               : NULL;
}

static apim_error_t *set_tier(rest_request_t *rq, apim_db_t *db, const char *id, const char *tier)
{
    const char *now = apim_i64(rq->pool, apim_now_ms()), *const * row;
    int waits = 0;
    APIM_TRY(apim_db_begin(db));
    APIM_TRY(find(rq, db, id, &row));
    APIM_TRY(check_settled(rq, row));
    if (strcmp(row[C_TIER], tier) != 0) {
        APIM_TRY(ask(rq, db, row, PO_WF_SUBSCRIPTION_UPDATE, tier, &waits));
    }
    APIM_TRY(apim_db_query(db, waits ? &wf_subscription_wish : &st_subscription_set_tier, NULL,
                           APIM_ARGS(tier, now, id)));
    APIM_TRY(po_invalidate(db, rq->pool, "application", row[C_APPLICATION]));
    return apim_db_commit(db);
}

/* WSO2's pages say the new tier in requestedThrottlingPolicy and the old one in throttlingPolicy; older
 * scripts have the new one in the latter. */
static apim_error_t *wanted_tier(rest_request_t *rq, const json_t *body, const char *current,
                                 const char **tier)
{
    const char *wanted = apim_json_str(body, "requestedThrottlingPolicy", "");
    return st_needed_text(
        rq, body, *wanted && strcmp(wanted, current) != 0 ? "requestedThrottlingPolicy" : "throttlingPolicy",
        512, tier);
}

/* Another tier of the same API for the same application. */
apim_error_t *st_subscription_replace(rest_request_t *rq)
{
    const char *const *row, *tier;
    apim_error_t *err;
    apim_db_t *db;
    json_t *body;
    APIM_TRY(rest_read_json(rq->r, NULL, &body));
    APIM_TRY(st_know_caller(rq));
    APIM_TRY(po_open(rq, APIM_DB_API_MANAGER, &db));
    err = find(rq, db, rq->param[0], &row);
    apim_db_close(db);
    APIM_TRY(err);
    APIM_TRY(wanted_tier(rq, body, row[C_TIER], &tier));
    if (strcmp(apim_json_str(body, "apiId", row[C_API]), row[C_API]) != 0 ||
        strcmp(apim_json_str(body, "applicationId", row[C_APPLICATION]), row[C_APPLICATION]) != 0) {
        return apim_bad_request(
            rq->pool, "A subscription stays with its API and its application; only its tier can change.");
    }
    APIM_TRY(check_api(rq, row[C_API], tier));
    APIM_TRY(po_open(rq, APIM_DB_API_MANAGER, &db));
    err = set_tier(rq, db, rq->param[0], tier);
    apim_db_close(db);
    return err ? err : reply(rq, 200, rq->param[0]);
}

static apim_error_t *drop(rest_request_t *rq, apim_db_t *db, const char *id, const char *application)
{
    int gone;
    APIM_TRY(po_workflow_withdraw(db, id));
    APIM_TRY(apim_db_query(db, &st_subscription_delete, &gone, APIM_ARGS(id)));
    if (!gone) {
        return apim_error(
            rq->pool, 403, 900907, "Subscription is blocked",
            "The API's provider has blocked this subscription; it cannot be removed and made anew.");
    }
    return po_invalidate(db, rq->pool, "application", application);
}

/* One that was never approved just goes. */
static apim_error_t *drop_or_ask(rest_request_t *rq, apim_db_t *db, const char *id, int *waits)
{
    const char *const *row;
    *waits = 0;
    APIM_TRY(apim_db_begin(db));
    APIM_TRY(find(rq, db, id, &row));
    if (!po_one_of(row[C_STATUS], "ON_HOLD|REJECTED|BLOCKED|PROD_ONLY_BLOCKED")) {
        APIM_TRY(ask(rq, db, row, PO_WF_SUBSCRIPTION_DELETION, row[C_TIER], waits));
    }
    APIM_TRY(*waits ? apim_db_query(db, &wf_subscription_deletion, NULL,
                                    APIM_ARGS("1", apim_i64(rq->pool, apim_now_ms()), id))
                    : drop(rq, db, id, row[C_APPLICATION]));
    return apim_db_commit(db);
}

apim_error_t *st_subscription_drop(rest_request_t *rq)
{
    apim_error_t *err;
    apim_db_t *db;
    int waits;
    APIM_TRY(st_know_caller(rq));
    APIM_TRY(po_open(rq, APIM_DB_API_MANAGER, &db));
    err = drop_or_ask(rq, db, rq->param[0], &waits);
    apim_db_close(db);
    APIM_TRY(err);
    return waits ? reply(rq, 202, rq->param[0]) : rest_reply_empty(rq->r, 200);
}

/* -- decisions
 * -----------------------------------------------------------------------------------------------------------
 */

static apim_error_t *settle(rest_request_t *rq, apim_db_t *db, const po_workflow_t *workflow,
                            const apim_stmt_t *stmt, const char *value)
{
    const char *now = apim_i64(rq->pool, apim_now_ms());
    APIM_TRY(apim_db_query(db, stmt, NULL, APIM_ARGS(value, now, workflow->subject)));
    return po_invalidate(db, rq->pool, "application", workflow->parent);
}

apim_error_t *st_subscription_granted(rest_request_t *rq, apim_db_t *db, const po_workflow_t *workflow)
{
    return settle(rq, db, workflow, &wf_subscription_status, "UNBLOCKED");
}

apim_error_t *st_subscription_refused(rest_request_t *rq, apim_db_t *db, const po_workflow_t *workflow)
{
    return settle(rq, db, workflow, &wf_subscription_status, "REJECTED");
}

apim_error_t *st_tier_granted(rest_request_t *rq, apim_db_t *db, const po_workflow_t *workflow)
{
    APIM_TRY(apim_db_query(db, &wf_subscription_granted, NULL,
                           APIM_ARGS(apim_i64(rq->pool, apim_now_ms()), workflow->subject)));
    return po_invalidate(db, rq->pool, "application", workflow->parent);
}

apim_error_t *st_tier_refused(rest_request_t *rq, apim_db_t *db, const po_workflow_t *workflow)
{
    return settle(rq, db, workflow, &wf_subscription_wish, NULL);
}

apim_error_t *st_unsubscription_granted(rest_request_t *rq, apim_db_t *db, const po_workflow_t *workflow)
{
    return drop(rq, db, workflow->subject, workflow->parent);
}

apim_error_t *st_unsubscription_refused(rest_request_t *rq, apim_db_t *db, const po_workflow_t *workflow)
{
    return settle(rq, db, workflow, &wf_subscription_deletion, "0");
}
