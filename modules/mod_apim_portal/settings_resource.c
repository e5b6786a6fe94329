/* SPDX-License-Identifier: Apache-2.0 */
#include <apr_strings.h>
#include <apr_uri.h>
#include <string.h>

#include "publisher.h"
#include "publisher_sql.h"

static json_t *vhost_json(apr_pool_t *p, const char *url)
{
    const int https = strncmp(url, "https:", 6) == 0;
    apr_uri_t uri;
    int port;
    if (apr_uri_parse(p, url, &uri) != APR_SUCCESS || !uri.hostname) {
        return json_array();
    }
    port = uri.port ? uri.port : https ? 443 : 80;
    return json_pack("[{s:s, s:s, s:i, s:i, s:n, s:n}]", "host", uri.hostname, "httpContext",
                     uri.path ? uri.path : "", "httpPort", https ? -1 : port, "httpsPort", https ? port : -1,
                     "wsPort", "wssPort");
}

/* One row of po_environment_list. */
static json_t *environment_json(rest_request_t *rq, const char *const *row)
{
    const char *url = *row[4] ? row[4] : po_gateway_url(rq->r);
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:o, s:o}", "id", row[0], "name", row[0],
                     "displayName", row[1], "description", row[2], "type", row[3], "gatewayType",
                     "apache/httpd", "isReadOnly", 0, "vhosts", vhost_json(rq->pool, url), "endpoints",
                     json_pack("{s:s?, s:s?}", "http", strncmp(url, "https:", 6) ? url : NULL, "https",
                               strncmp(url, "https:", 6) ? NULL : url));
}

static apim_error_t *read_environments(rest_request_t *rq, json_t **list)
{
    apim_rows_t *rows;
    apim_db_t *db;
    apim_error_t *err;
    int i;
    APIM_TRY(po_open(rq, APIM_DB_API_MANAGER, &db));
    err = apim_db_select(db, rq->pool, &po_environment_list, &rows, APIM_NOARGS);
    apim_db_close(db);
    APIM_TRY(err);
    *list = json_array();
    for (i = 0; i < rows->count; i++) {
        json_array_append_new(*list, environment_json(rq, rows->row[i]));
    }
    return NULL;
}

apim_error_t *po_environments_list(rest_request_t *rq)
{
    json_t *list;
    APIM_TRY(read_environments(rq, &list));
    return rest_reply_json(rq->r, 200,
                           json_pack("{s:i, s:o}", "count", (int)json_array_size(list), "list", list));
}

/* Every scope that an operation of the Publisher asks for. */
static json_t *scopes_json(apr_pool_t *p)
{
    json_t *seen = apim_json_own(p, json_object()), *out = json_array();
    const rest_route_t *route;
    const char *name;
    json_t *unused;
    for (route = po_publisher_routes; route->method; route++) {
        char *last, *word, *copy = apr_pstrdup(p, route->scopes ? route->scopes : "");
        for (word = apr_strtok(copy, " ", &last); word; word = apr_strtok(NULL, " ", &last)) {
            json_object_set_new(seen, word, json_true());
        }
    }
    json_object_foreach(seen, name, unused)
    {
        json_array_append_new(out, json_string(name));
    }
    return out;
}

apim_error_t *po_settings_read(rest_request_t *rq)
{
    json_t *environments;
    APIM_TRY(read_environments(rq, &environments));
    return rest_reply_json(rq->r, 200,
                           json_pack("{s:s, s:o, s:o, s:[], s:s, s:b, s:b, s:b, s:b}", "devportalUrl",
                                     apr_pstrcat(rq->pool, rest_self_url(rq->r), "/devportal", NULL),
                                     "environment", environments, "scopes", scopes_json(rq->pool),
                                     "monetizationAttributes", "authorizationHeader", "Authorization",
                                     "docVisibilityEnabled", 0, "crossTenantSubscriptionEnabled", 0,
                                     "portalConfigurationOnlyModeEnabled", 0, "isJWTEnabledForLoginTokens",
                                     1));
}
