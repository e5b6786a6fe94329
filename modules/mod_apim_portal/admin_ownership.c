/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "admin.h"
#include "admin_sql.h"
#include "api_store.h"
#include "publication.h"
#include "store.h"
#include "store_sql.h"

/* Applications and APIs get another owner: when somebody leaves, or changes places. */

/* The user named by a query parameter, who must be able to log in. */
static apim_error_t *read_user(rest_request_t *rq, const char *parameter, const char **out)
{
    const char *name = apr_table_get(rq->query, parameter);
    apim_rows_t *rows;
    apim_error_t *err;
    apim_db_t *db;
    if (!name || !*name || strlen(name) > 255) {
        return apim_bad_request(rq->pool, "The query parameter %s is missing or too long.", parameter);
    }
    APIM_TRY(po_open(rq, APIM_DB_USER_MANAGER, &db));
    err = apim_db_select(db, rq->pool, &ad_user_get, &rows, APIM_ARGS(name));
    apim_db_close(db);
    APIM_TRY(err);
    if (!rows->count || strcmp(rows->row[0][6], "ACTIVE") != 0) {
        return apim_bad_request(rq->pool, "%s: there is no active user %s.", parameter, name);
    }
    *out = rows->row[0][1];
    return NULL;
}

/* -- applications
 * -------------------------------------------------------------------------------------------------------- */

/* What gateways remember of the application and of its clients is stale. */
static apim_error_t *forget(rest_request_t *rq, apim_db_t *db, const char *application)
{
    apim_rows_t *rows;
    int i;
    APIM_TRY(apim_db_select(db, rq->pool, &st_application_keys, &rows, APIM_ARGS(application)));
    for (i = 0; i < rows->count; i++) {
        APIM_TRY(po_invalidate(db, rq->pool, "client", rows->row[i][2]));
    }
    return po_invalidate(db, rq->pool, "application", application);
}

static apim_error_t *give_application(rest_request_t *rq, apim_db_t *db, const char *owner)
{
    const char *id = rq->param[0], *now = apim_i64(rq->pool, apim_now_ms());
    st_application_t a;
    apim_rows_t *rows;
    APIM_TRY(apim_db_begin(db));
    APIM_TRY(st_application_of_any(db, rq->pool, id, &a));
    APIM_TRY(apim_db_select(db, rq->pool, &st_application_name_taken, &rows, APIM_ARGS(owner, a.name, id)));
    if (rows->count) {
        return apim_error(rq->pool, 409, 900502, "Application already exists",
                          "%s has an application named %s already.", owner, a.name);
    }
    APIM_TRY(apim_db_query(db, &ad_application_set_owner, NULL, APIM_ARGS(owner, now, id)));
    APIM_TRY(apim_db_query(db, &ad_application_clients_set_owner, NULL, APIM_ARGS(owner, id)));
    APIM_TRY(forget(rq, db, id));
    return apim_db_commit(db);
}

apim_error_t *ad_application_change_owner(rest_request_t *rq)
{
    const char *owner;
    apim_error_t *err;
    apim_db_t *db;
    APIM_TRY(read_user(rq, "owner", &owner));
    APIM_TRY(po_open(rq, APIM_DB_API_MANAGER, &db));
    err = give_application(rq, db, owner);
    apim_db_close(db);
    return err ? err : rest_reply_empty(rq->r, 200);
}

/* -- APIs
 * ----------------------------------------------------------------------------------------------------------------
 */

static apim_error_t *give_api(rest_request_t *rq, apim_db_t *db, const char *provider)
{
    apim_rows_t *rows;
    po_api_t *api;
    APIM_TRY(apim_db_begin(db));
    APIM_TRY(po_api_get_for_update(db, rq->pool, rq->param[0], &api));
    APIM_TRY(apim_db_select(db, rq->pool, &ad_api_of_provider, &rows,
                            APIM_ARGS(provider, api->name, api->version, api->id)));
    if (rows->count) {
        return apim_error(rq->pool, 409, 900250, "The API already exists", "%s has an API %s %s already.",
                          provider, api->name, api->version);
    }
    APIM_TRY(apim_db_query(db, &ad_api_set_provider, NULL,
                           APIM_ARGS(provider, apim_i64(rq->pool, apim_now_ms()), rq->username, api->id)));
    APIM_TRY(po_api_touch(db, rq->pool, api->id));
    APIM_TRY(po_invalidate(db, rq->pool, "api", api->id));
    return apim_db_commit(db);
}

apim_error_t *ad_api_change_provider(rest_request_t *rq)
{
    const char *provider;
    apim_error_t *err;
    apim_db_t *db;
    APIM_TRY(read_user(rq, "provider", &provider));
    APIM_TRY(po_open(rq, APIM_DB_API_MANAGER, &db));
    err = give_api(rq, db, provider);
    apim_db_close(db);
    APIM_TRY(err);
    po_publish(rq->pool, rq->r->server, rq->param[0]);
    return rest_reply_empty(rq->r, 200);
}
