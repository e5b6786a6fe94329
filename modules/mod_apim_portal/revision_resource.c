/* SPDX-License-Identifier: Apache-2.0 */
#include <apr_strings.h>
#include <string.h>

#include "publisher.h"
#include "publisher_sql.h"
#include "revision_store.h"

#define MAX_ENVIRONMENTS 50

/* -- as JSON -----------------------------------------------------------------------------------------------
 */

/* One row of po_deployment_list. */
static json_t *deployment_json(apr_pool_t *p, const char *const *row)
{
    return json_pack("{s:s, s:s, s:s, s:b, s:s, s:s, s:s}", "name", row[0], "displayName", row[5], "vhost",
                     row[1], "displayOnDevportal", (int)po_number(row[2]), "deployedTime",
                     apim_iso_time(p, po_number(row[3])), "revisionUuid", row[4], "status", "APPROVED");
}

/* gateways: what po_nodes_confirmations found, or NULL. */
static json_t *deployments_json(apr_pool_t *p, const apim_rows_t *rows, const char *revision_id,
                                const json_t *gateways)
{
    json_t *list = json_array();
    int i;
    for (i = 0; i < rows->count; i++) {
        if (!revision_id || strcmp(rows->row[i][4], revision_id) == 0) {
            json_t *deployment = deployment_json(p, rows->row[i]);
            if (gateways) {
                po_nodes_describe(deployment, gateways);
            }
            json_array_append_new(list, deployment);
        }
    }
    return list;
}

/* One row of po_revision_list and _get. */
static json_t *revision_json(apr_pool_t *p, const char *api_id, const char *const *row,
                             const apim_rows_t *deployments)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:{s:s}, s:o}", "id", row[0], "displayName",
                     apr_pstrcat(p, "Revision ", row[1], NULL), "description", row[2], "createdTime",
                     apim_iso_time(p, po_number(row[3])), "apiInfo", "id", api_id, "deploymentInfo",
                     deployments_json(p, deployments, row[0], NULL));
}

static apim_error_t *no_revision(apr_pool_t *p, const char *id)
{
    return apim_error(p, 404, 900347, "API Revision Not Found",
                      "Requested API Revision with id %s not found.", id);
}

/* -- reading -----------------------------------------------------------------------------------------------
 */

typedef struct loaded_t {
    po_api_t *api;
    apim_rows_t *revisions, *deployments;
} loaded_t;

/* The API, its revisions (or the one with this id), its deployments. */
static apim_error_t *load(rest_request_t *rq, apim_db_t *db, const char *revision_id, loaded_t *out)
{
    const char *api_id = rq->param[0];
    APIM_TRY(po_api_get(db, rq->pool, api_id, &out->api));
    if (revision_id) {
        APIM_TRY(
            apim_db_select(db, rq->pool, &po_revision_get, &out->revisions, APIM_ARGS(api_id, revision_id)));
        if (!out->revisions->count) {
            return no_revision(rq->pool, revision_id);
        }
    }
    else {
        APIM_TRY(apim_db_select(db, rq->pool, &po_revision_list, &out->revisions, APIM_ARGS(api_id)));
    }
    return apim_db_select(db, rq->pool, &po_deployment_list, &out->deployments, APIM_ARGS(api_id));
}

static apim_error_t *open_and_load(rest_request_t *rq, const char *revision_id, loaded_t *out)
{
    apim_db_t *db;
    apim_error_t *err;
    APIM_TRY(po_open(rq, APIM_DB_API_MANAGER, &db));
    err = load(rq, db, revision_id, out);
    apim_db_close(db);
    return err;
}

