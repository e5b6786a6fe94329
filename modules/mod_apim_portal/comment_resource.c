/* SPDX-License-Identifier: Apache-2.0 */
#include "comment_store.h"
#include "publisher.h"

/* Comments on an API as its publishers see them. Who may manage comments removes anybody's. */

apim_error_t *po_comments_list(rest_request_t *rq)
{
    APIM_TRY(po_check_api_exists(rq, rq->param[0]));
    return po_comments_reply(rq, rq->param[0]);
}

apim_error_t *po_comments_create(rest_request_t *rq)
{
    APIM_TRY(po_check_api_exists(rq, rq->param[0]));
    return po_comment_add(rq, rq->param[0], "PUBLISHER", PO_PUBLISHER_BASE);
}

apim_error_t *po_comment_read(rest_request_t *rq)
{
    return po_comment_reply(rq, rq->param[0], rq->param[1]);
}

apim_error_t *po_comment_change(rest_request_t *rq)
{
    return po_comment_alter(rq, rq->param[0], rq->param[1]);
}

apim_error_t *po_comment_drop(rest_request_t *rq)
{
    return po_comment_remove(rq, rq->param[0], rq->param[1],
                             po_has_scope(rq, "apim:comment_manage") || po_has_scope(rq, "apim:admin"));
}

apim_error_t *po_replies_list(rest_request_t *rq)
{
    return po_comment_reply_answers(rq, rq->param[0], rq->param[1]);
}
