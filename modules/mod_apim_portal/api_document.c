/* SPDX-License-Identifier: Apache-2.0 */
#include "api_document.h"

#include <apr_strings.h>
#include <string.h>

#include "apim_json.h"
#include "apim_text.h"
#include "traffic_document.h"

#define MAX_OPERATIONS 5000
#define VERBS          "GET|PUT|POST|DELETE|OPTIONS|HEAD|PATCH|TRACE"
#define AUTH_TYPES     "None|Application|Application User|Application & Application User|Any"
#define SECURITY       "oauth2|api_key|basic_auth|mutualssl|mutualssl_mandatory|oauth_basic_auth_api_key_mandatory"

/* -- checks of one member: *value may be replaced ----------------------------------------------------------
 */

typedef void(check_fn)(po_problems_t *problems, const char *where, json_t **value);

static void replace(po_problems_t *problems, json_t **value, json_t *with)
{
    if (with) {
        *value = with;
    }
}

static void check_kept(po_problems_t *problems, const char *where, json_t **value)
{
    po_check_kept(problems, where, *value, 0);
}

static void check_bool(po_problems_t *problems, const char *where, json_t **value)
{
    if (!json_is_boolean(*value)) {
        po_problem(problems, where, "must be true or false.");
    }
}

static void check_count(po_problems_t *problems, const char *where, json_t **value)
{
    if (!json_is_integer(*value) || json_integer_value(*value) < 0 ||
        json_integer_value(*value) > 1000000000) {
        po_problem(problems, where, "must be a whole number from 0 to 1000000000.");
    }
}

static void check_prose(po_problems_t *problems, const char *where, json_t **value)
{
    po_check_text(problems, where, *value, 0, 32766, "\r\n\t");
}

static void check_type(po_problems_t *problems, const char *where, json_t **value)
{
    const char *type = json_string_value(*value);
    if (type && po_one_of(type, "WS|SOAPTOREST|SOAP|GRAPHQL|WEBSUB|SSE|WEBHOOK|ASYNC")) {
        po_problem(problems, where, "%s APIs are not supported; HTTP is.", type);
    }
    else {
        po_check_one_of(problems, where, *value, "HTTP");
    }
}

static void check_transport(po_problems_t *problems, const char *where, json_t **value)
{
    apr_size_t i;
    json_t *item, *list = po_check_texts(problems, where, *value, 10, 10);
    json_array_foreach(list, i, item)
    {
        po_check_one_of(problems, po_where_item(problems, where, i), item, "http|https");
    }
    if (list && !json_array_size(list)) {
        po_problem(problems, where, "must hold http, https or both.");
    }
    replace(problems, value, list);
}

static void check_tags(po_problems_t *problems, const char *where, json_t **value)
{
    apr_size_t i;
    json_t *item, *list = po_check_texts(problems, where, *value, 100, 100);
    json_array_foreach(list, i, item)
    {
        if (strpbrk(json_string_value(item), "~!@#;%^*()+={}|<>\"',$\\")) {
            po_problem(problems, po_where_item(problems, where, i),
                       "must not hold any of ~ ! @ # ; %% ^ * ( ) + = { } | < > \" ' , $ \\.");
        }
    }
    replace(problems, value, list);
}

static void check_names(po_problems_t *problems, const char *where, json_t **value)
{
    replace(problems, value, po_check_texts(problems, where, *value, 200, 255));
}

static void check_header_name(po_problems_t *problems, const char *where, json_t **value)
{
    po_check_header_name(problems, where, *value);
}

static void check_security(po_problems_t *problems, const char *where, json_t **value)
{
    apr_size_t i;
    json_t *item, *list = po_check_texts(problems, where, *value, 10, 60);
    json_array_foreach(list, i, item)
    {
        po_check_one_of(problems, po_where_item(problems, where, i), item, SECURITY);
    }
    if (list && !json_array_size(list)) {
        po_problem(problems, where, "must name at least one scheme, such as oauth2.");
    }
    replace(problems, value, list);
}

static void check_visibility(po_problems_t *problems, const char *where, json_t **value)
{
    po_check_one_of(problems, where, *value, "PUBLIC|PRIVATE|RESTRICTED");
}

