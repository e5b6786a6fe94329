/* SPDX-License-Identifier: Apache-2.0 */
#include "endpoint_secrets.h"

#include <apr_strings.h>
#include <string.h>

#include "apim_json.h"
#include "apim_seal.h"

static const char *const sides[] = {"production", "sandbox"};
static const char *const secrets[] = {"password", "clientSecret"};

static json_t *security_of(const json_t *document, const char *side)
{
    return json_object_get(json_object_get(json_object_get(document, "endpointConfig"), "endpoint_security"),
                           side);
}

/* The secret that an enabled security needs. */
static int is_needed(const json_t *security, const char *name)
{
    const char *type = apim_json_str(security, "type", "");
    return apim_json_bool(security, "enabled", 0) &&
           strcmp(name, strcasecmp(type, "OAUTH") == 0 ? "clientSecret" : "password") == 0;
}

static apim_error_t *seal_one(apr_pool_t *p, const char *cluster_secret, json_t *security,
                              const json_t *previous, const char *name)
{
    const char *text = apim_json_str(security, name, ""), *kept = apim_json_str(previous, name, "");
    const char *sealed;
    if (!*text) {
        if (!*kept && is_needed(security, name)) {
            return apim_bad_request(p, "endpointConfig/endpoint_security: %s is missing.", name);
        }
        json_object_set_new(security, name, json_string(kept));
        return NULL;
    }
    if (!cluster_secret) {
        return apim_bad_request(p, "endpointConfig/endpoint_security: this portal has no ApimClusterSecret "
                                   "to seal credentials with.");
    }
    APIM_TRY(apim_seal(p, cluster_secret, PO_ENDPOINT_SEAL_PURPOSE, PO_ENDPOINT_SEAL_CONTEXT, text, &sealed));
    json_object_set_new(security, name, json_string(sealed));
    return NULL;
}

/* The document's own copy of endpointConfig: the one it has may be the body's. */
static void own_config(json_t *document)
{
    json_object_set_new(document, "endpointConfig",
                        json_deep_copy(json_object_get(document, "endpointConfig")));
}

apim_error_t *po_endpoint_secrets_seal(apr_pool_t *p, const char *cluster_secret, const json_t *body,
                                       const json_t *previous, json_t *document)
{
    const json_t *config = json_object_get(body, "endpointConfig");
    size_t i, j;
    if (!json_is_object(config) || !json_is_object(json_object_get(config, "endpoint_security"))) {
        return NULL;
    }
    own_config(document);
    for (i = 0; i < sizeof(sides) / sizeof(sides[0]); i++) {
        json_t *security = security_of(document, sides[i]);
        for (j = 0; json_is_object(security) && j < sizeof(secrets) / sizeof(secrets[0]); j++) {
            APIM_TRY(seal_one(p, cluster_secret, security, security_of(previous, sides[i]), secrets[j]));
        }
    }
    return NULL;
}

void po_endpoint_secrets_hide(json_t *shown)
{
    size_t i, j;
    if (!json_is_object(json_object_get(json_object_get(shown, "endpointConfig"), "endpoint_security"))) {
        return;
    }
    own_config(shown);
    for (i = 0; i < sizeof(sides) / sizeof(sides[0]); i++) {
        json_t *security = security_of(shown, sides[i]);
        for (j = 0; j < sizeof(secrets) / sizeof(secrets[0]); j++) {
            if (json_object_get(security, secrets[j])) {
                json_object_set_new(security, secrets[j], json_string(""));
            }
        }
    }
}
