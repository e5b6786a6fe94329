/* SPDX-License-Identifier: Apache-2.0 */
#include "comment_store.h"
#include "store.h"

/* Comments in the Store: on APIs that the caller may see. */

apim_error_t *st_comments_list(rest_request_t *rq)
{
    APIM_TRY(st_check_seen(rq, rq->param[0]));
    return po_comments_reply(rq, rq->param[0]);
}

apim_error_t *st_comments_create(rest_request_t *rq)
{
    APIM_TRY(st_check_seen(rq, rq->param[0]));
    return po_comment_add(rq, rq->param[0], "DEVPORTAL", PO_STORE_BASE);
}

apim_error_t *st_comment_read(rest_request_t *rq)
{
    APIM_TRY(st_check_seen(rq, rq->param[0]));
    return po_comment_reply(rq, rq->param[0], rq->param[1]);
}

apim_error_t *st_comment_change(rest_request_t *rq)
{
    APIM_TRY(st_check_seen(rq, rq->param[0]));
    return po_comment_alter(rq, rq->param[0], rq->param[1]);
}

apim_error_t *st_comment_drop(rest_request_t *rq)
{
    APIM_TRY(st_check_seen(rq, rq->param[0]));
    return po_comment_remove(rq, rq->param[0], rq->param[1], po_has_scope(rq, "apim:admin"));
}

apim_error_t *st_replies_list(rest_request_t *rq)
{
    APIM_TRY(st_check_seen(rq, rq->param[0]));
    return po_comment_reply_answers(rq, rq->param[0], rq->param[1]);
}
