/* SPDX-License-Identifier: Apache-2.0 */
#include "archive_resource.h"
#include "openapi_resource.h"
#include "publisher.h"
#include "usage_resource.h"

#define SCOPES_REVISE          "apim:api_create apim:api_publish apim:api_manage apim:admin"
#define SCOPES_SUBSCRIPTION    "apim:subscription_view apim:subscription_manage apim:api_manage apim:admin"
#define SCOPES_BLOCK           "apim:subscription_block apim:subscription_manage apim:api_manage apim:admin"
#define SCOPES_DOCUMENT_CREATE "apim:document_create apim:document_manage apim:api_manage apim:admin"
#define SCOPES_DOCUMENT_UPDATE "apim:document_update apim:document_manage apim:api_manage apim:admin"
#define SCOPES_DOCUMENT_WRITE                                                                                \
    "apim:document_create apim:document_update apim:document_manage apim:api_manage apim:admin"
#define SCOPES_DOCUMENT_DELETE "apim:document_manage apim:api_manage apim:admin"
#define SCOPES_COMMENT         "apim:comment_write apim:comment_manage apim:admin"
#define SCOPES_ARCHIVE         "apim:api_import_export apim:admin"
#define SCOPES_SHARED          "apim:shared_scope_manage apim:admin"
#define SCOPES_TIER            "apim:tier_view apim:api_view apim:api_create apim:api_publish apim:api_manage apim:admin"

