/* SPDX-License-Identifier: Apache-2.0 */
#include "admin.h"
#include "store.h"
#include "usage_resource.h"

/* DevPortal v3, as far as it is here; docs/rest.md describes each. */
const rest_route_t po_store_routes[] = {
    {"GET", "/apis", st_apis_list, NULL, REST_ANONYMOUS_OK},
    {"GET", "/apis/{apiId}", st_api_read, NULL, REST_ANONYMOUS_OK},
    {"GET", "/apis/{apiId}/swagger", st_api_definition_read, NULL, REST_ANONYMOUS_OK},
    {"GET", "/apis/{apiId}/subscription-policies", st_api_policies, NULL, REST_ANONYMOUS_OK},
    {"GET", "/apis/{apiId}/thumbnail", st_thumbnail_read, NULL, REST_ANONYMOUS_OK},
    {"GET", "/apis/{apiId}/documents", st_documents_list, NULL, REST_ANONYMOUS_OK},
    {"GET", "/apis/{apiId}/documents/{documentId}", st_document_read, NULL, REST_ANONYMOUS_OK},
    {"GET", "/apis/{apiId}/documents/{documentId}/content", st_document_content_read, NULL,
     REST_ANONYMOUS_OK},
    {"GET", "/tags", st_tags_list, NULL, REST_ANONYMOUS_OK},
    {"GET", "/search", st_search, NULL, REST_ANONYMOUS_OK},
    {"GET", "/settings", st_settings_read, NULL, REST_ANONYMOUS_OK},
    {"GET", "/throttling-policies/{policyLevel}", st_policies_list, NULL, REST_ANONYMOUS_OK},
    {"GET", "/throttling-policies/{policyLevel}/{policyId}", st_policy_read, NULL, REST_ANONYMOUS_OK},

    {"POST", "/me/change-password", po_change_password, NULL, 0},

    {"GET", "/applications", st_applications_list, ST_SCOPES_APPLICATION, 0},
    {"POST", "/applications", st_applications_create, ST_SCOPES_APPLICATION, 0},
    {"GET", "/applications/{applicationId}", st_application_read, ST_SCOPES_APPLICATION, 0},
    {"PUT", "/applications/{applicationId}", st_application_replace, ST_SCOPES_APPLICATION, 0},
    {"DELETE", "/applications/{applicationId}", st_application_drop, ST_SCOPES_APPLICATION, 0},

    {"GET", "/applications/{applicationId}/usage", st_usage_read, ST_SCOPES_APPLICATION, 0},
    {"POST", "/applications/{applicationId}/generate-keys", st_keys_generate, ST_SCOPES_APPLICATION, 0},
    {"GET", "/applications/{applicationId}/oauth-keys", st_keys_list, ST_SCOPES_APPLICATION, 0},
    {"GET", "/applications/{applicationId}/oauth-keys/{keyMappingId}", st_key_read, ST_SCOPES_APPLICATION, 0},
    {"PUT", "/applications/{applicationId}/oauth-keys/{keyMappingId}", st_key_replace, ST_SCOPES_APPLICATION,
     0},
    {"DELETE", "/applications/{applicationId}/oauth-keys/{keyMappingId}", st_key_drop, ST_SCOPES_APPLICATION,
     0},
    {"POST", "/applications/{applicationId}/oauth-keys/{keyMappingId}/regenerate-secret",
     st_key_regenerate_secret, ST_SCOPES_APPLICATION, 0},
    {"POST", "/applications/{applicationId}/oauth-keys/{keyMappingId}/generate-token", st_key_generate_token,
     ST_SCOPES_APPLICATION, 0},
    {"POST", "/applications/{applicationId}/oauth-keys/{keyMappingId}/clean-up", st_key_clean_up,
     ST_SCOPES_APPLICATION, 0},

    {"GET", "/applications/{applicationId}/keys", st_type_keys_list, ST_SCOPES_APPLICATION, 0},
    {"GET", "/applications/{applicationId}/keys/{keyType}", st_type_key_read, ST_SCOPES_APPLICATION, 0},
    {"PUT", "/applications/{applicationId}/keys/{keyType}", st_type_key_replace, ST_SCOPES_APPLICATION, 0},
    {"POST", "/applications/{applicationId}/keys/{keyType}/regenerate-secret", st_type_key_regenerate_secret,
     ST_SCOPES_APPLICATION, 0},
    {"POST", "/applications/{applicationId}/keys/{keyType}/generate-token", st_type_key_generate_token,
     ST_SCOPES_APPLICATION, 0},
    {"POST", "/applications/{applicationId}/keys/{keyType}/clean-up", st_type_key_clean_up,
     ST_SCOPES_APPLICATION, 0},

    {"POST", "/applications/{applicationId}/api-keys/{keyType}/generate", st_api_key_generate,
     ST_SCOPES_API_KEY, 0},
    {"POST", "/applications/{applicationId}/api-keys/{keyType}/revoke", st_api_key_revoke, ST_SCOPES_API_KEY,
     0},

    {"GET", "/subscriptions", st_subscriptions_list, ST_SCOPES_SUBSCRIPTION, 0},
    {"POST", "/subscriptions", st_subscriptions_create, ST_SCOPES_SUBSCRIPTION, 0},
    {"POST", "/subscriptions/multiple", st_subscriptions_create_many, ST_SCOPES_SUBSCRIPTION, 0},
    {"GET", "/subscriptions/{subscriptionId}", st_subscription_read, ST_SCOPES_SUBSCRIPTION, 0},
    {"PUT", "/subscriptions/{subscriptionId}", st_subscription_replace, ST_SCOPES_SUBSCRIPTION, 0},
    {"DELETE", "/subscriptions/{subscriptionId}", st_subscription_drop, ST_SCOPES_SUBSCRIPTION, 0},
    {NULL}};
