/* SPDX-License-Identifier: Apache-2.0 */
#include "revision_store.h"

#include "apim_crypto.h"
#include "apim_text.h"
#include "publisher_sql.h"

static apim_error_t *is_full(apim_db_t *db, apr_pool_t *p, const po_api_t *api, int *full)
{
    apim_rows_t *rows;
    apr_int64_t count = 0;
    APIM_TRY(apim_db_select(db, p, &po_revision_count, &rows, APIM_ARGS(api->id)));
    apim_parse_i64(rows->row[0][0], &count);
    *full = count >= PO_MAX_REVISIONS;
    return NULL;
}

apim_error_t *po_revision_add(apim_db_t *db, apr_pool_t *p, const po_api_t *api, const char *description,
                              const char *username, const char **id)
{
    apim_rows_t *rows;
    int full;
    APIM_TRY(is_full(db, p, api, &full));
    if (full) {
        return apim_error(
            p, 400, 900351, "Can not create API Revision",
            "The API has %d revisions already, which is the most. Delete one that is not deployed.",
            PO_MAX_REVISIONS);
    }
    *id = apim_uuid(p);
    if (!*id) {
        return apim_internal(p, "no random numbers");
    }
    APIM_TRY(apim_db_select(db, p, &po_revision_number, &rows, APIM_ARGS(api->id)));
    if (!rows->count) {
        return apim_not_found(p, "API", api->id);
    }
    return apim_db_query(
        db, &po_revision_insert, NULL,
        APIM_ARGS(*id, rows->row[0][0], description, apim_i64(p, apim_now_ms()), username, api->id));
}

apim_error_t *po_revision_put(apim_db_t *db, apr_pool_t *p, const po_api_t *api, const char *revision_id,
                              const char *environment, const char *vhost, int on_devportal)
{
    return apim_db_query(db, &po_deployment_put, NULL,
                         APIM_ARGS(api->id, environment, revision_id, vhost, on_devportal ? "1" : "0",
                                   apim_i64(p, apim_now_ms())));
}

apim_error_t *po_revision_ensure_deployed(apim_db_t *db, apr_pool_t *p, const po_api_t *api,
                                          const char *username)
{
    const char *id;
    apim_rows_t *rows;
    int full;
    APIM_TRY(apim_db_select(db, p, &po_deployment_list, &rows, APIM_ARGS(api->id)));
    if (rows->count) {
        return NULL;
    }
    APIM_TRY(is_full(db, p, api, &full));
    if (full) {
        APIM_TRY(apim_db_select(db, p, &po_revision_newest, &rows, APIM_ARGS(api->id)));
        id = rows->row[0][0];
    }
    else {
        APIM_TRY(po_revision_add(db, p, api, "Made when the API was published", username, &id));
    }
    return po_revision_put(db, p, api, id, PO_DEFAULT_ENVIRONMENT, "localhost", 1);
}
