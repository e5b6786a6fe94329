/* SPDX-License-Identifier: Apache-2.0 */
#include "scope_service.h"

#include <stdlib.h>
#include <string.h>

/* Roles as bits; their names as WSO2 API Manager and our own User Manager database have them. */
enum {
    ADMIN = 1,
    CREATOR = 2,
    PUBLISHER = 4,
    SUBSCRIBER = 8,
    DEVOPS = 16,
    OBSERVER = 32,
    ANALYTICS = 64,
    INTEGRATION = 128
};

static const struct {
    const char *name;
    unsigned int bit;
} roles[] = {{"admin", ADMIN},
             {"Internal/creator", CREATOR},
             {"Internal/publisher", PUBLISHER},
             {"Internal/subscriber", SUBSCRIBER},
             {"Internal/devops", DEVOPS},
             {"Internal/observer", OBSERVER},
             {"Internal/analytics", ANALYTICS},
             {"Internal/integration_dev", INTEGRATION}};

typedef struct binding_t {
    const char *scope;
    unsigned int roles;
} binding_t;

/* Sorted by name. The scopes and their default roles of WSO2 API Manager's REST APIs. */
static const binding_t bindings[] = {
    {"apim:admin", ADMIN},
    {"apim:admin_alert_manage", ADMIN},
    {"apim:admin_application_view", ADMIN},
    {"apim:admin_operations", ADMIN},
    {"apim:admin_settings", ADMIN},
    {"apim:admin_tier_manage", ADMIN},
    {"apim:admin_tier_view", ADMIN},
    {"apim:api_category", ADMIN},
    {"apim:api_create", ADMIN | CREATOR},
    {"apim:api_definition_view", ADMIN | INTEGRATION},
    {"apim:api_delete", ADMIN | CREATOR},
    {"apim:api_generate_key", ADMIN | CREATOR | PUBLISHER},
    {"apim:api_import_export", ADMIN | DEVOPS},
    {"apim:api_key", ADMIN | SUBSCRIBER},
    {"apim:api_list_view", ADMIN | INTEGRATION},
    {"apim:api_manage", ADMIN},
    {"apim:api_mediation_policy_manage", ADMIN | CREATOR},
    {"apim:api_product_import_export", ADMIN | DEVOPS},
    {"apim:api_provider_change", ADMIN},
    {"apim:api_publish", ADMIN | PUBLISHER},
    {"apim:api_view", ADMIN | PUBLISHER | CREATOR | ANALYTICS | OBSERVER},
    {"apim:api_workflow_approve", ADMIN},
    {"apim:api_workflow_view", ADMIN},
    {"apim:app_import_export", ADMIN | DEVOPS},
    {"apim:app_manage", ADMIN | SUBSCRIBER | DEVOPS},
    {"apim:app_owner_change", ADMIN},
    {"apim:app_settings_change", ADMIN},
    {"apim:app_token_type_upgrade", ADMIN},
    {"apim:app_update", ADMIN | SUBSCRIBER},
    {"apim:bl_manage", ADMIN},
    {"apim:bl_view", ADMIN},
    {"apim:bot_data", ADMIN},
    {"apim:client_certificates_add", ADMIN | CREATOR},
    {"apim:client_certificates_manage", ADMIN | CREATOR},
    {"apim:client_certificates_update", ADMIN | CREATOR},
    {"apim:client_certificates_view", ADMIN | CREATOR},
    {"apim:comment_manage", ADMIN | CREATOR | PUBLISHER},
    {"apim:comment_view", ADMIN | CREATOR | PUBLISHER},
    {"apim:comment_write", ADMIN | CREATOR | PUBLISHER},
    {"apim:common_operation_policy_manage", ADMIN | CREATOR},
    {"apim:common_operation_policy_view", ADMIN | CREATOR | PUBLISHER | OBSERVER},
    {"apim:document_create", ADMIN | CREATOR | PUBLISHER},
    {"apim:document_manage", ADMIN | CREATOR | PUBLISHER},
    {"apim:document_update", ADMIN | CREATOR | PUBLISHER},
    {"apim:environment_manage", ADMIN},
    {"apim:environment_read", ADMIN},
    {"apim:ep_certificates_add", ADMIN | CREATOR},
    {"apim:ep_certificates_manage", ADMIN | CREATOR},
    {"apim:ep_certificates_update", ADMIN | CREATOR},
    {"apim:ep_certificates_view", ADMIN | CREATOR},
    {"apim:gateway_policy_manage", ADMIN},
    {"apim:gateway_policy_view", ADMIN | CREATOR | PUBLISHER | OBSERVER},
    {"apim:gov_policy_manage", ADMIN},
    {"apim:gov_policy_read", ADMIN | PUBLISHER | CREATOR | OBSERVER},
    {"apim:gov_result_read", ADMIN | PUBLISHER | CREATOR | OBSERVER},
    {"apim:gov_rule_manage", ADMIN},
    {"apim:gov_rule_read", ADMIN | PUBLISHER | CREATOR | OBSERVER},
    {"apim:keymanagers_manage", ADMIN},
    {"apim:label_manage", ADMIN},
    {"apim:label_read", ADMIN},
    {"apim:llm_provider_manage", ADMIN},
    {"apim:llm_provider_read", ADMIN | PUBLISHER | CREATOR},
    {"apim:mcp_server_create", ADMIN | CREATOR},
    {"apim:mcp_server_delete", ADMIN | CREATOR},
    {"apim:mcp_server_generate_key", ADMIN | CREATOR | PUBLISHER},
    {"apim:mcp_server_import_export", ADMIN | DEVOPS},
    {"apim:mcp_server_list_view", ADMIN | INTEGRATION},
    {"apim:mcp_server_manage", ADMIN},
    {"apim:mcp_server_publish", ADMIN | PUBLISHER},
    {"apim:mcp_server_view", ADMIN | PUBLISHER | CREATOR | ANALYTICS | OBSERVER},
    {"apim:mediation_policy_create", ADMIN | CREATOR},
    {"apim:mediation_policy_manage", ADMIN | CREATOR},
    {"apim:mediation_policy_view", ADMIN | CREATOR},
    {"apim:monetization_usage_publish", ADMIN | PUBLISHER},
    {"apim:organization_manage", ADMIN},
    {"apim:organization_read", ADMIN | PUBLISHER | CREATOR},
    {"apim:policies_import_export", ADMIN | DEVOPS},
    {"apim:pub_alert_manage", ADMIN | CREATOR},
    {"apim:publisher_settings", ADMIN | CREATOR | PUBLISHER | OBSERVER},
    {"apim:role_manage", ADMIN},
    {"apim:scope_manage", ADMIN},
    {"apim:shared_scope_manage", ADMIN},
    {"apim:store_settings", ADMIN | SUBSCRIBER},
    {"apim:sub_alert_manage", ADMIN | SUBSCRIBER},
    {"apim:sub_manage", ADMIN | SUBSCRIBER | DEVOPS},
    {"apim:subscribe", ADMIN | SUBSCRIBER | DEVOPS},
    {"apim:subscription_approval_manage", ADMIN},
    {"apim:subscription_approval_view", ADMIN},
    {"apim:subscription_block", ADMIN | PUBLISHER},
    {"apim:subscription_manage", ADMIN | PUBLISHER},
    {"apim:subscription_view", ADMIN | CREATOR | PUBLISHER},
    {"apim:tenantInfo", ADMIN},
    {"apim:tenant_theme_manage", ADMIN},
    {"apim:threat_protection_policy_create", ADMIN | CREATOR},
    {"apim:threat_protection_policy_manage", ADMIN | CREATOR},
    {"apim:throttling_policy_manage", ADMIN | PUBLISHER | CREATOR | ANALYTICS},
    {"apim:tier_manage", ADMIN},
    {"apim:tier_view", ADMIN | PUBLISHER | CREATOR},
    {"service_catalog:service_view", ADMIN | CREATOR | PUBLISHER},
    {"service_catalog:service_write", ADMIN | CREATOR},
};

static int compare(const void *key, const void *element)
{
    return strcmp(key, ((const binding_t *)element)->scope);
}

unsigned int km_scope_table_roles(const char *scope)
{
    const binding_t *b =
        bsearch(scope, bindings, sizeof(bindings) / sizeof(bindings[0]), sizeof(bindings[0]), compare);
    return b ? b->roles : 0;
}

unsigned int km_scope_table_role(const char *role)
{
    apr_size_t i;
    for (i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
        if (strcmp(role, roles[i].name) == 0) {
            return roles[i].bit;
        }
    }
    return 0;
}

const char *km_scope_table_name(int i)
{
    return i >= 0 && (apr_size_t)i < sizeof(bindings) / sizeof(bindings[0]) ? bindings[i].scope : NULL;
}
