/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APIM_PORTAL_API_STORE_H
#define APIM_PORTAL_API_STORE_H

#include "api_document.h"
#include "apim_db.h"
#include "apim_json.h"

/*
 * APIs in the API Manager database: the publishers' working copies. Functions take a connection that the
 * caller opened; those that change something need a transaction around them (the caller's), so that the
 * change, its place in the publication outbox and its invalidations become visible together.
 */
typedef struct po_api_t {
    const char *id;
    const char *provider, *name, *context, *context_template, *version, *description, *type, *status,
        *visibility;
    int is_default;
    json_t *document; /* lives with the pool */
    apr_int64_t etag;
    apr_int64_t created_at, updated_at;
    const char *updated_by;
    int has_thumbnail;
    const char *workflow_status; /* "CREATED" while a change of state waits for approval, else NULL */
    const char *copied_from;     /* po_api_add: the API whose thumbnail and documents it gets; NULL: none */
} po_api_t;

/** Reads an API; 404 if there is none. */
apim_error_t *po_api_get(apim_db_t *db, apr_pool_t *p, const char *id, po_api_t **api);

/** The same inside a transaction that will change it: other writers wait until the end of the transaction. */
apim_error_t *po_api_get_for_update(apim_db_t *db, apr_pool_t *p, const char *id, po_api_t **api);

/** The definition as JSON text; 404 if there is no such API. */
apim_error_t *po_api_get_definition(apim_db_t *db, apr_pool_t *p, const char *id, const char **text);

/**
 * Adds an API in state CREATED. api: provider, updated_by, identity, document; id, times and the rest are
 * filled in. Its scopes are added too. Errors: 409 with 900250 (name and version are taken), 900251
 * (context).
 */
apim_error_t *po_api_add(apim_db_t *db, apr_pool_t *p, po_api_t *api, const char *definition);

/** Writes api->document (and is_default) back, with a new definition if there is one (NULL: it stays),
 * replaces its scopes, and queues it for publication where that is needed. api->etag is the new one
 * afterwards. */
apim_error_t *po_api_save(apim_db_t *db, apr_pool_t *p, po_api_t *api, const char *definition,
                          const char *username);

/** Sets the state, writes the history, queues for publication. api->status is the new one afterwards. */
apim_error_t *po_api_set_status(apim_db_t *db, apr_pool_t *p, po_api_t *api, const char *status,
                                const char *username);

/** Makes the API the only default version of its name, if api->is_default. *others: ids (const char *) of the
 * versions that were it before; they have been queued for publication. */
apim_error_t *po_api_settle_default(apim_db_t *db, apr_pool_t *p, const po_api_t *api,
                                    apr_array_header_t *others);

/** Removes an API and what hangs on it, queues the removal for publication. 409 while it has subscriptions.
 */
apim_error_t *po_api_remove(apim_db_t *db, apr_pool_t *p, const po_api_t *api);

/** Puts the API into the publication outbox with its current etag. */
apim_error_t *po_api_queue(apim_db_t *db, apr_pool_t *p, const char *id);

/** Raises the etag and queues: for changes of deployments. */
apim_error_t *po_api_touch(apim_db_t *db, apr_pool_t *p, const char *id);

/** Tells gateways to forget what they verified for a subject: kind "api", "application". */
apim_error_t *po_invalidate(apim_db_t *db, apr_pool_t *p, const char *kind, const char *subject);

/** The API as Publisher v4 writes it (APIDTO). Owned by the caller. */
json_t *po_api_json(apr_pool_t *p, const po_api_t *api);

#endif
