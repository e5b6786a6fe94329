/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APIM_ADMIN_SQL_H
#define APIM_ADMIN_SQL_H

#include "apim_db.h"

#define AD_USER                                                                                              \
    "SELECT id, username, email, given_name, family_name, organization, status, created_at, updated_at "     \
    "FROM um_user"

#define AD_STATEMENTS(X)                                                                                     \
    /* policies (registry) */                                                                                \
    X(ad_policy_list, "SELECT id, document FROM reg_policy WHERE level = %s ORDER BY name")                  \
    X(ad_policy_all, "SELECT id, document, level FROM reg_policy ORDER BY level, name")                      \
    X(ad_policy_get, "SELECT document, name FROM reg_policy WHERE id = %s AND level = %s")                   \
    X(ad_policy_insert, "INSERT INTO reg_policy (id, level, name, display_name, description, document, "     \
                        "is_builtin, created_at, "                                                           \
                        "updated_at) VALUES (%s, %s, %s, %s, %s, %s, 0, %ld, %ld) ON CONFLICT DO NOTHING")   \
    X(ad_policy_update,                                                                                      \
      "UPDATE reg_policy SET display_name = %s, description = %s, document = %s, updated_at = %ld "          \
      "WHERE id = %s")                                                                                       \
    X(ad_policy_delete, "DELETE FROM reg_policy WHERE id = %s")                                              \
    X(ad_deny_list, "SELECT document FROM reg_deny_policy ORDER BY created_at, id")                          \
    X(ad_deny_get, "SELECT document FROM reg_deny_policy WHERE id = %s")                                     \
    X(ad_deny_insert, "INSERT INTO reg_deny_policy (id, condition_type, condition_value, document, "         \
                      "created_at) VALUES (%s, %s, %s, %s, %ld) ON CONFLICT DO NOTHING")                     \
    X(ad_deny_update, "UPDATE reg_deny_policy SET document = %s WHERE id = %s")                              \
    X(ad_deny_delete, "DELETE FROM reg_deny_policy WHERE id = %s")                                           \
    X(ad_feed_next, "UPDATE reg_feed_head SET revision = revision + 1 WHERE id = 1 RETURNING revision")      \
    X(ad_artifact_put,                                                                                       \
      "INSERT INTO reg_artifact (kind, key, environment, revision, deleted, payload, source_etag, "          \
      "updated_at) "                                                                                         \
      "VALUES ('policy', %s, '', %ld, %ld, %s, 0, %ld) ON CONFLICT (kind, key, environment) DO UPDATE SET "  \
      "revision = excluded.revision, deleted = excluded.deleted, payload = excluded.payload, "               \
      "updated_at = excluded.updated_at")                                                                    \
    /* what uses a policy or an environment (API Manager database) */                                        \
    X(ad_policy_subscriptions, "SELECT COUNT(*) FROM am_subscription WHERE tier = %s")                       \
    X(ad_policy_applications, "SELECT COUNT(*) FROM am_application WHERE tier = %s")                         \
    X(ad_policy_apis, "SELECT COUNT(*) FROM am_api WHERE document LIKE %s ESCAPE '!'")                       \
    X(ad_application_count, "SELECT COUNT(*) FROM am_application WHERE (%s = '' OR owner = %s) AND "         \
                            "LOWER(name) LIKE LOWER(%s) ESCAPE '!'")                                         \
    X(ad_application_list,                                                                                   \
      "SELECT id, name, owner, status FROM am_application WHERE (%s = '' OR owner = %s) "                    \
      "AND LOWER(name) LIKE LOWER(%s) ESCAPE '!' ORDER BY LOWER(name), id LIMIT %ld OFFSET %ld")             \
    X(ad_application_set_owner, "UPDATE am_application SET owner = %s, updated_at = %ld WHERE id = %s")      \
    X(ad_application_clients_set_owner,                                                                      \
      "UPDATE am_oauth_client SET owner = %s WHERE consumer_key IN "                                         \
      "(SELECT consumer_key FROM am_application_key WHERE application_id = %s)")                             \
    X(ad_api_of_provider,                                                                                    \
      "SELECT id FROM am_api WHERE provider = %s AND name = %s AND version = %s AND id <> %s")               \
    X(ad_api_set_provider,                                                                                   \
      "UPDATE am_api SET provider = %s, updated_at = %ld, updated_by = %s WHERE id = %s")                    \
    X(ad_environment_list, "SELECT name, display_name, description, type, gateway_url FROM am_environment "  \
                           "ORDER BY CASE WHEN name = 'Default' THEN 0 ELSE 1 END, name")                    \
    X(ad_environment_get,                                                                                    \
      "SELECT name, display_name, description, type, gateway_url FROM am_environment WHERE name = %s")       \
    X(ad_environment_insert,                                                                                 \
      "INSERT INTO am_environment (name, display_name, description, type, gateway_url) "                     \
      "VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING")                                                  \
    X(ad_environment_update,                                                                                 \
      "UPDATE am_environment SET display_name = %s, description = %s, type = %s, gateway_url = %s "          \
      "WHERE name = %s")                                                                                     \
    X(ad_environment_republish, /* the Store shows its URL and name with each API */                         \
      "INSERT INTO am_publication_outbox (api_id, etag, queued_at) SELECT a.id, a.etag, 0 FROM am_api a "    \
      "JOIN am_api_deployment d ON d.api_id = a.id WHERE d.environment = %s "                                \
      "ON CONFLICT (api_id) DO UPDATE SET etag = excluded.etag")                                             \
    X(ad_environment_delete, "DELETE FROM am_environment WHERE name = %s")                                   \
    X(ad_user_left_behind, "SELECT 1 FROM am_application WHERE owner = %s UNION ALL "                        \
                           "SELECT 1 FROM am_oauth_client WHERE owner = %s LIMIT 1")                         \
    X(ad_user_feedback_left_behind, "SELECT 1 FROM reg_comment WHERE created_by = %s UNION ALL "             \
                                    "SELECT 1 FROM reg_rating WHERE username = %s LIMIT 1")                  \
    X(ad_environment_used, "SELECT COUNT(*) FROM am_api_deployment WHERE environment = %s")                  \
    /* users and roles (User Manager database) */                                                            \
    X(ad_user_count, "SELECT COUNT(*) FROM um_user WHERE LOWER(username) LIKE LOWER(%s) ESCAPE '!'")         \
    X(ad_user_list,                                                                                          \
      AD_USER " WHERE LOWER(username) LIKE LOWER(%s) ESCAPE '!' ORDER BY username LIMIT %ld OFFSET %ld")     \
    X(ad_user_get, AD_USER " WHERE username = %s")                                                           \
    X(ad_user_same_name, "SELECT id FROM um_user WHERE LOWER(username) = LOWER(%s)")                         \
    X(ad_user_insert,                                                                                        \
      "INSERT INTO um_user (id, username, password_hash, email, given_name, family_name, organization, "     \
      "status, "                                                                                             \
      "created_at, updated_at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %ld, %ld) ON CONFLICT DO NOTHING")    \
    X(ad_user_update,                                                                                        \
      "UPDATE um_user SET email = %s, given_name = %s, family_name = %s, organization = %s, status = %s, "   \
      "updated_at = %ld WHERE id = %s")                                                                      \
    X(ad_user_set_password, "UPDATE um_user SET password_hash = %s, updated_at = %ld WHERE id = %s")         \
    X(ad_user_password, "SELECT id, password_hash FROM um_user WHERE username = %s AND status = 'ACTIVE'")   \
    X(ad_user_delete, "DELETE FROM um_user WHERE id = %s")                                                   \
    X(ad_user_roles, "SELECT role FROM um_user_role WHERE user_id = %s ORDER BY role")                       \
    X(ad_user_drop_roles, "DELETE FROM um_user_role WHERE user_id = %s")                                     \
    X(ad_user_add_role, "INSERT INTO um_user_role (user_id, role) VALUES (%s, %s) ON CONFLICT DO NOTHING")   \
    X(ad_role_list, "SELECT r.name, r.description, (SELECT COUNT(*) FROM um_user_role u WHERE u.role = "     \
                    "r.name) FROM um_role r "                                                                \
                    "ORDER BY r.name")                                                                       \
    X(ad_role_get, "SELECT name FROM um_role WHERE name = %s")                                               \
    X(ad_role_insert, "INSERT INTO um_role (name, description) VALUES (%s, %s) ON CONFLICT DO NOTHING")      \
    X(ad_role_delete, "DELETE FROM um_role WHERE name = %s")                                                 \
    X(ad_role_users, "SELECT COUNT(*) FROM um_user_role WHERE role = %s")

APIM_DECLARE_STATEMENTS(AD_STATEMENTS)

#endif
