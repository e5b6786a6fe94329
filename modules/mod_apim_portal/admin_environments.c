/* SPDX-License-Identifier: Apache-2.0 */
#include <apr_strings.h>
#include <apr_uri.h>
#include <string.h>

#include "admin.h"
#include "admin_sql.h"
#include "nodes.h"

/* Gateway environments: where APIs can be deployed. A gateway belongs to the one that its ApimEnvironment
 * names. */

/* Columns of the statements. */
enum { C_NAME, C_DISPLAY, C_DESCRIPTION, C_TYPE, C_URL };

typedef struct environment_t {
    const char *name, *display_name, *description, *type, *gateway_url;
} environment_t;

/* WSO2's virtual host of a gateway URL. */
static json_t *vhost(apr_pool_t *p, const char *url)
{
    apr_uri_t uri;
    int https;
    if (!*url || apr_uri_parse(p, url, &uri) != APR_SUCCESS || !uri.hostname) {
        return json_array();
    }
    https = strcmp(uri.scheme, "https") == 0;
    return json_pack("[{s:s, s:s, s:i, s:i}]", "host", uri.hostname, "httpContext", uri.path ? uri.path : "",
                     "httpPort", https ? -1 : (int)(uri.port ? uri.port : 80), "httpsPort",
                     https ? (int)(uri.port ? uri.port : 443) : -1);
}

static json_t *environment_json(apr_pool_t *p, const environment_t *e)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:s, s:o}", "id", e->name, "name", e->name,
                     "displayName", e->display_name, "type", e->type, "description", e->description,
                     "provider", "apache", "isReadOnly", 0, "gatewayUrl", e->gateway_url, "vhosts",
                     vhost(p, e->gateway_url));
}

static void from_row(const char *const *row, environment_t *e)
{
    e->name = row[C_NAME];
    e->display_name = row[C_DISPLAY];
    e->description = row[C_DESCRIPTION];
    e->type = row[C_TYPE];
    e->gateway_url = row[C_URL];
}

static const char *read_url(po_problems_t *problems, const json_t *body)
{
    const json_t *host = json_array_get(json_object_get(body, "vhosts"), 0);
    const char *url = apim_json_str(body, "gatewayUrl", NULL);
    apr_uri_t uri;
    if (!url && host) {
        apr_int64_t https = apim_json_int(host, "httpsPort", -1), http = apim_json_int(host, "httpPort", -1);
        url = apr_psprintf(problems->pool, "%s://%s:%d%s", https > 0 ? "https" : "http",
                           apim_json_str(host, "host", ""), (int)(https > 0 ? https : http),
                           apim_json_str(host, "httpContext", ""));
    }
    if (!url || !*url) {
        return "";
    }
    if (strlen(url) > 500 || apim_has_control(url, NULL) ||
        apr_uri_parse(problems->pool, url, &uri) != APR_SUCCESS || !uri.hostname || !*uri.hostname ||
        !uri.scheme || (strcmp(uri.scheme, "http") != 0 && strcmp(uri.scheme, "https") != 0)) {
        po_problem(problems, "/gatewayUrl", "must be a base URL such as https://gateway.example.org:8243.");
    }
    return url;
}

