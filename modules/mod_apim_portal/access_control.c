/* SPDX-License-Identifier: Apache-2.0 */
#include "access_control.h"

#include <string.h>

#include "publisher_sql.h"
#include "store.h"

#define OF_ONE_API "/apis/{apiId}"

apim_error_t *po_access_of(rest_request_t *rq, po_access_t *out)
{
    st_viewer_t viewer = {.roles = "|"};
    int everything = po_has_scope(rq, "apim:admin");
    if (!everything) {
        APIM_TRY(st_viewer(rq, &viewer));
    }
    out->everything = everything ? "1" : "0";
    out->username = rq->username ? rq->username : "";
    out->roles = viewer.roles;
    return NULL;
}

static apim_error_t *select_one(rest_request_t *rq, const apim_stmt_t *stmt, const char *const *args,
                                int nargs, int *found)
{
    apim_rows_t *rows;
    apim_error_t *err;
    apim_db_t *db;
    APIM_TRY(po_open(rq, APIM_DB_API_MANAGER, &db));
    err = apim_db_select(db, rq->pool, stmt, &rows, args, nargs);
    apim_db_close(db);
    APIM_TRY(err);
    *found = rows->count > 0;
    return NULL;
}

/* Most APIs are for everybody: roles are asked for only where one is not. */
apim_error_t *po_access_check(rest_request_t *rq, const char *api_id)
{
    po_access_t access;
    int found;
    if (po_has_scope(rq, "apim:admin")) {
        return NULL;
    }
    APIM_TRY(select_one(rq, &po_access_restricted, APIM_ARGS(api_id, api_id), &found));
    if (!found) {
        return NULL;
    }
    APIM_TRY(po_access_of(rq, &access));
    APIM_TRY(select_one(rq, &po_access_allowed, APIM_ARGS(api_id, api_id, PO_ACCESS_ARGS(&access)), &found));
    return found ? NULL : apim_not_found(rq->pool, "API", api_id);
}

apim_error_t *po_access_guard(rest_request_t *rq)
{
    const char *id = apr_table_get(rq->query, "apiId");
    apr_size_t n = strlen(OF_ONE_API);
    if (strncmp(rq->route->path, OF_ONE_API, n) == 0 && (!rq->route->path[n] || rq->route->path[n] == '/')) {
        id = rq->param[0];
    }
    return id && *id ? po_access_check(rq, id) : NULL;
}

apim_error_t *po_access_write(apim_db_t *db, const po_api_t *api)
{
    const json_t *roles = json_object_get(api->document, "accessControlRoles");
    int restricted = strcmp(apim_json_str(api->document, "accessControl", "NONE"), "RESTRICTED") == 0;
    json_t *role;
    size_t i;
    APIM_TRY(apim_db_query(db, &po_access_set, NULL, APIM_ARGS(restricted ? "1" : "0", api->id)));
    APIM_TRY(apim_db_query(db, &po_access_clear, NULL, APIM_ARGS(api->id)));
    if (!restricted) {
        return NULL;
    }
    json_array_foreach(roles, i, role)
    {
        APIM_TRY(apim_db_query(db, &po_access_add, NULL, APIM_ARGS(api->id, json_string_value(role))));
    }
    return NULL;
}
