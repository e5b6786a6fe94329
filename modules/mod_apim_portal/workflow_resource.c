/* SPDX-License-Identifier: Apache-2.0 */
#include <apr_strings.h>
#include <string.h>

#include "admin.h"
#include "apim_seal.h"
#include "openapi/fetch.h"
#include "workflow_callout.h"
#include "workflow_sql.h"
#include "workflow_types.h"

/* Approvals for the administrator: what waits, the decision, where it is switched on; and the call-back of
 * workflow engines. */

#define MAX_COMMENT 1000
#define MAX_URL     2000
#define MAX_SECRET  1000

/* -- list and read
 * ------------------------------------------------------------------------------------------------------- */

/* Admin v4's WorkflowInfoDTO; createdBy and what comes after it are ours. */
static json_t *workflow_json(apr_pool_t *p, const po_workflow_t *w)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:O, s:s, s:s, s:s?, s:s, s:s, s:s}", "workflowType", w->type,
                     "workflowStatus", w->status, "createdTime", apim_iso_time(p, w->created_at),
                     "updatedTime", apim_iso_time(p, w->updated_at), "referenceId", w->id, "properties",
                     w->properties, "description", w->description, "createdBy", w->created_by, "decidedBy",
                     w->decided_by, "comment", w->comment, "engine", w->callout, "engineError",
                     w->callout_error);
}

static apim_error_t *check_type(rest_request_t *rq, const char *type)
{
    return po_workflow_type(type) ? NULL
                                  : apim_bad_request(rq->pool, "There is no workflow type %.100s.", type);
}

static apim_error_t *read_page(rest_request_t *rq, apim_db_t *db, const char *status, const char *type,
                               int limit, int offset, apim_rows_t **rows, apr_int64_t *total)
{
    apr_pool_t *p = rq->pool;
    APIM_TRY(apim_db_select(db, p, &wf_count, rows, APIM_ARGS(status, type, type)));
    apim_parse_i64((*rows)->row[0][0], total);
    return apim_db_select(db, p, &wf_list, rows,
                          APIM_ARGS(status, type, type, apim_i64(p, limit), apim_i64(p, offset)));
}

apim_error_t *ad_workflows_list(rest_request_t *rq)
{
    const char *type = apr_table_get(rq->query, "workflowType"), *status = apr_table_get(rq->query, "status");
    json_t *list = apim_json_own(rq->pool, json_array());
    apr_int64_t total = 0;
    apim_rows_t *rows;
    apim_error_t *err;
    int limit, offset, i;
    apim_db_t *db;
    type = type ? type : "";
    status = status && *status ? status : "CREATED";
    APIM_TRY(rest_paging(rq, &limit, &offset));
    if (*type) {
        APIM_TRY(check_type(rq, type));
    }
    if (!po_one_of(status, "CREATED|APPROVED|REJECTED")) {
        return apim_bad_request(rq->pool, "status must be CREATED, APPROVED or REJECTED.");
    }
    APIM_TRY(po_open(rq, APIM_DB_API_MANAGER, &db));
    err = read_page(rq, db, status, type, limit, offset, &rows, &total);
    apim_db_close(db);
    for (i = 0; !err && i < rows->count; i++) {
        po_workflow_t w;
        po_workflow_from_row(rq->pool, rows->row[i], &w);
        json_array_append_new(list, workflow_json(rq->pool, &w));
    }
    return err ? err : rest_reply_json(rq->r, 200, rest_list(rq, json_incref(list), limit, offset, total));
}

static apim_error_t *find(rest_request_t *rq, const char *id, po_workflow_t *w)
{
    apim_error_t *err;
    apim_db_t *db;
    APIM_TRY(po_open(rq, APIM_DB_API_MANAGER, &db));
    err = po_workflow_get(db, rq->pool, id, w);
    apim_db_close(db);
    return err;
}

apim_error_t *ad_workflow_read(rest_request_t *rq)
{
    po_workflow_t w;
    APIM_TRY(find(rq, rq->param[0], &w));
    return rest_reply_json(rq->r, 200, workflow_json(rq->pool, &w));
}

/* -- decide
 * --------------------------------------------------------------------------------------------------------------
 */

typedef struct decision_t {
    const char *status, *comment, *by;
} decision_t;

static apim_error_t *decide_in_transaction(rest_request_t *rq, apim_db_t *db, const po_workflow_t *w,
                                           const po_workflow_steps_t *steps, const decision_t *decision)
{
    APIM_TRY(apim_db_begin(db));
    APIM_TRY(po_workflow_decide(db, rq->pool, w, decision->status, decision->by, decision->comment));
    if (steps->effect) {
        APIM_TRY(steps->effect(rq, db, w));
    }
    return apim_db_commit(db);
}

static apim_error_t *run(rest_request_t *rq, const po_workflow_t *w, const po_workflow_steps_t *steps,
                         const decision_t *decision)
{
    apim_error_t *err;
    apim_db_t *db;
    if (steps->before) {
        APIM_TRY(steps->before(rq, w));
    }
    APIM_TRY(po_open(rq, APIM_DB_API_MANAGER, &db));
    err = decide_in_transaction(rq, db, w, steps, decision);
    apim_db_close(db);
    APIM_TRY(err);
    return steps->after ? steps->after(rq, w) : NULL;
}