static void check_availability(po_problems_t *problems, const char *where, json_t **value)
{
    po_check_one_of(problems, where, *value, "CURRENT_TENANT|ALL_TENANTS|SPECIFIC_TENANTS");
}

static void check_access_control(po_problems_t *problems, const char *where, json_t **value)
{
    po_check_one_of(problems, where, *value, "NONE|RESTRICTED");
}

static void check_implementation(po_problems_t *problems, const char *where, json_t **value)
{
    if (po_check_one_of(problems, where, *value, "ENDPOINT|INLINE|MOCKED_OAS|MARKDOWN") &&
        strcmp(json_string_value(*value), "ENDPOINT") != 0) {
        po_problem(problems, where, "%s is not supported; ENDPOINT is.", json_string_value(*value));
    }
}

static void check_policy_name(po_problems_t *problems, const char *where, json_t **value)
{
    po_check_text(problems, where, *value, 1, 255, NULL);
}

/* additionalProperties: an array of {name, value, display}; an object of name: value is read too. */
static void check_property(po_problems_t *problems, const char *where, const json_t *item)
{
    const char *name = po_check_text(problems, po_where(problems, where, "name"),
                                     json_object_get(item, "name"), 1, 80, NULL);
    po_check_text(problems, po_where(problems, where, "value"), json_object_get(item, "value"), 0, 900,
                  "\r\n\t");
    if (name && strpbrk(name, " \"'<>&:")) {
        po_problem(problems, po_where(problems, where, "name"),
                   "must not hold blanks, quotes, colons or any of < > &.");
    }
    if (name &&
        po_one_of(name, "provider|version|context|status|description|subcontext|doc|lcState|name|tags")) {
        po_problem(problems, po_where(problems, where, "name"),
                   "'%s' is a word of searches and cannot be used.", name);
    }
}

static void check_properties(po_problems_t *problems, const char *where, json_t **value)
{
    json_t *list = apim_json_own(problems->pool, json_array()), *item;
    const char *key;
    apr_size_t i;
    if (json_is_object(*value)) {
        json_object_foreach(*value, key, item)
        {
            json_array_append_new(list,
                                  json_pack("{s:s, s:O, s:b}", "name", key, "value", item, "display", 0));
        }
    }
    else {
        json_array_foreach(*value, i, item)
        {
            json_array_append_new(list, json_pack("{s:O?, s:O?, s:b}", "name", json_object_get(item, "name"),
                                                  "value", json_object_get(item, "value"), "display",
                                                  apim_json_bool(item, "display", 0)));
        }
    }
    if (!json_is_array(*value) && !json_is_object(*value)) {
        po_problem(problems, where, "must be an array of objects with name and value.");
    }
    if (json_array_size(list) > 100) {
        po_problem(problems, where, "must have at most 100 items.");
        return;
    }
    json_array_foreach(list, i, item)
    {
        check_property(problems, po_where_item(problems, where, i), item);
    }
    *value = list;
}

static void check_email(po_problems_t *problems, const char *where, const json_t *value)
{
    const char *text = po_check_text(problems, where, value, 0, 254, NULL);
    const char *at = text ? strrchr(text, '@') : NULL;
    if (text && *text && (!at || at == text || !at[1] || strpbrk(text, " <>\"(),;:"))) {
        po_problem(problems, where, "must be an e-mail address.");
    }
}

static void check_business(po_problems_t *problems, const char *where, json_t **value)
{
    static const char *const members[] = {"businessOwner", "technicalOwner", "businessOwnerEmail",
                                          "technicalOwnerEmail"};
    json_t *out = apim_json_own(problems->pool, json_object());
    int i;
    if (!json_is_object(*value)) {
        po_problem(problems, where, "must be an object.");
        return;
    }
    for (i = 0; i < 4; i++) {
        json_t *member = json_object_get(*value, members[i]);
        if (member && !json_is_null(member)) {
            const char *place = po_where(problems, where, members[i]);
            if (i < 2) {
                po_check_text(problems, place, member, 0, 120, NULL);
            }
            else {
                check_email(problems, place, member);
            }
            json_object_set(out, members[i], member);
        }
    }
    *value = out;
}

