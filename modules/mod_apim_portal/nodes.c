/* SPDX-License-Identifier: Apache-2.0 */
#include "nodes.h"

#include <apr_strings.h>
#include <string.h>

#include "nodes_sql.h"

#define STEP         apr_time_from_msec(20) /* between two looks while waiting */
#define LONGEST_STEP apr_time_from_msec(100)

/* Columns of po_node_list. */
enum { N_NAME, N_ROLE, N_ENVIRONMENT, N_VERSION, N_EPOCH, N_REVISION, N_STARTED, N_SEEN, N_DETAIL };
/* Columns of po_node_artifacts. */
enum { A_ENVIRONMENT, A_REVISION, A_DELETED };

/* One look at the registry. */
typedef struct look_t {
    apr_pool_t *pool;
    const char *epoch;
    apim_rows_t *nodes, *artifacts;
    const char *api_id;
    apr_int64_t now;
    int pending; /* live gateways that have not answered yet */
} look_t;

static apr_int64_t number(const char *text)
{
    apr_int64_t n = 0;
    return text && !apim_parse_i64(text, &n) ? n : 0;
}

static json_t *detail_of(apr_pool_t *p, const char *text)
{
    const apim_json_limits_t limits = {65536, 8};
    json_t *detail;
    return text && !apim_json_parse(p, text, strlen(text), &limits, &detail) ? json_incref(detail)
                                                                             : json_object();
}

static int is_away(const char *const *node, apr_int64_t now)
{
    return now - number(node[N_SEEN]) > PO_NODE_AWAY_MS;
}

/* -- the list -------------------------------------------------------------------------------------------- */

static json_t *node_json(apr_pool_t *p, const char *const *node, apr_int64_t now)
{
    json_t *json =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:o}", "name", node[N_NAME], "role", node[N_ROLE],
                  "version", node[N_VERSION], "state", is_away(node, now) ? "AWAY" : "UP", "startedAt",
                  apim_iso_time(p, number(node[N_STARTED])), "seenAt", apim_iso_time(p, number(node[N_SEEN])),
                  "detail", detail_of(p, node[N_DETAIL]));
    if (json && strcmp(node[N_ROLE], "gateway") == 0) {
        json_object_set_new(json, "environment", json_string(node[N_ENVIRONMENT]));
        json_object_set_new(json, "epoch", json_string(node[N_EPOCH]));
        json_object_set_new(json, "revision", json_integer(number(node[N_REVISION])));
    }
    return json;
}

apim_error_t *po_nodes_list(apr_pool_t *pool, const portal_config_t *conf, json_t **out)
{
    json_t *list = json_array();
    apr_int64_t now = apim_now_ms();
    apim_rows_t *rows, *head = NULL;
    apim_error_t *err;
    apim_db_t *db;
    int i;
    *out = apim_json_own(pool, json_pack("{s:o}", "list", list));
    APIM_TRY(apim_db_open(pool, &conf->common, APIM_DB_REGISTRY, &db));
    err = apim_db_select(db, pool, &po_node_list, &rows, APIM_NOARGS);
    err = err ? err : apim_db_select(db, pool, &po_node_head, &head, APIM_NOARGS);
    apim_db_close(db);
    for (i = 0; !err && i < rows->count; i++) {
        json_array_append_new(list, node_json(pool, rows->row[i], now));
    }
    if (!err) {
        json_object_set_new(*out, "count", json_integer(rows->count));
        json_object_set_new(*out, "epoch", json_string(head->count ? head->row[0][0] : ""));
        json_object_set_new(*out, "revision", json_integer(head->count ? number(head->row[0][1]) : 0));
    }
    return err;
}

/* -- confirmations --------------------------------------------------------------------------------------- */

static apim_error_t *look(look_t *look, const portal_config_t *conf)
{
    apim_rows_t *head;
    apim_error_t *err;
    apim_db_t *db;
    APIM_TRY(apim_db_open(look->pool, &conf->common, APIM_DB_REGISTRY, &db));
    err = apim_db_select(db, look->pool, &po_node_head, &head, APIM_NOARGS);
    err = err ? err
              : apim_db_select(db, look->pool, &po_node_artifacts, &look->artifacts, APIM_ARGS(look->api_id));
    err = err ? err : apim_db_select(db, look->pool, &po_node_list, &look->nodes, APIM_NOARGS);
    apim_db_close(db);
    if (!err) {
        look->epoch = head->count ? head->row[0][0] : "";
        look->now = apim_now_ms();
    }
    return err;
}

/* Why the node could not deploy the API, NULL if it does not say so. Borrowed from the pool. */
static const char *failure_of(const look_t *look, const char *const *node)
{
    json_t *detail, *failure;
    size_t i;
    if (!strstr(node[N_DETAIL], look->api_id)) {
        return NULL;
    }
    detail = apim_json_own(look->pool, detail_of(look->pool, node[N_DETAIL]));
    json_array_foreach(json_object_get(detail, "failures"), i, failure)
    {
        if (strcmp(apim_json_str(failure, "key", ""), look->api_id) == 0) {
            return apim_json_str(failure, "reason", "");
        }
    }
    return NULL;
}

