/* SPDX-License-Identifier: Apache-2.0 */
#include <apr_strings.h>
#include <string.h>

#include "access_control.h"
#include "archive_resource.h"
#include "attachment_sql.h"
#include "document_store.h"
#include "image_type.h"
#include "openapi/openapi.h"
#include "publisher_sql.h"
#include "revision_store.h"

/* POST /apis/import: an archive becomes an API, or changes the one of that name and version. */

#define MAX_ARCHIVE   (32 * 1024 * 1024)
#define MAX_THUMBNAIL (1024 * 1024)
#define MAX_FILE      (10 * 1024 * 1024)
#define MAX_TEXT      (1024 * 1024)

typedef struct import_t {
    rest_request_t *rq;
    apr_pool_t *p;
    po_project_t project;
    const char *provider;          /* of a new API */
    const char *existing;          /* id of the one that is changed; NULL: a new one */
    json_t *body, *checked;        /* what it shall be */
    const char *definition;        /* JSON text */
    apr_array_header_t *documents; /* of po_document_t, checked */
    po_api_t *api;                 /* the result */
    const char *revision;          /* id of what was deployed; NULL: nothing */
    json_t *skipped;               /* environments that are not here */
    int waits;                     /* a change of state waits for approval */
    apr_array_header_t *others;
} import_t;

static int says(const rest_request_t *rq, const char *name, int fallback)
{
    const char *text = apr_table_get(rq->query, name);
    return text && *text ? strcasecmp(text, "true") == 0 : fallback;
}

/* -- what it shall be --------------------------------------------------------------------------------------
 */

/* What api.yaml says of an operation of the definition, if it does. */
static json_t *said_of(const json_t *operations, const json_t *operation)
{
    json_t *item;
    size_t i;
    json_array_foreach(operations, i, item)
    {
        if (json_equal(json_object_get(item, "verb"), json_object_get(operation, "verb")) &&
            json_equal(json_object_get(item, "target"), json_object_get(operation, "target"))) {
            return item;
        }
    }
    return NULL;
}

/* The definition says which operations there are, api.yaml how they are protected and limited. */
static apim_error_t *merge_operations(import_t *m, const apim_openapi_t *doc)
{
    json_t *list = apim_openapi_operations_json(m->p, doc), *merged = json_array(), *operation, *said,
           *changed;
    size_t i;
    json_array_foreach(list, i, operation)
    {
        said = said_of(json_object_get(m->body, "operations"), operation);
        json_array_append(merged, said ? said : operation);
    }
    json_object_set_new(m->body, "operations", merged);
    if (!json_is_array(json_object_get(m->body, "scopes"))) {
        json_object_set(m->body, "scopes", apim_openapi_scopes_json(m->p, doc));
    }
    APIM_TRY(
        apim_openapi_apply_operations(m->p, doc->root, merged, json_object_get(m->body, "scopes"), &changed));
    m->definition = apim_json_text(m->p, changed);
    return NULL;
}

static apim_error_t *read_definition(import_t *m)
{
    const po_zip_entry_t *entry = m->project.definition;
    apim_openapi_options_t options = {0};
    apim_openapi_t *doc;
    if (!entry) {
        return NULL;
    }
    options.limits.max_bytes = po_max_definition(po_config(m->rq->r));
    APIM_TRY(apim_openapi_read(m->p, entry->data, entry->len, &options, &doc));
    return merge_operations(m, doc);
}

/* Content that is too large, or is no text where it should be. */
static apim_error_t *check_content(const import_t *m, const po_document_t *d, const po_zip_entry_t *content)
{
    int file = strcmp(d->source_type, "FILE") == 0;
    if (content && content->len > (file ? MAX_FILE : MAX_TEXT)) {
        return apim_error(m->p, 413, APIM_E_TOO_LARGE, "Content Too Large", "%s is too large.",
                          content->path);
    }
    if (content && !file &&
        (strlen(content->data) != content->len || !apim_utf8_valid(content->data, content->len))) {
        return apim_bad_request(m->p, "%s is no UTF-8 text.", content->path);
    }
    return NULL;
}

