/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APIM_NODE_H
#define APIM_NODE_H

#include "apim_db.h"

/*
 * What a node of the cluster says of itself: a row of reg_node (registry database) for each role. Written by
 * the node's own watchdog, or, for a gateway without a database, by the Key Manager that serves its feed.
 */
typedef struct apim_node_t {
    const char *name;        /* ApimNodeName */
    const char *role;        /* "gateway", "keymgr", "portal" */
    const char *environment; /* of a gateway; else "" */
    const char *version;     /* of the module */
    const char *epoch;       /* of a gateway: the feed it serves; else "" */
    apr_int64_t revision;    /* of a gateway: up to where it serves the feed; else 0 */
    apr_int64_t started_at;  /* ms */
    const char *detail;      /* JSON object */
} apim_node_t;

/* Milliseconds between two reports of a node that has nothing new to say. */
#define APIM_NODE_INTERVAL 3000

/** Writes the row of the node, with the time now. db: the registry database. Errors: as apim_db_query. */
apim_error_t *apim_node_report(apim_db_t *db, apr_pool_t *p, const apim_node_t *node);

/** A round trip to the database. Errors: as apim_db_query. */
apim_error_t *apim_node_ping_database(apim_db_t *db, apr_pool_t *p);

/** 1 if name can be a node's: 1 to 255 characters of A-Z a-z 0-9 . _ : - and no other. */
int apim_node_name_ok(const char *name);

#endif
