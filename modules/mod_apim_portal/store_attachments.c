/* SPDX-License-Identifier: Apache-2.0 */
#include "document_store.h"
#include "store.h"

/* Thumbnails and documents in the Store: those of APIs that the caller may see. */

apim_error_t *st_thumbnail_read(rest_request_t *rq)
{
    APIM_TRY(st_check_seen(rq, rq->param[0]));
    return po_thumbnail_reply(rq, rq->param[0]);
}

apim_error_t *st_documents_list(rest_request_t *rq)
{
    APIM_TRY(st_check_seen(rq, rq->param[0]));
    return po_documents_reply(rq, rq->param[0]);
}

apim_error_t *st_document_read(rest_request_t *rq)
{
    APIM_TRY(st_check_seen(rq, rq->param[0]));
    return po_document_reply(rq, rq->param[0], rq->param[1]);
}

apim_error_t *st_document_content_read(rest_request_t *rq)
{
    APIM_TRY(st_check_seen(rq, rq->param[0]));
    return po_document_reply_content(rq, rq->param[0], rq->param[1]);
}
