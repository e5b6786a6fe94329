/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APIMCTL_SQL_H
#define APIMCTL_SQL_H

#include "apim_db.h"

/* Every statement of apimctl, for PostgreSQL and SQLite alike. The schema of apim_schema itself stands in
 * migrate.c: it must exist before any migration. */
#define CTL_STATEMENTS(X)                                                                                    \
    X(ctl_has_schema_sqlite, "SELECT name FROM sqlite_master WHERE type = 'table' AND name = 'apim_schema'") \
    X(ctl_has_schema_pgsql, "SELECT tablename FROM pg_tables WHERE tablename = 'apim_schema' "               \
                            "AND schemaname = ANY (current_schemas(false))")                                 \
    X(ctl_journal_mode_sqlite, "PRAGMA journal_mode")                                                        \
    X(ctl_set_wal_sqlite, "PRAGMA journal_mode=WAL")                                                         \
    X(ctl_schema_rows, "SELECT version, name, checksum, applied_at FROM apim_schema WHERE database_name = "  \
                       "%s ORDER BY version")                                                                \
    X(ctl_schema_one, "SELECT checksum FROM apim_schema WHERE database_name = %s AND version = %ld")         \
    X(ctl_schema_all, "SELECT database_name, version, name, applied_at FROM apim_schema "                    \
                      "ORDER BY database_name, version")                                                     \
    X(ctl_schema_insert, "INSERT INTO apim_schema (database_name, version, name, checksum, applied_at) "     \
                         "VALUES (%s, %ld, %s, %s, %ld)")                                                    \
    X(ctl_am_epoch, "UPDATE am_feed_head SET epoch = %s WHERE id = 1")                                       \
    X(ctl_reg_epoch, "UPDATE reg_feed_head SET epoch = %s WHERE id = 1")                                     \
    X(ctl_reg_head, "SELECT epoch, revision FROM reg_feed_head WHERE id = 1")                                \
    X(ctl_node_list, "SELECT name, role, environment, version, revision, epoch, seen_at FROM reg_node"       \
                     " ORDER BY role, name")                                                                 \
    X(ctl_user_insert,                                                                                       \
      "INSERT INTO um_user (id, username, password_hash, email, status, created_at, updated_at) "            \
      "VALUES (%s, %s, %s, %s, 'ACTIVE', %ld, %ld) ON CONFLICT DO NOTHING")                                  \
    X(ctl_user_id, "SELECT id FROM um_user WHERE username = %s")                                             \
    X(ctl_user_password, "UPDATE um_user SET password_hash = %s, updated_at = %ld WHERE username = %s")      \
    X(ctl_user_status, "UPDATE um_user SET status = %s, updated_at = %ld WHERE username = %s")               \
    X(ctl_user_list, "SELECT username, status, created_at, id FROM um_user ORDER BY username")               \
    X(ctl_user_roles, "SELECT role FROM um_user_role WHERE user_id = %s ORDER BY role")                      \
    X(ctl_role_exists, "SELECT name FROM um_role WHERE name = %s")                                           \
    X(ctl_role_names, "SELECT name FROM um_role ORDER BY name")                                              \
    X(ctl_user_role_insert,                                                                                  \
      "INSERT INTO um_user_role (user_id, role) VALUES (%s, %s) ON CONFLICT DO NOTHING")                     \
    X(ctl_feed_next, "UPDATE am_feed_head SET revision = revision + 1 WHERE id = 1 RETURNING revision")      \
    X(ctl_invalidate_user, "INSERT INTO am_invalidation (revision, kind, subject, created_at) "              \
                           "VALUES (%ld, 'user', %s, %ld)")

APIM_DECLARE_STATEMENTS(CTL_STATEMENTS)

/* Scripts, run before anything is prepared. The number is "apim" in ASCII: the advisory lock that two
 * migrations of one PostgreSQL database meet at. */
#define CTL_LOCK_PGSQL "SELECT pg_advisory_xact_lock(1634756973)"
#define CTL_SCHEMA_TABLE                                                                                     \
    "CREATE TABLE IF NOT EXISTS apim_schema (database_name TEXT NOT NULL, version BIGINT NOT NULL, "         \
    "name TEXT NOT NULL, checksum TEXT NOT NULL, applied_at BIGINT NOT NULL, "                               \
    "PRIMARY KEY (database_name, version))"

#endif