static apim_error_t *read_body(rest_request_t *rq, const char *name, environment_t *e)
{
    po_problems_t problems = {rq->pool, NULL, 0};
    const json_t *description, *type;
    json_t *body;
    APIM_TRY(rest_read_json(rq->r, NULL, &body));
    e->name = name ? name : po_check_text(&problems, "/name", json_object_get(body, "name"), 1, 255, NULL);
    if (e->name && !name &&
        strspn(e->name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.") !=
            strlen(e->name)) {
        po_problem(&problems, "/name", "may hold letters, digits, '-', '_' and '.' only.");
    }
    e->display_name =
        po_check_text(&problems, "/displayName", json_object_get(body, "displayName"), 1, 255, NULL);
    description = json_object_get(body, "description");
    e->description = description && !json_is_null(description)
                         ? po_check_text(&problems, "/description", description, 0, 1023, "\n\r\t")
                         : "";
    type = json_object_get(body, "type");
    if (type && !json_is_null(type)) {
        po_check_one_of(&problems, "/type", type, "hybrid|production|sandbox");
    }
    e->type = apim_json_str(body, "type", "hybrid");
    e->gateway_url = read_url(&problems, body);
    return po_problems_error(&problems);
}

static apim_error_t *find(rest_request_t *rq, apim_db_t *db, const char *name, environment_t *e)
{
    apim_rows_t *rows;
    APIM_TRY(apim_db_select(db, rq->pool, &ad_environment_get, &rows, APIM_ARGS(name)));
    if (!rows->count) {
        return apim_not_found(rq->pool, "Environment", name);
    }
    from_row(rows->row[0], e);
    return NULL;
}

apim_error_t *ad_environments_list(rest_request_t *rq)
{
    json_t *list = apim_json_own(rq->pool, json_array());
    apim_rows_t *rows;
    apim_error_t *err;
    apim_db_t *db;
    int i;
    APIM_TRY(po_open(rq, APIM_DB_API_MANAGER, &db));
    err = apim_db_select(db, rq->pool, &ad_environment_list, &rows, APIM_NOARGS);
    apim_db_close(db);
    for (i = 0; !err && i < rows->count; i++) {
        environment_t e;
        from_row(rows->row[i], &e);
        json_array_append_new(list, environment_json(rq->pool, &e));
    }
    return err ? err
               : rest_reply_json(
                     rq->r, 200,
                     json_pack("{s:I, s:O}", "count", (json_int_t)json_array_size(list), "list", list));
}

apim_error_t *ad_nodes_list(rest_request_t *rq)
{
    json_t *nodes;
    APIM_TRY(po_nodes_list(rq->pool, po_config(rq->r), &nodes));
    return rest_reply_json(rq->r, 200, json_incref(nodes));
}

apim_error_t *ad_environment_read(rest_request_t *rq)
{
    environment_t e;
    apim_error_t *err;
    apim_db_t *db;
    APIM_TRY(po_open(rq, APIM_DB_API_MANAGER, &db));
    err = find(rq, db, rq->param[0], &e);
    apim_db_close(db);
    return err ? err : rest_reply_json(rq->r, 200, environment_json(rq->pool, &e));
}

apim_error_t *ad_environment_add(rest_request_t *rq)
{
    environment_t e;
    apim_error_t *err;
    apim_db_t *db;
    int added = 0;
    APIM_TRY(read_body(rq, NULL, &e));
    APIM_TRY(po_open(rq, APIM_DB_API_MANAGER, &db));
    err = apim_db_query(db, &ad_environment_insert, &added,
                        APIM_ARGS(e.name, e.display_name, e.description, e.type, e.gateway_url));
    apim_db_close(db);
    if (!err && !added) {
        err = apim_conflict(rq->pool, "There is an environment %s already.", e.name);
    }
    return err ? err : rest_reply_json(rq->r, 201, environment_json(rq->pool, &e));
}

/* Every API that is deployed there is published again, by the watchdog: a few seconds later the Store shows
 * what has changed. Gateways get nothing new. */
static apim_error_t *replace(rest_request_t *rq, apim_db_t *db, const environment_t *e)
{
    environment_t before;
    APIM_TRY(apim_db_begin(db));
    APIM_TRY(find(rq, db, e->name, &before));
    APIM_TRY(apim_db_query(db, &ad_environment_update, NULL,
                           APIM_ARGS(e->display_name, e->description, e->type, e->gateway_url, e->name)));
    if (strcmp(before.gateway_url, e->gateway_url) != 0 ||
        strcmp(before.display_name, e->display_name) != 0) {
        APIM_TRY(apim_db_query(db, &ad_environment_republish, NULL, APIM_ARGS(e->name)));
    }
    return apim_db_commit(db);
}

apim_error_t *ad_environment_replace(rest_request_t *rq)
{
    environment_t e;
    apim_error_t *err;
    apim_db_t *db;
    APIM_TRY(read_body(rq, rq->param[0], &e));
    APIM_TRY(po_open(rq, APIM_DB_API_MANAGER, &db));
    err = replace(rq, db, &e);
    apim_db_close(db);
    return err ? err : rest_reply_json(rq->r, 200, environment_json(rq->pool, &e));
}

static apim_error_t *drop(rest_request_t *rq, apim_db_t *db, const char *name)
{
    apim_rows_t *rows;
    environment_t e;
    APIM_TRY(apim_db_begin(db));
    APIM_TRY(find(rq, db, name, &e));
    APIM_TRY(apim_db_select(db, rq->pool, &ad_environment_used, &rows, APIM_ARGS(name)));
    if (strcmp(rows->row[0][0], "0") != 0) {
        return apim_conflict(rq->pool, "%s APIs are deployed to the environment %s; undeploy them first.",
                             rows->row[0][0], name);
    }
    APIM_TRY(apim_db_query(db, &ad_environment_delete, NULL, APIM_ARGS(name)));
    return apim_db_commit(db);
}

apim_error_t *ad_environment_drop(rest_request_t *rq)
{
    apim_error_t *err;
    apim_db_t *db;
    if (strcmp(rq->param[0], "Default") == 0) {
        return apim_bad_request(
            rq->pool, "The environment Default stays; publishing without an environment deploys to it.");
    }
    APIM_TRY(po_open(rq, APIM_DB_API_MANAGER, &db));
    err = drop(rq, db, rq->param[0]);
    apim_db_close(db);
    return err ? err : rest_reply_empty(rq->r, 200);
}

apim_error_t *ad_settings_read(rest_request_t *rq)
{
    return rest_reply_json(rq->r, 200,
                           json_pack("{s:[s,s,s,s], s:b, s:s, s:s}", "scopes", "apim:admin",
                                     "apim:admin_tier_view", "apim:admin_tier_manage",
                                     "apim:environment_manage", "analyticsEnabled", 0, "gatewayUrl",
                                     po_gateway_url(rq->r), "keyManagerUrl", po_keymgr_url(rq->r)));
}
