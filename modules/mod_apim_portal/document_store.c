/* SPDX-License-Identifier: Apache-2.0 */
#include "document_store.h"

#include <apr_strings.h>
#include <string.h>

#include "attachment_sql.h"
#include "publisher.h"

/* Nothing that users sent runs as a page of ours, whatever a browser takes it for. */
#define SANDBOX "sandbox; default-src 'none'"

#define READER(rq)                                                                                           \
    (rq)->username ? "1" : "0", (rq)->username ? (rq)->username : "", (rq)->username ? (rq)->username : ""

static void from_row(const char *const *row, po_document_t *d)
{
    d->id = row[0];
    d->name = row[1];
    d->type = row[2];
    d->other_type_name = row[3];
    d->summary = row[4];
    d->source_type = row[5];
    d->source_url = row[6];
    d->visibility = row[7];
    d->file_name = row[8];
    d->created_at = po_number(row[9]);
    d->created_by = row[10];
    d->updated_at = po_number(row[11]);
    d->updated_by = row[12];
}

apim_error_t *po_document_find(apim_db_t *db, rest_request_t *rq, const char *api_id, const char *id,
                               po_document_t *out)
{
    apim_rows_t *rows;
    APIM_TRY(apim_db_select(db, rq->pool, &po_document_get, &rows, APIM_ARGS(api_id, READER(rq), id)));
    if (!rows->count) {
        return apim_not_found(rq->pool, "Document", id);
    }
    from_row(rows->row[0], out);
    return NULL;
}

json_t *po_document_json(apr_pool_t *p, const po_document_t *d)
{
    json_t *out =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "documentId", d->id, "name", d->name, "type", d->type,
                  "summary", d->summary, "sourceType", d->source_type, "visibility", d->visibility);
    apim_json_set_str(out, "sourceUrl", d->source_url);
    apim_json_set_str(out, "fileName", *d->file_name ? d->file_name : NULL);
    apim_json_set_str(out, "otherTypeName", *d->other_type_name ? d->other_type_name : NULL);
    apim_json_set_str(out, "createdTime", apim_iso_time(p, d->created_at));
    apim_json_set_str(out, "createdBy", d->created_by);
    apim_json_set_str(out, "lastUpdatedTime", apim_iso_time(p, d->updated_at));
    apim_json_set_str(out, "lastUpdatedBy", d->updated_by);
    return out;
}

/* -- answers -----------------------------------------------------------------------------------------------
 */

static apim_error_t *read_list(apim_db_t *db, rest_request_t *rq, const char *api_id, int limit, int offset,
                               json_t *list, apr_int64_t *total)
{
    apr_pool_t *p = rq->pool;
    apim_rows_t *rows;
    int i;
    APIM_TRY(apim_db_select(db, p, &po_document_count, &rows, APIM_ARGS(api_id, READER(rq))));
    *total = po_number(rows->row[0][0]);
    APIM_TRY(apim_db_select(db, p, &po_document_list, &rows,
                            APIM_ARGS(api_id, READER(rq), apim_i64(p, limit), apim_i64(p, offset))));
    for (i = 0; i < rows->count; i++) {
        po_document_t d;
        from_row(rows->row[i], &d);
        json_array_append_new(list, po_document_json(p, &d));
    }
    return NULL;
}

apim_error_t *po_documents_reply(rest_request_t *rq, const char *api_id)
{
    json_t *list = apim_json_own(rq->pool, json_array());
    apr_int64_t total = 0;
    int limit, offset;
    apim_error_t *err;
    apim_db_t *db;
    APIM_TRY(rest_paging(rq, &limit, &offset));
    APIM_TRY(po_open(rq, APIM_DB_API_MANAGER, &db));
    err = read_list(db, rq, api_id, limit, offset, list, &total);
    apim_db_close(db);
    return err ? err : rest_reply_json(rq->r, 200, rest_list(rq, json_incref(list), limit, offset, total));
}

apim_error_t *po_document_reply(rest_request_t *rq, const char *api_id, const char *id)
{
    po_document_t d;
    apim_error_t *err;
    apim_db_t *db;
    APIM_TRY(po_open(rq, APIM_DB_API_MANAGER, &db));
    err = po_document_find(db, rq, api_id, id, &d);
    apim_db_close(db);
    return err ? err : rest_reply_json(rq->r, 200, po_document_json(rq->pool, &d));
}