static void check_max_tps(po_problems_t *problems, const char *where, json_t **value)
{
    static const char *const members[] = {"production", "sandbox"}, *const units[] = {"productionTimeUnit",
                                                                                      "sandboxTimeUnit"};
    int i;
    if (!json_is_object(*value)) {
        po_problem(problems, where, "must be an object with production and sandbox.");
        return;
    }
    for (i = 0; i < 2; i++) {
        json_t *member = json_object_get(*value, members[i]);
        if (member && !json_is_null(member)) {
            check_count(problems, po_where(problems, where, members[i]), &member);
        }
    }
    for (i = 0; i < 2; i++) {
        json_t *unit = json_object_get(*value, units[i]);
        if (unit && !json_is_null(unit)) {
            po_check_one_of(problems, po_where(problems, where, units[i]), unit, "SECOND|MINUTE|HOUR");
        }
    }
    po_check_kept(problems, where, *value, 0);
}

/* -- scopes and operations ---------------------------------------------------------------------------------
 */

/* RFC 6749 section 3.3: %x21 / %x23-5B / %x5D-7E. */
static void check_scope_name(po_problems_t *problems, const char *where, const json_t *value)
{
    const char *s = po_check_text(problems, where, value, 1, 255, NULL);
    for (; s && *s; s++) {
        if (*s <= 0x20 || *s > 0x7e || *s == '"' || *s == '\\') {
            po_problem(problems, where,
                       "must not hold blanks, double quotes, backslashes or characters outside ASCII.");
            return;
        }
    }
    s = json_string_value(value);
    if (s && (strncmp(s, "apim:", 5) == 0 || po_one_of(s, "openid|default|am_application_scope"))) {
        po_problem(problems, where, "'%s' is a scope of the system.", s);
    }
}

static json_t *text_or_empty(const json_t *value)
{
    return json_is_string(value) ? json_incref((json_t *)(apr_uintptr_t)value) : json_string("");
}

static json_t *check_scope(po_problems_t *problems, const char *where, const json_t *item)
{
    const json_t *scope = json_object_get(item, "scope");
    const char *place = po_where(problems, where, "scope");
    json_t *bindings = json_object_get(scope, "bindings");
    json_t *display = json_object_get(scope, "displayName"),
           *description = json_object_get(scope, "description");
    check_scope_name(problems, po_where(problems, place, "name"), json_object_get(scope, "name"));
    if (display && !json_is_null(display)) {
        po_check_text(problems, po_where(problems, place, "displayName"), display, 0, 255, NULL);
    }
    if (description && !json_is_null(description)) {
        po_check_text(problems, po_where(problems, place, "description"), description, 0, 512, "\r\n\t");
    }
    if (bindings && !json_is_null(bindings)) {
        bindings = po_check_texts(problems, po_where(problems, place, "bindings"), bindings, 100, 255);
    }
    return json_pack(
        "{s:{s:O?, s:o, s:o, s:o}, s:b}", "scope", "name", json_object_get(scope, "name"), "displayName",
        json_is_string(display) ? json_incref(display) : text_or_empty(json_object_get(scope, "name")),
        "description", text_or_empty(description), "bindings",
        json_is_array(bindings) ? json_incref(bindings) : json_array(), "shared",
        apim_json_bool(item, "shared", 0));
}

static int scope_is_listed(const json_t *scopes, const char *name)
{
    apr_size_t i;
    json_t *item;
    json_array_foreach(scopes, i, item)
    {
        if (strcmp(apim_json_str(json_object_get(item, "scope"), "name", ""), name) == 0) {
            return 1;
        }
    }
    return 0;
}

static void check_scopes(po_problems_t *problems, const char *where, json_t **value)
{
    json_t *list = apim_json_own(problems->pool, json_array()), *item;
    apr_size_t i;
    if (!json_is_array(*value) || json_array_size(*value) > 1000) {
        po_problem(problems, where, "must be an array of at most 1000 scopes.");
        return;
    }
    json_array_foreach(*value, i, item)
    {
        const char *place = po_where_item(problems, where, i);
        json_t *made = check_scope(problems, place, item);
        const char *name = apim_json_str(json_object_get(made, "scope"), "name", "");
        if (scope_is_listed(list, name)) {
            po_problem(problems, place, "the scope %s is listed twice.", name);
        }
        json_array_append_new(list, made);
    }
    *value = list;
}