static apim_error_t *check_documents(import_t *m)
{
    int i;
    m->documents = apr_array_make(m->p, 4, sizeof(po_document_t));
    for (i = 0; i < m->project.documents->nelts; i++) {
        const po_project_document_t *from = &APR_ARRAY_IDX(m->project.documents, i, po_project_document_t);
        po_document_t *d = apr_array_push(m->documents);
        memset(d, 0, sizeof(*d));
        APIM_TRY(po_document_read_body(m->p, from->facts, d));
        APIM_TRY(check_content(m, d, from->content));
        d->file_name = strcmp(d->source_type, "FILE") == 0 && from->content
                           ? apim_json_str(from->facts, "fileName", "content.bin")
                           : "";
    }
    return NULL;
}

static apim_error_t *check_picture(const import_t *m)
{
    const po_zip_entry_t *picture = m->project.picture;
    if (picture && (picture->len > MAX_THUMBNAIL || !po_image_type(picture->data, picture->len))) {
        return apim_bad_request(m->p, "%s must be a PNG, JPEG, GIF or WebP picture of at most 1 MiB.",
                                picture->path);
    }
    return NULL;
}

/* Whose the API shall be: the archive's provider, if he is here and the caller keeps him; else the caller. */
static apim_error_t *choose_provider(import_t *m)
{
    const char *name = apim_json_str(m->body, "provider", "");
    apim_rows_t *rows;
    apim_error_t *err;
    apim_db_t *db;
    m->provider = m->rq->username;
    if (!*name || !says(m->rq, "preserveProvider", 1)) {
        return NULL;
    }
    APIM_TRY(po_open(m->rq, APIM_DB_USER_MANAGER, &db));
    err = apim_db_select(db, m->p, &po_user_exists, &rows, APIM_ARGS(name));
    apim_db_close(db);
    APIM_TRY(err);
    if (!rows->count) {
        return apim_bad_request(m->p,
                                "There is no user %s here who could be the provider; preserveProvider=false "
                                "makes you the provider.",
                                name);
    }
    m->provider = rows->row[0][0];
    return NULL;
}

/* WSO2 writes "" where it means the default. */
static void drop_empty(json_t *body)
{
    static const char *const members[] = {"apiKeyHeader", "authorizationHeader", "apiThrottlingPolicy"};
    size_t i;
    for (i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        if (!*apim_json_str(body, members[i], "-")) {
            json_object_del(body, members[i]);
        }
    }
}

/* -- what is there -----------------------------------------------------------------------------------------
 */

static apim_error_t *find_existing(import_t *m, const po_identity_t *identity, po_api_t **before)
{
    apim_rows_t *rows = NULL;
    apim_error_t *err;
    apim_db_t *db;
    *before = NULL;
    APIM_TRY(po_open(m->rq, APIM_DB_API_MANAGER, &db));
    err = apim_db_select(db, m->p, &po_api_same_name, &rows, APIM_ARGS(identity->name, identity->version));
    if (!err && rows->count) {
        m->existing = rows->row[0][0];
        err = po_api_get(db, m->p, m->existing, before);
    }
    apim_db_close(db);
    APIM_TRY(err);
    if (m->existing) {
        APIM_TRY(po_access_check(m->rq, m->existing));
    }
    if (m->existing && !says(m->rq, "overwrite", 0)) {
        return apim_error(m->p, 409, 900250, "The API already exists",
                          "There is an API %s %s already; overwrite=true changes it.", identity->name,
                          identity->version);
    }
    return NULL;
}

