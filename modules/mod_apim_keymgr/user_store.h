/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KM_USER_STORE_H
#define KM_USER_STORE_H

#include "keymgr_config.h"

/* Users and their roles, from the User Manager database. */
typedef struct km_user_t {
    const char *id;
    const char *username;
    apr_array_header_t *roles; /* of const char *; Internal/everyone is always among them */
} km_user_t;

/** Makes the process's bound on simultaneous password checks. Call from child_init. */
void km_user_store_child_init(apr_pool_t *pchild);

/**
 * The user of that name and password; *out NULL if there is none such, for whatever reason (unknown, wrong
 * password, not ACTIVE): all take the same time and cannot be told apart. 429 with retry_after after too many
 * failures (login_guard.h); 503 if the database is away or too many passwords are being checked.
 */
apim_error_t *km_user_authenticate(const km_call_t *call, const char *username, const char *password,
                                   km_user_t **out);

/** The ACTIVE user of that name with roles; *out NULL if there is none. */
apim_error_t *km_user_find(const km_call_t *call, const char *username, km_user_t **out);

/** 1 in *active if the user exists and is ACTIVE. */
apim_error_t *km_user_is_active(const km_call_t *call, const char *username, int *active);

/** 1 if the user has the role. */
int km_user_has_role(const km_user_t *user, const char *role);

#endif
