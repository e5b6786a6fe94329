/* SPDX-License-Identifier: Apache-2.0 */
#include <apr_strings.h>
#include <string.h>

#include "access_control.h"
#include "archive_resource.h"
#include "attachment_sql.h"
#include "publisher_sql.h"
#include "yaml_text.h"

/* GET /apis/export: the working copy, or a revision, with its documents and its picture. */

typedef struct export_t {
    rest_request_t *rq;
    apr_pool_t *p;
    int as_json;
    const char *root;
    po_api_t *api;
    const char *definition;
    apim_rows_t *deployments, *picture, *documents;
    apr_array_header_t *entries;
} export_t;

/* -- reading -----------------------------------------------------------------------------------------------
 */

static int says(const rest_request_t *rq, const char *name, int fallback)
{
    const char *text = apr_table_get(rq->query, name);
    return text && *text ? strcasecmp(text, "true") == 0 : fallback;
}

/* The id of the API that the query names: apiId, or name and version. */
static apim_error_t *find(export_t *e, apim_db_t *db, const char **id)
{
    const char *name, *version, *provider = apr_table_get(e->rq->query, "providerName");
    apim_rows_t *rows;
    *id = apr_table_get(e->rq->query, "apiId");
    if (*id && **id) {
        return NULL;
    }
    APIM_TRY(po_needed(e->rq, "name", &name));
    APIM_TRY(po_needed(e->rq, "version", &version));
    APIM_TRY(apim_db_select(db, e->p, &po_api_exact_name, &rows,
                            APIM_ARGS(name, version, provider ? provider : "", provider ? provider : "")));
    if (!rows->count) {
        return apim_not_found(e->p, "API", apr_pstrcat(e->p, name, " ", version, NULL));
    }
    *id = rows->row[0][0];
    return NULL;
}

/* Takes document and definition of a revision in place of the working copy's. */
static apim_error_t *take_revision(export_t *e, apim_db_t *db)
{
    const apim_json_limits_t limits = {16 * 1024 * 1024, 64};
    const char *number = apr_table_get(e->rq->query, "revisionNumber");
    apr_int64_t n;
    apim_rows_t *rows;
    if (!number || !*number) {
        return NULL;
    }
    if (apim_parse_i64(number, &n) || n < 1) {
        return apim_bad_request(e->p, "revisionNumber must be a number from 1.");
    }
    APIM_TRY(
        apim_db_select(db, e->p, &po_revision_numbered, &rows, APIM_ARGS(e->api->id, apim_i64(e->p, n))));
    if (!rows->count) {
        return apim_not_found(e->p, "Revision", number);
    }
    e->definition = rows->row[0][1];
    return apim_json_parse(e->p, rows->row[0][0], strlen(rows->row[0][0]), &limits, &e->api->document);
}

static apim_error_t *read_all(export_t *e, apim_db_t *db)
{
    const char *id;
    APIM_TRY(find(e, db, &id));
    APIM_TRY(po_api_get(db, e->p, id, &e->api));
    APIM_TRY(po_api_get_definition(db, e->p, id, &e->definition));
    APIM_TRY(take_revision(e, db));
    APIM_TRY(apim_db_select(db, e->p, &po_deployment_list, &e->deployments, APIM_ARGS(id)));
    APIM_TRY(apim_db_select(db, e->p, &po_thumbnail_get, &e->picture, APIM_ARGS(id)));
    return apim_db_select(db, e->p, &po_document_export, &e->documents, APIM_ARGS(id));
}

/* -- writing -----------------------------------------------------------------------------------------------
 */

static void add(export_t *e, const char *path, const char *data, apr_size_t len)
{
    APR_ARRAY_PUSH(e->entries, po_zip_entry_t) =
        (po_zip_entry_t){apr_pstrcat(e->p, e->root, path, NULL), data, len};
}

/* data is stolen. */
static apim_error_t *add_artifact(export_t *e, const char *stem, const char *type, json_t *data)
{
    json_t *whole = apim_json_own(
        e->p, type ? json_pack("{s:s, s:s, s:o}", "type", type, "version", PO_PROJECT_VERSION, "data", data)
                   : data);
    const char *text;
    if (!whole) {
        return apim_internal(e->p, "no memory for an archive");
    }
    if (e->as_json) {
        text = apim_json_text(e->p, whole);
    }
    else {
        APIM_TRY(po_yaml_text(e->p, whole, &text));
    }
    add(e, apr_pstrcat(e->p, stem, e->as_json ? ".json" : ".yaml", NULL), text, strlen(text));
    return NULL;
}

static apim_error_t *add_api(export_t *e)
{
    json_t *api = po_api_json(e->p, e->api);
    if (!says(e->rq, "preserveStatus", 1)) {
        apim_json_set_str(api, "lifeCycleStatus", "CREATED");
    }
    return add_artifact(e, "api", "api", api);
}

static apim_error_t *add_definition(export_t *e)
{
    json_t *definition;
    APIM_TRY(po_parse_definition(e->p, e->definition, &definition));
    return add_artifact(e, "Definitions/swagger", NULL, json_incref(definition));
}

