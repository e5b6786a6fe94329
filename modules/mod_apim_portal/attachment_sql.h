/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APIM_ATTACHMENT_SQL_H
#define APIM_ATTACHMENT_SQL_H

#include "apim_db.h"

/* Thumbnails and documents of APIs. Columns in the order of document_store.c's row reader. */
#define PO_DOCUMENT_COLUMNS                                                                                  \
    "SELECT d.id, d.name, d.type, d.other_type_name, d.summary, d.source_type, d.source_url, d.visibility, " \
    "d.file_name, d.created_at, d.created_by, d.updated_at, d.updated_by"

/* Who may read a document of an API that he may see: parameters are 1 for who has logged in, and his name
 * twice. */
#define PO_DOCUMENT_READABLE                                                                                 \
    " FROM am_api_document d WHERE d.api_id = %s AND (d.visibility = 'API_LEVEL' OR "                        \
    "(d.visibility = 'PRIVATE' AND %s = '1') OR d.created_by = %s OR EXISTS "                                \
    "(SELECT 1 FROM am_api a WHERE a.id = d.api_id AND a.provider = %s))"

#define PO_ATTACHMENT_STATEMENTS(X)                                                                          \
    X(po_thumbnail_put, "INSERT INTO am_api_thumbnail (api_id, media_type, digest, content, updated_at) "    \
                        "VALUES (%s, %s, %s, %s, %ld) ON CONFLICT (api_id) DO UPDATE SET "                   \
                        "media_type = excluded.media_type, digest = excluded.digest, "                       \
                        "content = excluded.content, updated_at = excluded.updated_at")                      \
    X(po_thumbnail_get, "SELECT media_type, digest, content FROM am_api_thumbnail WHERE api_id = %s")        \
    X(po_thumbnail_exists, "SELECT digest FROM am_api_thumbnail WHERE api_id = %s")                          \
    X(po_thumbnail_copy, "INSERT INTO am_api_thumbnail (api_id, media_type, digest, content, updated_at) "   \
                         "SELECT %s, media_type, digest, content, %ld FROM am_api_thumbnail "                \
                         "WHERE api_id = %s")                                                                \
    X(po_thumbnail_delete, "DELETE FROM am_api_thumbnail WHERE api_id = %s")                                 \
    X(po_document_list,                                                                                      \
      PO_DOCUMENT_COLUMNS PO_DOCUMENT_READABLE " ORDER BY LOWER(d.name), d.id LIMIT %ld OFFSET %ld")         \
    X(po_document_count, "SELECT COUNT(*)" PO_DOCUMENT_READABLE)                                             \
    X(po_document_get, PO_DOCUMENT_COLUMNS PO_DOCUMENT_READABLE " AND d.id = %s")                            \
    X(po_document_content, "SELECT content FROM am_api_document WHERE id = %s")                              \
    X(po_document_named, "SELECT id FROM am_api_document WHERE api_id = %s AND name = %s")                   \
    X(po_document_insert,                                                                                    \
      "INSERT INTO am_api_document (id, api_id, name, type, other_type_name, summary, source_type, "         \
      "source_url, visibility, created_at, created_by, updated_at, updated_by) VALUES "                      \
      "(%s, %s, %s, %s, %s, %s, %s, %s, %s, %ld, %s, %ld, %s) ON CONFLICT DO NOTHING")                       \
    X(po_document_update,                                                                                    \
      "UPDATE am_api_document SET name = %s, type = %s, other_type_name = %s, summary = %s, "                \
      "source_type = %s, source_url = %s, visibility = %s, updated_at = %ld, updated_by = %s WHERE id = %s") \
    X(po_document_clear, "UPDATE am_api_document SET content = '', file_name = '' WHERE id = %s")            \
    X(po_document_set_content, "UPDATE am_api_document SET content = %s, file_name = %s, updated_at = %ld, " \
                               "updated_by = %s WHERE id = %s AND source_type = %s")                         \
    X(po_document_delete, "DELETE FROM am_api_document WHERE id = %s")                                       \
    X(po_document_texts, /* what search looks through; of a long text its beginning */                       \
      "SELECT name || ' ' || summary || ' ' || CASE WHEN source_type = 'FILE' THEN file_name ELSE "          \
      "SUBSTR(content, 1, 20000) END "                                                                       \
      "FROM am_api_document WHERE api_id = %s AND visibility = 'API_LEVEL' ORDER BY name")                   \
    X(po_document_export,                                                                                    \
      "SELECT name, type, other_type_name, summary, source_type, source_url, visibility, file_name, "        \
      "content, id FROM am_api_document WHERE api_id = %s ORDER BY name, id")                                \
    X(po_document_ids, "SELECT id FROM am_api_document WHERE api_id = %s")                                   \
    X(po_document_copy,                                                                                      \
      "INSERT INTO am_api_document (id, api_id, name, type, other_type_name, summary, source_type, "         \
      "source_url, visibility, file_name, content, created_at, created_by, updated_at, updated_by) "         \
      "SELECT %s, %s, name, type, other_type_name, summary, source_type, source_url, visibility, "           \
      "file_name, content, created_at, created_by, updated_at, updated_by FROM am_api_document "             \
      "WHERE id = %s")                                                                                       \
    X(po_document_delete_all, "DELETE FROM am_api_document WHERE api_id = %s")

APIM_DECLARE_STATEMENTS(PO_ATTACHMENT_STATEMENTS)

#endif