/* The operations of Publisher v4, with the scopes that WSO2 asks for. More specific paths stand first. */
const rest_route_t po_publisher_routes[] = {
    {"GET", "/swagger.yaml", po_openapi_yaml, NULL, REST_ANONYMOUS_OK},
    {"GET", "/openapi.json", po_openapi_json, NULL, REST_ANONYMOUS_OK},
    {"POST", "/apis/change-lifecycle", po_lifecycle_change, PO_SCOPES_PUBLISH " apim:api_import_export", 0},
    {"POST", "/apis/copy-api", po_apis_copy, PO_SCOPES_CREATE, 0},
    {"POST", "/apis/import-openapi", po_definition_import, PO_SCOPES_CREATE, 0},
    {"POST", "/apis/validate-openapi", po_definition_validate, PO_SCOPES_EDIT, 0},
    {"POST", "/apis/validate", po_apis_validate, PO_SCOPES_EDIT, 0},
    {"POST", "/apis/validate-endpoint", po_endpoint_validate, PO_SCOPES_EDIT, 0},
    {"GET", "/apis/export", po_api_export, SCOPES_ARCHIVE, 0},
    {"POST", "/apis/import", po_api_import, SCOPES_ARCHIVE, 0},
    {"GET", "/apis", po_apis_list, PO_SCOPES_VIEW " apim:api_list_view apim:api_import_export", 0},
    {"POST", "/apis", po_apis_create, PO_SCOPES_CREATE, 0},
    {"GET", "/apis/{apiId}", po_api_read, PO_SCOPES_VIEW " apim:api_import_export", 0},
    {"PUT", "/apis/{apiId}", po_api_replace, PO_SCOPES_EDIT " apim:api_import_export", 0},
    {"DELETE", "/apis/{apiId}", po_api_drop,
     "apim:api_delete apim:api_manage apim:admin apim:api_import_export", 0},
    {"GET", "/apis/{apiId}/swagger", po_definition_read, PO_SCOPES_VIEW " apim:api_definition_view", 0},
    {"PUT", "/apis/{apiId}/swagger", po_definition_replace, PO_SCOPES_EDIT, 0},
    {"GET", "/apis/{apiId}/lifecycle-state", po_lifecycle_read, PO_SCOPES_VIEW, 0},
    {"DELETE", "/apis/{apiId}/lifecycle-state/pending-tasks", po_lifecycle_withdraw, PO_SCOPES_PUBLISH, 0},
    {"GET", "/apis/{apiId}/lifecycle-history", po_lifecycle_history, PO_SCOPES_VIEW, 0},
    {"GET", "/apis/{apiId}/revisions", po_revisions_list, PO_SCOPES_VIEW, 0},
    {"POST", "/apis/{apiId}/revisions", po_revisions_create, SCOPES_REVISE, 0},
    {"GET", "/apis/{apiId}/revisions/{revisionId}", po_revision_read, PO_SCOPES_VIEW, 0},
    {"DELETE", "/apis/{apiId}/revisions/{revisionId}", po_revision_drop, SCOPES_REVISE, 0},
    {"POST", "/apis/{apiId}/deploy-revision", po_revision_deploy, SCOPES_REVISE, 0},
    {"POST", "/apis/{apiId}/undeploy-revision", po_revision_undeploy, SCOPES_REVISE, 0},
    {"POST", "/apis/{apiId}/restore-revision", po_revision_restore, SCOPES_REVISE, 0},
    {"GET", "/apis/{apiId}/deployments", po_deployments_list, PO_SCOPES_VIEW, 0},
    {"GET", "/apis/{apiId}/thumbnail", po_thumbnail_read, PO_SCOPES_VIEW, 0},
    {"PUT", "/apis/{apiId}/thumbnail", po_thumbnail_replace, PO_SCOPES_EDIT, 0},
    {"POST", "/apis/{apiId}/documents/validate", po_documents_validate, SCOPES_DOCUMENT_WRITE, 0},
    {"GET", "/apis/{apiId}/documents", po_documents_list, PO_SCOPES_VIEW " apim:document_manage", 0},
    {"POST", "/apis/{apiId}/documents", po_documents_create, SCOPES_DOCUMENT_CREATE, 0},
    {"GET", "/apis/{apiId}/documents/{documentId}", po_document_read, PO_SCOPES_VIEW " apim:document_manage",
     0},
    {"PUT", "/apis/{apiId}/documents/{documentId}", po_document_replace, SCOPES_DOCUMENT_UPDATE, 0},
    {"DELETE", "/apis/{apiId}/documents/{documentId}", po_document_drop, SCOPES_DOCUMENT_DELETE, 0},
    {"GET", "/apis/{apiId}/documents/{documentId}/content", po_document_content_read,
     PO_SCOPES_VIEW " apim:document_manage", 0},
    {"POST", "/apis/{apiId}/documents/{documentId}/content", po_document_content_replace,
     SCOPES_DOCUMENT_WRITE, 0},
    {"GET", "/apis/{apiId}/comments", po_comments_list,
     PO_SCOPES_VIEW " apim:comment_view apim:comment_manage", 0},
    {"POST", "/apis/{apiId}/comments", po_comments_create, SCOPES_COMMENT, 0},
    {"GET", "/apis/{apiId}/comments/{commentId}", po_comment_read,
     PO_SCOPES_VIEW " apim:comment_view apim:comment_manage", 0},
    {"PATCH", "/apis/{apiId}/comments/{commentId}", po_comment_change, SCOPES_COMMENT, 0},
    {"DELETE", "/apis/{apiId}/comments/{commentId}", po_comment_drop, SCOPES_COMMENT, 0},
    {"GET", "/apis/{apiId}/comments/{commentId}/replies", po_replies_list,
     PO_SCOPES_VIEW " apim:comment_view apim:comment_manage", 0},
    {"GET", "/apis/{apiId}/ratings", po_ratings_list, PO_SCOPES_VIEW, 0},
    {"GET", "/search", po_search, PO_SCOPES_VIEW, 0},
    {"GET", "/subscriptions", po_subscriptions_list, SCOPES_SUBSCRIPTION, 0},
    {"POST", "/subscriptions/block-subscription", po_subscription_block, SCOPES_BLOCK, 0},
    {"POST", "/subscriptions/unblock-subscription", po_subscription_unblock, SCOPES_BLOCK, 0},
    {"GET", "/throttling-policies/{policyLevel}", po_policies_list, SCOPES_TIER, 0},
    {"GET", "/throttling-policies/{policyLevel}/{policyName}", po_policy_read, SCOPES_TIER, 0},
    {"GET", "/scopes", po_scopes_list, SCOPES_SHARED " apim:api_view apim:api_create", 0},
    {"POST", "/scopes", po_scopes_create, SCOPES_SHARED, 0},
    {"GET", "/scopes/{scopeId}", po_scope_read, SCOPES_SHARED " apim:api_view apim:api_create", 0},
    {"PUT", "/scopes/{scopeId}", po_scope_replace, SCOPES_SHARED, 0},
    {"DELETE", "/scopes/{scopeId}", po_scope_drop, SCOPES_SHARED, 0},
    {"GET", "/api-categories", po_categories_list, PO_SCOPES_VIEW " apim:publisher_settings", 0},
    {"GET", "/key-managers", po_key_managers_list, PO_SCOPES_VIEW " apim:publisher_settings", 0},
    {"GET", "/settings", po_settings_read, PO_SCOPES_VIEW " apim:publisher_settings", 0},
    {"GET", "/usage", po_usage_read, PO_SCOPES_VIEW, 0},
    {"GET", "/environments", po_environments_list, PO_SCOPES_VIEW " apim:publisher_settings", 0},
    {NULL}};
