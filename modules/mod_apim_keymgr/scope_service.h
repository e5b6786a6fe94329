/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KM_SCOPE_SERVICE_H
#define KM_SCOPE_SERVICE_H

#include "client_store.h"
#include "user_store.h"

/*
 * Which of the scopes that were asked for are granted. Scopes of the REST APIs (apim:…, as WSO2's publisher,
 * devportal and admin APIs define them) are bound to roles by a table in scope_table.c; scopes of APIs
 * (am_scope) to the roles their publisher chose, or to none: then everyone gets them. Scopes that do not
 * exist or that the roles do not allow are left out without an error. Nothing granted is written as
 * "default".
 */
#define KM_DEFAULT_SCOPE "default"

/** 1 for openid, profile and email (OpenID Connect): any user's token may have them, no application's. */
int km_scope_is_identity(const char *scope);

/** Roles that a scope of the REST APIs is bound to, as bits of KM_ROLE_*; 0 if there is no such scope. */
unsigned int km_scope_table_roles(const char *scope);
/** The bit of a role's name, 0 if the table does not know it. */
unsigned int km_scope_table_role(const char *role);
/** The i-th scope of the table, NULL past the end. */
const char *km_scope_table_name(int i);

/** Checks that a scope parameter is well-formed (RFC 6749 section 3.3), at most 4 KiB and 200 scopes. 400
 * invalid_scope if not. */
apim_error_t *km_scope_check(apr_pool_t *p, const char *requested);

/**
 * What of `requested` (NULL or "": nothing) username may have through client: *granted is blank-separated, in
 * the order asked, without repeats. username: the user; NULL for an application token, which has what the
 * roles of the client's owner allow, but of the REST APIs' scopes (apim:...) only if the client registered
 * itself: the keys of an application in the Store are no log-in to its owner's account. Asks the databases
 * only for scopes that need it. The user is read only if a scope is bound to roles; pass it in *user if it is
 * known.
 */
apim_error_t *km_scope_grant(const km_call_t *call, const km_client_t *client, const char *username,
                             const km_user_t *user, const char *requested, const char **granted);

/** 1 if every scope of a stands in b. */
int km_scope_subset(apr_pool_t *p, const char *a, const char *b);

#endif
