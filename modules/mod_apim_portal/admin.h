/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APIM_PORTAL_ADMIN_H
#define APIM_PORTAL_ADMIN_H

#include "portal.h"
#include "problems.h"

/* The administrator's REST API (Admin v4): what its resource files share. docs/rest.md lists the operations.
 */
#define AD_SCOPES_VIEW_TIERS   "apim:admin apim:admin_tier_view apim:tier_view"
#define AD_SCOPES_MANAGE_TIERS "apim:admin apim:admin_tier_manage apim:tier_manage"
#define AD_SCOPES_ENVIRONMENTS "apim:admin apim:environment_manage"
#define AD_SCOPES_VIEW_DENY    "apim:admin apim:bl_view"
#define AD_SCOPES_MANAGE_DENY  "apim:admin apim:bl_manage"
#define AD_SCOPES_CATEGORIES   "apim:admin apim:api_category"
#define AD_SCOPES_ADMIN        "apim:admin"
#define AD_SCOPES_WORKFLOWS    "apim:admin apim:api_workflow_view apim:api_workflow_approve"
#define AD_SCOPES_APPROVE      "apim:admin apim:api_workflow_approve"

/* A user of the User Manager database. */
typedef struct po_user_t {
    const char *id, *username, *email, *given_name, *family_name, *organization, *status;
    apr_int64_t created_at, updated_at;
    json_t *roles; /* array of texts; owned by the request's pool */
} po_user_t;

/** Checks a name for a new user: 3 to 60 of the characters A-Z a-z 0-9 . _ @ + -, begins with a letter or
 * digit, not a reserved word. */
void po_check_username(po_problems_t *problems, const char *where, const char *name);
/** Checks a new password: 8 to 72 bytes (what bcrypt takes in), no control characters, not the user's name.
 */
void po_check_password(po_problems_t *problems, const char *where, const char *password,
                       const char *username);
/** Reads email, given name, family name and organization of a body into user; absent ones stay. */
void po_read_user_facts(po_problems_t *problems, const json_t *body, po_user_t *user);

/** Hashes a password, at most two at once in the process; 503 when too many wait. No database may be open. */
apim_error_t *po_hash_password(rest_request_t *rq, const char *password, const char **hash);

/** Compares a password with a hash through the same gate; *fits is 0 or 1. */
apim_error_t *po_password_fits(rest_request_t *rq, const char *password, const char *hash, int *fits);

/** Adds a user with roles. 409 if the name is taken in any spelling of case. */
apim_error_t *po_user_add(rest_request_t *rq, po_user_t *user, const char *password_hash);

/** 409 if applications, OAuth clients, comments or ratings of a removed user of this name are left: a
 * stranger must not inherit them. */
apim_error_t *po_user_name_unused(rest_request_t *rq, const char *username);

/** Kills the tokens of a user at the Key Manager. */
apim_error_t *po_user_tokens_die(rest_request_t *rq, const char *username);

/** Makes the gate of po_hash_password. */
void po_users_child_init(apr_pool_t *pchild);
/** Makes the table of the sign-up limit. */
void po_signup_child_init(apr_pool_t *pchild);

/** Reads a limit of a body: the limit as it is stored (the caller owns it), NULL after a problem. */
json_t *ad_read_limit(po_problems_t *problems, const char *where, const json_t *limit);

/** Reads conditionalGroups of an advanced policy; the result, an array, is the pool's. */
json_t *ad_read_groups(po_problems_t *problems, const json_t *groups);
/** `groups` of the artefact, from stored groups. The caller owns the result. */
json_t *ad_groups_for_gateway(const json_t *groups);

/** Writes the artefact policy/key for the gateways with the registry's next revision; payload NULL: it is
 * gone. Call in the transaction of the change. */
apim_error_t *ad_put_policy_artifact(rest_request_t *rq, apim_db_t *db, const char *key, const char *payload);

/* WSO2's self-registration, /api/identity/user/v1.0; served where the Store is on. */
extern const rest_route_t po_signup_routes[]; /* signup_resource.c */

rest_handler_fn ad_application_policies, ad_application_policy_add, ad_application_policy_read,
    ad_application_policy_replace, ad_application_policy_drop;
rest_handler_fn ad_subscription_policies, ad_subscription_policy_add, ad_subscription_policy_read,
    ad_subscription_policy_replace, ad_subscription_policy_drop;
rest_handler_fn ad_advanced_policies, ad_advanced_policy_add, ad_advanced_policy_read,
    ad_advanced_policy_replace, ad_advanced_policy_drop, ad_policies_search; /* admin_policies.c */
rest_handler_fn ad_deny_policies, ad_deny_policy_add, ad_deny_policy_read, ad_deny_policy_switch,
    ad_deny_policy_drop; /* admin_deny.c */
rest_handler_fn ad_categories_list, ad_category_add, ad_category_replace,
    ad_category_drop;                                                /* category_resource.c */
rest_handler_fn ad_applications_list;                                /* admin_applications.c */
rest_handler_fn ad_application_change_owner, ad_api_change_provider; /* admin_ownership.c */
rest_handler_fn ad_workflows_list, ad_workflow_read, ad_workflow_update, ad_workflow_callback,
    ad_workflow_types_list, ad_workflow_type_replace; /* workflow_resource.c */
rest_handler_fn ad_environments_list, ad_environment_add, ad_environment_read, ad_environment_replace,
    ad_environment_drop, ad_nodes_list, ad_settings_read; /* admin_environments.c */
rest_handler_fn ad_users_list, ad_user_add, ad_user_read, ad_user_replace, ad_user_drop, ad_roles_list,
    ad_role_add, ad_role_drop;      /* admin_users.c */
rest_handler_fn po_change_password; /* signup_resource.c */

#endif
