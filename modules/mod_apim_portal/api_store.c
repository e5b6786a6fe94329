/* SPDX-License-Identifier: Apache-2.0 */
#include "api_store.h"

#include <apr_strings.h>
#include <string.h>

#include "access_control.h"
#include "apim_crypto.h"
#include "apim_text.h"
#include "attachment_sql.h"
#include "document_store.h"
#include "endpoint_secrets.h"
#include "lifecycle.h"
#include "publisher_sql.h"
#include "workflow_sql.h"

#define MAX_DOCUMENT (16 * 1024 * 1024)

static apr_int64_t number(const char *text)
{
    apr_int64_t n = 0;
    return text && !apim_parse_i64(text, &n) ? n : 0;
}

static apim_error_t *read_row(apr_pool_t *p, const char *const *row, po_api_t **out)
{
    const apim_json_limits_t limits = {MAX_DOCUMENT, 64};
    po_api_t *api = apr_pcalloc(p, sizeof(*api));
    apim_error_t *err;
    api->id = row[0];
    api->provider = row[1];
    api->name = row[2];
    api->context = row[3];
    api->context_template = row[4];
    api->version = row[5];
    api->description = row[6];
    api->type = row[7];
    api->status = row[8];
    api->is_default = number(row[9]) != 0;
    api->visibility = row[10];
    api->etag = number(row[12]);
    api->created_at = number(row[13]);
    api->updated_at = number(row[14]);
    api->updated_by = row[15];
    api->has_thumbnail = number(row[16]) != 0;
    api->workflow_status = row[17];
    err = apim_json_parse(p, row[11], strlen(row[11]), &limits, &api->document);
    if (err) {
        return apim_internal(p, "the document of API %s cannot be read: %s", api->id, err->description);
    }
    *out = api;
    return NULL;
}

apim_error_t *po_api_get(apim_db_t *db, apr_pool_t *p, const char *id, po_api_t **api)
{
    apim_rows_t *rows;
    APIM_TRY(apim_db_select(db, p, &po_api_by_id, &rows, APIM_ARGS(id)));
    if (!rows->count) {
        return apim_not_found(p, "API", id);
    }
    return read_row(p, rows->row[0], api);
}

apim_error_t *po_api_get_for_update(apim_db_t *db, apr_pool_t *p, const char *id, po_api_t **api)
{
    APIM_TRY(apim_db_query(db, &po_api_lock, NULL, APIM_ARGS(id)));
    return po_api_get(db, p, id, api);
}

apim_error_t *po_api_get_definition(apim_db_t *db, apr_pool_t *p, const char *id, const char **text)
{
    apim_rows_t *rows;
    APIM_TRY(apim_db_select(db, p, &po_api_definition, &rows, APIM_ARGS(id)));
    if (!rows->count) {
        return apim_not_found(p, "API", id);
    }
    *text = rows->row[0][0];
    return NULL;
}

/* -- scopes ------------------------------------------------------------------------------------------------
 */

static const char *joined(apr_pool_t *p, const json_t *texts)
{
    const char *out = "";
    apr_size_t i;
    json_t *text;
    json_array_foreach(texts, i, text)
    {
        out = apr_pstrcat(p, out, *out ? " " : "", json_string_value(text), NULL);
    }
    return out;
}

/* am_scope has the API's own scopes, for the Key Manager; shared ones have rows of their own. */
static apim_error_t *write_scopes(apim_db_t *db, apr_pool_t *p, const po_api_t *api)
{
    apr_size_t i;
    json_t *item;
    APIM_TRY(apim_db_query(db, &po_api_delete_scopes, NULL, APIM_ARGS(api->id)));
    json_array_foreach(json_object_get(api->document, "scopes"), i, item)
    {
        const json_t *scope = json_object_get(item, "scope");
        const char *name = apim_json_str(scope, "name", "");
        if (!apim_json_bool(item, "shared", 0)) {
            APIM_TRY(apim_db_query(db, &po_scope_insert, NULL,
                                   APIM_ARGS(name, api->id, apim_json_str(scope, "displayName", name),
                                             apim_json_str(scope, "description", ""),
                                             joined(p, json_object_get(scope, "bindings")))));
        }
    }
    return NULL;
}

/* -- changes -----------------------------------------------------------------------------------------------
 */