static apim_error_t *reply_list(rest_request_t *rq, const loaded_t *loaded, const char *query)
{
    json_t *list = json_array();
    int i;
    for (i = 0; i < loaded->revisions->count; i++) {
        json_t *revision =
            revision_json(rq->pool, rq->param[0], loaded->revisions->row[i], loaded->deployments);
        int deployed = json_array_size(json_object_get(revision, "deploymentInfo")) > 0;
        if (query && strcmp(query, deployed ? "deployed:true" : "deployed:false") != 0) {
            json_decref(revision);
        }
        else {
            json_array_append_new(list, revision);
        }
    }
    return rest_reply_json(rq->r, 200,
                           json_pack("{s:i, s:o}", "count", (int)json_array_size(list), "list", list));
}

apim_error_t *po_revisions_list(rest_request_t *rq)
{
    const char *query = apr_table_get(rq->query, "query");
    loaded_t loaded;
    if (query && *query && strcmp(query, "deployed:true") != 0 && strcmp(query, "deployed:false") != 0) {
        return apim_bad_request(rq->pool, "The query must be deployed:true or deployed:false.");
    }
    APIM_TRY(open_and_load(rq, NULL, &loaded));
    return reply_list(rq, &loaded, query && *query ? query : NULL);
}

apim_error_t *po_revision_read(rest_request_t *rq)
{
    loaded_t loaded;
    APIM_TRY(open_and_load(rq, rq->param[1], &loaded));
    return rest_reply_json(
        rq->r, 200, revision_json(rq->pool, rq->param[0], loaded.revisions->row[0], loaded.deployments));
}

apim_error_t *po_deployments_list(rest_request_t *rq)
{
    loaded_t loaded;
    json_t *gateways;
    APIM_TRY(open_and_load(rq, NULL, &loaded));
    APIM_TRY(po_nodes_confirmations(rq->pool, po_config(rq->r), rq->param[0], 0, &gateways));
    return rest_reply_json(rq->r, 200, deployments_json(rq->pool, loaded.deployments, NULL, gateways));
}

/* -- making and removing -----------------------------------------------------------------------------------
 */

static apim_error_t *create_in_transaction(rest_request_t *rq, apim_db_t *db, const char *description,
                                           loaded_t *loaded)
{
    const char *id;
    APIM_TRY(apim_db_begin(db));
    APIM_TRY(po_api_get_for_update(db, rq->pool, rq->param[0], &loaded->api));
    APIM_TRY(po_revision_add(db, rq->pool, loaded->api, description, rq->username, &id));
    APIM_TRY(load(rq, db, id, loaded));
    return apim_db_commit(db);
}

apim_error_t *po_revisions_create(rest_request_t *rq)
{
    po_problems_t problems = {rq->pool, NULL, 0};
    const json_t *description;
    json_t *body;
    loaded_t loaded;
    apim_db_t *db;
    apim_error_t *err;
    APIM_TRY(rest_read_json(rq->r, NULL, &body));
    description = json_object_get(body, "description");
    if (description && !json_is_null(description)) {
        po_check_text(&problems, "/description", description, 0, 255, NULL);
    }
    APIM_TRY(po_problems_error(&problems));
    APIM_TRY(po_open(rq, APIM_DB_API_MANAGER, &db));
    err = create_in_transaction(rq, db, apim_json_str(body, "description", ""), &loaded);
    apim_db_close(db);
    APIM_TRY(err);
    apr_table_setn(rq->r->headers_out, "Location",
                   apr_pstrcat(rq->pool, rest_self_url(rq->r), PO_PUBLISHER_BASE "/apis/", rq->param[0],
                               "/revisions/", loaded.revisions->row[0][0], NULL));
    return rest_reply_json(
        rq->r, 201, revision_json(rq->pool, rq->param[0], loaded.revisions->row[0], loaded.deployments));
}

