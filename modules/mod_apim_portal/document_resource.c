/* SPDX-License-Identifier: Apache-2.0 */
#include <apr_strings.h>
#include <apr_uri.h>
#include <string.h>

#include "attachment_sql.h"
#include "document_store.h"
#include "problems.h"
#include "publisher.h"
#include "publisher_sql.h"

/* Documents of an API as its publishers write them. */

#define MAX_FILE (10 * 1024 * 1024)
#define MAX_TEXT (1024 * 1024)

#define TYPES "HOWTO|SAMPLES|PUBLIC_FORUM|SUPPORT_FORUM|API_MESSAGE_FORMAT|OTHER"

/* -- bodies ------------------------------------------------------------------------------------------------
 */

static int given(const json_t *value)
{
    return value && !json_is_null(value);
}

/* It becomes a link in the Store: http and https alone. */
static const char *read_url(po_problems_t *problems, const json_t *body)
{
    const char *url =
        po_check_text(problems, "/sourceUrl", json_object_get(body, "sourceUrl"), 1, 2000, NULL);
    apr_uri_t uri;
    if (url && (strpbrk(url, " <>\"\\^`{|}") || apr_uri_parse(problems->pool, url, &uri) != APR_SUCCESS ||
                !uri.scheme || !uri.hostname || !*uri.hostname ||
                (strcasecmp(uri.scheme, "http") != 0 && strcasecmp(uri.scheme, "https") != 0))) {
        po_problem(problems, "/sourceUrl", "must be a http or https URL.");
    }
    return url;
}

static const char *optional_text(po_problems_t *problems, const json_t *body, const char *name, int max,
                                 const char *allow)
{
    const json_t *value = json_object_get(body, name);
    return given(value) ? po_check_text(problems, po_where(problems, "", name), value, 0, max, allow) : "";
}

apim_error_t *po_document_read_body(apr_pool_t *p, const json_t *body, po_document_t *d)
{
    po_problems_t problems = {p, NULL, 0};
    d->name = po_check_text(&problems, "/name", json_object_get(body, "name"), 1, 60, NULL);
    po_check_one_of(&problems, "/type", json_object_get(body, "type"), TYPES);
    po_check_one_of(&problems, "/sourceType", json_object_get(body, "sourceType"),
                    "INLINE|MARKDOWN|URL|FILE");
    if (given(json_object_get(body, "visibility"))) {
        po_check_one_of(&problems, "/visibility", json_object_get(body, "visibility"),
                        "API_LEVEL|OWNER_ONLY|PRIVATE");
    }
    d->type = apim_json_str(body, "type", "");
    d->source_type = apim_json_str(body, "sourceType", "");
    d->visibility = apim_json_str(body, "visibility", "API_LEVEL");
    d->summary = optional_text(&problems, body, "summary", 32766, "\n\t");
    d->other_type_name = optional_text(&problems, body, "otherTypeName", 60, NULL);
    d->source_url = strcmp(d->source_type, "URL") == 0 ? read_url(&problems, body) : "";
    if (strcmp(d->type, "OTHER") == 0 && d->other_type_name && !*d->other_type_name) {
        po_problem(&problems, "/otherTypeName", "must say what it is, because type is OTHER.");
    }
    return po_problems_error(&problems);
}

static apim_error_t *read_body(rest_request_t *rq, po_document_t *d)
{
    json_t *body;
    APIM_TRY(rest_read_json(rq->r, NULL, &body));
    return po_document_read_body(rq->pool, body, d);
}

/* -- changes -----------------------------------------------------------------------------------------------
 */

/* The Store's search knows the documents of an API: it learns of the change. */
static apim_error_t *changed(rest_request_t *rq, apim_db_t *db, const char *api_id)
{
    APIM_TRY(po_api_touch(db, rq->pool, api_id));
    return apim_db_commit(db);
}

static apim_error_t *begin(rest_request_t *rq, apim_db_t *db)
{
    po_api_t *api;
    APIM_TRY(apim_db_begin(db));
    return po_api_get_for_update(db, rq->pool, rq->param[0], &api);
}

static apim_error_t *check_name(rest_request_t *rq, apim_db_t *db, const po_document_t *d)
{
    apim_rows_t *rows;
    APIM_TRY(apim_db_select(db, rq->pool, &po_document_named, &rows, APIM_ARGS(rq->param[0], d->name)));
    return rows->count && (!d->id || strcmp(rows->row[0][0], d->id) != 0)
               ? apim_conflict(rq->pool, "The API has a document %s already.", d->name)
               : NULL;
}

