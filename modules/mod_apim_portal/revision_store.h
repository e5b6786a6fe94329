/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APIM_PORTAL_REVISION_STORE_H
#define APIM_PORTAL_REVISION_STORE_H

#include "api_store.h"

/*
 * Revisions: frozen copies of an API, at most five as in WSO2; and deployments: which revision a gateway
 * environment serves. All inside the caller's transaction.
 */
#define PO_MAX_REVISIONS       5
#define PO_DEFAULT_ENVIRONMENT "Default"

/** Freezes the API as it is. *id: the new revision. 400 (900351) if there are five already. */
apim_error_t *po_revision_add(apim_db_t *db, apr_pool_t *p, const po_api_t *api, const char *description,
                              const char *username, const char **id);

/** Deploys a revision to an environment; what was deployed there is replaced. */
apim_error_t *po_revision_put(apim_db_t *db, apr_pool_t *p, const po_api_t *api, const char *revision_id,
                              const char *environment, const char *vhost, int on_devportal);

/** If nothing of the API is deployed: freezes it (or takes its newest revision when there are five) and
 * deploys that to the default environment. So that publishing puts an API on the gateways without further
 * ado. */
apim_error_t *po_revision_ensure_deployed(apim_db_t *db, apr_pool_t *p, const po_api_t *api,
                                          const char *username);

#endif
