/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APIM_PORTAL_ACCESS_CONTROL_H
#define APIM_PORTAL_ACCESS_CONTROL_H

#include "api_store.h"
#include "portal.h"

/*
 * accessControl RESTRICTED: creators and publishers work with an API only if they have one of its
 * accessControlRoles, provide it, or administer the system (scope apim:admin). To others it is not there:
 * 404, and in no list.
 */

/* Parameters of PO_ACCESSIBLE. */
typedef struct po_access_t {
    const char *everything; /* "1": an administrator */
    const char *username, *roles;
} po_access_t;

#define PO_ACCESS_ARGS(access) (access)->everything, (access)->username, (access)->roles, (access)->roles

/** Who the caller is. Opens the User Manager database, unless he is an administrator. */
apim_error_t *po_access_of(rest_request_t *rq, po_access_t *out);

/** 404 if there is such an API (or revision), and it is not for the caller. Opens databases. */
apim_error_t *po_access_check(rest_request_t *rq, const char *api_id);

/** rest_guard_fn of the Publisher: checks the API that the path, or the parameter apiId, names. */
apim_error_t *po_access_guard(rest_request_t *rq);

/** Writes what the API's document says, in the transaction that changes it. */
apim_error_t *po_access_write(apim_db_t *db, const po_api_t *api);

#endif
