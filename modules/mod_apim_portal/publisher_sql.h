/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APIM_PUBLISHER_SQL_H
#define APIM_PUBLISHER_SQL_H

#include "apim_db.h"

/* Every statement of the Publisher and of publication. Columns of an API, in the order of api_store.c's row
 * reader. */
#define PO_HAS_THUMBNAIL(ID) "(SELECT COUNT(*) FROM am_api_thumbnail t WHERE t.api_id = " ID ")"
/* CREATED while a change of state waits for approval. */
#define PO_WORKFLOW_STATUS(ID)                                                                               \
    "(SELECT w.status FROM am_workflow w WHERE w.type = 'AM_API_STATE' AND w.subject = " ID                  \
    " AND w.status = 'CREATED')"
#define PO_API_COLUMNS                                                                                       \
    "id, provider, name, context, context_template, version, description, api_type, status, "                \
    "is_default_version, "                                                                                   \
    "visibility, document, etag, created_at, updated_at, updated_by, " PO_HAS_THUMBNAIL(                     \
        "am_api.id") ", " PO_WORKFLOW_STATUS("am_api.id")

/* APIs that the caller may work with: parameters are 1 for an administrator, his name, his roles twice. */
#define PO_ACCESSIBLE                                                                                        \
    "(am_api.restricted = 0 OR %s = '1' OR am_api.provider = %s OR EXISTS (SELECT 1 FROM am_api_access x "   \
    "WHERE x.api_id = am_api.id AND REPLACE(%s, '|' || x.role || '|', '') <> %s))"
/* The others: few, because most are for everybody. */
#define PO_HIDDEN "SELECT am_api.id FROM am_api WHERE am_api.restricted = 1 AND NOT " PO_ACCESSIBLE
#define PO_API_OR_REVISION                                                                                   \
    "(am_api.id = %s OR am_api.id = (SELECT r.api_id FROM am_api_revision r WHERE r.id = %s))"

/* The filter of lists: patterns made by po_query_parse, each given twice, in this order: name, version,
 * context, provider, status, description, three tags, four words, category, documents. "%%" matches
 * everything: it is asked for first, because folding ten texts of each of ten thousand rows takes longer than
 * all the rest. */
#define PO_MATCH(WHAT) " AND (%s = '%%' OR LOWER(" WHAT ") LIKE LOWER(%s) ESCAPE '!')"
#define PO_WORD        PO_MATCH("name || ' ' || context || ' ' || provider || ' ' || description || ' ' || tags")
/* Names, summaries and texts of documents, but for those of their author alone. */
#define PO_DOCUMENTED                                                                                        \
    " AND (%s = '%%' OR EXISTS (SELECT 1 FROM am_api_document d WHERE d.api_id = am_api.id AND "             \
    "d.visibility <> 'OWNER_ONLY' AND LOWER(d.name || ' ' || d.summary || ' ' || CASE WHEN d.source_type = " \
    "'FILE' "                                                                                                \
    "THEN d.file_name ELSE d.content END) LIKE LOWER(%s) ESCAPE '!'))"
#define PO_API_FILTER                                                                                        \
    " FROM am_api WHERE 1 = 1" PO_MATCH("name") PO_MATCH("version") PO_MATCH("context") PO_MATCH("provider") \
        PO_MATCH("status") PO_MATCH("description") PO_MATCH("tags") PO_MATCH("tags") PO_MATCH("tags")        \
            PO_WORD PO_WORD PO_WORD PO_WORD PO_MATCH("categories") PO_DOCUMENTED " AND " PO_ACCESSIBLE
/* Whether there is a thumbnail is asked of the page alone, not of all that was skipped. */
#define PO_API_LIST(ORDER)                                                                                   \
    "SELECT p.*, " PO_HAS_THUMBNAIL("p.id") ", " PO_WORKFLOW_STATUS(                                         \
        "p.id") " AS waiting FROM (SELECT id, provider, name, context_template, version, description, "      \
                "api_type, status, created_at, updated_at, updated_by, is_default_version" PO_API_FILTER     \
                " ORDER BY " ORDER ", id LIMIT %ld OFFSET %ld) AS p ORDER BY " ORDER ", id"

#define PO_SUBSCRIPTION_STATUS                                                                               \
    "CASE WHEN s.status <> 'UNBLOCKED' THEN s.status WHEN s.deletion_pending = 1 THEN 'DELETE_PENDING' "     \
    "WHEN s.requested_tier IS NOT NULL THEN 'TIER_UPDATE_PENDING' ELSE s.status END"

