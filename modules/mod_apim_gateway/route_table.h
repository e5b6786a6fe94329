/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GW_ROUTE_TABLE_H
#define GW_ROUTE_TABLE_H

#include <apr_pools.h>
#include <jansson.h>

#include "gateway.h"

/*
 * A deployed API, compiled once into flat bytes without pointers: its facts, its operations, and the tree of
 * its resource templates. The bytes are written to the replica and matched in place, in memory that all
 * children share; only what a call needs is copied out. The format is this build's own (GW_RECORD_FORMAT);
 * another one is compiled anew from the artefact.
 *
 * Templates: "/menu", "/menu/{id}", "/files/{name}.json", and a last segment "*" for whatever follows (or
 * nothing). At each segment a literal beats a literal with a parameter in it, which beats a parameter, which
 * beats the asterisk. A trailing slash of the path is not significant. Matching is case-sensitive and costs
 * the length of the path, whatever the number of APIs.
 *
 * Pure: no httpd, no locks, any thread.
 */
#define GW_RECORD_FORMAT 5

typedef struct gw_record_t gw_record_t; /* the flat bytes */

/**
 * Compiles an `api` artefact (docs/architecture.md). *record and *size are in p; contexts lists the paths it
 * answers at. Returns an error (400) that names the member when the artefact cannot be served; such an
 * artefact is not deployed.
 */
apim_error_t *gw_record_compile(apr_pool_t *p, const json_t *artefact, const gw_record_t **record,
                                apr_size_t *size, apr_array_header_t **contexts);

/** 1 if the bytes are a whole record of this format: every offset is checked. Done once, before it is stored.
 */
int gw_record_valid(const void *bytes, apr_size_t size);

/** The quick check before a look-up: 1 if the bytes begin as a record of this format and have its size. */
int gw_record_ours(const void *bytes, apr_size_t size);

typedef enum { GW_MATCH_FOUND, GW_MATCH_NO_RESOURCE, GW_MATCH_NO_VERB } gw_match_e;

/**
 * Finds the operation for method and path (decoded, begins with "/" or is empty). On FOUND *operation is
 * copied into p. On NO_VERB *allow is the list for the Allow header.
 */
gw_match_e gw_record_match(apr_pool_t *p, const gw_record_t *record, const char *method, const char *path,
                           gw_operation_t **operation, const char **allow);

/** Copies the facts of the API into p. */
gw_api_t *gw_record_api(apr_pool_t *p, const gw_record_t *record);

/** Calls fn for each operation, for dumps: fn(baton, operation). Strings live in p. */
void gw_record_operations(apr_pool_t *p, const gw_record_t *record,
                          void (*fn)(void *, const gw_operation_t *), void *baton);

/** Number of segments of a path: "/a/b" has 2. */
int gw_path_depth(const char *path);

#endif
