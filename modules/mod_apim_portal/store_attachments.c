/* SPDX-License-Identifier: Apache-2.0 */
#include "document_store.h"
#include "store.h"

/* Thumbnails and documents in the Store: those of APIs that the caller may see. */

static apim_error_t *check_seen(rest_request_t *rq)
{
    json_t *document;
    const char *status;
    return st_catalogue_get(rq, rq->param[0], &document, &status);
}

apim_error_t *st_thumbnail_read(rest_request_t *rq)
{
    APIM_TRY(check_seen(rq));
    return po_thumbnail_reply(rq, rq->param[0]);
}

apim_error_t *st_documents_list(rest_request_t *rq)
{
    APIM_TRY(check_seen(rq));
    return po_documents_reply(rq, rq->param[0]);
}

apim_error_t *st_document_read(rest_request_t *rq)
{
    APIM_TRY(check_seen(rq));
    return po_document_reply(rq, rq->param[0], rq->param[1]);
}

apim_error_t *st_document_content_read(rest_request_t *rq)
{
    APIM_TRY(check_seen(rq));
    return po_document_reply_content(rq, rq->param[0], rq->param[1]);
}