static const char *auth_type(const json_t *item)
{
    const char *type = apim_json_str(item, "authType", "");
    return !*type || strcmp(type, "Any") == 0 ? "Application & Application User" : type;
}

static json_t *check_operation(po_problems_t *problems, const char *where, json_t *item)
{
    json_t *scopes = json_object_get(item, "scopes"), *policy = json_object_get(item, "throttlingPolicy");
    json_t *kept = json_object_get(item, "operationPolicies");
    const char *target = po_check_text(problems, po_where(problems, where, "target"),
                                       json_object_get(item, "target"), 1, 1000, NULL);
    json_t *out;
    if (target && *target != '/') {
        po_problem(problems, po_where(problems, where, "target"), "must begin with a slash.");
    }
    po_check_one_of(problems, po_where(problems, where, "verb"), json_object_get(item, "verb"), VERBS);
    if (json_object_get(item, "authType") && !json_is_null(json_object_get(item, "authType"))) {
        po_check_one_of(problems, po_where(problems, where, "authType"), json_object_get(item, "authType"),
                        AUTH_TYPES);
    }
    if (policy && !json_is_null(policy)) {
        po_check_text(problems, po_where(problems, where, "throttlingPolicy"), policy, 1, 255, NULL);
    }
    scopes = scopes && !json_is_null(scopes)
                 ? po_check_texts(problems, po_where(problems, where, "scopes"), scopes, 100, 255)
                 : NULL;
    out = json_pack("{s:s, s:O?, s:O?, s:s, s:s, s:o, s:[]}", "id", apim_json_str(item, "id", ""), "target",
                    json_object_get(item, "target"), "verb", json_object_get(item, "verb"), "authType",
                    auth_type(item), "throttlingPolicy", apim_json_str(item, "throttlingPolicy", "Unlimited"),
                    "scopes", scopes ? json_incref(scopes) : json_array(), "usedProductIds");
    if (json_is_object(kept)) {
        po_check_kept(problems, po_where(problems, where, "operationPolicies"), kept, 0);
        json_object_set(out, "operationPolicies", kept);
    }
    return out;
}

static void check_operations(po_problems_t *problems, const char *where, json_t **value)
{
    json_t *list = apim_json_own(problems->pool, json_array()), *item;
    apr_size_t i;
    if (!json_is_array(*value) || json_array_size(*value) > MAX_OPERATIONS) {
        po_problem(problems, where, "must be an array of at most %d operations.", MAX_OPERATIONS);
        return;
    }
    json_array_foreach(*value, i, item)
    {
        json_array_append_new(list, check_operation(problems, po_where_item(problems, where, i), item));
    }
    *value = list;
}

/* -- all members -------------------------------------------------------------------------------------------
 */

typedef struct field_t {
    const char *name;
    const char *fallback; /* JSON */
    check_fn *check;
} field_t;

#define DEFAULT_CORS                                                                                         \
    "{\"corsConfigurationEnabled\":false,\"accessControlAllowOrigins\":[\"*\"],"                             \
    "\"accessControlAllowCredentials\":false,\"accessControlAllowHeaders\":[\"authorization\","              \
    "\"Access-Control-Allow-Origin\",\"Content-Type\",\"SOAPAction\",\"apikey\"],"                           \
    "\"accessControlAllowMethods\":[\"GET\",\"PUT\",\"POST\",\"DELETE\",\"PATCH\",\"OPTIONS\"]}"