static apim_error_t *read_decision(rest_request_t *rq, const json_t *body, decision_t *decision)
{
    po_problems_t problems = {rq->pool, NULL, 0};
    const json_t *comment = json_object_get(body, "description");
    po_check_one_of(&problems, "/status", json_object_get(body, "status"), "APPROVED|REJECTED");
    if (comment && !json_is_null(comment)) {
        po_check_text(&problems, "/description", comment, 0, MAX_COMMENT, "\n\r\t");
    }
    decision->status = apim_json_str(body, "status", "");
    decision->comment = apim_json_str(body, "description", "");
    return po_problems_error(&problems);
}

/* WorkflowDTO as it came in. */
static apim_error_t *decide(rest_request_t *rq, const char *id, const json_t *body, const char *by)
{
    const json_t *attributes = json_object_get(body, "attributes");
    const po_workflow_type_t *type;
    decision_t decision = {.by = by};
    po_workflow_t w;
    APIM_TRY(read_decision(rq, body, &decision));
    APIM_TRY(find(rq, id, &w));
    type = po_workflow_type(w.type);
    if (!type || strcmp(w.status, "CREATED") != 0) {
        return apim_error(rq->pool, 409, 409, "Conflict", "The workflow %s is %s already.", w.id, w.status);
    }
    APIM_TRY(
        run(rq, &w, strcmp(decision.status, "APPROVED") == 0 ? &type->approve : &type->reject, &decision));
    return rest_reply_json(
        rq->r, 200,
        json_pack("{s:s, s:s, s:o}", "status", decision.status, "description", decision.comment, "attributes",
                  json_is_object(attributes) ? json_deep_copy(attributes) : json_object()));
}

static apim_error_t *reference(rest_request_t *rq, const char **id)
{
    *id = apr_table_get(rq->query, "workflowReferenceId");
    return *id && **id && strlen(*id) <= 64
               ? NULL
               : apim_bad_request(rq->pool,
                                  "The query parameter workflowReferenceId is missing or too long.");
}

apim_error_t *ad_workflow_update(rest_request_t *rq)
{
    const char *id;
    json_t *body;
    APIM_TRY(reference(rq, &id));
    APIM_TRY(rest_read_json(rq->r, NULL, &body));
    return decide(rq, id, body, rq->username);
}

/* The engine shows the token that it was sent with this workflow. */
apim_error_t *ad_workflow_callback(rest_request_t *rq)
{
    const char *id, *token;
    json_t *body;
    APIM_TRY(reference(rq, &id));
    APIM_TRY(rest_read_json(rq->r, NULL, &body));
    token = po_workflow_token(rq->pool, &po_config(rq->r)->common, id);
    if (!token || !apim_equal_secret(apim_json_str(body, "token", ""), token)) {
        return apim_error(rq->pool, 401, APIM_E_INVALID_CREDENTIALS, "Unauthenticated request",
                          "token must be the callbackToken that came with this workflow.");
    }
    return decide(rq, id, body, "workflow engine");
}

/* -- where it is switched on
 * --------------------------------------------------------------------------------------------- */

/* Columns of wf_type_read. */
enum { T_ENABLED, T_URL, T_AUTH, T_USERNAME, T_SECRET, T_CALLBACK };

static const char *const switched_off[] = {"0", "", "NONE", "", "", ""};

static apim_error_t *read_type(rest_request_t *rq, apim_db_t *db, const char *name, const char *const **row)
{
    apim_rows_t *rows;
    APIM_TRY(apim_db_select(db, rq->pool, &wf_type_read, &rows, APIM_ARGS(name)));
    *row = rows->count ? rows->row[0] : switched_off;
    return NULL;
}

static json_t *type_json(const char *name, const char *const *row)
{
    return json_pack("{s:s, s:b, s:s, s:s, s:s, s:b, s:s}", "workflowType", name, "enabled",
                     strcmp(row[T_ENABLED], "1") == 0, "url", row[T_URL], "authType", row[T_AUTH], "username",
                     row[T_USERNAME], "hasSecret", *row[T_SECRET] != '\0', "callbackUrl", row[T_CALLBACK]);
}

static apim_error_t *read_types(rest_request_t *rq, apim_db_t *db, json_t *list)
{
    const po_workflow_type_t *type;
    const char *const *row;
    for (type = po_workflow_types; type->name; type++) {
        APIM_TRY(read_type(rq, db, type->name, &row));
        json_array_append_new(list, type_json(type->name, row));
    }
    return NULL;
}

apim_error_t *ad_workflow_types_list(rest_request_t *rq)
{
    json_t *list = apim_json_own(rq->pool, json_array());
    apim_error_t *err;
    apim_db_t *db;
    APIM_TRY(po_open(rq, APIM_DB_API_MANAGER, &db));
    err = read_types(rq, db, list);
    apim_db_close(db);
    return err ? err
               : rest_reply_json(rq->r, 200,
                                 json_pack("{s:i, s:O}", "count", (int)json_array_size(list), "list", list));
}

