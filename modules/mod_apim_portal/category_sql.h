/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APIM_CATEGORY_SQL_H
#define APIM_CATEGORY_SQL_H

#include "apim_db.h"

/* Categories of APIs (API Manager database). How many APIs have one is found by taking its name out of their
 * lists and seeing whether the text changed: exact on both databases. */
#define PO_CATEGORY_SELECT                                                                                   \
    "SELECT c.id, c.name, c.description, (SELECT COUNT(*) FROM am_api a WHERE a.categories <> '' AND "       \
    "REPLACE(a.categories, '|' || c.name || '|', '') <> a.categories) FROM am_api_category c"

#define PO_CATEGORY_STATEMENTS(X)                                                                            \
    X(po_category_list, PO_CATEGORY_SELECT " ORDER BY LOWER(c.name) LIMIT 1000")                             \
    X(po_category_get, PO_CATEGORY_SELECT " WHERE c.id = %s")                                                \
    X(po_category_named, "SELECT id FROM am_api_category WHERE name = %s")                                   \
    X(po_category_count, "SELECT COUNT(*) FROM am_api_category")                                             \
    X(po_category_insert,                                                                                    \
      "INSERT INTO am_api_category (id, name, description) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING")      \
    X(po_category_taken, "SELECT id FROM am_api_category WHERE LOWER(name) = LOWER(%s) AND id <> %s")        \
    X(po_category_update, "UPDATE am_api_category SET name = %s, description = %s WHERE id = %s")            \
    X(po_category_delete, "DELETE FROM am_api_category WHERE id = %s")

APIM_DECLARE_STATEMENTS(PO_CATEGORY_STATEMENTS)

#endif
