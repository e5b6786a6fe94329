/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APIM_PORTAL_COMMENT_STORE_H
#define APIM_PORTAL_COMMENT_STORE_H

#include "portal.h"

/*
 * Comments on APIs and answers to them (registry), for the Publisher and the Store, which show the same
 * threads. Whether the caller may see the API is asked before. Each function opens the database and answers
 * the request. An answer has no answers of its own.
 */

/** The comments, the newest first, each with a page of its answers (replyLimit, replyOffset). */
apim_error_t *po_comments_reply(rest_request_t *rq, const char *api_id);
/** One comment with a page of its answers. */
apim_error_t *po_comment_reply(rest_request_t *rq, const char *api_id, const char *id);
/** The answers to a comment, the oldest first. */
apim_error_t *po_comment_reply_answers(rest_request_t *rq, const char *api_id, const char *id);

/** Adds {"content", "category"} as a comment, or as an answer to the one that replyTo names. entry_point:
 * PUBLISHER or DEVPORTAL; base: of the Location header. */
apim_error_t *po_comment_add(rest_request_t *rq, const char *api_id, const char *entry_point,
                             const char *base);
/** Changes content and category of the caller's own; 403 for another's. */
apim_error_t *po_comment_alter(rest_request_t *rq, const char *api_id, const char *id);
/** Deletes the caller's own, or any if he moderates, with its answers; 403 for another's. */
apim_error_t *po_comment_remove(rest_request_t *rq, const char *api_id, const char *id, int moderates);

#endif