static void add_node(look_t *look, json_t *environment, const char *const *node, const char *const *artifact)
{
    const char *list = "confirmed", *reason;
    if (is_away(node, look->now)) {
        list = "away";
    }
    else if (strcmp(node[N_EPOCH], look->epoch) != 0 ||
             number(node[N_REVISION]) < number(artifact[A_REVISION])) {
        list = "pending";
        look->pending++;
    }
    else if ((reason = failure_of(look, node)) != NULL) {
        json_array_append_new(json_object_get(environment, "failed"),
                              json_pack("{s:s, s:s}", "name", node[N_NAME], "reason", reason));
        return;
    }
    json_array_append_new(json_object_get(environment, list), json_string(node[N_NAME]));
}

static json_t *environment_json(look_t *look, const char *const *artifact)
{
    json_t *environment =
        json_pack("{s:s, s:b, s:I, s:[], s:[], s:[], s:[]}", "name", artifact[A_ENVIRONMENT], "deployed",
                  strcmp(artifact[A_DELETED], "0") == 0, "revision", (json_int_t)number(artifact[A_REVISION]),
                  "confirmed", "pending", "failed", "away");
    int i;
    for (i = 0; i < look->nodes->count; i++) {
        const char **node = look->nodes->row[i];
        if (strcmp(node[N_ROLE], "gateway") == 0 &&
            strcmp(node[N_ENVIRONMENT], artifact[A_ENVIRONMENT]) == 0) {
            add_node(look, environment, node, artifact);
        }
    }
    return environment;
}

static json_t *confirmations_json(look_t *look)
{
    json_t *environments = json_array();
    apr_int64_t revision = 0;
    int i;
    look->pending = 0;
    for (i = 0; i < look->artifacts->count; i++) {
        const char **artifact = look->artifacts->row[i];
        revision = number(artifact[A_REVISION]) > revision ? number(artifact[A_REVISION]) : revision;
        json_array_append_new(environments, environment_json(look, artifact));
    }
    return json_pack("{s:I, s:o}", "revision", (json_int_t)revision, "environments", environments);
}

apim_error_t *po_nodes_confirmations(apr_pool_t *pool, const portal_config_t *conf, const char *api_id,
                                     apr_interval_time_t wait, json_t **out)
{
    apr_time_t until = apr_time_now() + wait;
    apr_interval_time_t step = STEP;
    json_t *found = NULL;
    look_t seen = {.api_id = api_id};
    apim_error_t *err = NULL;
    apr_pool_create(&seen.pool, pool);
    for (;;) {
        apr_pool_clear(seen.pool);
        err = look(&seen, conf);
        if (err) {
            err = apim_error(pool, err->status, err->code, err->message, "%s", err->description);
            break;
        }
        json_decref(found);
        found = confirmations_json(&seen);
        if (!seen.pending || apr_time_now() + step > until) {
            break;
        }
        apr_sleep(step);
        step = step * 2 > LONGEST_STEP ? LONGEST_STEP : step * 2;
    }
    apr_pool_destroy(seen.pool);
    *out = found ? apim_json_own(pool, found) : NULL;
    return err;
}

static void add_states(json_t *nodes, const json_t *names, const char *state)
{
    const json_t *name;
    size_t i;
    json_array_foreach((json_t *)names, i, name)
    {
        json_array_append_new(nodes,
                              json_pack("{s:s, s:s}", "name", json_string_value(name), "state", state));
    }
}

void po_nodes_describe(json_t *deployment, const json_t *confirmations)
{
    const char *name = apim_json_str(deployment, "name", "");
    const json_t *environment, *confirmed, *failed, *failure;
    json_t *nodes = json_array();
    size_t i, k;
    json_object_set_new(deployment, "nodes", nodes);
    json_array_foreach(json_object_get(confirmations, "environments"), i, environment)
    {
        if (strcmp(apim_json_str(environment, "name", ""), name) != 0) {
            continue;
        }
        confirmed = json_object_get(environment, "confirmed");
        failed = json_object_get(environment, "failed");
        add_states(nodes, confirmed, "CONFIRMED");
        add_states(nodes, json_object_get(environment, "pending"), "PENDING");
        add_states(nodes, json_object_get(environment, "away"), "AWAY");
        json_array_foreach((json_t *)failed, k, failure)
        {
            json_array_append_new(nodes, json_pack("{s:s, s:s, s:s}", "name",
                                                   apim_json_str(failure, "name", ""), "state", "FAILED",
                                                   "reason", apim_json_str(failure, "reason", "")));
        }
        json_object_set_new(deployment, "deployedGatewayCount",
                            json_integer((json_int_t)json_array_size(confirmed)));
        json_object_set_new(deployment, "failedGatewayCount",
                            json_integer((json_int_t)json_array_size(failed)));
        json_object_set_new(
            deployment, "liveGatewayCount",
            json_integer((json_int_t)(json_array_size(nodes) -
                                      json_array_size(json_object_get(environment, "away")))));
    }
}

apim_error_t *po_nodes_forget(apr_pool_t *pool, const portal_config_t *conf)
{
    apim_error_t *err;
    apim_db_t *db;
    APIM_TRY(apim_db_open(pool, &conf->common, APIM_DB_REGISTRY, &db));
    err = apim_db_query(db, &po_node_forget, NULL,
                        APIM_ARGS(apim_i64(pool, apim_now_ms() - PO_NODE_FORGOTTEN_MS)));
    apim_db_close(db);
    return err;
}
