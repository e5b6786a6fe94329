/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APIM_STORE_SQL_H
#define APIM_STORE_SQL_H

#include "apim_db.h"

/* Who may see an API: parameters are 1 for a caller who has logged in, and the caller's roles as
 * "|role|role|". A role is found in that text by taking it out and seeing whether the text changed: the one
 * exact test that both databases write alike. */
#define ST_VISIBLE                                                                                           \
    " (visibility = 'PUBLIC' OR (visibility = 'PRIVATE' AND %s = '1') OR (visibility = 'RESTRICTED' AND "    \
    "EXISTS "                                                                                                \
    "(SELECT 1 FROM reg_api_role x WHERE x.api_id = reg_api.id AND REPLACE(%s, '|' || x.role || '|', '') "   \
    "<> %s)))"

/* Patterns made by po_query_parse, each given twice, in this order: name, version, context, provider, status,
 * description, three tags, four words, category, documents. "%%" matches everything and is asked for first:
 * cheap. */
#define ST_MATCH(WHAT) " AND (%s = '%%' OR " WHAT " LIKE LOWER(%s) ESCAPE '!')"
#define ST_WHERE                                                                                             \
    " WHERE status IN ('PUBLISHED', 'PROTOTYPED') AND" ST_VISIBLE ST_MATCH("LOWER(name)")                    \
        ST_MATCH("LOWER(version)") ST_MATCH("LOWER(context)") ST_MATCH("LOWER(provider)")                    \
            ST_MATCH("LOWER(status)") ST_MATCH("LOWER(description)") ST_MATCH("tags") ST_MATCH("tags")       \
                ST_MATCH("tags") ST_MATCH("search_text") ST_MATCH("search_text") ST_MATCH("search_text")     \
                    ST_MATCH("search_text") ST_MATCH("LOWER(categories)") ST_MATCH("LOWER(doc_text)")
#define ST_FILTER " FROM reg_api" ST_WHERE

/* The sum and the number of an API's ratings. */
#define ST_STARS(ID)                                                                                         \
    "(SELECT COALESCE(SUM(r.rating), 0) FROM reg_rating r WHERE r.api_id = " ID "), "                        \
    "(SELECT COUNT(*) FROM reg_rating r WHERE r.api_id = " ID ")"

/* A page of the catalogue. What is asked for besides is asked of that page alone, not of all that was
 * skipped. */
#define ST_NO_JOIN ""
#define ST_JOIN_STARS                                                                                        \
    " LEFT JOIN (SELECT api_id, AVG(rating) AS stars FROM reg_rating GROUP BY api_id) AS s ON s.api_id = "   \
    "reg_api.id"
#define ST_PAGE(MORE, JOIN, ORDER)                                                                           \
    "SELECT document, " ST_STARS("p.id") " FROM (SELECT id, document, name, version, published_at" MORE      \
                                         " FROM reg_api" JOIN ST_WHERE " ORDER BY " ORDER                    \
                                         " LIMIT %ld OFFSET %ld) AS p ORDER BY " ORDER

/* A state that waits for approval hides behind one that gateways act on. */
#define ST_APPLICATION_STATUS(A)                                                                             \
    "CASE WHEN " A "deletion_pending = 1 AND " A "status = 'APPROVED' THEN 'DELETE_PENDING' ELSE " A         \
    "status END"
#define ST_SUBSCRIPTION_STATUS                                                                               \
    "CASE WHEN s.status <> 'UNBLOCKED' THEN s.status WHEN s.deletion_pending = 1 THEN 'DELETE_PENDING' "     \
    "WHEN s.requested_tier IS NOT NULL THEN 'TIER_UPDATE_PENDING' ELSE s.status END"

/* Applications that the caller may work with: parameters are his name, and his roles twice. */
#define ST_MINE(ID)                                                                                          \
    " " ID " IN (SELECT o.id FROM am_application o WHERE o.owner = %s UNION "                                \
    "SELECT g.application_id FROM am_application_group g WHERE REPLACE(%s, '|' || g.role || '|', '') <> %s)"

