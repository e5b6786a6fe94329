/* SPDX-License-Identifier: Apache-2.0 */
#include "artifact.h"

#include <apr_strings.h>
#include <stdlib.h>
#include <string.h>

#include "apim_text.h"

/* The member of document, or null. */
static json_t *member(const json_t *document, const char *name)
{
    json_t *value = json_object_get(document, name);
    return value ? json_incref(value) : json_null();
}

/* -- for gateways ------------------------------------------------------------------------------------------
 */

/* A number that WSO2 keeps as text; 0 if it is not there. */
static double setting(const json_t *config, const char *name)
{
    const json_t *value = json_object_get(config, name);
    return json_is_string(value) ? strtod(json_string_value(value), NULL) : json_number_value(value);
}

static void add_urls(json_t *urls, json_t *endpoints)
{
    apr_size_t i;
    json_t *item;
    json_array_foreach(endpoints, i, item)
    {
        if (*apim_json_str(item, "url", "")) {
            json_array_append(urls, json_object_get(item, "url"));
        }
    }
}

/* How a member that fails is suspended: said by the first one, for all. NULL: nothing is said. */
static json_t *suspension(const json_t *config)
{
    double first = setting(config, "suspendDuration"), longest = setting(config, "suspendMaxDuration");
    double factor = setting(config, "factor");
    json_t *out;
    if (!(first >= 1)) {
        return NULL;
    }
    longest = longest >= first ? longest : first;
    out = json_pack("{s:I, s:I, s:I}", "firstMs", (json_int_t)first, "longestMs", (json_int_t)longest,
                    "factor", (json_int_t)((factor >= 1 ? factor : 1) * 100));
    return out;
}

/* Secrets are sealed in the document, and go on as they are. */
static void add_security(json_t *endpoint, const json_t *security)
{
    static const char *const members[] = {"username", "password",     "tokenUrl",
                                          "clientId", "clientSecret", "customParameters"};
    int oauth = strcasecmp(apim_json_str(security, "type", ""), "OAUTH") == 0;
    json_t *out;
    apr_size_t i;
    if (!apim_json_bool(security, "enabled", 0)) {
        return;
    }
    out = json_pack("{s:s}", "type", oauth ? "OAUTH" : "BASIC");
    for (i = oauth ? 2 : 0; i < (oauth ? 6u : 2u); i++) {
        json_t *value = json_object_get(security, members[i]);
        if (value && !json_is_null(value)) {
            json_object_set(out, members[i], value);
        }
    }
    json_object_set_new(endpoint, "security", out);
}

/* WSO2's maxTps: {"production", "productionTimeUnit", …}. */
static void add_maximum(json_t *endpoint, const json_t *document, const char *name)
{
    const json_t *maximum = json_object_get(document, "maxTps");
    const char *unit = strcmp(name, "sandbox") == 0 ? apim_json_str(maximum, "sandboxTimeUnit", "SECOND")
                                                    : apim_json_str(maximum, "productionTimeUnit", "SECOND");
    apr_int64_t count = apim_json_int(maximum, name, 0);
    int seconds = strcmp(unit, "HOUR") == 0 ? 3600 : strcmp(unit, "MINUTE") == 0 ? 60 : 1;
    if (count > 0) {
        json_object_set_new(endpoint, "maxCalls",
                            json_pack("{s:I, s:i}", "count", (json_int_t)count, "seconds", seconds));
    }
}

static void add_endpoint(json_t *endpoints, const char *name, const json_t *document, const char *which,
                         const char *failovers)
{
    const json_t *config = json_object_get(document, "endpointConfig");
    const char *url = po_document_endpoint(document, which),
               *type = apim_json_str(config, "endpoint_type", "");
    json_t *first = json_object_get(config, which), *endpoint, *urls, *suspend;
    double ms;
    if (!url) {
        return;
    }
    endpoint = json_pack("{s:s}", "url", url);
    if (strcmp(type, "load_balance") == 0 || strcmp(type, "failover") == 0) {
        urls = json_pack("[s]", url);
        if (json_is_array(first)) {
            json_array_clear(urls);
            add_urls(urls, first);
        }
        if (strcmp(type, "failover") == 0) {
            add_urls(urls, json_object_get(config, failovers));
        }
        json_object_set_new(endpoint, "urls", urls);
        json_object_set_new(endpoint, "algorithm",
                            json_string(strcmp(type, "failover") == 0 ? "failover" : "roundRobin"));
    }
    first = json_is_array(first) ? json_array_get(first, 0) : first;
    ms = setting(json_object_get(first, "config"), "actionDuration");
    if (ms >= 1 && ms <= 3600000) {
        json_object_set_new(endpoint, "timeoutMs", json_integer((json_int_t)ms));
    }
    suspend = suspension(json_object_get(first, "config"));
    if (suspend) {
        json_object_set_new(endpoint, "suspend", suspend);
    }
    add_maximum(endpoint, document, name);
    add_security(endpoint, json_object_get(json_object_get(config, "endpoint_security"), name));
    json_object_set_new(endpoints, name, endpoint);
}

