/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APIM_FEEDBACK_SQL_H
#define APIM_FEEDBACK_SQL_H

#include "apim_db.h"

/* Ratings and comments (registry). Columns of a comment in the order of comment_store.c's row reader. */
#define PO_COMMENT_COLUMNS "id, parent_id, content, category, entry_point, created_at, created_by, updated_at"

#define PO_COMMENT_ROOTS                                                                                     \
    " FROM reg_comment WHERE api_id = %s AND parent_id = '' ORDER BY created_at DESC, id LIMIT %ld OFFSET "  \
    "%ld"

/* A page of the answers of each of some comments, and how many each has. */
#define PO_COMMENT_ANSWERS(PARENTS)                                                                          \
    "SELECT " PO_COMMENT_COLUMNS ", total FROM (SELECT " PO_COMMENT_COLUMNS ", "                             \
    "ROW_NUMBER() OVER (PARTITION BY parent_id ORDER BY created_at, id) AS place, "                          \
    "COUNT(*) OVER (PARTITION BY parent_id) AS total "                                                       \
    "FROM reg_comment WHERE api_id = %s AND parent_id IN (" PARENTS ")) AS x "                               \
    "WHERE place > CAST(%s AS BIGINT) AND place <= CAST(%s AS BIGINT) ORDER BY parent_id, place"

#define PO_FEEDBACK_STATEMENTS(X)                                                                            \
    X(po_comment_insert,                                                                                     \
      "INSERT INTO reg_comment (id, api_id, parent_id, content, category, entry_point, created_at, "         \
      "created_by) VALUES (%s, %s, %s, %s, %s, %s, %ld, %s)")                                                \
    X(po_comment_get, "SELECT " PO_COMMENT_COLUMNS " FROM reg_comment WHERE api_id = %s AND id = %s")        \
    X(po_comment_roots, "SELECT " PO_COMMENT_COLUMNS PO_COMMENT_ROOTS)                                       \
    X(po_comment_count, "SELECT COUNT(*) FROM reg_comment WHERE api_id = %s AND parent_id = %s")             \
    X(po_comment_answers_of_page,                                                                            \
      PO_COMMENT_ANSWERS("SELECT q.id FROM (SELECT id" PO_COMMENT_ROOTS ") AS q"))                           \
    X(po_comment_answers_of_one, PO_COMMENT_ANSWERS("%s"))                                                   \
    X(po_comment_update,                                                                                     \
      "UPDATE reg_comment SET content = %s, category = %s, updated_at = %ld WHERE id = %s")                  \
    X(po_comment_delete, "DELETE FROM reg_comment WHERE api_id = %s AND (id = %s OR parent_id = %s)")        \
    X(po_rating_put,                                                                                         \
      "INSERT INTO reg_rating (id, api_id, username, rating, updated_at) VALUES (%s, %s, %s, %ld, %ld) "     \
      "ON CONFLICT (api_id, username) DO UPDATE SET rating = excluded.rating, "                              \
      "updated_at = excluded.updated_at")                                                                    \
    X(po_rating_get, "SELECT id, username, rating FROM reg_rating WHERE api_id = %s AND username = %s")      \
    X(po_rating_delete, "DELETE FROM reg_rating WHERE api_id = %s AND username = %s")                        \
    X(po_rating_total, "SELECT COALESCE(SUM(rating), 0), COUNT(*) FROM reg_rating WHERE api_id = %s")        \
    X(po_rating_list, "SELECT id, username, rating FROM reg_rating WHERE api_id = %s "                       \
                      "ORDER BY updated_at DESC, id LIMIT %ld OFFSET %ld")

APIM_DECLARE_STATEMENTS(PO_FEEDBACK_STATEMENTS)

#endif
