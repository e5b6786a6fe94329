/* SPDX-License-Identifier: Apache-2.0 */
#include <apr_strings.h>
#include <string.h>

#include "lifecycle.h"
#include "publisher.h"
#include "publisher_sql.h"
#include "revision_store.h"
#include "workflow_sql.h"
#include "workflow_types.h"

/* -- as JSON -----------------------------------------------------------------------------------------------
 */

static json_t *state_json(const char *state)
{
    json_t *transitions = json_array(), *items = json_array();
    const po_transition_t *t;
    for (t = po_transitions; t->from; t++) {
        if (strcmp(t->from, state) == 0) {
            json_array_append_new(transitions,
                                  json_pack("{s:s, s:s}", "event", t->action, "targetState", t->to));
        }
    }
    if (po_lifecycle_has_checklist(state)) {
        json_array_append_new(
            items, json_pack("{s:s, s:b, s:[]}", "name", PO_CHECK_DEPRECATE, "value", 0, "requiredStates"));
        json_array_append_new(
            items, json_pack("{s:s, s:b, s:[]}", "name", PO_CHECK_RESUBSCRIBE, "value", 0, "requiredStates"));
    }
    return json_pack("{s:s, s:o, s:o}", "state", state, "checkItems", items, "availableTransitions",
                     transitions);
}

apim_error_t *po_lifecycle_read(rest_request_t *rq)
{
    po_api_t *api;
    apim_db_t *db;
    apim_error_t *err;
    APIM_TRY(po_open(rq, APIM_DB_API_MANAGER, &db));
    err = po_api_get(db, rq->pool, rq->param[0], &api);
    apim_db_close(db);
    APIM_TRY(err);
    return rest_reply_json(rq->r, 200, state_json(api->status));
}

apim_error_t *po_lifecycle_history(rest_request_t *rq)
{
    json_t *list = json_array();
    apim_rows_t *rows;
    po_api_t *api;
    apim_db_t *db;
    apim_error_t *err;
    int i;
    APIM_TRY(po_open(rq, APIM_DB_API_MANAGER, &db));
    err = po_api_get(db, rq->pool, rq->param[0], &api);
    err = err ? err : apim_db_select(db, rq->pool, &po_event_list, &rows, APIM_ARGS(rq->param[0]));
    apim_db_close(db);
    APIM_TRY(err);
    for (i = 0; i < rows->count; i++) {
        const char **row = rows->row[i];
        json_array_append_new(list, json_pack("{s:s?, s:s, s:s, s:s}", "previousState", row[0], "postState",
                                              row[1], "user", row[2], "updatedTime",
                                              apim_iso_time(rq->pool, po_number(row[3]))));
    }
    return rest_reply_json(rq->r, 200, json_pack("{s:i, s:o}", "count", rows->count, "list", list));
}

/* -- changing ----------------------------------------------------------------------------------------------
 */

typedef struct change_t {
    rest_request_t *rq;
    apim_db_t *db;
    po_api_t *api;
    const char *action, *checklist;
    const char *username;       /* who wants it */
    int approved;               /* somebody has agreed */
    int waits;                  /* somebody has to */
    apr_array_header_t *others; /* ids of other versions that changed too */
} change_t;

static apim_error_t *check_ready(change_t *change, const char *to)
{
    const json_t *document = change->api->document;
    if (strcmp(to, "PUBLISHED") != 0 && strcmp(to, "PROTOTYPED") != 0) {
        return NULL;
    }
    if (!po_document_endpoint(document, "production_endpoints") &&
        !po_document_endpoint(document, "sandbox_endpoints")) {
        return apim_bad_request(
            change->rq->pool, "The API has no endpoint yet. Set endpointConfig before '%s'.", change->action);
    }
    if (strcmp(to, "PUBLISHED") == 0 && !json_array_size(json_object_get(document, "policies"))) {
        return apim_bad_request(change->rq->pool,
                                "The API has no subscription policy yet. Set policies before '%s'.",
                                change->action);
    }
    return NULL;
}

static apim_error_t *deprecate(change_t *change, const char *id)
{
    po_api_t *older;
    APIM_TRY(po_api_get_for_update(change->db, change->rq->pool, id, &older));
    APIM_TRY(po_api_set_status(change->db, change->rq->pool, older, "DEPRECATED", change->username));
    APR_ARRAY_PUSH(change->others, const char *) = id;
    return NULL;
}

