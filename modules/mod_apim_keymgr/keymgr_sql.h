/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KEYMGR_SQL_H
#define KEYMGR_SQL_H

#include "apim_db.h"

/* clang-format off */

/* What a client row is read as, everywhere; see client_store.c. */
#define KM_CLIENT_COLUMNS                                                                                              \
    "c.consumer_key, c.secret_hash, c.client_name, c.owner, c.grant_types, c.redirect_uris, c.scopes, c.token_type, "  \
    "c.access_token_lifetime, c.refresh_token_lifetime, c.registration_token_hash, c.metadata, c.created_at, "         \
    "k.id, k.application_id, k.key_type, k.key_manager "                                                               \
    "FROM am_oauth_client c LEFT JOIN am_application_key k ON k.consumer_key = c.consumer_key "

/* What verification reads of application and subscription; the columns before differ by credential. */
#define KM_VERIFY_COLUMNS                                                                                              \
    "a.id, a.name, a.tier, a.owner, a.status, s.id, s.tier, s.status"
#define KM_VERIFY_JOIN_SUBSCRIPTION                                                                                    \
    "LEFT JOIN am_subscription s ON s.application_id = a.id AND s.api_id = "                                           \
    "COALESCE(NULLIF(%s, ''), (SELECT id FROM am_api WHERE context = %s)) "
#define KM_REVOKED_AT(kind, subject)                                                                                   \
    "(SELECT revoked_at FROM am_revocation WHERE kind = '" kind "' AND subject = " subject ")"

#define KM_DEVICE_COLUMNS                                                                                              \
    "device_hash, consumer_key, scopes, status, username, auth_time, poll_interval, polled_at, expires_at, audience"

#define KM_TOKEN_END                                                                                                   \
    "CASE WHEN t.refresh_expires_at > t.expires_at THEN t.refresh_expires_at ELSE t.expires_at END"