static apim_error_t *check(import_t *m)
{
    po_problems_t problems = {m->p, NULL, 0};
    po_identity_t identity = {0};
    po_api_t *before;
    m->body = apim_json_own(m->p, json_deep_copy(m->project.api));
    drop_empty(m->body);
    po_identity_read(&problems, m->body, &identity);
    APIM_TRY(po_problems_error(&problems));
    APIM_TRY(find_existing(m, &identity, &before));
    APIM_TRY(read_definition(m));
    APIM_TRY(check_documents(m));
    APIM_TRY(check_picture(m));
    if (before) {
        APIM_TRY(po_document_make(m->p, m->body, before->document, &m->checked));
        return po_check_references(m->rq, before->name, m->checked);
    }
    APIM_TRY(choose_provider(m));
    m->api = apr_pcalloc(m->p, sizeof(*m->api));
    APIM_TRY(po_api_from_body(m->rq, m->body, m->api));
    m->api->provider = m->provider;
    return m->definition ? NULL : po_definition_generate(m->rq, m->api, &m->definition);
}

/* -- the transaction ---------------------------------------------------------------------------------------
 */

static apim_error_t *put_content(import_t *m, apim_db_t *db, const po_document_t *d,
                                 const po_zip_entry_t *content)
{
    const char *data;
    if (!content) {
        return NULL;
    }
    data = *d->file_name ? apim_b64url(m->p, content->data, content->len) : content->data;
    return apim_db_query(
        db, &po_document_set_content, NULL,
        APIM_ARGS(data, d->file_name, apim_i64(m->p, apim_now_ms()), m->rq->username, d->id, d->source_type));
}

/* A document of that name is replaced; others stay. */
static apim_error_t *put_document(import_t *m, apim_db_t *db, po_document_t *d, const po_zip_entry_t *content)
{
    const char *now = apim_i64(m->p, apim_now_ms()), *user = m->rq->username;
    apim_rows_t *rows;
    APIM_TRY(apim_db_select(db, m->p, &po_document_named, &rows, APIM_ARGS(m->api->id, d->name)));
    if (rows->count) {
        d->id = rows->row[0][0];
        APIM_TRY(apim_db_query(db, &po_document_update, NULL,
                               APIM_ARGS(d->name, d->type, d->other_type_name, d->summary, d->source_type,
                                         d->source_url, d->visibility, now, user, d->id)));
        APIM_TRY(apim_db_query(db, &po_document_clear, NULL, APIM_ARGS(d->id)));
        return put_content(m, db, d, content);
    }
    d->id = apim_uuid(m->p);
    if (!d->id) {
        return apim_internal(m->p, "no random numbers");
    }
    APIM_TRY(apim_db_query(db, &po_document_insert, NULL,
                           APIM_ARGS(d->id, m->api->id, d->name, d->type, d->other_type_name, d->summary,
                                     d->source_type, d->source_url, d->visibility, now, user, now, user)));
    return put_content(m, db, d, content);
}

static apim_error_t *put_attachments(import_t *m, apim_db_t *db)
{
    const po_zip_entry_t *picture = m->project.picture;
    unsigned char hash[32];
    int i;
    for (i = 0; i < m->documents->nelts; i++) {
        APIM_TRY(put_document(m, db, &APR_ARRAY_IDX(m->documents, i, po_document_t),
                              APR_ARRAY_IDX(m->project.documents, i, po_project_document_t).content));
    }
    if (!picture) {
        return NULL;
    }
    if (apim_sha256(picture->data, picture->len, hash)) {
        return apim_internal(m->p, "no SHA-256");
    }
    return apim_db_query(
        db, &po_thumbnail_put, NULL,
        APIM_ARGS(m->api->id, po_image_type(picture->data, picture->len), apim_hex(m->p, hash, sizeof(hash)),
                  apim_b64url(m->p, picture->data, picture->len), apim_i64(m->p, apim_now_ms())));
}