/* Subscribers of an older version may call the new one with what they have. */
static apim_error_t *carry_subscriptions(change_t *change, const char *from)
{
    apr_pool_t *p = change->rq->pool;
    const char *now = apim_i64(p, apim_now_ms());
    apim_rows_t *rows;
    int i, added;
    APIM_TRY(apim_db_select(change->db, p, &po_subscription_of_api, &rows, APIM_ARGS(from)));
    for (i = 0; i < rows->count; i++) {
        const char **row = rows->row[i];
        APIM_TRY(apim_db_query(change->db, &po_subscription_copy, &added,
                               APIM_ARGS(apim_uuid(p), row[0], change->api->id, row[1], row[2], now, now)));
        if (added) {
            APIM_TRY(po_invalidate(change->db, p, "application", row[0]));
        }
    }
    return NULL;
}

/* What the first publication of a version does to older ones. */
static apim_error_t *settle_older(change_t *change)
{
    int to_deprecate = po_lifecycle_checked(change->checklist, PO_CHECK_DEPRECATE);
    int resubscribe = po_lifecycle_checked(change->checklist, PO_CHECK_RESUBSCRIBE);
    const po_api_t *api = change->api;
    apim_rows_t *rows;
    int i;
    APIM_TRY(apim_db_select(change->db, change->rq->pool, &po_api_other_versions, &rows,
                            APIM_ARGS(api->name, api->provider, api->id)));
    for (i = 0; i < rows->count; i++) {
        const char *status = rows->row[i][1];
        if (po_number(rows->row[i][2]) > api->created_at ||
            !po_one_of(status, "PUBLISHED|DEPRECATED|BLOCKED")) {
            continue;
        }
        if (!resubscribe) {
            APIM_TRY(carry_subscriptions(change, rows->row[i][0]));
        }
        if (to_deprecate && strcmp(status, "PUBLISHED") == 0) {
            APIM_TRY(deprecate(change, rows->row[i][0]));
        }
    }
    return NULL;
}

/* Notes the wish, if changes of state have to be approved. */
static apim_error_t *ask(change_t *change, const char *from, const char *to)
{
    apr_pool_t *p = change->rq->pool;
    const po_api_t *api = change->api;
    po_workflow_t wish = {.type = PO_WF_API_STATE, .subject = api->id, .created_by = change->username};
    wish.description = apr_psprintf(p, "%s wants to move the API %s %s from %s to %s.", change->username,
                                    api->name, api->version, from, to);
    wish.properties =
        apim_json_own(p, json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "apiName", api->name, "apiVersion",
                                   api->version, "apiProvider", api->provider, "action", change->action,
                                   "currentState", from, "requestedState", to));
    wish.request =
        apim_json_own(p, json_pack("{s:s, s:s?}", "action", change->action, "checklist", change->checklist));
    APIM_TRY(po_workflow_none_waits(change->db, p, PO_WF_API_STATE, api->id));
    return po_workflow_ask(change->db, p, &wish, &change->waits);
}

/* In the transaction of the caller. */
static apim_error_t *move(change_t *change, const char *id)
{
    apr_pool_t *p = change->rq->pool;
    const char *from, *to;
    APIM_TRY(po_api_get_for_update(change->db, p, id, &change->api));
    from = change->api->status;
    to = po_lifecycle_next(from, change->action);
    if (!to) {
        return apim_error(p, 400, 900381, "Unsupported state change action",
                          "Lifecycle state change action %s is not allowed: the API is %s.", change->action,
                          from);
    }
    APIM_TRY(check_ready(change, to));
    if (!change->approved) {
        APIM_TRY(po_check_if_match(change->rq, change->api->etag));
        APIM_TRY(ask(change, from, to));
    }
    if (change->waits) {
        return NULL;
    }
    if (po_lifecycle_is_deployed(to)) {
        APIM_TRY(po_revision_ensure_deployed(change->db, p, change->api, change->username));
    }
    if (strcmp(to, "PUBLISHED") == 0 && po_lifecycle_has_checklist(from)) {
        APIM_TRY(settle_older(change));
    }
    return po_api_set_status(change->db, p, change->api, to, change->username);
}

static apim_error_t *change_in_transaction(change_t *change, const char *id)
{
    APIM_TRY(apim_db_begin(change->db));
    APIM_TRY(move(change, id));
    return apim_db_commit(change->db);
}