static json_t *security_for_gateway(const json_t *document)
{
    json_t *out = json_array(), *scheme;
    apr_size_t i;
    json_array_foreach(json_object_get(document, "securityScheme"), i, scheme)
    {
        if (po_one_of(json_string_value(scheme), "oauth2|api_key")) {
            json_array_append(out, scheme);
        }
    }
    return out;
}

static json_t *operations_for_gateway(const json_t *document)
{
    json_t *out = json_array(), *item;
    apr_size_t i;
    json_array_foreach(json_object_get(document, "operations"), i, item)
    {
        json_array_append_new(
            out, json_pack("{s:o, s:o, s:o, s:o, s:o}", "target", member(item, "target"), "verb",
                           member(item, "verb"), "authType", member(item, "authType"), "throttlingPolicy",
                           member(item, "throttlingPolicy"), "scopes", member(item, "scopes")));
    }
    return out;
}

/* The property by which a publisher asks that the back end gets the caller's credentials. */
static int passes_credentials(const json_t *document)
{
    json_t *item;
    apr_size_t i;
    json_array_foreach(json_object_get(document, "additionalProperties"), i, item)
    {
        if (strcmp(apim_json_str(item, "name", ""), "passCredentials") == 0) {
            return strcmp(apim_json_str(item, "value", ""), "true") == 0;
        }
    }
    return 0;
}

json_t *po_artifact_make(apr_pool_t *p, const po_api_t *api, const json_t *document, apr_int64_t revision,
                         const char *revision_id)
{
    static const char *const copied[] = {"transport", "authorizationHeader", "apiKeyHeader",
                                         "policies",  "apiThrottlingPolicy", "corsConfiguration"};
    json_t *out = apim_json_own(p, json_object()), *endpoints = json_object();
    apr_size_t i;
    apim_json_set_str(out, "id", api->id);
    apim_json_set_str(out, "name", api->name);
    apim_json_set_str(out, "provider", api->provider);
    apim_json_set_str(out, "type", api->type);
    apim_json_set_str(out, "context", api->context);
    apim_json_set_str(out, "contextTemplate", api->context_template);
    apim_json_set_str(out, "version", api->version);
    json_object_set_new(out, "isDefaultVersion", json_boolean(api->is_default));
    apim_json_set_str(out, "status", api->status);
    json_object_set_new(out, "revision", json_integer(revision));
    apim_json_set_str(out, "revisionId", revision_id);
    for (i = 0; i < sizeof(copied) / sizeof(copied[0]); i++) {
        json_object_set_new(out, copied[i], member(document, copied[i]));
    }
    json_object_set_new(out, "securityScheme", security_for_gateway(document));
    json_object_set_new(out, "passCredentials", json_boolean(passes_credentials(document)));
    add_endpoint(endpoints, "production", document, "production_endpoints", "production_failovers");
    add_endpoint(endpoints, "sandbox", document, "sandbox_endpoints", "sandbox_failovers");
    json_object_set_new(out, "endpoints", endpoints);
    json_object_set_new(out, "operations", operations_for_gateway(document));
    return out;
}

/* -- for the Store -----------------------------------------------------------------------------------------
 */

static json_t *tiers(const json_t *document)
{
    json_t *out = json_array(), *name;
    apr_size_t i;
    json_array_foreach(json_object_get(document, "policies"), i, name)
    {
        json_array_append_new(out, json_pack("{s:O, s:s, s:n}", "tierName", name, "tierPlan", "FREE",
                                             "monetizationAttributes"));
    }
    return out;
}

static json_t *operations_for_store(const json_t *document)
{
    json_t *out = json_array(), *item;
    apr_size_t i;
    json_array_foreach(json_object_get(document, "operations"), i, item)
    {
        json_array_append_new(out, json_pack("{s:s, s:o, s:o}", "id", "", "target", member(item, "target"),
                                             "verb", member(item, "verb")));
    }
    return out;
}

static json_t *scopes_for_store(const json_t *document)
{
    json_t *out = json_array(), *item;
    apr_size_t i;
    json_array_foreach(json_object_get(document, "scopes"), i, item)
    {
        const json_t *scope = json_object_get(item, "scope");
        json_array_append_new(out, json_pack("{s:o, s:o, s:o, s:o}", "key", member(scope, "name"), "name",
                                             member(scope, "displayName"), "roles", member(scope, "bindings"),
                                             "description", member(scope, "description")));
    }
    return out;
}

/* Only properties marked for display. */
static json_t *properties_for_store(const json_t *document)
{
    json_t *out = json_array(), *item;
    apr_size_t i;
    json_array_foreach(json_object_get(document, "additionalProperties"), i, item)
    {
        if (apim_json_bool(item, "display", 0)) {
            json_array_append(out, item);
        }
    }
    return out;
}

