/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APIM_PORTAL_NODES_H
#define APIM_PORTAL_NODES_H

#include "portal.h"

/*
 * The nodes of the cluster, as they say of themselves in reg_node, and which gateways serve an API as it was
 * published last. A gateway has confirmed an artefact when it reads the feed of the registry's epoch, is not
 * behind the artefact's revision, and does not name it among what it could not deploy.
 */

/** Nodes not heard of for this long count as away; they report every APIM_NODE_INTERVAL. */
#define PO_NODE_AWAY_MS 10000
/** Rows this old are removed. */
#define PO_NODE_FORGOTTEN_MS APR_INT64_C(86400000)

/** All nodes: {count, list: [{name, role, environment, version, state: UP|AWAY, revision, startedAt, seenAt,
 * detail}]}. *out belongs to pool. */
apim_error_t *po_nodes_list(apr_pool_t *pool, const portal_config_t *conf, json_t **out);

/** What the gateways make of an API, by environment: {revision, environments: [{name, deployed, revision,
 * confirmed: [..], pending: [..], failed: [{name, reason}], away: [..]}]}. deployed is false where it was
 * taken away: confirmed are those that no longer serve it. Waits until no live gateway is pending, at most
 * wait; no database is held while waiting. *out belongs to pool. */
apim_error_t *po_nodes_confirmations(apr_pool_t *pool, const portal_config_t *conf, const char *api_id,
                                     apr_interval_time_t wait, json_t **out);

/** Adds to a deployment object (its member name is the environment) what confirmations say of that
 * environment: liveGatewayCount, deployedGatewayCount, failedGatewayCount, nodes: [{name, state, reason?}].
 */
void po_nodes_describe(json_t *deployment, const json_t *confirmations);

/** Removes the rows of nodes that are long gone. For the watchdog. */
apim_error_t *po_nodes_forget(apr_pool_t *pool, const portal_config_t *conf);

#endif
