/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APIM_PORTAL_DOCUMENT_STORE_H
#define APIM_PORTAL_DOCUMENT_STORE_H

#include "portal.h"

/*
 * Documents and thumbnails of APIs in the API Manager database, for the Publisher and the Store. Whether the
 * caller may see the API at all is asked before; here it is asked whether he may read the document:
 * API_LEVEL ones, PRIVATE ones if he has logged in, OWNER_ONLY ones if he wrote them or provides the API.
 * Functions take a database that the caller opened, unless they say that they open it.
 */
typedef struct po_document_t {
    const char *id, *name, *type, *other_type_name, *summary, *source_type, *source_url, *visibility;
    const char *file_name;
    apr_int64_t created_at, updated_at;
    const char *created_by, *updated_by;
} po_document_t;

/** Reads one that the caller may read; 404 otherwise. */
apim_error_t *po_document_find(apim_db_t *db, rest_request_t *rq, const char *api_id, const char *id,
                               po_document_t *out);

/** Reads and checks what a body says of a document; the rest of out stays. 400 with every problem. */
apim_error_t *po_document_read_body(apr_pool_t *p, const json_t *body, po_document_t *out);

/** DocumentDTO. Owned by the caller. */
json_t *po_document_json(apr_pool_t *p, const po_document_t *document);

/** Answers the list of those that the caller may read. Opens the database. */
apim_error_t *po_documents_reply(rest_request_t *rq, const char *api_id);
/** Answers one. Opens the database. */
apim_error_t *po_document_reply(rest_request_t *rq, const char *api_id, const char *id);
/** Answers its content: text, a file to save, or 303 to its URL. Opens the database. */
apim_error_t *po_document_reply_content(rest_request_t *rq, const char *api_id, const char *id);
/** Answers the picture with ETag; 304 if the caller has it; 404 if there is none. Opens the database. */
apim_error_t *po_thumbnail_reply(rest_request_t *rq, const char *api_id);

/** Gives an API the thumbnail and the documents of another: a new version. In the caller's transaction. */
apim_error_t *po_attachments_copy(apim_db_t *db, apr_pool_t *p, const char *from, const char *to);

#endif
