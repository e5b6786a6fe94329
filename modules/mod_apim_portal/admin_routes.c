/* SPDX-License-Identifier: Apache-2.0 */
#include "admin.h"
#include "openapi_resource.h"

#define POLICIES(LEVEL, PLURAL, NAME)                                                                        \
    {"GET", "/throttling/policies/" LEVEL, PLURAL, AD_SCOPES_VIEW_TIERS, 0},                                 \
        {"POST", "/throttling/policies/" LEVEL, NAME##_add, AD_SCOPES_MANAGE_TIERS, 0},                      \
        {"GET", "/throttling/policies/" LEVEL "/{policyId}", NAME##_read, AD_SCOPES_VIEW_TIERS, 0},          \
        {"PUT", "/throttling/policies/" LEVEL "/{policyId}", NAME##_replace, AD_SCOPES_MANAGE_TIERS, 0},     \
    {                                                                                                        \
        "DELETE", "/throttling/policies/" LEVEL "/{policyId}", NAME##_drop, AD_SCOPES_MANAGE_TIERS, 0        \
    }

/* Admin v4, as far as it is here, and users and roles, for which WSO2 has other services. */
const rest_route_t po_admin_routes[] = {
    {"GET", "/swagger.yaml", po_openapi_yaml, NULL, REST_ANONYMOUS_OK},
    {"GET", "/openapi.json", po_openapi_json, NULL, REST_ANONYMOUS_OK},
    {"GET", "/throttling/policies/search", ad_policies_search, AD_SCOPES_VIEW_TIERS, 0},
    POLICIES("application", ad_application_policies, ad_application_policy),
    POLICIES("subscription", ad_subscription_policies, ad_subscription_policy),
    POLICIES("advanced", ad_advanced_policies, ad_advanced_policy),

    {"GET", "/throttling/deny-policies", ad_deny_policies, AD_SCOPES_VIEW_DENY, 0},
    {"POST", "/throttling/deny-policies", ad_deny_policy_add, AD_SCOPES_MANAGE_DENY, 0},
    {"GET", "/throttling/deny-policy/{conditionId}", ad_deny_policy_read, AD_SCOPES_VIEW_DENY, 0},
    {"PATCH", "/throttling/deny-policy/{conditionId}", ad_deny_policy_switch, AD_SCOPES_MANAGE_DENY, 0},
    {"DELETE", "/throttling/deny-policy/{conditionId}", ad_deny_policy_drop, AD_SCOPES_MANAGE_DENY, 0},

    {"GET", "/api-categories", ad_categories_list, AD_SCOPES_CATEGORIES, 0},
    {"POST", "/api-categories", ad_category_add, AD_SCOPES_CATEGORIES, 0},
    {"PUT", "/api-categories/{apiCategoryId}", ad_category_replace, AD_SCOPES_CATEGORIES, 0},
    {"DELETE", "/api-categories/{apiCategoryId}", ad_category_drop, AD_SCOPES_CATEGORIES, 0},

    {"GET", "/applications", ad_applications_list,
     "apim:admin apim:admin_application_view apim:app_owner_change", 0},
    {"POST", "/applications/{applicationId}/change-owner", ad_application_change_owner,
     "apim:admin apim:app_owner_change", 0},
    {"POST", "/apis/{apiId}/change-provider", ad_api_change_provider, "apim:admin apim:api_provider_change",
     0},
    {"GET", "/key-managers", po_key_managers_list, "apim:admin apim:keymanagers_manage", 0},

    {"GET", "/workflows", ad_workflows_list, AD_SCOPES_WORKFLOWS, 0},
    {"POST", "/workflows/update-workflow-status", ad_workflow_update, AD_SCOPES_APPROVE, 0},
    {"GET", "/workflows/{externalWorkflowRef}", ad_workflow_read, AD_SCOPES_WORKFLOWS, 0},
    {"POST", "/workflow-callback", ad_workflow_callback, NULL, REST_ANONYMOUS_OK},
    {"GET", "/workflow-types", ad_workflow_types_list, AD_SCOPES_WORKFLOWS, 0},
    {"PUT", "/workflow-types/{workflowType}", ad_workflow_type_replace, AD_SCOPES_ADMIN, 0},

    {"GET", "/environments", ad_environments_list, AD_SCOPES_ENVIRONMENTS " apim:environment_read", 0},
    {"POST", "/environments", ad_environment_add, AD_SCOPES_ENVIRONMENTS, 0},
    {"GET", "/environments/{environmentId}", ad_environment_read,
     AD_SCOPES_ENVIRONMENTS " apim:environment_read", 0},
    {"PUT", "/environments/{environmentId}", ad_environment_replace, AD_SCOPES_ENVIRONMENTS, 0},
    {"DELETE", "/environments/{environmentId}", ad_environment_drop, AD_SCOPES_ENVIRONMENTS, 0},
    {"GET", "/nodes", ad_nodes_list, AD_SCOPES_ENVIRONMENTS " apim:environment_read", 0},
    {"GET", "/settings", ad_settings_read, AD_SCOPES_ADMIN " apim:admin_settings", 0},

    {"GET", "/users", ad_users_list, AD_SCOPES_ADMIN, 0},
    {"POST", "/users", ad_user_add, AD_SCOPES_ADMIN, 0},
    {"GET", "/users/{username}", ad_user_read, AD_SCOPES_ADMIN, 0},
    {"PUT", "/users/{username}", ad_user_replace, AD_SCOPES_ADMIN, 0},
    {"DELETE", "/users/{username}", ad_user_drop, AD_SCOPES_ADMIN, 0},
    {"GET", "/roles", ad_roles_list, AD_SCOPES_ADMIN " apim:role_manage", 0},
    {"POST", "/roles", ad_role_add, AD_SCOPES_ADMIN " apim:role_manage", 0},
    {"DELETE", "/roles", ad_role_drop, AD_SCOPES_ADMIN " apim:role_manage", 0},
    {NULL}};