static const field_t fields[] = {
    {"displayName", "null", check_policy_name},
    {"description", "\"\"", check_prose},
    {"wsdlUrl", "null", check_kept},
    {"responseCachingEnabled", "false", check_bool},
    {"cacheTimeout", "300", check_count},
    {"enableSchemaValidation", "false", check_bool},
    {"enableSubscriberVerification", "false", check_bool},
    {"type", "\"HTTP\"", check_type},
    {"audience", "null", check_kept},
    {"audiences", "null", check_kept},
    {"transport", "[\"http\",\"https\"]", check_transport},
    {"tags", "[]", check_tags},
    {"policies", "[\"Unlimited\"]", check_names},
    {"apiThrottlingPolicy", "null", check_policy_name},
    {"authorizationHeader", "\"Authorization\"", check_header_name},
    {"apiKeyHeader", "\"apikey\"", check_header_name},
    {"securityScheme", "[\"oauth2\",\"oauth_basic_auth_api_key_mandatory\"]", check_security},
    {"maxTps", "null", check_max_tps},
    {"visibility", "\"PUBLIC\"", check_visibility},
    {"visibleRoles", "[]", check_names},
    {"visibleTenants", "[]", check_names},
    {"mediationPolicies", "[]", check_kept},
    {"apiPolicies", "null", check_kept},
    {"subscriptionAvailability", "\"CURRENT_TENANT\"", check_availability},
    {"subscriptionAvailableTenants", "[]", check_names},
    {"additionalProperties", "[]", check_properties},
    {"monetization", "null", check_kept},
    {"accessControl", "\"NONE\"", check_access_control},
    {"accessControlRoles", "[]", check_names},
    {"businessInformation", "{}", check_business},
    {"corsConfiguration", DEFAULT_CORS, po_check_cors},
    {"websubSubscriptionConfiguration", "null", check_kept},
    {"endpointConfig", "null", po_check_endpoint_config},
    {"endpointImplementationType", "\"ENDPOINT\"", check_implementation},
    {"scopes", "[]", check_scopes},
    {"operations", "[]", check_operations},
    {"threatProtectionPolicies", "null", check_kept},
    {"categories", "[]", check_names},
    {"keyManagers", "[\"all\"]", check_names},
    {"serviceInfo", "null", check_kept},
    {"advertiseInfo", "null", check_kept},
    {"gatewayVendor", "\"apache\"", check_kept},
    {"gatewayType", "\"apache/httpd\"", check_kept},
    {"asyncTransportProtocols", "[]", check_kept},
    {NULL, NULL, NULL}};

static void make_field(po_problems_t *problems, const field_t *field, const json_t *body,
                       const json_t *previous, json_t *out)
{
    json_t *value = json_object_get(body, field->name);
    if (!value && previous) {
        value = json_object_get(previous, field->name);
    }
    else if (value && !json_is_null(value)) {
        field->check(problems, po_where(problems, "", field->name), &value);
    }
    if (!value || json_is_null(value)) {
        json_object_set_new(out, field->name, json_loads(field->fallback, JSON_DECODE_ANY, NULL));
    }
    else {
        json_object_set(out, field->name, value);
    }
}

/* Every scope that an operation asks for must be declared. */
static void check_scope_use(po_problems_t *problems, const json_t *document)
{
    const json_t *scopes = json_object_get(document, "scopes");
    json_t *operation, *scope;
    apr_size_t i, k;
    json_array_foreach(json_object_get(document, "operations"), i, operation)
    {
        json_array_foreach(json_object_get(operation, "scopes"), k, scope)
        {
            if (!scope_is_listed(scopes, json_string_value(scope))) {
                po_problem(problems, apr_psprintf(problems->pool, "/operations/%d/scopes/%d", (int)i, (int)k),
                           "the scope %s is not among the API's scopes.", json_string_value(scope));
            }
        }
    }
}

static void check_together(po_problems_t *problems, const json_t *document)
{
    if (strcmp(apim_json_str(document, "visibility", ""), "RESTRICTED") == 0 &&
        !json_array_size(json_object_get(document, "visibleRoles"))) {
        po_problem(problems, "/visibleRoles",
                   "must name at least one role, because visibility is RESTRICTED.");
    }
    if (strcmp(apim_json_str(document, "accessControl", ""), "RESTRICTED") == 0 &&
        !json_array_size(json_object_get(document, "accessControlRoles"))) {
        po_problem(problems, "/accessControlRoles",
                   "must name at least one role, because accessControl is RESTRICTED.");
    }
    check_scope_use(problems, document);
}

apim_error_t *po_document_make(apr_pool_t *p, const json_t *body, const json_t *previous, json_t **out)
{
    po_problems_t problems = {p, NULL, 0};
    const field_t *field;
    if (!json_is_object(body)) {
        return apim_bad_request(p, "The body must be a JSON object.");
    }
    *out = apim_json_own(p, json_object());
    for (field = fields; field->name; field++) {
        make_field(&problems, field, body, previous, *out);
    }
    if (!problems.count) {
        check_together(&problems, *out);
    }
    return po_problems_error(&problems);
}

/* -- identity ----------------------------------------------------------------------------------------------
 */

#define UNRESERVED "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~"

