/* SPDX-License-Identifier: Apache-2.0 */
#include "publication.h"

#include <apr_strings.h>
#include <string.h>

#include "api_store.h"
#include "artifact.h"
#include "attachment_sql.h"
#include "lifecycle.h"
#include "openapi/openapi.h"
#include "publisher_sql.h"

#define MAX_DOCUMENT   (16 * 1024 * 1024)
#define MAX_DEFINITION (256 * 1024 * 1024)

/* One deployment of the API with what is deployed. */
typedef struct deployment_t {
    po_deployed_t where;
    const char *payload; /* the artefact as text */
} deployment_t;

/* Everything that is copied, read from the API Manager database. */
typedef struct copy_t {
    apr_pool_t *pool;
    const portal_config_t *conf;
    const char *id;
    po_api_t *api; /* NULL: it was deleted */
    apr_int64_t etag;
    apr_array_header_t *deployments; /* of deployment_t; empty if gateways must not have it */
    apr_array_header_t *deployed;    /* of po_deployed_t */
    json_t *document;                /* of the deployed revision; the working copy's if there is none */
    const char *definition;
    const char *documents; /* names, summaries and texts of those that all readers see */
} copy_t;

static apr_int64_t number(const char *text)
{
    apr_int64_t n = 0;
    return text && !apim_parse_i64(text, &n) ? n : 0;
}

/* -- reading -----------------------------------------------------------------------------------------------
 */

static apim_error_t *read_revision(copy_t *copy, apim_db_t *db, const char *revision_id,
                                   deployment_t *deployment)
{
    const apim_json_limits_t limits = {MAX_DOCUMENT, 64};
    apim_rows_t *rows;
    json_t *document;
    APIM_TRY(apim_db_select(db, copy->pool, &po_revision_document, &rows, APIM_ARGS(revision_id)));
    if (!rows->count) {
        return apim_internal(copy->pool, "revision %s is deployed but does not exist", revision_id);
    }
    APIM_TRY(apim_json_parse(copy->pool, rows->row[0][0], strlen(rows->row[0][0]), &limits, &document));
    if (!copy->document) {
        copy->document = document;
        copy->definition = rows->row[0][1];
    }
    deployment->payload = apim_json_text(
        copy->pool, po_artifact_make(copy->pool, copy->api, document, number(rows->row[0][2]), revision_id));
    return NULL;
}

static apim_error_t *read_deployments(copy_t *copy, apim_db_t *db)
{
    apim_rows_t *rows;
    int i;
    APIM_TRY(apim_db_select(db, copy->pool, &po_deployment_list, &rows, APIM_ARGS(copy->id)));
    for (i = 0; i < rows->count; i++) {
        const char **row = rows->row[i];
        deployment_t *deployment = apr_array_push(copy->deployments);
        deployment->where.environment = row[0];
        deployment->where.vhost = row[1];
        deployment->where.on_devportal = number(row[2]) != 0;
        deployment->where.display_name = row[5];
        deployment->where.type = row[6];
        deployment->where.gateway_url = row[7];
        APIM_TRY(read_revision(copy, db, row[4], deployment));
        APR_ARRAY_PUSH(copy->deployed, po_deployed_t) = deployment->where;
    }
    return NULL;
}

static apim_error_t *read_documents(copy_t *copy, apim_db_t *db)
{
    apim_rows_t *rows;
    apr_array_header_t *texts = apr_array_make(copy->pool, 8, sizeof(const char *));
    int i;
    APIM_TRY(apim_db_select(db, copy->pool, &po_document_texts, &rows, APIM_ARGS(copy->id)));
    for (i = 0; i < rows->count; i++) {
        APR_ARRAY_PUSH(texts, const char *) = rows->row[i][0];
    }
    copy->documents = apr_array_pstrcat(copy->pool, texts, '\n');
    return NULL;
}

static apim_error_t *read_deleted(copy_t *copy, apim_db_t *db)
{
    apim_rows_t *rows;
    APIM_TRY(apim_db_select(db, copy->pool, &po_outbox_get, &rows, APIM_ARGS(copy->id)));
    copy->etag = rows->count ? number(rows->row[0][0]) : 0;
    return NULL;
}