static apim_error_t *add(rest_request_t *rq, apim_db_t *db, po_document_t *d)
{
    apr_pool_t *p = rq->pool;
    APIM_TRY(begin(rq, db));
    APIM_TRY(check_name(rq, db, d));
    d->id = apim_uuid(p);
    if (!d->id) {
        return apim_internal(p, "no random numbers");
    }
    d->file_name = "";
    d->created_by = d->updated_by = rq->username;
    d->created_at = d->updated_at = apim_now_ms();
    APIM_TRY(apim_db_query(db, &po_document_insert, NULL,
                           APIM_ARGS(d->id, rq->param[0], d->name, d->type, d->other_type_name, d->summary,
                                     d->source_type, d->source_url, d->visibility, apim_i64(p, d->created_at),
                                     d->created_by, apim_i64(p, d->updated_at), d->updated_by)));
    return changed(rq, db, rq->param[0]);
}

/* A document that comes from elsewhere than before has no content yet. */
static apim_error_t *replace(rest_request_t *rq, apim_db_t *db, po_document_t *d)
{
    po_document_t before;
    APIM_TRY(begin(rq, db));
    APIM_TRY(po_document_find(db, rq, rq->param[0], rq->param[1], &before));
    d->id = before.id;
    APIM_TRY(check_name(rq, db, d));
    d->file_name = before.file_name;
    d->created_by = before.created_by;
    d->created_at = before.created_at;
    d->updated_by = rq->username;
    d->updated_at = apim_now_ms();
    APIM_TRY(apim_db_query(db, &po_document_update, NULL,
                           APIM_ARGS(d->name, d->type, d->other_type_name, d->summary, d->source_type,
                                     d->source_url, d->visibility, apim_i64(rq->pool, d->updated_at),
                                     d->updated_by, d->id)));
    if (strcmp(before.source_type, d->source_type) != 0) {
        d->file_name = "";
        APIM_TRY(apim_db_query(db, &po_document_clear, NULL, APIM_ARGS(d->id)));
    }
    return changed(rq, db, rq->param[0]);
}

static apim_error_t *drop(rest_request_t *rq, apim_db_t *db, po_document_t *d)
{
    APIM_TRY(begin(rq, db));
    APIM_TRY(po_document_find(db, rq, rq->param[0], rq->param[1], d));
    APIM_TRY(apim_db_query(db, &po_document_delete, NULL, APIM_ARGS(d->id)));
    return changed(rq, db, rq->param[0]);
}

typedef apim_error_t *(change_fn)(rest_request_t *, apim_db_t *, po_document_t *);

/* Makes a change in a transaction, then publishes. */
static apim_error_t *make(rest_request_t *rq, change_fn *change, po_document_t *d)
{
    apim_error_t *err;
    apim_db_t *db;
    APIM_TRY(po_open(rq, APIM_DB_API_MANAGER, &db));
    err = change(rq, db, d);
    apim_db_close(db);
    APIM_TRY(err);
    po_publish(rq->pool, rq->r->server, rq->param[0]);
    return NULL;
}

/* -- operations --------------------------------------------------------------------------------------------
 */

apim_error_t *po_documents_list(rest_request_t *rq)
{
    APIM_TRY(po_check_api_exists(rq, rq->param[0]));
    return po_documents_reply(rq, rq->param[0]);
}

static apim_error_t *reply_made(rest_request_t *rq, const po_document_t *d)
{
    apr_table_setn(rq->r->headers_out, "Location",
                   apr_pstrcat(rq->pool, rest_self_url(rq->r), PO_PUBLISHER_BASE "/apis/", rq->param[0],
                               "/documents/", d->id, NULL));
    return rest_reply_json(rq->r, 201, po_document_json(rq->pool, d));
}

apim_error_t *po_documents_create(rest_request_t *rq)
{
    po_document_t d = {0};
    APIM_TRY(read_body(rq, &d));
    APIM_TRY(make(rq, add, &d));
    return reply_made(rq, &d);
}

apim_error_t *po_document_read(rest_request_t *rq)
{
    return po_document_reply(rq, rq->param[0], rq->param[1]);
}

apim_error_t *po_document_replace(rest_request_t *rq)
{
    po_document_t d = {0};
    APIM_TRY(read_body(rq, &d));
    APIM_TRY(make(rq, replace, &d));
    return rest_reply_json(rq->r, 200, po_document_json(rq->pool, &d));
}

apim_error_t *po_document_drop(rest_request_t *rq)
{
    po_document_t d = {0};
    APIM_TRY(make(rq, drop, &d));
    return rest_reply_empty(rq->r, 200);
}

