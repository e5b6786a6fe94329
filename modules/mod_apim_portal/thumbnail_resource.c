/* SPDX-License-Identifier: Apache-2.0 */
#include <apr_strings.h>

#include "attachment_sql.h"
#include "document_store.h"
#include "image_type.h"
#include "publisher.h"
#include "publisher_sql.h"

/* The picture that an API is shown with. */

#define MAX_THUMBNAIL (1024 * 1024)

static apim_error_t *read_picture(rest_request_t *rq, const apim_part_t **picture, const char **type)
{
    apr_array_header_t *parts;
    APIM_TRY(po_read_parts(rq, MAX_THUMBNAIL, &parts));
    *picture = apim_multipart_get(parts, "file");
    if (!*picture) {
        return apim_bad_request(rq->pool, "The part file is missing.");
    }
    if ((*picture)->len > MAX_THUMBNAIL) {
        return apim_error(rq->pool, 413, APIM_E_TOO_LARGE, "Payload Too Large",
                          "A thumbnail may have at most 1 MiB.");
    }
    *type = po_image_type((*picture)->data, (*picture)->len);
    return *type ? NULL
                 : apim_error(rq->pool, 415, 415, "Unsupported Media Type",
                              "A thumbnail must be a PNG, JPEG, GIF or WebP picture.");
}

/* The first picture of an API changes what lists say of it; later ones are told apart by their own ETag. */
static apim_error_t *put_in_transaction(rest_request_t *rq, apim_db_t *db, const char *type,
                                        const char *digest, const char *content, int *published)
{
    apim_rows_t *before;
    po_api_t *api;
    APIM_TRY(apim_db_begin(db));
    APIM_TRY(po_api_get_for_update(db, rq->pool, rq->param[0], &api));
    APIM_TRY(po_check_may_edit(rq, api));
    APIM_TRY(apim_db_select(db, rq->pool, &po_thumbnail_exists, &before, APIM_ARGS(api->id)));
    APIM_TRY(apim_db_query(db, &po_thumbnail_put, NULL,
                           APIM_ARGS(api->id, type, digest, content, apim_i64(rq->pool, apim_now_ms()))));
    *published = !before->count;
    if (*published) {
        APIM_TRY(po_api_touch(db, rq->pool, api->id));
    }
    return apim_db_commit(db);
}

apim_error_t *po_thumbnail_replace(rest_request_t *rq)
{
    const apim_part_t *picture;
    const char *type, *digest, *content;
    unsigned char hash[32];
    apim_error_t *err;
    apim_db_t *db;
    int publish = 0;
    APIM_TRY(read_picture(rq, &picture, &type));
    if (apim_sha256(picture->data, picture->len, hash)) {
        return apim_internal(rq->pool, "no SHA-256");
    }
    digest = apim_hex(rq->pool, hash, sizeof(hash));
    content = apim_b64url(rq->pool, picture->data, picture->len);
    APIM_TRY(po_open(rq, APIM_DB_API_MANAGER, &db));
    err = put_in_transaction(rq, db, type, digest, content, &publish);
    apim_db_close(db);
    APIM_TRY(err);
    if (publish) {
        po_publish(rq->pool, rq->r->server, rq->param[0]);
    }
    apr_table_setn(rq->r->headers_out, "ETag", apr_pstrcat(rq->pool, "\"", digest, "\"", NULL));
    return rest_reply_json(rq->r, 200,
                           json_pack("{s:s, s:s}", "relativePath",
                                     apr_pstrcat(rq->pool, "/apis/", rq->param[0], "/thumbnail", NULL),
                                     "mediaType", type));
}

apim_error_t *po_thumbnail_read(rest_request_t *rq)
{
    return po_thumbnail_reply(rq, rq->param[0]);
}