static apim_error_t *read_api(copy_t *copy, apim_db_t *db)
{
    apim_error_t *err = po_api_get(db, copy->pool, copy->id, &copy->api);
    if (err && err->status == 404) {
        copy->api = NULL;
        return read_deleted(copy, db);
    }
    APIM_TRY(err);
    copy->etag = copy->api->etag;
    if (!po_lifecycle_is_deployed(copy->api->status)) {
        return NULL;
    }
    APIM_TRY(read_documents(copy, db));
    APIM_TRY(read_deployments(copy, db));
    if (!copy->document) {
        copy->document = copy->api->document;
        return po_api_get_definition(db, copy->pool, copy->id, &copy->definition);
    }
    return NULL;
}

/* One transaction, so that the API and its deployments are of one moment. */
static apim_error_t *read_all(copy_t *copy)
{
    apim_db_t *db;
    apim_error_t *err;
    APIM_TRY(apim_db_open(copy->pool, &copy->conf->common, APIM_DB_API_MANAGER, &db));
    err = apim_db_begin(db);
    err = err ? err : read_api(copy, db);
    apim_db_close(db);
    return err;
}

/* -- writing -----------------------------------------------------------------------------------------------
 */

static const char *lower(apr_pool_t *p, const char *text)
{
    char *out = apr_pstrdup(p, text), *s;
    for (s = out; *s; s++) {
        *s = *s >= 'A' && *s <= 'Z' ? (char)(*s + 32) : *s;
    }
    return out;
}

static const char *bars(apr_pool_t *p, const json_t *texts)
{
    const char *out = "";
    apr_size_t i;
    json_t *text;
    json_array_foreach(texts, i, text)
    {
        out = apr_pstrcat(p, *out ? out : "|", json_string_value(text), "|", NULL);
    }
    return out;
}

/* The definition for subscribers, with the gateway URLs that are known without a request. */
static apim_error_t *store_definition(copy_t *copy, const char **out)
{
    const apim_json_limits_t limits = {MAX_DEFINITION, 200};
    apr_array_header_t *urls = apr_array_make(copy->pool, 2, sizeof(const char *));
    apim_openapi_store_t store = {0};
    json_t *definition, *result;
    int i;
    for (i = 0; i < copy->deployed->nelts; i++) {
        const po_deployed_t *d = &APR_ARRAY_IDX(copy->deployed, i, po_deployed_t);
        const char *base = *d->gateway_url ? d->gateway_url : copy->conf->gateway_url;
        if (base && d->on_devportal && copy->api) {
            APR_ARRAY_PUSH(urls, const char *) = apr_pstrcat(copy->pool, base, copy->api->context, NULL);
        }
    }
    store.urls = (const char *const *)urls->elts;
    store.nurls = urls->nelts;
    if (copy->conf->keymgr_url) {
        store.token_url = apr_pstrcat(copy->pool, copy->conf->keymgr_url, "/oauth2/token", NULL);
    }
    store.api_key_header = apim_json_str(copy->document, "apiKeyHeader", NULL);
    APIM_TRY(apim_json_parse(copy->pool, copy->definition, strlen(copy->definition), &limits, &definition));
    APIM_TRY(apim_openapi_for_store(copy->pool, definition, &store, &result));
    *out = apim_json_text(copy->pool, result);
    return *out ? NULL : apim_internal(copy->pool, "no memory for a definition");
}

/* Writes one row a text of an array: tags, roles. */
static apim_error_t *write_rows(copy_t *copy, apim_db_t *db, const apim_stmt_t *put, const json_t *texts)
{
    apr_size_t i;
    json_t *text;
    json_array_foreach((json_t *)texts, i, text)
    {
        APIM_TRY(apim_db_query(db, put, NULL, APIM_ARGS(copy->id, json_string_value(text))));
    }
    return NULL;
}