static apim_error_t *add_deployments(export_t *e)
{
    json_t *list = json_array();
    int i;
    for (i = 0; i < e->deployments->count; i++) {
        const char **row = e->deployments->row[i];
        json_array_append_new(list, json_pack("{s:b, s:s, s:s}", "displayOnDevportal", po_number(row[2]) != 0,
                                              "deploymentEnvironment", row[0], "deploymentVhost", row[1]));
    }
    return add_artifact(e, "deployment_environments", "deployment_environments", list);
}

static apim_error_t *add_picture(export_t *e)
{
    apr_size_t len = 0;
    const char *type, *data;
    if (!e->picture->count) {
        return NULL;
    }
    type = strrchr(e->picture->row[0][0], '/');
    data = (const char *)apim_b64url_decode(e->p, e->picture->row[0][2], strlen(e->picture->row[0][2]), &len);
    if (!type || !data) {
        return apim_internal(e->p, "a thumbnail cannot be read");
    }
    add(e, apr_pstrcat(e->p, "Image/icon.", type + 1, NULL), data, len);
    return NULL;
}

/* Columns of po_document_export. */
enum { D_NAME, D_TYPE, D_OTHER, D_SUMMARY, D_SOURCE, D_URL, D_VISIBILITY, D_FILE, D_CONTENT, D_ID };

/* A name as a file's: letters and digits of ASCII, '-', '_' and blanks; told apart by a number. */
static const char *folder_of(export_t *e, const char *name, int i)
{
    char *out = apr_pstrdup(e->p, name), *c;
    for (c = out; *c; c++) {
        if ((unsigned char)*c >= 0x80 ||
            !strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_ ", *c)) {
            *c = '_';
        }
    }
    return strcmp(out, name) == 0 ? apr_pstrcat(e->p, "Docs/", out, "/", NULL)
                                  : apr_psprintf(e->p, "Docs/%s_%d/", out, i + 1);
}

static apim_error_t *add_content(export_t *e, const char *folder, const char *const *row)
{
    apr_size_t len = strlen(row[D_CONTENT]);
    const char *data = row[D_CONTENT];
    if (!len || strcmp(row[D_SOURCE], "URL") == 0) {
        return NULL;
    }
    if (strcmp(row[D_SOURCE], "FILE") != 0) {
        add(e, apr_pstrcat(e->p, folder, "content.md", NULL), data, len);
        return NULL;
    }
    data = (const char *)apim_b64url_decode(e->p, data, len, &len);
    if (!data) {
        return apim_internal(e->p, "the content of document %s cannot be read", row[D_ID]);
    }
    add(e, apr_pstrcat(e->p, folder, "content.bin", NULL), data, len);
    return NULL;
}

static apim_error_t *add_documents(export_t *e)
{
    int i;
    for (i = 0; i < e->documents->count; i++) {
        const char **row = e->documents->row[i], *folder = folder_of(e, row[D_NAME], i);
        json_t *facts = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "documentId", row[D_ID],
                                  "name", row[D_NAME], "type", row[D_TYPE], "otherTypeName", row[D_OTHER],
                                  "summary", row[D_SUMMARY], "sourceType", row[D_SOURCE], "sourceUrl",
                                  row[D_URL], "visibility", row[D_VISIBILITY], "fileName", row[D_FILE]);
        APIM_TRY(add_artifact(e, apr_pstrcat(e->p, folder, "document", NULL), "document", facts));
        APIM_TRY(add_content(e, folder, row));
    }
    return NULL;
}

static apim_error_t *write_all(export_t *e)
{
    e->root = apr_psprintf(e->p, "%s-%s/", e->api->name, e->api->version);
    e->entries = apr_array_make(e->p, 8, sizeof(po_zip_entry_t));
    APIM_TRY(add_api(e));
    APIM_TRY(add_definition(e));
    APIM_TRY(add_deployments(e));
    APIM_TRY(add_picture(e));
    return says(e->rq, "preserveDocs", 1) ? add_documents(e) : NULL;
}

apim_error_t *po_api_export(rest_request_t *rq)
{
    const char *format = apr_table_get(rq->query, "format"), *data;
    export_t e = {.rq = rq, .p = rq->pool, .as_json = format && strcasecmp(format, "json") == 0};
    apim_error_t *err;
    apr_size_t len;
    apim_db_t *db;
    APIM_TRY(po_open(rq, APIM_DB_API_MANAGER, &db));
    err = read_all(&e, db);
    apim_db_close(db);
    APIM_TRY(err);
    APIM_TRY(po_access_check(rq, e.api->id));
    APIM_TRY(write_all(&e));
    APIM_TRY(po_zip_write(rq->pool, e.entries, &data, &len));
    apr_table_setn(rq->r->headers_out, "Content-Disposition",
                   apr_pstrcat(rq->pool, "attachment; filename*=UTF-8''",
                               apim_urlencode(rq->pool, e.api->name), "-",
                               apim_urlencode(rq->pool, e.api->version), ".zip", NULL));
    return rest_reply_text(rq->r, 200, "application/zip", data, len);
}