#define PO_PUBLISHER_STATEMENTS(X)                                                                           \
    /* APIs */                                                                                               \
    X(po_api_by_id, "SELECT " PO_API_COLUMNS " FROM am_api WHERE id = %s")                                   \
    X(po_api_definition, "SELECT definition FROM am_api WHERE id = %s")                                      \
    X(po_api_lock, "UPDATE am_api SET etag = etag WHERE id = %s")                                            \
    X(po_api_insert,                                                                                         \
      "INSERT INTO am_api (id, provider, name, context, context_template, version, description, "            \
      "api_type, status, is_default_version, visibility, tags, categories, document, definition, etag, "     \
      "revision_count, created_at, updated_at, updated_by) VALUES (%s, %s, %s, %s, %s, %s, "                 \
      "%s, %s, 'CREATED', %ld, %s, %s, %s, %s, %s, 1, 0, %ld, %ld, %s) ON CONFLICT DO NOTHING")              \
    X(po_api_update, "UPDATE am_api SET description = %s, is_default_version = %ld, visibility = %s, tags "  \
                     "= %s, categories = %s, "                                                               \
                     "document = %s, etag = etag + 1, updated_at = %ld, updated_by = %s WHERE id = %s")      \
    X(po_api_set_definition, "UPDATE am_api SET definition = %s WHERE id = %s")                              \
    X(po_api_set_status_stmt,                                                                                \
      "UPDATE am_api SET status = %s, etag = etag + 1, updated_at = %ld, updated_by = %s "                   \
      "WHERE id = %s")                                                                                       \
    X(po_api_raise_etag, "UPDATE am_api SET etag = etag + 1 WHERE id = %s")                                  \
    X(po_api_undefault,                                                                                      \
      "UPDATE am_api SET is_default_version = 0, etag = etag + 1 WHERE name = %s AND id <> %s "              \
      "AND is_default_version = 1 RETURNING id")                                                             \
    X(po_api_delete, "DELETE FROM am_api WHERE id = %s")                                                     \
    X(po_api_delete_scopes, "DELETE FROM am_scope WHERE api_id = %s AND api_id <> ''")                       \
    X(po_api_delete_events, "DELETE FROM am_api_lifecycle_event WHERE api_id = %s")                          \
    X(po_api_delete_revisions, "DELETE FROM am_api_revision WHERE api_id = %s")                              \
    X(po_api_delete_deployments, "DELETE FROM am_api_deployment WHERE api_id = %s")                          \
    X(po_api_delete_rejected, "DELETE FROM am_subscription WHERE api_id = %s AND status = 'REJECTED'")       \
    X(po_api_subscribers, "SELECT COUNT(*) FROM am_subscription WHERE api_id = %s AND status <> 'REJECTED'") \
    X(po_api_same_name, "SELECT id FROM am_api WHERE LOWER(name) = LOWER(%s) AND version = %s")              \
    X(po_api_same_context, "SELECT name, version FROM am_api WHERE context = %s OR context = %s OR "         \
                           "context_template = %s OR (context_template = %s AND LOWER(name) <> LOWER(%s))")  \
    X(po_api_exact_name,                                                                                     \
      "SELECT id FROM am_api WHERE name = %s AND version = %s AND (%s = '' OR provider = %s)")               \
    X(po_api_count_name, "SELECT COUNT(*) FROM am_api WHERE LOWER(name) = LOWER(%s)")                        \
    X(po_api_count_context, "SELECT COUNT(*) FROM am_api WHERE context_template = %s OR context = %s")       \
    X(po_api_other_versions, "SELECT id, status, created_at FROM am_api WHERE name = %s AND provider = %s "  \
                             "AND id <> %s ORDER BY created_at DESC")                                        \
    X(po_api_count, "SELECT COUNT(*)" PO_API_FILTER)                                                         \
    X(po_api_list_name_asc, PO_API_LIST("LOWER(name), version"))                                             \
    X(po_api_list_name_desc, PO_API_LIST("LOWER(name) DESC, version DESC"))                                  \
    X(po_api_list_version_asc, PO_API_LIST("version"))                                                       \
    X(po_api_list_version_desc, PO_API_LIST("version DESC"))                                                 \
    X(po_api_list_created_asc, PO_API_LIST("created_at"))                                                    \
    X(po_api_list_created_desc, PO_API_LIST("created_at DESC"))                                              \
    X(po_api_list_status_asc, PO_API_LIST("status, created_at DESC"))                                        \
    X(po_api_list_status_desc, PO_API_LIST("status DESC, created_at DESC"))                                  \
    /* who may work with them */                                                                             \
    X(po_access_restricted, "SELECT 1 FROM am_api WHERE restricted = 1 AND " PO_API_OR_REVISION)             \
    X(po_access_allowed, "SELECT 1 FROM am_api WHERE " PO_API_OR_REVISION " AND " PO_ACCESSIBLE)             \
    X(po_access_set, "UPDATE am_api SET restricted = %ld WHERE id = %s")                                     \
    X(po_access_clear, "DELETE FROM am_api_access WHERE api_id = %s")                                        \
    X(po_access_add, "INSERT INTO am_api_access (api_id, role) VALUES (%s, %s) ON CONFLICT DO NOTHING")      \
    /* life cycle */                                                                                         \
    X(po_event_insert,                                                                                       \
      "INSERT INTO am_api_lifecycle_event (api_id, seq, previous_state, post_state, username, "              \
      "updated_at) SELECT %s, COALESCE(MAX(seq), 0) + 1, %s, %s, %s, %ld "                                   \
      "FROM am_api_lifecycle_event WHERE api_id = %s")                                                       \
    X(po_event_list, "SELECT previous_state, post_state, username, updated_at FROM am_api_lifecycle_event "  \
                     "WHERE api_id = %s ORDER BY seq")                                                       \
    /* revisions and deployments */                                                                          \
    X(po_revision_number, "UPDATE am_api SET revision_count = revision_count + 1 WHERE id = %s "             \
                          "RETURNING revision_count")                                                        \
    X(po_revision_insert,                                                                                    \
      "INSERT INTO am_api_revision (id, api_id, number, description, document, definition, "                 \
      "created_at, created_by) SELECT %s, id, %ld, %s, document, definition, %ld, %s "                       \
      "FROM am_api WHERE id = %s")                                                                           \
    X(po_revision_count, "SELECT COUNT(*) FROM am_api_revision WHERE api_id = %s")                           \
    X(po_revision_list, "SELECT id, number, description, created_at FROM am_api_revision WHERE api_id = %s " \
                        "ORDER BY number DESC")                                                              \
    X(po_revision_get,                                                                                       \
      "SELECT id, number, description, created_at FROM am_api_revision WHERE api_id = %s AND id = %s")       \
    X(po_revision_document,                                                                                  \
      "SELECT document, definition, number, api_id FROM am_api_revision WHERE id = %s")                      \
    X(po_revision_numbered,                                                                                  \
      "SELECT document, definition FROM am_api_revision WHERE api_id = %s AND number = %ld")                 \
    X(po_revision_drop_oldest,                                                                               \
      "DELETE FROM am_api_revision WHERE id = (SELECT r.id FROM am_api_revision r WHERE r.api_id = %s AND "  \
      "r.id NOT IN "                                                                                         \
      "(SELECT d.revision_id FROM am_api_deployment d WHERE d.api_id = %s) ORDER BY r.number LIMIT 1)")      \
    X(po_revision_newest, "SELECT id FROM am_api_revision WHERE api_id = %s ORDER BY number DESC LIMIT 1")   \
    X(po_revision_delete, "DELETE FROM am_api_revision WHERE api_id = %s AND id = %s")                       \
    X(po_deployment_put,                                                                                     \
      "INSERT INTO am_api_deployment (api_id, environment, revision_id, vhost, "                             \
      "display_on_devportal, deployed_at) VALUES (%s, %s, %s, %s, %ld, %ld) "                                \
      "ON CONFLICT (api_id, environment) DO UPDATE SET revision_id = excluded.revision_id, "                 \
      "vhost = excluded.vhost, display_on_devportal = excluded.display_on_devportal, "                       \
      "deployed_at = excluded.deployed_at")                                                                  \
    X(po_deployment_delete,                                                                                  \
      "DELETE FROM am_api_deployment WHERE api_id = %s AND environment = %s AND revision_id = %s")           \
    X(po_deployment_list,                                                                                    \
      "SELECT d.environment, d.vhost, d.display_on_devportal, d.deployed_at, d.revision_id, "                \
      "COALESCE(e.display_name, d.environment), COALESCE(e.type, 'hybrid'), "                                \
      "COALESCE(e.gateway_url, '') FROM am_api_deployment d LEFT JOIN am_environment e "                     \
      "ON e.name = d.environment WHERE d.api_id = %s ORDER BY d.environment")                                \
    X(po_environment_get, "SELECT name FROM am_environment WHERE name = %s")                                 \
    X(po_environment_list, "SELECT name, display_name, description, type, gateway_url FROM am_environment "  \
                           "ORDER BY CASE WHEN name = 'Default' THEN 0 ELSE 1 END, name")                    \
    /* subscriptions */                                                                                      \
    X(po_subscription_count, "SELECT COUNT(*) FROM am_subscription s WHERE (%s = '' OR s.api_id = %s) AND "  \
                             "s.api_id NOT IN (" PO_HIDDEN ")")                                              \
    X(po_subscription_list,                                                                                  \
      "SELECT s.id, s.api_id, s.tier, " PO_SUBSCRIPTION_STATUS ", a.id, a.name, a.owner, a.description, "    \
      "(SELECT COUNT(*) FROM am_subscription t WHERE t.application_id = a.id) "                              \
      "FROM am_subscription s JOIN am_application a ON a.id = s.application_id "                             \
      "WHERE (%s = '' OR s.api_id = %s) AND s.api_id NOT IN (" PO_HIDDEN                                     \
      ") ORDER BY s.created_at, s.id LIMIT %ld OFFSET %ld")                                                  \
    X(po_subscription_get,                                                                                   \
      "SELECT s.id, s.api_id, s.tier, " PO_SUBSCRIPTION_STATUS ", a.id, a.name, a.owner, a.description, "    \
      "(SELECT COUNT(*) FROM am_subscription t WHERE t.application_id = a.id) "                              \
      "FROM am_subscription s JOIN am_application a ON a.id = s.application_id WHERE s.id = %s")             \
    X(po_subscription_set_status, "UPDATE am_subscription SET status = %s, updated_at = %ld WHERE id = %s")  \
    X(po_subscription_of_api, "SELECT application_id, tier, status FROM am_subscription WHERE api_id = %s "  \
                              "AND status NOT IN ('REJECTED', 'ON_HOLD')")                                   \
    X(po_subscription_copy,                                                                                  \
      "INSERT INTO am_subscription (id, application_id, api_id, tier, status, created_at, "                  \
      "updated_at) VALUES (%s, %s, %s, %s, %s, %ld, %ld) "                                                   \
      "ON CONFLICT (application_id, api_id) DO NOTHING")                                                     \
    /* scopes: shared (api_id '') and those of one API */                                                    \
    X(po_scope_insert, "INSERT INTO am_scope (name, api_id, display_name, description, roles) "              \
                       "VALUES (%s, %s, %s, %s, %s) ON CONFLICT (name, api_id) DO NOTHING")                  \
    X(po_scope_update, "UPDATE am_scope SET display_name = %s, description = %s, roles = %s "                \
                       "WHERE name = %s AND api_id = ''")                                                    \
    X(po_scope_delete, "DELETE FROM am_scope WHERE name = %s AND api_id = ''")                               \
    X(po_scope_shared,                                                                                       \
      "SELECT name, display_name, description, roles FROM am_scope WHERE name = %s AND api_id = ''")         \
    X(po_scope_shared_list, "SELECT name, display_name, description, roles FROM am_scope WHERE api_id = '' " \
                            "ORDER BY name LIMIT %ld OFFSET %ld")                                            \
    X(po_scope_shared_count, "SELECT COUNT(*) FROM am_scope WHERE api_id = ''")                              \
    X(po_scope_of_others, "SELECT a.name FROM am_scope s JOIN am_api a ON a.id = s.api_id "                  \
                          "WHERE s.name = %s AND a.name <> %s LIMIT 1")                                      \
    X(po_scope_users, "SELECT id, document FROM am_api WHERE document LIKE %s ESCAPE '!'")                   \
    /* what gateways must forget */                                                                          \
    X(po_feed_next, "UPDATE am_feed_head SET revision = revision + 1 WHERE id = 1 RETURNING revision")       \
    X(po_invalidation_insert, "INSERT INTO am_invalidation (revision, kind, subject, created_at) "           \
                              "VALUES (%ld, %s, %s, %ld)")                                                   \
    /* publication */                                                                                        \
    X(po_outbox_put,                                                                                         \
      "INSERT INTO am_publication_outbox (api_id, etag, queued_at) SELECT id, etag, %ld FROM am_api "        \
      "WHERE id = %s ON CONFLICT (api_id) DO UPDATE SET etag = excluded.etag, "                              \
      "queued_at = excluded.queued_at")                                                                      \
    X(po_outbox_put_deleted,                                                                                 \
      "INSERT INTO am_publication_outbox (api_id, etag, queued_at) VALUES (%s, %ld, %ld) "                   \
      "ON CONFLICT (api_id) DO UPDATE SET etag = excluded.etag, queued_at = excluded.queued_at")             \
    X(po_outbox_get, "SELECT etag FROM am_publication_outbox WHERE api_id = %s")                             \
    X(po_outbox_due,                                                                                         \
      "SELECT api_id FROM am_publication_outbox WHERE queued_at <= %ld ORDER BY queued_at LIMIT 50")         \
    X(po_outbox_retry, "UPDATE am_publication_outbox SET queued_at = %ld WHERE api_id = %s")                 \
    X(po_outbox_done, "DELETE FROM am_publication_outbox WHERE api_id = %s AND etag <= %ld")                 \
    X(po_reg_feed_next, "UPDATE reg_feed_head SET revision = revision + 1 WHERE id = 1 RETURNING revision")  \
    X(po_reg_lock, "UPDATE reg_feed_head SET revision = revision WHERE id = 1")                              \
    X(po_reg_etag, "SELECT MAX(e) FROM (SELECT source_etag AS e FROM reg_api WHERE id = %s UNION ALL "       \
                   "SELECT source_etag AS e FROM reg_artifact WHERE kind = 'api' AND key = %s) AS x")        \
    X(po_reg_api_put,                                                                                        \
      "INSERT INTO reg_api (id, provider, name, context, version, description, status, visibility, "         \
      "visible_roles, tags, categories, is_default_version, document, definition, search_text, doc_text, "   \
      "source_etag, "                                                                                        \
      "published_at, updated_at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %ld, %s, %s, %s, %s, "  \
      "%ld, %ld, %ld) ON CONFLICT (id) DO UPDATE SET provider = excluded.provider, "                         \
      "name = excluded.name, context = excluded.context, version = excluded.version, "                       \
      "description = excluded.description, status = excluded.status, "                                       \
      "visibility = excluded.visibility, visible_roles = excluded.visible_roles, "                           \
      "tags = excluded.tags, categories = excluded.categories, doc_text = excluded.doc_text, "               \
      "is_default_version = excluded.is_default_version, "                                                   \
      "document = excluded.document, definition = excluded.definition, "                                     \
      "search_text = excluded.search_text, source_etag = excluded.source_etag, "                             \
      "updated_at = excluded.updated_at")                                                                    \
    X(po_reg_api_delete, "DELETE FROM reg_api WHERE id = %s")                                                \
    X(po_reg_rating_delete, "DELETE FROM reg_rating WHERE api_id = %s")                                      \
    X(po_reg_comment_delete, "DELETE FROM reg_comment WHERE api_id = %s")                                    \
    X(po_reg_tag_delete, "DELETE FROM reg_api_tag WHERE api_id = %s")                                        \
    X(po_reg_tag_put, "INSERT INTO reg_api_tag (api_id, tag) VALUES (%s, %s) ON CONFLICT DO NOTHING")        \
    X(po_reg_role_delete, "DELETE FROM reg_api_role WHERE api_id = %s")                                      \
    X(po_reg_role_put, "INSERT INTO reg_api_role (api_id, role) VALUES (%s, %s) ON CONFLICT DO NOTHING")     \
    X(po_reg_artifacts,                                                                                      \
      "SELECT environment, deleted, payload FROM reg_artifact WHERE kind = 'api' AND key = %s")              \
    X(po_reg_artifact_put,                                                                                   \
      "INSERT INTO reg_artifact (kind, key, environment, revision, deleted, payload, "                       \
      "source_etag, updated_at) VALUES ('api', %s, %s, %ld, %ld, %s, %ld, %ld) "                             \
      "ON CONFLICT (kind, key, environment) DO UPDATE SET revision = excluded.revision, "                    \
      "deleted = excluded.deleted, payload = excluded.payload, "                                             \
      "source_etag = excluded.source_etag, updated_at = excluded.updated_at")                                \
    X(po_reg_artifact_etag, "UPDATE reg_artifact SET source_etag = %ld WHERE kind = 'api' AND key = %s "     \
                            "AND environment = %s")                                                          \
    X(po_policy_list, "SELECT document FROM reg_policy WHERE level = %s ORDER BY name")                      \
    X(po_policy_get, "SELECT document FROM reg_policy WHERE level = %s AND name = %s")                       \
    X(po_user_exists, "SELECT username FROM um_user WHERE username = %s AND status = 'ACTIVE'")              \
    X(po_role_get, "SELECT name FROM um_role WHERE name = %s")

APIM_DECLARE_STATEMENTS(PO_PUBLISHER_STATEMENTS)

#endif