static const char *optional_text(po_problems_t *problems, const json_t *body, const char *name, int max)
{
    const json_t *value = json_object_get(body, name);
    const char *text = "";
    if (value && !json_is_null(value)) {
        text = po_check_text(problems, po_where(problems, "", name), value, 0, max, NULL);
    }
    return text ? text : "";
}

static void check_url(po_problems_t *problems, const char *name, const char *url)
{
    if (*url && !apim_fetch_url_valid(url)) {
        po_problem(problems, po_where(problems, "", name),
                   "must be a http or https URL without credentials.");
    }
}

static const char *without_slash(apr_pool_t *p, const char *url)
{
    apr_size_t n = strlen(url);
    while (n && url[n - 1] == '/') {
        n--;
    }
    return apr_pstrmemdup(p, url, n);
}

/* row: as it is; then as it will be. */
static apim_error_t *read_type_body(rest_request_t *rq, const json_t *body, const char **row,
                                    const char **secret)
{
    po_problems_t problems = {rq->pool, NULL, 0};
    const json_t *auth = json_object_get(body, "authType");
    const char *callback;
    if (!json_is_boolean(json_object_get(body, "enabled"))) {
        po_problem(&problems, "/enabled", "must be true or false.");
    }
    row[T_ENABLED] = apim_json_bool(body, "enabled", 0) ? "1" : "0";
    row[T_URL] = optional_text(&problems, body, "url", MAX_URL);
    check_url(&problems, "url", row[T_URL]);
    if (auth && !json_is_null(auth)) {
        po_check_one_of(&problems, "/authType", auth, "NONE|BASIC|BEARER");
    }
    row[T_AUTH] = apim_json_str(body, "authType", "NONE");
    row[T_USERNAME] = optional_text(&problems, body, "username", 255);
    *secret = optional_text(&problems, body, "secret", MAX_SECRET);
    callback = optional_text(&problems, body, "callbackUrl", MAX_URL);
    check_url(&problems, "callbackUrl", callback);
    row[T_CALLBACK] = without_slash(rq->pool, *callback ? callback : rest_self_url(rq->r));
    return po_problems_error(&problems);
}

/* A credential is bound to the engine's URL: with another URL it has to be given again, or whoever may change
 * the URL could have it sent to himself. */
static apim_error_t *seal_secret(rest_request_t *rq, const char *old_url, const char *secret,
                                 const char **row)
{
    const char *cluster_secret = po_config(rq->r)->common.cluster_secret;
    if (!*row[T_URL] || strcmp(row[T_AUTH], "NONE") == 0) {
        row[T_SECRET] = "";
    }
    if (*row[T_URL] && !cluster_secret) {
        return apim_bad_request(rq->pool,
                                "url: this portal has no ApimClusterSecret to make call-back tokens with.");
    }
    if (!*row[T_URL] || strcmp(row[T_AUTH], "NONE") == 0) {
        return NULL;
    }
    if (*secret) {
        return apim_seal(rq->pool, cluster_secret, PO_WF_SEAL_PURPOSE, row[T_URL], secret, &row[T_SECRET]);
    }
    return *row[T_SECRET] && strcmp(old_url, row[T_URL]) == 0
               ? NULL
               : apim_bad_request(rq->pool, "secret: is missing; it is asked for again with each new url.");
}

static apim_error_t *put_type(rest_request_t *rq, apim_db_t *db, const json_t *body, const char **row)
{
    const char *const *before, *secret;
    APIM_TRY(apim_db_begin(db));
    APIM_TRY(read_type(rq, db, rq->param[0], &before));
    memcpy(row, before, sizeof(switched_off));
    APIM_TRY(read_type_body(rq, body, row, &secret));
    APIM_TRY(seal_secret(rq, before[T_URL], secret, row));
    APIM_TRY(apim_db_query(db, &wf_type_put, NULL,
                           APIM_ARGS(rq->param[0], row[T_ENABLED], row[T_URL], row[T_AUTH], row[T_USERNAME],
                                     row[T_SECRET], row[T_CALLBACK])));
    return apim_db_commit(db);
}

apim_error_t *ad_workflow_type_replace(rest_request_t *rq)
{
    const char *row[sizeof(switched_off) / sizeof(switched_off[0])];
    apim_error_t *err;
    apim_db_t *db;
    json_t *body;
    if (!po_workflow_type(rq->param[0])) {
        return apim_not_found(rq->pool, "Workflow type", rq->param[0]);
    }
    APIM_TRY(rest_read_json(rq->r, NULL, &body));
    APIM_TRY(po_open(rq, APIM_DB_API_MANAGER, &db));
    err = put_type(rq, db, body, row);
    apim_db_close(db);
    return err ? err : rest_reply_json(rq->r, 200, type_json(rq->param[0], row));
}