/* rotateRevision: the oldest revision that is not deployed makes room. */
static apim_error_t *make_room(import_t *m, apim_db_t *db)
{
    apim_rows_t *rows;
    if (!says(m->rq, "rotateRevision", 0)) {
        return NULL;
    }
    APIM_TRY(apim_db_select(db, m->p, &po_revision_count, &rows, APIM_ARGS(m->api->id)));
    return po_number(rows->row[0][0]) < PO_MAX_REVISIONS
               ? NULL
               : apim_db_query(db, &po_revision_drop_oldest, NULL, APIM_ARGS(m->api->id, m->api->id));
}

/* The environments that the archive names and that are here get a new revision. */
static apim_error_t *deploy(import_t *m, apim_db_t *db)
{
    json_t *item;
    size_t i;
    json_array_foreach(m->project.deployments, i, item)
    {
        const char *name = apim_json_str(item, "deploymentEnvironment", "");
        apim_rows_t *rows;
        APIM_TRY(apim_db_select(db, m->p, &po_environment_get, &rows, APIM_ARGS(name)));
        if (!rows->count) {
            json_array_append_new(m->skipped, json_string(name));
            continue;
        }
        if (!m->revision) {
            APIM_TRY(make_room(m, db));
            APIM_TRY(po_revision_add(db, m->p, m->api, "imported", m->rq->username, &m->revision));
        }
        APIM_TRY(po_revision_put(db, m->p, m->api, m->revision, name,
                                 apim_json_str(item, "deploymentVhost", "localhost"),
                                 apim_json_bool(item, "displayOnDevportal", 1)));
    }
    return NULL;
}

static apim_error_t *write_api(import_t *m, apim_db_t *db)
{
    if (m->existing) {
        return po_api_change(m->rq, db, m->existing, m->body, m->checked, m->definition, &m->api, m->others);
    }
    APIM_TRY(po_api_add(db, m->p, m->api, m->definition));
    return po_api_settle_default(db, m->p, m->api, m->others);
}

static apim_error_t *write_all(import_t *m, apim_db_t *db)
{
    const char *status = apim_json_str(m->body, "lifeCycleStatus", "CREATED");
    APIM_TRY(apim_db_begin(db));
    APIM_TRY(write_api(m, db));
    APIM_TRY(put_attachments(m, db));
    APIM_TRY(deploy(m, db));
    APIM_TRY(po_lifecycle_advance(m->rq, db, m->api->id, status, m->others, &m->waits));
    APIM_TRY(po_api_touch(db, m->p, m->api->id));
    APIM_TRY(po_api_get(db, m->p, m->api->id, &m->api));
    return apim_db_commit(db);
}

static apim_error_t *read_archive(import_t *m)
{
    const apim_part_t *file;
    apr_array_header_t *parts;
    APIM_TRY(po_read_parts(m->rq, MAX_ARCHIVE, &parts));
    file = apim_multipart_get(parts, "file");
    if (!file || !file->len) {
        return apim_bad_request(m->p, "The part file is missing.");
    }
    return po_project_read(m->p, file->data, file->len, &m->project);
}

apim_error_t *po_api_import(rest_request_t *rq)
{
    import_t m = {.rq = rq, .p = rq->pool};
    apim_error_t *err;
    apim_db_t *db;
    m.skipped = apim_json_own(rq->pool, json_array());
    m.others = apr_array_make(rq->pool, 2, sizeof(const char *));
    APIM_TRY(read_archive(&m));
    APIM_TRY(check(&m));
    APIM_TRY(po_open(rq, APIM_DB_API_MANAGER, &db));
    err = write_all(&m, db);
    apim_db_close(db);
    APIM_TRY(err);
    po_publish_all(rq, m.api->id, m.others);
    return rest_reply_json(rq->r, 200,
                           json_pack("{s:s, s:s?, s:s, s:s, s:O}", "id", m.api->id, "revision", m.revision,
                                     "lifeCycleStatus", m.api->status, "workflowStatus",
                                     m.waits ? "CREATED" : "APPROVED", "skippedEnvironments", m.skipped));
}