static apim_error_t *drop_in_transaction(rest_request_t *rq, apim_db_t *db, loaded_t *loaded)
{
    const char *id = rq->param[1];
    int i;
    APIM_TRY(apim_db_begin(db));
    APIM_TRY(po_api_get_for_update(db, rq->pool, rq->param[0], &loaded->api));
    APIM_TRY(load(rq, db, id, loaded));
    for (i = 0; i < loaded->deployments->count; i++) {
        if (strcmp(loaded->deployments->row[i][4], id) == 0) {
            return apim_error(rq->pool, 400, 900348, "Can not delete API Revision",
                              "The revision is deployed to %s; undeploy it first.",
                              loaded->deployments->row[i][0]);
        }
    }
    APIM_TRY(apim_db_query(db, &po_revision_delete, NULL, APIM_ARGS(rq->param[0], id)));
    APIM_TRY(load(rq, db, NULL, loaded));
    return apim_db_commit(db);
}

apim_error_t *po_revision_drop(rest_request_t *rq)
{
    loaded_t loaded;
    apim_db_t *db;
    apim_error_t *err;
    APIM_TRY(po_open(rq, APIM_DB_API_MANAGER, &db));
    err = drop_in_transaction(rq, db, &loaded);
    apim_db_close(db);
    APIM_TRY(err);
    return reply_list(rq, &loaded, NULL);
}

/* -- deploying ---------------------------------------------------------------------------------------------
 */

/* The body of deploy and undeploy: [{"name", "vhost", "displayOnDevportal"}]. */
static apim_error_t *read_targets(rest_request_t *rq, json_t **targets)
{
    po_problems_t problems = {rq->pool, NULL, 0};
    apr_size_t i;
    json_t *item;
    APIM_TRY(rest_read_json(rq->r, NULL, targets));
    if (!json_is_array(*targets) || !json_array_size(*targets) ||
        json_array_size(*targets) > MAX_ENVIRONMENTS) {
        return apim_bad_request(rq->pool,
                                "The body must be an array of environments: [{\"name\": \"Default\"}].");
    }
    json_array_foreach(*targets, i, item)
    {
        const char *where = po_where_item(&problems, "", i);
        po_check_text(&problems, po_where(&problems, where, "name"), json_object_get(item, "name"), 1, 255,
                      NULL);
        if (json_object_get(item, "vhost") && !json_is_null(json_object_get(item, "vhost"))) {
            po_check_text(&problems, po_where(&problems, where, "vhost"), json_object_get(item, "vhost"), 0,
                          255, NULL);
        }
    }
    return po_problems_error(&problems);
}

static apim_error_t *deploy_one(rest_request_t *rq, apim_db_t *db, const po_api_t *api,
                                const char *revision_id, const json_t *target)
{
    const char *name = apim_json_str(target, "name", "");
    apim_rows_t *rows;
    APIM_TRY(apim_db_select(db, rq->pool, &po_environment_get, &rows, APIM_ARGS(name)));
    if (!rows->count) {
        return apim_error(rq->pool, 400, 900504, "Invalid Gateway Environment",
                          "Gateway Environment with name '%s' not found.", name);
    }
    return po_revision_put(db, rq->pool, api, revision_id, name, apim_json_str(target, "vhost", "localhost"),
                           apim_json_bool(target, "displayOnDevportal", 1));
}

static apim_error_t *undeploy_one(rest_request_t *rq, apim_db_t *db, const char *revision_id,
                                  const char *name)
{
    int removed;
    APIM_TRY(apim_db_query(db, &po_deployment_delete, &removed, APIM_ARGS(rq->param[0], name, revision_id)));
    if (!removed) {
        return apim_error(rq->pool, 404, 900356, "Existing Deployment Not Found",
                          "The revision is not deployed to '%s'.", name);
    }
    return NULL;
}