/* A file is always saved, never shown: a browser does not get to guess. RFC 6266, RFC 8187. */
static apim_error_t *reply_file(rest_request_t *rq, const po_document_t *d, const char *content)
{
    apr_size_t len = 0;
    const char *data = (const char *)apim_b64url_decode(rq->pool, content, strlen(content), &len);
    if (!data) {
        return apim_internal(rq->pool, "the content of document %s cannot be read", d->id);
    }
    apr_table_setn(
        rq->r->headers_out, "Content-Disposition",
        apr_pstrcat(rq->pool, "attachment; filename*=UTF-8''", apim_urlencode(rq->pool, d->file_name), NULL));
    return rest_reply_text(rq->r, 200, "application/octet-stream", data, len);
}

static apim_error_t *reply_content(rest_request_t *rq, const po_document_t *d, const char *content)
{
    apr_table_setn(rq->r->headers_out, "Content-Security-Policy", SANDBOX);
    if (strcmp(d->source_type, "URL") == 0) {
        apr_table_setn(rq->r->headers_out, "Location", d->source_url);
        return rest_reply_empty(rq->r, 303);
    }
    if (strcmp(d->source_type, "FILE") != 0) {
        return rest_reply_text(rq->r, 200,
                               strcmp(d->source_type, "MARKDOWN") == 0 ? "text/markdown; charset=utf-8"
                                                                       : "text/plain; charset=utf-8",
                               content, strlen(content));
    }
    if (!*d->file_name) {
        return apim_error(rq->pool, 404, APIM_E_NOT_FOUND, "Not Found",
                          "No file has been uploaded for the document %s.", d->name);
    }
    return reply_file(rq, d, content);
}

apim_error_t *po_document_reply_content(rest_request_t *rq, const char *api_id, const char *id)
{
    apim_rows_t *rows = NULL;
    po_document_t d;
    apim_error_t *err;
    apim_db_t *db;
    APIM_TRY(po_open(rq, APIM_DB_API_MANAGER, &db));
    err = po_document_find(db, rq, api_id, id, &d);
    err = err ? err : apim_db_select(db, rq->pool, &po_document_content, &rows, APIM_ARGS(id));
    apim_db_close(db);
    APIM_TRY(err);
    return rows->count ? reply_content(rq, &d, rows->row[0][0]) : apim_not_found(rq->pool, "Document", id);
}

static apim_error_t *reply_picture(rest_request_t *rq, const char *const *row)
{
    const char *tag = apr_pstrcat(rq->pool, "\"", row[1], "\"", NULL), *data;
    apr_size_t len = 0;
    apr_table_setn(rq->r->headers_out, "ETag", tag);
    apr_table_setn(rq->r->headers_out, "Cache-Control", "private, no-cache"); /* kept, but asked about */
    if (po_etag_matches(rq, tag)) {
        rq->r->status = 304;
        return NULL;
    }
    data = (const char *)apim_b64url_decode(rq->pool, row[2], strlen(row[2]), &len);
    if (!data) {
        return apim_internal(rq->pool, "a thumbnail cannot be read");
    }
    apr_table_setn(rq->r->headers_out, "Content-Security-Policy", SANDBOX);
    return rest_reply_text(rq->r, 200, row[0], data, len);
}

apim_error_t *po_thumbnail_reply(rest_request_t *rq, const char *api_id)
{
    apim_rows_t *rows;
    apim_error_t *err;
    apim_db_t *db;
    APIM_TRY(po_open(rq, APIM_DB_API_MANAGER, &db));
    err = apim_db_select(db, rq->pool, &po_thumbnail_get, &rows, APIM_ARGS(api_id));
    apim_db_close(db);
    APIM_TRY(err);
    return rows->count ? reply_picture(rq, rows->row[0])
                       : apim_error(rq->pool, 404, APIM_E_NOT_FOUND, "Not Found",
                                    "The API has no thumbnail, or there is no such API.");
}

/* -- a new version -----------------------------------------------------------------------------------------
 */

apim_error_t *po_attachments_copy(apim_db_t *db, apr_pool_t *p, const char *from, const char *to)
{
    apim_rows_t *rows;
    int i;
    APIM_TRY(apim_db_query(db, &po_thumbnail_copy, NULL, APIM_ARGS(to, apim_i64(p, apim_now_ms()), from)));
    APIM_TRY(apim_db_select(db, p, &po_document_ids, &rows, APIM_ARGS(from)));
    for (i = 0; i < rows->count; i++) {
        const char *id = apim_uuid(p);
        if (!id) {
            return apim_internal(p, "no random numbers");
        }
        APIM_TRY(apim_db_query(db, &po_document_copy, NULL, APIM_ARGS(id, to, rows->row[i][0])));
    }
    return NULL;
}
