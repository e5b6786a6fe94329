/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APIM_NODE_SQL_H
#define APIM_NODE_SQL_H

#include "apim_db.h"

/* Statements that every role has: a node's report of itself (registry database). */
#define APIM_NODE_STATEMENTS(X)                                                                              \
    X(apim_node_ping, "SELECT 1")                                                                            \
    X(apim_node_put,                                                                                         \
      "INSERT INTO reg_node (name, role, environment, version, epoch, revision, started_at, seen_at, "       \
      "detail)"                                                                                              \
      " VALUES (%s, %s, %s, %s, %s, %ld, %ld, %ld, %s) ON CONFLICT (name, role) DO UPDATE SET"               \
      " environment = excluded.environment, version = excluded.version, epoch = excluded.epoch,"             \
      " revision = excluded.revision, started_at = excluded.started_at, seen_at = excluded.seen_at,"         \
      " detail = excluded.detail")

APIM_DECLARE_STATEMENTS(APIM_NODE_STATEMENTS)

#endif