apim_error_t *po_lifecycle_change(rest_request_t *rq)
{
    change_t change = {
        .rq = rq, .username = rq->username, .checklist = apr_table_get(rq->query, "lifecycleChecklist")};
    const char *id;
    json_t *gateways;
    apim_error_t *err;
    APIM_TRY(po_needed(rq, "apiId", &id));
    APIM_TRY(po_needed(rq, "action", &change.action));
    change.others = apr_array_make(rq->pool, 2, sizeof(const char *));
    APIM_TRY(po_open(rq, APIM_DB_API_MANAGER, &change.db));
    err = change_in_transaction(&change, id);
    apim_db_close(change.db);
    APIM_TRY(err);
    if (change.waits) {
        po_set_etag(rq, change.api->etag);
        return rest_reply_json(rq->r, 200,
                               json_pack("{s:s, s:s, s:o, s:n}", "workflowStatus", "CREATED", "jsonPayload",
                                         "", "lifecycleState", state_json(change.api->status), "gateways"));
    }
    gateways = po_gateways_of(rq, id, po_publish_all(rq, id, change.others));
    po_set_etag(rq, change.api->etag);
    return rest_reply_json(rq->r, 200,
                           json_pack("{s:s, s:s, s:o, s:O}", "workflowStatus", "APPROVED", "jsonPayload", "",
                                     "lifecycleState", state_json(change.api->status), "gateways", gateways));
}

/* -- approval ----------------------------------------------------------------------------------------------
 */

apim_error_t *po_lifecycle_granted(rest_request_t *rq, apim_db_t *db, const po_workflow_t *workflow)
{
    change_t change = {.rq = rq,
                       .db = db,
                       .username = workflow->created_by,
                       .action = apim_json_str(workflow->request, "action", ""),
                       .checklist = apim_json_str(workflow->request, "checklist", NULL),
                       .approved = 1};
    change.others = apr_array_make(rq->pool, 2, sizeof(const char *));
    return move(&change, workflow->subject);
}

/* The API; older versions that changed with it are in the outbox. */
apim_error_t *po_lifecycle_publish(rest_request_t *rq, const po_workflow_t *workflow)
{
    po_publish(rq->pool, rq->r->server, workflow->subject);
    return NULL;
}

/* The one who asked, or another publisher, thinks better of it. */
apim_error_t *po_lifecycle_withdraw(rest_request_t *rq)
{
    apim_error_t *err;
    apim_db_t *db;
    po_api_t *api;
    APIM_TRY(po_open(rq, APIM_DB_API_MANAGER, &db));
    err = po_api_get(db, rq->pool, rq->param[0], &api);
    err = err ? err : po_workflow_withdraw(db, rq->param[0]);
    apim_db_close(db);
    return err ? err : rest_reply_empty(rq->r, 200);
}

/* -- several steps -----------------------------------------------------------------------------------------
 */

static const char *action_to(const char *from, const char *to)
{
    const po_transition_t *t = po_transitions;
    while (t->from && (strcmp(t->from, from) != 0 || strcmp(t->to, to) != 0)) {
        t++;
    }
    return t->action;
}

/* The next action on the way: the one that leads there, else the one that leads to PUBLISHED or on to
 * DEPRECATED. */
static const char *action_towards(const char *from, const char *to)
{
    const char *action = action_to(from, to);
    if (!action && strcmp(from, "PUBLISHED") != 0 && strcmp(to, "RETIRED") != 0) {
        action = action_to(from, "PUBLISHED");
    }
    if (!action && strcmp(to, "RETIRED") == 0) {
        action = action_to(from, "DEPRECATED");
        action = action ? action : action_to(from, "PUBLISHED");
    }
    return action;
}

apim_error_t *po_lifecycle_advance(rest_request_t *rq, apim_db_t *db, const char *id, const char *state,
                                   apr_array_header_t *others, int *waits)
{
    change_t change = {.rq = rq, .db = db, .username = rq->username, .others = others};
    APIM_TRY(po_api_get(db, rq->pool, id, &change.api));
    while (strcmp(change.api->status, state) != 0 && !change.waits) {
        change.action = action_towards(change.api->status, state);
        if (!change.action) {
            return apim_bad_request(rq->pool, "lifeCycleStatus: there is no way from %s to %.30s.",
                                    change.api->status, state);
        }
        APIM_TRY(move(&change, id));
    }
    *waits = change.waits;
    return NULL;
}