#define ST_APPLICATION                                                                                       \
    "SELECT id, owner, name, description, tier, token_type, " ST_APPLICATION_STATUS(                         \
        "") ", attributes, groups, created_at, "                                                             \
            "updated_at, "                                                                                   \
            "(SELECT COUNT(*) FROM am_subscription s WHERE s.application_id = am_application.id) FROM "      \
            "am_application"

#define ST_SUBSCRIPTION                                                                                      \
    "SELECT s.id, s.application_id, s.api_id, s.tier, " ST_SUBSCRIPTION_STATUS                               \
    ", a.name, a.tier, a.description, " ST_APPLICATION_STATUS(                                               \
        "a.") ", "                                                                                           \
              "a.owner, "                                                                                    \
              "p.name, p.version, p.context_template, p.provider, p.status, p.description, p.api_type, "     \
              "COALESCE(s.requested_tier, s.tier) "                                                          \
              "FROM am_subscription s JOIN am_application a ON a.id = s.application_id LEFT JOIN am_api p "  \
              "ON p.id = "                                                                                   \
              "s.api_id"

#define ST_STATEMENTS(X)                                                                                     \
    /* the catalogue (registry) */                                                                           \
    X(st_roles_of_user,                                                                                      \
      "SELECT r.role FROM um_user_role r JOIN um_user u ON u.id = r.user_id WHERE u.username = %s")          \
    X(st_api_count, "SELECT COUNT(*)" ST_FILTER)                                                             \
    X(st_api_list, ST_PAGE("", ST_NO_JOIN, "LOWER(name), version, id"))                                      \
    X(st_api_list_newest, ST_PAGE("", ST_NO_JOIN, "published_at DESC, id"))                                  \
    X(st_api_list_rated,                                                                                     \
      ST_PAGE(", COALESCE(stars, 0) AS best", ST_JOIN_STARS, "best DESC, LOWER(name), version, id"))         \
    X(st_api_get,                                                                                            \
      "SELECT document, status, " ST_STARS(                                                                  \
          "reg_api.id") " FROM reg_api WHERE id = %s"                                                        \
                        " AND status IN ('PUBLISHED', 'PROTOTYPED', 'DEPRECATED') AND" ST_VISIBLE)           \
    X(st_api_definition, "SELECT definition, document FROM reg_api WHERE id = %s"                            \
                         " AND status IN ('PUBLISHED', 'PROTOTYPED', 'DEPRECATED') AND" ST_VISIBLE)          \
    X(st_tag_count, "SELECT COUNT(DISTINCT t.tag) FROM reg_api_tag t JOIN reg_api ON reg_api.id = t.api_id"  \
                    " WHERE status IN ('PUBLISHED', 'PROTOTYPED') AND" ST_VISIBLE)                           \
    X(st_tag_list, "SELECT t.tag, COUNT(*) FROM reg_api_tag t JOIN reg_api ON reg_api.id = t.api_id"         \
                   " WHERE status IN ('PUBLISHED', 'PROTOTYPED') AND" ST_VISIBLE                             \
                   " GROUP BY t.tag ORDER BY t.tag LIMIT %ld OFFSET %ld")                                    \
    /* policies (registry) */                                                                                \
    X(st_policy_list, "SELECT document FROM reg_policy WHERE level = %s AND name <> 'Unauthenticated'"       \
                      " ORDER BY name LIMIT %ld OFFSET %ld")                                                 \
    X(st_policy_count, "SELECT COUNT(*) FROM reg_policy WHERE level = %s AND name <> 'Unauthenticated'")     \
    X(st_policy_get, "SELECT document FROM reg_policy WHERE level = %s AND name = %s")                       \
    /* applications */                                                                                       \
    X(st_application_count, "SELECT COUNT(*) FROM am_application WHERE" ST_MINE(                             \
                                "id") " AND LOWER(name) LIKE LOWER(%s) ESCAPE '!'")                          \
    X(st_application_list_name,                                                                              \
      ST_APPLICATION " WHERE" ST_MINE("id") " AND LOWER(name) LIKE LOWER(%s) ESCAPE '!'"                     \
                                            " ORDER BY LOWER(name), id LIMIT %ld OFFSET %ld")                \
    X(st_application_list_name_desc,                                                                         \
      ST_APPLICATION " WHERE" ST_MINE("id") " AND LOWER(name) LIKE LOWER(%s) ESCAPE '!'"                     \
                                            " ORDER BY LOWER(name) DESC, id LIMIT %ld OFFSET %ld")           \
    X(st_application_get, ST_APPLICATION " WHERE id = %s AND" ST_MINE("id"))                                 \
    X(st_application_any, ST_APPLICATION " WHERE id = %s")                                                   \
    X(st_application_insert,                                                                                 \
      "INSERT INTO am_application (id, owner, name, description, tier, token_type, status, attributes, "     \
      "groups, created_at, updated_at) VALUES (%s, %s, %s, %s, %s, %s, 'APPROVED', %s, %s, %ld, %ld) "       \
      "ON CONFLICT DO NOTHING")                                                                              \
    X(st_group_delete, "DELETE FROM am_application_group WHERE application_id = %s")                         \
    X(st_group_insert,                                                                                       \
      "INSERT INTO am_application_group (application_id, role) VALUES (%s, %s) ON CONFLICT DO NOTHING")      \
    X(st_application_name_taken,                                                                             \
      "SELECT id FROM am_application WHERE owner = %s AND name = %s AND id <> %s")                           \
    X(st_application_update,                                                                                 \
      "UPDATE am_application SET name = %s, description = %s, tier = %s, token_type = %s, "                  \
      "attributes = %s, groups = %s, updated_at = %ld WHERE id = %s")                                        \
    X(st_application_delete, "DELETE FROM am_application WHERE id = %s AND owner = %s")                      \
    X(st_application_delete_subscriptions, "DELETE FROM am_subscription WHERE application_id = %s")          \
    X(st_application_delete_keys, "DELETE FROM am_application_key WHERE application_id = %s")                \
    X(st_application_delete_api_keys, "DELETE FROM am_api_key WHERE application_id = %s")                    \
    X(st_application_blocked, "SELECT COUNT(*) FROM am_subscription WHERE application_id = %s"               \
                              " AND status IN ('BLOCKED', 'PROD_ONLY_BLOCKED')")                             \
    X(st_application_keys,                                                                                   \
      "SELECT id, key_type, consumer_key FROM am_application_key WHERE application_id = %s"                  \
      " ORDER BY key_type")                                                                                  \
    /* subscriptions */                                                                                      \
    X(st_subscription_count,                                                                                 \
      "SELECT COUNT(*) FROM am_subscription s JOIN am_application a ON a.id = s.application_id"              \
      " WHERE" ST_MINE(                                                                                      \
          "s.application_id") " AND (%s = '' OR s.application_id = %s) AND (%s = '' OR s.api_id = %s)")      \
    X(st_subscription_list,                                                                                  \
      ST_SUBSCRIPTION " WHERE" ST_MINE("s.application_id") " AND (%s = '' OR s.application_id = %s)"         \
                                                           " AND (%s = '' OR s.api_id = %s) ORDER BY "       \
                                                           "s.created_at, s.id LIMIT %ld OFFSET %ld")        \
    X(st_subscription_get, ST_SUBSCRIPTION " WHERE s.id = %s AND" ST_MINE("s.application_id"))               \
    X(st_subscription_insert,                                                                                \
      "INSERT INTO am_subscription (id, application_id, api_id, tier, status, created_at, updated_at) "      \
      "VALUES (%s, %s, %s, %s, 'UNBLOCKED', %ld, %ld) ON CONFLICT DO NOTHING")                               \
    X(st_subscription_set_tier, "UPDATE am_subscription SET tier = %s, updated_at = %ld WHERE id = %s")      \
    X(st_subscription_delete,                                                                                \
      "DELETE FROM am_subscription WHERE id = %s AND status NOT IN ('BLOCKED', 'PROD_ONLY_BLOCKED')")

APIM_DECLARE_STATEMENTS(ST_STATEMENTS)

#endif