static apim_error_t *write_tags_and_roles(copy_t *copy, apim_db_t *db)
{
    APIM_TRY(apim_db_query(db, &po_reg_tag_delete, NULL, APIM_ARGS(copy->id)));
    APIM_TRY(apim_db_query(db, &po_reg_role_delete, NULL, APIM_ARGS(copy->id)));
    if (!copy->api || !po_lifecycle_is_deployed(copy->api->status)) {
        return NULL;
    }
    APIM_TRY(write_rows(copy, db, &po_reg_tag_put, json_object_get(copy->api->document, "tags")));
    if (strcmp(copy->api->visibility, "RESTRICTED") != 0) {
        return NULL;
    }
    return write_rows(copy, db, &po_reg_role_put, json_object_get(copy->api->document, "visibleRoles"));
}

static apim_error_t *write_catalogue(copy_t *copy, apim_db_t *db, const char *definition)
{
    const po_api_t *api = copy->api;
    apr_pool_t *p = copy->pool;
    const char *tags, *text, *document;
    if (!api || !po_lifecycle_is_deployed(api->status)) {
        APIM_TRY(write_tags_and_roles(copy, db));
        if (!api) {
            APIM_TRY(apim_db_query(db, &po_reg_rating_delete, NULL, APIM_ARGS(copy->id)));
            APIM_TRY(apim_db_query(db, &po_reg_comment_delete, NULL, APIM_ARGS(copy->id)));
        }
        return apim_db_query(db, &po_reg_api_delete, NULL, APIM_ARGS(copy->id));
    }
    tags = lower(p, po_document_tags(p, api->document));
    text = lower(p, apr_pstrcat(p, api->name, " ", api->description, " ", tags, " ", api->provider, NULL));
    document = apim_json_text(p, po_store_document(p, api, copy->document, copy->deployed));
    APIM_TRY(
        apim_db_query(db, &po_reg_api_put, NULL,
                      APIM_ARGS(api->id, api->provider, api->name, api->context, api->version,
                                api->description, api->status, api->visibility,
                                strcmp(api->visibility, "RESTRICTED") == 0
                                    ? bars(p, json_object_get(api->document, "visibleRoles"))
                                    : "",
                                tags, po_document_categories(p, api->document), api->is_default ? "1" : "0",
                                document, definition, text, copy->documents, apim_i64(p, copy->etag),
                                apim_i64(p, apim_now_ms()), apim_i64(p, api->updated_at))));
    return write_tags_and_roles(copy, db);
}

static apim_error_t *put_artifact(copy_t *copy, apim_db_t *db, const char *environment, const char *payload)
{
    apim_rows_t *rows;
    APIM_TRY(apim_db_select(db, copy->pool, &po_reg_feed_next, &rows, APIM_NOARGS));
    if (!rows->count) {
        return apim_internal(copy->pool, "reg_feed_head has no row; run apimctl migrate");
    }
    return apim_db_query(db, &po_reg_artifact_put, NULL,
                         APIM_ARGS(copy->id, environment, rows->row[0][0], payload ? "0" : "1",
                                   payload ? payload : "", apim_i64(copy->pool, copy->etag),
                                   apim_i64(copy->pool, apim_now_ms())));
}

static const deployment_t *deployment_in(const copy_t *copy, const char *environment)
{
    int i;
    for (i = 0; i < copy->deployments->nelts; i++) {
        const deployment_t *d = &APR_ARRAY_IDX(copy->deployments, i, deployment_t);
        if (strcmp(d->where.environment, environment) == 0) {
            return d;
        }
    }
    return NULL;
}

/* A row that already says what is wanted keeps its revision: gateways need not read it again. */
static apim_error_t *settle_existing(copy_t *copy, apim_db_t *db, const char *const *row)
{
    const deployment_t *wanted = deployment_in(copy, row[0]);
    int deleted = number(row[1]) != 0;
    if (wanted ? !deleted && strcmp(row[2], wanted->payload) == 0 : deleted) {
        return apim_db_query(db, &po_reg_artifact_etag, NULL,
                             APIM_ARGS(apim_i64(copy->pool, copy->etag), copy->id, row[0]));
    }
    return put_artifact(copy, db, row[0], wanted ? wanted->payload : NULL);
}

