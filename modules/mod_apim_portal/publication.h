/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APIM_PORTAL_PUBLICATION_H
#define APIM_PORTAL_PUBLICATION_H

#include "portal.h"

/*
 * Publication: APIs go from the API Manager database to the registry, where the Store and the gateways find
 * them.
 *
 * A change writes a row to am_publication_outbox in its own transaction. po_publish copies the API as it is
 * by then and takes the row out. If it cannot (the registry is away, the process died), the row stays, and
 * the watchdog of any portal tries again every few seconds. Copying twice does no harm; an older copy never
 * overwrites a newer one, because both carry the API's etag and all copies pass one lock (the row of
 * reg_feed_head).
 */

/** Copies an API now. Call after the commit, with no database open. What fails is logged and left to the
 * watchdog. Returns 1 if it is done, 0 if it is left. */
int po_publish(apr_pool_t *p, server_rec *s, const char *api_id);

/** Starts the watchdog; from post_config. Returns a sentence if it cannot. */
const char *po_publication_start(apr_pool_t *pconf, server_rec *main_server);

/** In a child: makes the way out orderly. From child_init and child_stopping. */
void po_publication_child_init(apr_pool_t *pchild);
void po_publication_child_stopping(void);

#endif