void po_check_version(po_problems_t *problems, const char *where, const json_t *value)
{
    const char *version = po_check_text(problems, where, value, 1, 30, NULL);
    if (version &&
        (strspn(version, UNRESERVED) != strlen(version) || !strcmp(version, ".") || !strcmp(version, ".."))) {
        po_problem(problems, where, "must be made of letters, digits and any of - . _ ~, such as 1.0.0.");
    }
}

static void check_context(po_problems_t *problems, const char *context)
{
    const char *s = context, *why = NULL;
    if (!strcmp(context, "/") || context[strlen(context) - 1] == '/' || strstr(context, "//")) {
        why = "must name a path such as /pizzashack, without empty segments.";
    }
    for (; !why && *s; s++) {
        apr_size_t n = strspn(s + 1, UNRESERVED "{}");
        if (*s != '/' || (s[n + 1] && s[n + 1] != '/')) {
            why = "must be made of letters, digits and any of - . _ ~ /, and may hold {version}.";
        }
        else if ((n == 1 && s[1] == '.') || (n == 2 && s[1] == '.' && s[2] == '.')) {
            why = "must not hold the segments . and ..";
        }
        else if (memchr(s + 1, '{', n) || memchr(s + 1, '}', n)) {
            why = n == 9 && memcmp(s + 1, "{version}", 9) == 0 ? NULL
                                                               : "may hold no other variable than {version}.";
        }
        s += n;
    }
    if (!why && strstr(context, "{version}") && strstr(strstr(context, "{version}") + 1, "{version}")) {
        why = "may hold {version} once.";
    }
    if (why) {
        po_problem(problems, "/context", "%s", why);
    }
}

const char *po_effective_context(apr_pool_t *p, const char *template, const char *version)
{
    const char *hole = strstr(template, "{version}");
    if (!hole) {
        return apr_pstrcat(p, template, "/", version, NULL);
    }
    return apr_pstrcat(p, apr_pstrmemdup(p, template, (apr_size_t)(hole - template)), version, hole + 9,
                       NULL);
}

void po_identity_read(po_problems_t *problems, const json_t *body, po_identity_t *out)
{
    int before = problems->count;
    const char *context;
    out->name = po_check_text(problems, "/name", json_object_get(body, "name"), 1, 150, NULL);
    if (out->name && (strpbrk(out->name, "~!@#;:%^*()+={}|\\<>\"',&$[]/") || *out->name == ' ' ||
                      out->name[strlen(out->name) - 1] == ' ')) {
        po_problem(problems, "/name",
                   "must not begin or end with a blank nor hold any of ~ ! @ # ; : %% ^ * ( ) + = { } | \\ "
                   "< > \" ' , & $ [ ] /.");
    }
    po_check_version(problems, "/version", json_object_get(body, "version"));
    out->version = apim_json_str(body, "version", "");
    context = po_check_text(problems, "/context", json_object_get(body, "context"), 1, 200, NULL);
    if (context) {
        out->context_template = *context == '/' ? context : apr_pstrcat(problems->pool, "/", context, NULL);
        check_context(problems, out->context_template);
    }
    if (problems->count == before) {
        out->context = po_effective_context(problems->pool, out->context_template, out->version);
    }
}

/* -- reading -----------------------------------------------------------------------------------------------
 */

static const char *with_bars(apr_pool_t *p, const json_t *texts)
{
    const char *out = "";
    apr_size_t i;
    json_t *text;
    json_array_foreach(texts, i, text)
    {
        out = apr_pstrcat(p, *out ? out : "|", json_string_value(text), "|", NULL);
    }
    return out;
}

const char *po_document_tags(apr_pool_t *p, const json_t *document)
{
    return with_bars(p, json_object_get(document, "tags"));
}

const char *po_document_categories(apr_pool_t *p, const json_t *document)
{
    return with_bars(p, json_object_get(document, "categories"));
}

const char *po_document_endpoint(const json_t *document, const char *which)
{
    const json_t *endpoint = json_object_get(json_object_get(document, "endpointConfig"), which);
    const char *url;
    endpoint = json_is_array(endpoint) ? json_array_get(endpoint, 0) : endpoint;
    url = apim_json_str(endpoint, "url", NULL);
    return url && *url ? url : NULL;
}