/* targets NULL: undeploy from everywhere. */
static apim_error_t *change_deployments(rest_request_t *rq, apim_db_t *db, const char *revision_id,
                                        const json_t *targets, int deploy, loaded_t *loaded)
{
    apr_size_t i;
    json_t *target;
    int k;
    APIM_TRY(apim_db_begin(db));
    APIM_TRY(po_api_get_for_update(db, rq->pool, rq->param[0], &loaded->api));
    APIM_TRY(load(rq, db, revision_id, loaded));
    if (deploy && strcmp(loaded->api->status, "RETIRED") == 0) {
        return apim_bad_request(rq->pool, "The API is retired; it cannot be deployed any more.");
    }
    json_array_foreach(targets, i, target)
    {
        APIM_TRY(deploy ? deploy_one(rq, db, loaded->api, revision_id, target)
                        : undeploy_one(rq, db, revision_id, apim_json_str(target, "name", "")));
    }
    for (k = 0; !targets && k < loaded->deployments->count; k++) {
        if (strcmp(loaded->deployments->row[k][4], revision_id) == 0) {
            APIM_TRY(undeploy_one(rq, db, revision_id, loaded->deployments->row[k][0]));
        }
    }
    APIM_TRY(po_api_touch(db, rq->pool, rq->param[0]));
    APIM_TRY(load(rq, db, revision_id, loaded));
    return apim_db_commit(db);
}

static apim_error_t *deploy_or_undeploy(rest_request_t *rq, int deploy)
{
    const char *everywhere = apr_table_get(rq->query, "allEnvironments"), *revision_id;
    json_t *targets = NULL, *gateways;
    loaded_t loaded;
    apim_db_t *db;
    apim_error_t *err;
    APIM_TRY(po_needed(rq, "revisionId", &revision_id));
    if (deploy || !everywhere || strcasecmp(everywhere, "true") != 0) {
        APIM_TRY(read_targets(rq, &targets));
    }
    APIM_TRY(po_open(rq, APIM_DB_API_MANAGER, &db));
    err = change_deployments(rq, db, revision_id, targets, deploy, &loaded);
    apim_db_close(db);
    APIM_TRY(err);
    gateways = po_gateways_of(rq, rq->param[0], po_publish(rq->pool, rq->r->server, rq->param[0]));
    return rest_reply_json(rq->r, 201, deployments_json(rq->pool, loaded.deployments, revision_id, gateways));
}

apim_error_t *po_revision_deploy(rest_request_t *rq)
{
    return deploy_or_undeploy(rq, 1);
}

apim_error_t *po_revision_undeploy(rest_request_t *rq)
{
    return deploy_or_undeploy(rq, 0);
}

/* -- restoring ---------------------------------------------------------------------------------------------
 */

static apim_error_t *restore_in_transaction(rest_request_t *rq, apim_db_t *db, const char *revision_id,
                                            po_api_t **api)
{
    const apim_json_limits_t limits = {16 * 1024 * 1024, 64};
    apim_rows_t *rows;
    APIM_TRY(apim_db_begin(db));
    APIM_TRY(po_api_get_for_update(db, rq->pool, rq->param[0], api));
    APIM_TRY(po_check_may_edit(rq, *api));
    APIM_TRY(apim_db_select(db, rq->pool, &po_revision_document, &rows, APIM_ARGS(revision_id)));
    if (!rows->count || strcmp(rows->row[0][3], rq->param[0]) != 0) {
        return no_revision(rq->pool, revision_id);
    }
    APIM_TRY(apim_json_parse(rq->pool, rows->row[0][0], strlen(rows->row[0][0]), &limits, &(*api)->document));
    APIM_TRY(po_api_save(db, rq->pool, *api, rows->row[0][1], rq->username));
    return apim_db_commit(db);
}

apim_error_t *po_revision_restore(rest_request_t *rq)
{
    const char *revision_id;
    po_api_t *api;
    apim_db_t *db;
    apim_error_t *err;
    APIM_TRY(po_needed(rq, "revisionId", &revision_id));
    APIM_TRY(po_open(rq, APIM_DB_API_MANAGER, &db));
    err = restore_in_transaction(rq, db, revision_id, &api);
    apim_db_close(db);
    APIM_TRY(err);
    po_publish(rq->pool, rq->r->server, api->id);
    return po_reply_api(rq, 201, api);
}
