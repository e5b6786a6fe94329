/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APIM_DB_POOL_H
#define APIM_DB_POOL_H

#include "apim_db.h"
#include "common_config.h"

/*
 * Loans from mod_dbd's pools. mod_dbd waits without limit for a free connection; here a gate in front counts
 * the loans of the process (ApimDatabaseConnections) and turns a wait past ApimDatabaseWait into 503.
 */

/** Fetches mod_dbd's functions; call from post_config. Returns an error sentence if mod_dbd is not loaded,
 * else NULL. */
const char *apim_db_pool_setup(void);

/** Makes the process's gates; call from child_init for each server's config. Roles in one process share them.
 */
void apim_db_pool_child_init(apr_pool_t *pchild, server_rec *s, apim_common_config_t *conf);

/**
 * Borrows a connection to one of the three databases. Given back by apim_db_close(*db) (do so as soon as the
 * statement or transaction is done) or with p. Errors: 503 when the database is away or no connection became
 * free in time.
 */
apim_error_t *apim_db_open(apr_pool_t *p, const apim_common_config_t *conf, apim_database_e which,
                           apim_db_t **db);

#endif
