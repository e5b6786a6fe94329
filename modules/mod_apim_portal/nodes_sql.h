/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APIM_PORTAL_NODES_SQL_H
#define APIM_PORTAL_NODES_SQL_H

#include "apim_db.h"

/* Nodes and what they confirm (registry database). */
#define PO_NODE_STATEMENTS(X)                                                                                \
    X(po_node_list, "SELECT name, role, environment, version, epoch, revision, started_at, seen_at, detail"  \
                    " FROM reg_node ORDER BY role, name")                                                    \
    X(po_node_head, "SELECT epoch, revision FROM reg_feed_head WHERE id = 1")                                \
    X(po_node_artifacts, "SELECT environment, revision, deleted FROM reg_artifact WHERE kind = 'api' AND"    \
                         " key = %s ORDER BY environment")                                                   \
    X(po_node_forget, "DELETE FROM reg_node WHERE seen_at < %ld")

APIM_DECLARE_STATEMENTS(PO_NODE_STATEMENTS)

#endif