#define KM_STATEMENTS(X)                                                                                               \
    /* clients */                                                                                                      \
    X(km_client_by_key, "SELECT " KM_CLIENT_COLUMNS "WHERE c.consumer_key = %s")                                       \
    X(km_client_by_name, "SELECT " KM_CLIENT_COLUMNS "WHERE c.owner = %s AND c.client_name = %s "                      \
        "AND k.id IS NULL AND c.metadata LIKE '%%\"dcr\":true%%' ORDER BY c.created_at LIMIT 1")                       \
    X(km_client_insert_row, "INSERT INTO am_oauth_client (consumer_key, secret_hash, client_name, owner, grant_types, "    \
        "redirect_uris, scopes, token_type, access_token_lifetime, refresh_token_lifetime, registration_token_hash, "  \
        "metadata, created_at, updated_at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %ld, %ld, %s, %s, %ld, %ld)")       \
    X(km_client_update, "UPDATE am_oauth_client SET client_name = %s, grant_types = %s, redirect_uris = %s, "          \
        "scopes = %s, token_type = %s, access_token_lifetime = %ld, metadata = %s, updated_at = %ld "                  \
        "WHERE consumer_key = %s")                                                                                     \
    X(km_client_lock, "UPDATE am_oauth_client SET updated_at = updated_at WHERE consumer_key = %s")                      \
    X(km_client_secret, "UPDATE am_oauth_client SET secret_hash = %s, metadata = %s, updated_at = %ld "                \
        "WHERE consumer_key = %s")                                                                                     \
    X(km_client_delete, "DELETE FROM am_oauth_client WHERE consumer_key = %s")                                         \
    X(km_application_status, "SELECT status FROM am_application WHERE id = %s")                                        \
    X(km_application_key_insert, "INSERT INTO am_application_key (id, application_id, key_type, key_manager, "         \
        "consumer_key, created_at) VALUES (%s, %s, %s, %s, %s, %ld) ON CONFLICT DO NOTHING")                           \
    X(km_application_key_delete, "DELETE FROM am_application_key WHERE consumer_key = %s")                             \
    /* the change feeds, for gateways without a database (Registry database; API Manager database) */                  \
    X(km_feed_registry_head, "SELECT epoch, revision FROM reg_feed_head WHERE id = 1")                                 \
    X(km_feed_artifacts_after, "SELECT kind, key, revision, deleted, payload FROM reg_artifact WHERE revision > %ld "  \
        "AND (environment = '' OR environment = %s) ORDER BY revision LIMIT 100")                                      \
    X(km_feed_invalidation_head, "SELECT epoch, revision FROM am_feed_head WHERE id = 1")                              \
    X(km_feed_invalidations_after, "SELECT revision, kind, subject FROM am_invalidation WHERE revision > %ld "         \
        "ORDER BY revision LIMIT 1000")                                                                                \
    /* users (User Manager database) */                                                                                \
    X(km_user_by_name, "SELECT id, password_hash, status FROM um_user WHERE username = %s")                            \
    X(km_user_roles, "SELECT role FROM um_user_role WHERE user_id = %s")                                               \
    X(km_user_status, "SELECT status FROM um_user WHERE username = %s")                                                \
    X(km_user_profile, "SELECT given_name, family_name, email, updated_at FROM um_user WHERE username = %s "            \
        "AND status = 'ACTIVE'")                                                                                       \
    /* targets of tokens */                                                                                            \
    X(km_api_context, "SELECT 1 FROM am_api WHERE context = %s")                                                       \
    /* scopes */                                                                                                       \
    X(km_scope_roles, "SELECT roles FROM am_scope WHERE name = %s")                                                    \
    /* tokens */                                                                                                       \
    X(km_token_insert_row, "INSERT INTO am_token (id, token_hash, refresh_hash, family, consumer_key, username, scopes, "  \
        "refresh_scopes, grant_type, issued_at, expires_at, refresh_expires_at, audience, refresh_audience, act, "     \
        "derived_from) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %ld, %ld, %ld, %s, %s, %s, %s)")                    \
    X(km_token_by_refresh, "SELECT id, family, consumer_key, username, COALESCE(refresh_scopes, scopes), status, "     \
        "issued_at, expires_at, refresh_expires_at, COALESCE(refresh_audience, audience) FROM am_token "               \
        "WHERE refresh_hash = %s")                                                                                     \
    X(km_token_by_hash, "SELECT id, family, consumer_key, username, scopes, status, issued_at, expires_at, "           \
        "refresh_expires_at, audience FROM am_token WHERE token_hash = %s")                                                      \
    X(km_token_lock_family, "UPDATE am_token SET family = family WHERE id = %s")                                       \
    X(km_token_keep_family, "UPDATE am_token SET refresh_expires_at = %ld WHERE id = %s")                              \
    X(km_token_rotate, "UPDATE am_token SET status = 'ROTATED' WHERE id = %s AND status = 'ACTIVE' "                   \
        "RETURNING token_hash, expires_at")                                                                            \
    X(km_token_successors, "SELECT COUNT(*), MIN(issued_at), "                                                         \
        "SUM(CASE WHEN status = 'ROTATED' THEN 1 ELSE 0 END), SUM(CASE WHEN status = 'ACTIVE' THEN 1 ELSE 0 END), "    \
        "(SELECT status FROM am_token WHERE id = %s) FROM am_token WHERE family = %s AND issued_at > %ld")             \
    X(km_token_family_revoke, "UPDATE am_token SET status = 'REVOKED' WHERE family = %s AND status <> 'REVOKED' "      \
        "RETURNING id, token_hash, expires_at")                                                                        \
    X(km_token_family_supersede, "UPDATE am_token SET status = 'REVOKED' WHERE family = %s AND status = 'ACTIVE' "     \
        "RETURNING id, token_hash, expires_at")                                                                        \
    X(km_token_derived_revoke, "UPDATE am_token SET status = 'REVOKED' WHERE derived_from = %s "                       \
        "AND status <> 'REVOKED' RETURNING id, token_hash, expires_at, family")                                        \
    X(km_token_user_revoke, "UPDATE am_token SET status = 'REVOKED' WHERE username = %s AND status <> 'REVOKED'")      \
    X(km_token_client_revoke, "UPDATE am_token SET status = 'REVOKED' WHERE consumer_key = %s "                        \
        "AND status <> 'REVOKED'")                                                                                     \
    X(km_token_client_delete, "DELETE FROM am_token WHERE consumer_key = %s")                                          \
    /* log-ins by web page */                                                                                           \
    X(km_session_insert, "INSERT INTO am_login_session (id_hash, username, auth_time, expires_at) "                    \
        "VALUES (%s, %s, %ld, %ld)")                                                                                   \
    X(km_session_by_id, "SELECT s.username, s.auth_time, " KM_REVOKED_AT("user", "s.username")                         \
        " FROM am_login_session s WHERE s.id_hash = %s AND s.expires_at > %ld")                                        \
    X(km_session_delete, "DELETE FROM am_login_session WHERE id_hash = %s")                                            \
    X(km_code_insert, "INSERT INTO am_auth_code (code_hash, consumer_key, username, redirect_uri, challenge, scopes, " \
        "nonce, auth_time, expires_at, audience) VALUES (%s, %s, %s, %s, %s, %s, %s, %ld, %ld, %s)")                   \
    X(km_code_by_hash, "SELECT consumer_key, username, redirect_uri, challenge, scopes, nonce, auth_time, expires_at, "  \
        "family, audience FROM am_auth_code WHERE code_hash = %s")                                                               \
    X(km_code_take, "UPDATE am_auth_code SET family = %s WHERE code_hash = %s AND family IS NULL")                     \
    X(km_use_once_insert, "INSERT INTO am_used_once (id_hash, expires_at) VALUES (%s, %ld) ON CONFLICT DO NOTHING")    \
    /* device authorization */                                                                                         \
    X(km_device_insert, "INSERT INTO am_device_code (device_hash, user_hash, consumer_key, scopes, status, "           \
        "poll_interval, polled_at, expires_at, audience) VALUES (%s, %s, %s, %s, 'PENDING', %ld, 0, %ld, %s) "        \
        "ON CONFLICT DO NOTHING")                                                                                      \
    X(km_device_by_hash, "SELECT " KM_DEVICE_COLUMNS " FROM am_device_code WHERE device_hash = %s")                    \
    X(km_device_by_user, "SELECT " KM_DEVICE_COLUMNS " FROM am_device_code WHERE user_hash = %s")                      \
    X(km_device_polled, "UPDATE am_device_code SET polled_at = %ld, poll_interval = %ld WHERE device_hash = %s")       \
    X(km_device_decision, "UPDATE am_device_code SET status = %s, username = %s, auth_time = %ld, scopes = %s "        \
        "WHERE user_hash = %s AND status = 'PENDING' AND expires_at > %ld")                                            \
    X(km_device_use, "UPDATE am_device_code SET status = 'USED' WHERE device_hash = %s AND status = 'ALLOWED'")        \
    X(km_consent_get, "SELECT scopes FROM am_consent WHERE username = %s AND consumer_key = %s")                       \
    X(km_consent_put, "INSERT INTO am_consent (username, consumer_key, scopes, granted_at) VALUES (%s, %s, %s, %ld) "  \
        "ON CONFLICT (username, consumer_key) DO UPDATE SET scopes = excluded.scopes, "                                \
        "granted_at = excluded.granted_at")                                                                            \
    X(km_consent_client_delete, "DELETE FROM am_consent WHERE consumer_key = %s")                                      \
    X(km_scope_text, "SELECT COALESCE(NULLIF(description, ''), NULLIF(display_name, '')) FROM am_scope "               \
        "WHERE name = %s AND (description <> '' OR display_name <> '') ORDER BY api_id LIMIT 1")                       \
    /* revocations and what gateways must forget */                                                                    \
    X(km_revocation_put, "INSERT INTO am_revocation (kind, subject, revoked_at, expires_at) "                          \
        "VALUES (%s, %s, %ld, %ld) ON CONFLICT (kind, subject) DO UPDATE SET revoked_at = excluded.revoked_at, "       \
        "expires_at = excluded.expires_at")                                                                            \
    X(km_feed_next, "UPDATE am_feed_head SET revision = revision + 1 WHERE id = 1 RETURNING revision")                 \
    X(km_invalidation_insert, "INSERT INTO am_invalidation (revision, kind, subject, created_at) "                     \
        "VALUES (%ld, %s, %s, %ld)")                                                                                   \
    /* verification: one statement each on the warm path */                                                            \
    X(km_verify_jwt, "SELECT c.consumer_key, k.key_type, c.owner, "                                                    \
        KM_REVOKED_AT("jti", "%s") ", " KM_REVOKED_AT("client", "c.consumer_key") ", "                                 \
        KM_REVOKED_AT("user", "%s") ", " KM_REVOKED_AT("application", "a.id") ", " KM_VERIFY_COLUMNS                   \
        " FROM am_oauth_client c LEFT JOIN am_application_key k ON k.consumer_key = c.consumer_key "                   \
        "LEFT JOIN am_application a ON a.id = k.application_id " KM_VERIFY_JOIN_SUBSCRIPTION                           \
        "WHERE c.consumer_key = %s")                                                                                   \
    X(km_verify_opaque, "SELECT c.consumer_key, k.key_type, c.owner, "                                                 \
        "CASE WHEN t.status = 'ACTIVE' THEN NULL ELSE CAST(t.expires_at AS BIGINT) END, "                              \
        KM_REVOKED_AT("client", "c.consumer_key") ", " KM_REVOKED_AT("user", "t.username") ", "                        \
        KM_REVOKED_AT("application", "a.id") ", " KM_VERIFY_COLUMNS                                                    \
        ", t.username, t.scopes, t.issued_at, t.expires_at, t.grant_type, t.audience, t.act "                                             \
        "FROM am_token t JOIN am_oauth_client c ON c.consumer_key = t.consumer_key "                                   \
        "LEFT JOIN am_application_key k ON k.consumer_key = c.consumer_key "                                           \
        "LEFT JOIN am_application a ON a.id = k.application_id " KM_VERIFY_JOIN_SUBSCRIPTION                           \
        "WHERE t.token_hash = %s")                                                                                     \
    X(km_verify_api_key, "SELECT NULL, k.key_type, a.owner, NULL, NULL, NULL, "                                        \
        KM_REVOKED_AT("application", "a.id") ", " KM_VERIFY_COLUMNS                                                    \
        ", k.permitted_ips, k.permitted_referers, k.created_by, k.created_at, k.expires_at "                           \
        "FROM am_api_key k JOIN am_application a ON a.id = k.application_id " KM_VERIFY_JOIN_SUBSCRIPTION              \
        "WHERE k.id = %s")                                                                                             \
    /* API keys */                                                                                                     \
    X(km_api_key_insert, "INSERT INTO am_api_key (id, application_id, key_type, name, permitted_ips, "                 \
        "permitted_referers, created_by, created_at, expires_at) VALUES (%s, %s, %s, %s, %s, %s, %s, %ld, %ld)")       \
    X(km_api_key_delete, "DELETE FROM am_api_key WHERE id = %s AND application_id = %s RETURNING expires_at")          \
    /* signing keys */                                                                                                 \
    X(km_keys_select, "SELECT kid, algorithm, private_jwk, public_jwk, state, created_at, activated_at, retired_at "   \
        "FROM am_signing_key ORDER BY created_at, kid")                                                                \
    X(km_keys_lock, "UPDATE am_feed_head SET revision = revision WHERE id = 1")                                        \
    X(km_keys_insert, "INSERT INTO am_signing_key (kid, algorithm, private_jwk, public_jwk, state, created_at, "       \
        "activated_at) VALUES (%s, %s, %s, %s, %s, %ld, %ld)")                                                         \
    X(km_keys_retire, "UPDATE am_signing_key SET state = 'RETIRED', retired_at = %ld, private_jwk = '' "               \
        "WHERE kid = %s AND state = 'ACTIVE'")                                                                         \
    X(km_keys_activate, "UPDATE am_signing_key SET state = 'ACTIVE', activated_at = %ld "                              \
        "WHERE kid = %s AND state = 'NEXT'")                                                                           \
    /* clean-up, in batches of 500 */                                                                                  \
    /* in the order of am_token_end, whatever the planner thinks of it; a sum has no affinity, so SQLite may use it too */\
    X(km_clean_tokens, "DELETE FROM am_token WHERE id IN (SELECT t.id FROM am_token t WHERE " KM_TOKEN_END             \
        " < 0 + CAST(%s AS BIGINT) AND (t.id <> t.family OR NOT EXISTS "                                               \
        "(SELECT 1 FROM am_token o WHERE o.family = t.family AND o.id <> t.id)) ORDER BY " KM_TOKEN_END " LIMIT 500)") \
    X(km_clean_revocations, "DELETE FROM am_revocation WHERE (kind, subject) IN "                                      \
        "(SELECT kind, subject FROM am_revocation WHERE expires_at < %ld LIMIT 500)")                                  \
    X(km_clean_invalidations, "DELETE FROM am_invalidation WHERE revision < "                                          \
        "(SELECT MIN(revision) + 500 FROM am_invalidation) AND created_at < %ld")                                      \
    X(km_clean_api_keys, "DELETE FROM am_api_key WHERE id IN "                                                         \
        "(SELECT id FROM am_api_key WHERE expires_at < %ld LIMIT 500)")                                                \
    X(km_clean_sessions, "DELETE FROM am_login_session WHERE id_hash IN "                                              \
        "(SELECT id_hash FROM am_login_session WHERE expires_at < %ld LIMIT 500)")                                     \
    X(km_clean_used_once, "DELETE FROM am_used_once WHERE id_hash IN "                                                 \
        "(SELECT id_hash FROM am_used_once WHERE expires_at < %ld LIMIT 500)")                                         \
    X(km_clean_codes, "DELETE FROM am_auth_code WHERE code_hash IN "                                                   \
        "(SELECT code_hash FROM am_auth_code WHERE expires_at < %ld LIMIT 500)")                                       \
    X(km_clean_devices, "DELETE FROM am_device_code WHERE device_hash IN "                                             \
        "(SELECT device_hash FROM am_device_code WHERE expires_at < %ld LIMIT 500)")                                   \
    X(km_clean_usage_minutes, "DELETE FROM am_usage WHERE (period, since, series) IN "                                 \
        "(SELECT period, since, series FROM am_usage WHERE period = 'minute' AND since < %ld LIMIT 500)")              \
    X(km_clean_usage_hours, "DELETE FROM am_usage WHERE (period, since, series) IN "                                   \
        "(SELECT period, since, series FROM am_usage WHERE period = 'hour' AND since < %ld LIMIT 500)")                \
    X(km_clean_usage_days, "DELETE FROM am_usage WHERE (period, since, series) IN "                                    \
        "(SELECT period, since, series FROM am_usage WHERE period = 'day' AND since < %ld LIMIT 500)")                 \
    X(km_clean_usage_batches, "DELETE FROM am_usage_batch WHERE id IN "                                                \
        "(SELECT id FROM am_usage_batch WHERE added_at < %ld LIMIT 500)")

APIM_DECLARE_STATEMENTS(KM_STATEMENTS)

/* clang-format on */

#endif