static apim_error_t *write_artifacts(copy_t *copy, apim_db_t *db)
{
    apim_rows_t *rows;
    int i, k;
    APIM_TRY(apim_db_select(db, copy->pool, &po_reg_artifacts, &rows, APIM_ARGS(copy->id)));
    for (i = 0; i < rows->count; i++) {
        APIM_TRY(settle_existing(copy, db, rows->row[i]));
    }
    for (k = 0; k < copy->deployments->nelts; k++) {
        const deployment_t *d = &APR_ARRAY_IDX(copy->deployments, k, deployment_t);
        for (i = 0; i < rows->count && strcmp(rows->row[i][0], d->where.environment); i++) {
        }
        if (i == rows->count) {
            APIM_TRY(put_artifact(copy, db, d->where.environment, d->payload));
        }
    }
    return NULL;
}

static apim_error_t *write_registry(copy_t *copy, apim_db_t *db, const char *definition)
{
    apim_rows_t *rows;
    APIM_TRY(apim_db_begin(db));
    APIM_TRY(apim_db_query(db, &po_reg_lock, NULL, APIM_NOARGS));
    APIM_TRY(apim_db_select(db, copy->pool, &po_reg_etag, &rows, APIM_ARGS(copy->id, copy->id)));
    if (rows->count && number(rows->row[0][0]) > copy->etag) {
        return NULL; /* someone copied a newer state; closing rolls back */
    }
    APIM_TRY(write_catalogue(copy, db, definition));
    APIM_TRY(write_artifacts(copy, db));
    return apim_db_commit(db);
}

static apim_error_t *write_all(copy_t *copy)
{
    const char *definition = "";
    apim_db_t *db;
    apim_error_t *err;
    if (copy->definition) {
        APIM_TRY(store_definition(copy, &definition));
    }
    APIM_TRY(apim_db_open(copy->pool, &copy->conf->common, APIM_DB_REGISTRY, &db));
    err = write_registry(copy, db, definition);
    apim_db_close(db);
    return err;
}

/* -- the whole ---------------------------------------------------------------------------------------------
 */

static apim_error_t *settle_outbox(copy_t *copy, const apim_error_t *failed)
{
    apim_db_t *db;
    apim_error_t *err;
    APIM_TRY(apim_db_open(copy->pool, &copy->conf->common, APIM_DB_API_MANAGER, &db));
    if (failed) { /* to the end of the queue */
        err = apim_db_query(db, &po_outbox_retry, NULL,
                            APIM_ARGS(apim_i64(copy->pool, apim_now_ms()), copy->id));
    }
    else {
        err = apim_db_query(db, &po_outbox_done, NULL, APIM_ARGS(copy->id, apim_i64(copy->pool, copy->etag)));
    }
    apim_db_close(db);
    return err;
}

static apim_error_t *publish(apr_pool_t *p, server_rec *s, const char *api_id)
{
    copy_t copy = {.pool = p, .conf = po_server_config(s), .id = api_id};
    apim_error_t *err;
    copy.deployments = apr_array_make(p, 2, sizeof(deployment_t));
    copy.deployed = apr_array_make(p, 2, sizeof(po_deployed_t));
    err = read_all(&copy);
    err = err ? err : write_all(&copy);
    if (err) {
        settle_outbox(&copy, err);
        return err;
    }
    return settle_outbox(&copy, NULL);
}

int po_publish(apr_pool_t *p, server_rec *s, const char *api_id)
{
    apr_pool_t *pool;
    apim_error_t *err;
    int done;
    apr_pool_create(&pool, p);
    err = publish(pool, s, api_id);
    if (err) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, s,
                     "APIM-PO0201: API %s is saved but not yet published; it will be tried again: %s%s%s",
                     api_id, err->description, err->cause ? " -- " : "", err->cause ? err->cause : "");
    }
    done = err == NULL;
    apr_pool_destroy(pool);
    return done;
}
