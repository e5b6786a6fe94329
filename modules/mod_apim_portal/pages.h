/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APIM_PAGES_H
#define APIM_PAGES_H

#include "portal.h"

/*
 * Serves the web pages: /store, /publisher and /admin, each one shell that shows every place below it, and
 * what they load from /pages/. The files are read into memory when httpd starts (a few hundred kB): nothing
 * on disk is touched by requests, and no name from a request becomes a path.
 *
 * What lies below /pages/ has a hash in its name and may be kept for ever. Each file can have a compressed
 * neighbour
 * (.gz) for browsers that take it.
 */
typedef struct po_pages_t po_pages_t;

/** Reads the pages of ApimPages, or of where they are installed, into conf. Call from post_config for each
 * server. A sentence about what is wrong, or NULL. Without ApimPages a missing directory means: no pages. */
const char *po_pages_load(apr_pool_t *pconf, portal_config_t *conf);

/** 1 if the request's path is one of the pages' and its part is on here. */
int po_pages_has(const request_rec *r);

/** 1 if a place (path, perhaps with query and fragment) is a page's, of a part that is on here. */
int po_pages_is_place(const request_rec *r, const char *place);

/** Answers it. */
int po_pages_handler(request_rec *r);

extern const rest_route_t po_pages_routes[]; /* session_resource.c */

#endif