static apim_error_t *check_free(apim_db_t *db, apr_pool_t *p, const po_api_t *api)
{
    apim_rows_t *rows;
    APIM_TRY(apim_db_select(db, p, &po_api_same_name, &rows, APIM_ARGS(api->name, api->version)));
    if (rows->count) {
        return apim_error(p, 409, 900250, "The API name already exists.",
                          "There is an API %s with version %s already.", api->name, api->version);
    }
    APIM_TRY(apim_db_select(
        db, p, &po_api_same_context, &rows,
        APIM_ARGS(api->context, api->context_template, api->context, api->context_template, api->name)));
    if (rows->count) {
        return apim_error(p, 409, 900251, "The API context already exists.",
                          "The context %s is taken by the API %s %s.", api->context_template, rows->row[0][0],
                          rows->row[0][1]);
    }
    return NULL;
}

static apim_error_t *add_event(apim_db_t *db, apr_pool_t *p, const po_api_t *api, const char *from,
                               const char *to, const char *username)
{
    return apim_db_query(db, &po_event_insert, NULL,
                         APIM_ARGS(api->id, from, to, username, apim_i64(p, api->updated_at), api->id));
}

apim_error_t *po_api_add(apim_db_t *db, apr_pool_t *p, po_api_t *api, const char *definition)
{
    const char *now;
    int added;
    api->id = apim_uuid(p);
    if (!api->id) {
        return apim_internal(p, "no random numbers");
    }
    api->created_at = api->updated_at = apim_now_ms();
    api->status = "CREATED";
    api->etag = 1;
    api->type = apim_json_str(api->document, "type", "HTTP");
    api->visibility = apim_json_str(api->document, "visibility", "PUBLIC");
    api->description = apim_json_str(api->document, "description", "");
    now = apim_i64(p, api->created_at);
    APIM_TRY(check_free(db, p, api));
    APIM_TRY(apim_db_query(
        db, &po_api_insert, &added,
        APIM_ARGS(api->id, api->provider, api->name, api->context, api->context_template, api->version,
                  api->description, api->type, api->is_default ? "1" : "0", api->visibility,
                  po_document_tags(p, api->document), po_document_categories(p, api->document),
                  apim_json_text(p, api->document), definition, now, now, api->updated_by)));
    if (!added) { /* someone was quicker */
        return apim_error(p, 409, 900250, "The API name already exists.",
                          "There is an API %s %s, or one with the context "
                          "%s, already.",
                          api->name, api->version, api->context_template);
    }
    APIM_TRY(write_scopes(db, p, api));
    APIM_TRY(po_access_write(db, api));
    if (api->copied_from) {
        APIM_TRY(po_attachments_copy(db, p, api->copied_from, api->id));
    }
    return add_event(db, p, api, NULL, "CREATED", api->updated_by);
}

apim_error_t *po_api_save(apim_db_t *db, apr_pool_t *p, po_api_t *api, const char *definition,
                          const char *username)
{
    api->updated_at = apim_now_ms();
    api->updated_by = username;
    api->etag++;
    api->visibility = apim_json_str(api->document, "visibility", "PUBLIC");
    api->description = apim_json_str(api->document, "description", "");
    APIM_TRY(apim_db_query(
        db, &po_api_update, NULL,
        APIM_ARGS(api->description, api->is_default ? "1" : "0", api->visibility,
                  po_document_tags(p, api->document), po_document_categories(p, api->document),
                  apim_json_text(p, api->document), apim_i64(p, api->updated_at), username, api->id)));
    if (definition) {
        APIM_TRY(apim_db_query(db, &po_api_set_definition, NULL, APIM_ARGS(definition, api->id)));
    }
    APIM_TRY(write_scopes(db, p, api));
    APIM_TRY(po_access_write(db, api));
    return po_lifecycle_is_deployed(api->status) ? po_api_queue(db, p, api->id) : NULL;
}

apim_error_t *po_api_set_status(apim_db_t *db, apr_pool_t *p, po_api_t *api, const char *status,
                                const char *username)
{
    const char *from = api->status;
    api->updated_at = apim_now_ms();
    api->updated_by = username;
    api->etag++;
    APIM_TRY(apim_db_query(db, &po_api_set_status_stmt, NULL,
                           APIM_ARGS(status, apim_i64(p, api->updated_at), username, api->id)));
    api->status = status;
    APIM_TRY(add_event(db, p, api, from, status, username));
    return po_api_queue(db, p, api->id);
}

apim_error_t *po_api_settle_default(apim_db_t *db, apr_pool_t *p, const po_api_t *api,
                                    apr_array_header_t *others)
{
    apim_rows_t *rows;
    int i;
    if (!api->is_default) {
        return NULL;
    }
    APIM_TRY(apim_db_select(db, p, &po_api_undefault, &rows, APIM_ARGS(api->name, api->id)));
    for (i = 0; i < rows->count; i++) {
        APIM_TRY(po_api_queue(db, p, rows->row[i][0]));
        APR_ARRAY_PUSH(others, const char *) = rows->row[i][0];
    }
    return NULL;
}