apim_error_t *po_documents_validate(rest_request_t *rq)
{
    const char *name;
    apim_rows_t *rows;
    apim_error_t *err;
    apim_db_t *db;
    APIM_TRY(po_needed(rq, "name", &name));
    APIM_TRY(po_open(rq, APIM_DB_API_MANAGER, &db));
    err = apim_db_select(db, rq->pool, &po_document_named, &rows, APIM_ARGS(rq->param[0], name));
    apim_db_close(db);
    APIM_TRY(err);
    return rows->count ? rest_reply_empty(rq->r, 200) : apim_not_found(rq->pool, "Document", name);
}

/* -- content -----------------------------------------------------------------------------------------------
 */

apim_error_t *po_document_content_read(rest_request_t *rq)
{
    return po_document_reply_content(rq, rq->param[0], rq->param[1]);
}

/* What was sent: a file or a text. */
typedef struct content_t {
    const char *stored, *file_name;
    int is_file;
} content_t;

static apim_error_t *check_file_name(rest_request_t *rq, const char *name)
{
    if (!*name || strlen(name) > 255 || apim_has_control(name, NULL) ||
        !apim_utf8_valid(name, strlen(name)) || strpbrk(name, "/\\")) {
        return apim_bad_request(rq->pool,
                                "The file name must have 1 to 255 bytes, without slashes and control "
                                "characters.");
    }
    return NULL;
}

static apim_error_t *take_file(rest_request_t *rq, const apim_part_t *part, content_t *content)
{
    content->is_file = 1;
    content->file_name = part->filename ? part->filename : "";
    if (part->len > MAX_FILE) {
        return apim_error(rq->pool, 413, APIM_E_TOO_LARGE, "Payload Too Large",
                          "A file may have at most 10 MiB.");
    }
    content->stored = apim_b64url(rq->pool, part->data, part->len);
    return check_file_name(rq, content->file_name);
}

static apim_error_t *take_text(rest_request_t *rq, const apim_part_t *part, content_t *content)
{
    content->file_name = "";
    content->stored = apr_pstrmemdup(rq->pool, part->data, part->len);
    if (part->len > MAX_TEXT) {
        return apim_error(rq->pool, 413, APIM_E_TOO_LARGE, "Payload Too Large",
                          "A text may have at most 1 MiB.");
    }
    if (strlen(content->stored) != part->len || !apim_utf8_valid(part->data, part->len) ||
        apim_has_control(content->stored, "\n\r\t")) {
        return apim_bad_request(rq->pool, "inlineContent must be UTF-8 without control characters.");
    }
    return NULL;
}

static apim_error_t *read_content(rest_request_t *rq, content_t *content)
{
    apr_array_header_t *parts;
    const apim_part_t *file, *text;
    APIM_TRY(po_read_parts(rq, MAX_FILE, &parts));
    file = apim_multipart_get(parts, "file");
    text = apim_multipart_get(parts, "inlineContent");
    if (!file == !text) {
        return apim_bad_request(rq->pool, "One of the parts file and inlineContent is needed.");
    }
    return file ? take_file(rq, file, content) : take_text(rq, text, content);
}

static apim_error_t *put_content(rest_request_t *rq, apim_db_t *db, const content_t *content,
                                 po_document_t *d)
{
    APIM_TRY(begin(rq, db));
    APIM_TRY(po_document_find(db, rq, rq->param[0], rq->param[1], d));
    if (content->is_file != !strcmp(d->source_type, "FILE") || !strcmp(d->source_type, "URL")) {
        return apim_bad_request(rq->pool, "The sourceType of the document is %s: %s.", d->source_type,
                                strcmp(d->source_type, "FILE") == 0  ? "it needs the part file"
                                : strcmp(d->source_type, "URL") == 0 ? "it has no content here"
                                                                     : "it needs the part inlineContent");
    }
    d->updated_at = apim_now_ms();
    d->updated_by = rq->username;
    d->file_name = content->file_name;
    APIM_TRY(apim_db_query(db, &po_document_set_content, NULL,
                           APIM_ARGS(content->stored, d->file_name, apim_i64(rq->pool, d->updated_at),
                                     d->updated_by, d->id, d->source_type)));
    return changed(rq, db, rq->param[0]);
}

apim_error_t *po_document_content_replace(rest_request_t *rq)
{
    content_t content = {0};
    po_document_t d = {0};
    apim_error_t *err;
    apim_db_t *db;
    APIM_TRY(read_content(rq, &content));
    APIM_TRY(po_open(rq, APIM_DB_API_MANAGER, &db));
    err = put_content(rq, db, &content, &d);
    apim_db_close(db);
    APIM_TRY(err);
    po_publish(rq->pool, rq->r->server, rq->param[0]);
    return reply_made(rq, &d);
}
