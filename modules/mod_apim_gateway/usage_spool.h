/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GW_USAGE_SPOOL_H
#define GW_USAGE_SPOOL_H

#include <apr_pools.h>
#include <jansson.h>

#include "apim_error.h"

/*
 * Usage that has been added up and waits to be written to the database: files in a directory of the node, so
 * that neither a database that is away nor a restart loses any. One thread uses it at a time: who holds the
 * lock.
 */
typedef struct gw_usage_spool_t gw_usage_spool_t;

/** The spool in a directory, which is made if need be, in p. Opens nothing else. NULL in *wrong, or a
 * sentence. */
gw_usage_spool_t *gw_usage_spool_create(apr_pool_t *p, const char *dir, const char **wrong);

/** 0 if this process may use the spool from now on: no other on this machine does. Kept until unlock, or the
 * process ends. */
int gw_usage_spool_lock(gw_usage_spool_t *spool);
void gw_usage_spool_unlock(gw_usage_spool_t *spool);

/** Stores rows in a new file, whole or not at all. Where the files would exceed limit bytes together, the
 * oldest go first; *dropped counts them. Errors: 500 (disk full, and such). p: scratch. */
apim_error_t *gw_usage_spool_put(gw_usage_spool_t *spool, apr_pool_t *p, const json_t *rows, apr_off_t limit,
                                 int *dropped);

/** The oldest file's name and rows, in p; *name NULL if there is none. A file that cannot be understood is
 * moved aside (".bad") and passed over. */
apim_error_t *gw_usage_spool_first(gw_usage_spool_t *spool, apr_pool_t *p, const char **name, json_t **rows);

/** Removes a file that has been written. */
void gw_usage_spool_remove(gw_usage_spool_t *spool, apr_pool_t *p, const char *name);

#endif