static apim_error_t *check_unsubscribed(apim_db_t *db, apr_pool_t *p, const po_api_t *api)
{
    apim_rows_t *rows;
    APIM_TRY(apim_db_select(db, p, &po_api_subscribers, &rows, APIM_ARGS(api->id)));
    if (number(rows->row[0][0])) {
        return apim_error(p, 409, 900366, "Failed to delete the API",
                          "The API has %s subscriptions. Retire it, or remove the subscriptions first.",
                          rows->row[0][0]);
    }
    return NULL;
}

apim_error_t *po_api_remove(apim_db_t *db, apr_pool_t *p, const po_api_t *api)
{
    const apim_stmt_t *const parts[] = {
        &po_api_delete_scopes, &po_api_delete_events,   &po_api_delete_deployments, &po_api_delete_revisions,
        &po_access_clear,      &po_api_delete_rejected, &po_thumbnail_delete,       &po_document_delete_all,
        &wf_withdraw,          &po_api_delete};
    apr_size_t i;
    APIM_TRY(check_unsubscribed(db, p, api));
    for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        APIM_TRY(apim_db_query(db, parts[i], NULL, APIM_ARGS(api->id)));
    }
    APIM_TRY(apim_db_query(db, &po_outbox_put_deleted, NULL,
                           APIM_ARGS(api->id, apim_i64(p, api->etag + 1), apim_i64(p, apim_now_ms()))));
    return po_invalidate(db, p, "api", api->id);
}

apim_error_t *po_api_queue(apim_db_t *db, apr_pool_t *p, const char *id)
{
    return apim_db_query(db, &po_outbox_put, NULL, APIM_ARGS(apim_i64(p, apim_now_ms()), id));
}

apim_error_t *po_api_touch(apim_db_t *db, apr_pool_t *p, const char *id)
{
    APIM_TRY(apim_db_query(db, &po_api_raise_etag, NULL, APIM_ARGS(id)));
    return po_api_queue(db, p, id);
}

apim_error_t *po_invalidate(apim_db_t *db, apr_pool_t *p, const char *kind, const char *subject)
{
    apim_rows_t *rows;
    APIM_TRY(apim_db_select(db, p, &po_feed_next, &rows, APIM_NOARGS));
    if (!rows->count) {
        return apim_internal(p, "am_feed_head has no row; run apimctl migrate");
    }
    return apim_db_query(db, &po_invalidation_insert, NULL,
                         APIM_ARGS(rows->row[0][0], kind, subject, apim_i64(p, apim_now_ms())));
}

/* -- as JSON -----------------------------------------------------------------------------------------------
 */

static json_t *properties_map(const json_t *document)
{
    json_t *map = json_object(), *item;
    apr_size_t i;
    json_array_foreach(json_object_get(document, "additionalProperties"), i, item)
    {
        json_object_set(map, apim_json_str(item, "name", ""), item);
    }
    return map;
}

json_t *po_api_json(apr_pool_t *p, const po_api_t *api)
{
    json_t *out = json_object();
    apim_json_set_str(out, "id", api->id);
    apim_json_set_str(out, "name", api->name);
    apim_json_set_str(out, "description", api->description);
    apim_json_set_str(out, "context", api->context_template);
    apim_json_set_str(out, "version", api->version);
    apim_json_set_str(out, "provider", api->provider);
    apim_json_set_str(out, "lifeCycleStatus", api->status);
    json_object_set_new(out, "hasThumbnail", json_boolean(api->has_thumbnail));
    json_object_set_new(out, "isDefaultVersion", json_boolean(api->is_default));
    json_object_set_new(out, "isRevision", json_false());
    json_object_set_new(out, "revisionedApiId", json_null());
    json_object_set_new(out, "revisionId", json_integer(0));
    apim_json_set_str(out, "workflowStatus", api->workflow_status);
    json_object_update_missing(out, api->document);
    po_endpoint_secrets_hide(out);
    json_object_set_new(out, "additionalPropertiesMap", properties_map(api->document));
    apim_json_set_str(out, "createdTime", apim_iso_time(p, api->created_at));
    apim_json_set_str(out, "lastUpdatedTime", apim_iso_time(p, api->updated_at));
    apim_json_set_str(out, "lastUpdatedTimestamp", apim_i64(p, api->updated_at));
    apim_json_set_str(out, "updatedBy", api->updated_by);
    return out;
}
