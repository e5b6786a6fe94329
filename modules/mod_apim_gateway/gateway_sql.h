/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GW_GATEWAY_SQL_H
#define GW_GATEWAY_SQL_H

#include "apim_db.h"

/* For the listener's own connection: the channels that the triggers on the feed heads notify. */
#define GW_LISTEN "LISTEN apim_registry; LISTEN apim_invalidation"

/* Every statement of the gateway, run by its sync watchdog only. But for its own row of reg_node it only
 * reads. */
#define GW_STATEMENTS(X)                                                                                     \
    X(gw_registry_head, "SELECT epoch, revision FROM reg_feed_head WHERE id = 1")                            \
    X(gw_artifacts_after, "SELECT kind, key, revision, deleted, payload FROM reg_artifact"                   \
                          " WHERE revision > %ld AND (environment = '' OR environment = %s)"                 \
                          " ORDER BY revision LIMIT 100")                                                    \
    X(gw_invalidation_head, "SELECT epoch, revision FROM am_feed_head WHERE id = 1")                         \
    X(gw_invalidations_after, "SELECT revision, kind, subject FROM am_invalidation"                          \
                              " WHERE revision > %ld ORDER BY revision LIMIT 1000")

APIM_DECLARE_STATEMENTS(GW_STATEMENTS)

#endif