static json_t *environments(const apr_array_header_t *deployed)
{
    json_t *out = json_array();
    int i;
    for (i = 0; i < deployed->nelts; i++) {
        const po_deployed_t *d = &APR_ARRAY_IDX(deployed, i, po_deployed_t);
        if (d->on_devportal) {
            json_array_append_new(out, json_pack("{s:s, s:s, s:s, s:s, s:s}", "name", d->environment,
                                                 "displayName", d->display_name, "type", d->type, "vhost",
                                                 d->vhost, "gatewayUrl", d->gateway_url));
        }
    }
    return out;
}

json_t *po_store_document(apr_pool_t *p, const po_api_t *api, const json_t *deployed_document,
                          const apr_array_header_t *deployed)
{
    static const char *const copied[] = {"transport",
                                         "authorizationHeader",
                                         "apiKeyHeader",
                                         "securityScheme",
                                         "tags",
                                         "visibility",
                                         "visibleRoles",
                                         "subscriptionAvailability",
                                         "businessInformation",
                                         "categories",
                                         "keyManagers",
                                         "advertiseInfo",
                                         "monetization",
                                         "gatewayVendor",
                                         "gatewayType"};
    json_t *out = apim_json_own(p, json_object());
    apr_size_t i;
    apim_json_set_str(out, "id", api->id);
    apim_json_set_str(out, "name", api->name);
    apim_json_set_str(out, "description", api->description);
    apim_json_set_str(out, "context", api->context);
    apim_json_set_str(out, "contextTemplate", api->context_template);
    apim_json_set_str(out, "version", api->version);
    apim_json_set_str(out, "provider", api->provider);
    apim_json_set_str(out, "lifeCycleStatus", api->status);
    json_object_set_new(out, "isDefaultVersion", json_boolean(api->is_default));
    apim_json_set_str(out, "type", api->type);
    for (i = 0; i < sizeof(copied) / sizeof(copied[0]); i++) {
        json_object_set_new(out, copied[i], member(api->document, copied[i]));
    }
    json_object_set_new(out, "tiers", tiers(api->document));
    json_object_set_new(out, "hasThumbnail", json_boolean(api->has_thumbnail));
    apim_json_set_str(out, "thumbnailUri",
                      api->has_thumbnail ? apr_pstrcat(p, "/apis/", api->id, "/thumbnail", NULL) : NULL);
    json_object_set_new(out, "additionalProperties", properties_for_store(api->document));
    json_object_set_new(out, "operations", operations_for_store(deployed_document));
    json_object_set_new(out, "scopes", scopes_for_store(deployed_document));
    json_object_set_new(out, "environments", environments(deployed));
    json_object_set_new(out, "avgRating", json_string("0.0"));
    apim_json_set_str(out, "createdTime", apim_iso_time(p, api->created_at));
    apim_json_set_str(out, "lastUpdatedTime", apim_iso_time(p, api->updated_at));
    return out;
}

/* {"http": …, "https": …, "ws": null, "wss": null}: the scheme that the base URL has, if the API's transports
 * allow it. */
static json_t *urls(apr_pool_t *p, const char *base, const char *path)
{
    const char *url = apr_pstrcat(p, base, path, NULL);
    int https = strncmp(base, "https:", 6) == 0;
    return json_pack("{s:s?, s:s?, s:n, s:n}", "http", https ? NULL : url, "https", https ? url : NULL, "ws",
                     "wss");
}

void po_store_set_urls(apr_pool_t *p, json_t *document, const char *base)
{
    json_t *out = json_array(), *names = json_array(), *item;
    apr_size_t i;
    json_array_foreach(json_object_get(document, "environments"), i, item)
    {
        const char *own = apim_json_str(item, "gatewayUrl", "");
        const char *gateway = *own ? own : base;
        json_t *plain = json_pack("{s:n, s:n, s:n, s:n}", "http", "https", "ws", "wss");
        if (apim_json_bool(document, "isDefaultVersion", 0) &&
            !strstr(apim_json_str(document, "contextTemplate", ""), "{version}")) {
            json_decref(plain);
            plain = urls(p, gateway, apim_json_str(document, "contextTemplate", ""));
        }
        json_array_append_new(out, json_pack("{s:O, s:O, s:O, s:o, s:o}", "environmentName",
                                             json_object_get(item, "name"), "environmentDisplayName",
                                             json_object_get(item, "displayName"), "environmentType",
                                             json_object_get(item, "type"), "URLs",
                                             urls(p, gateway, apim_json_str(document, "context", "")),
                                             "defaultVersionURLs", plain));
        json_array_append(names, json_object_get(item, "name"));
    }
    json_object_set_new(document, "endpointURLs", out);
    json_object_set_new(document, "environmentList", names);
    json_object_del(document, "environments");
    json_object_del(document, "contextTemplate");
}
