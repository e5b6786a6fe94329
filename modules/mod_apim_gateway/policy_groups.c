/* SPDX-License-Identifier: Apache-2.0 */
#include "policy_groups.h"

#include <regex.h>
#include <string.h>

#include "apim_json.h"
#include "deny_table.h"

#define MAX_GROUPS     20
#define MAX_CONDITIONS 20
#define MAX_TEXT       (256 * 1024)
#define MAX_LOOKED_AT  8192 /* bytes of a value */
#define MAX_UNITS      100000
#define ADDRESS        16

/* -- checking
 * -------------------------------------------------------------------------------------------------- */

static int is_pattern(const char *text)
{
    regex_t regex;
    int rc = strlen(text) > 500 ? -1 : regcomp(&regex, text, REG_EXTENDED | REG_NOSUB);
    if (rc == 0) {
        regfree(&regex);
    }
    return rc == 0;
}

static int is_usable(const json_t *condition)
{
    const char *type = apim_json_str(condition, "type", "");
    unsigned char low[ADDRESS], high[ADDRESS];
    if (strcmp(type, "ip") == 0) {
        return gw_address_parse(apim_json_str(condition, "low", ""), low) &&
               gw_address_parse(apim_json_str(condition, "high", ""), high);
    }
    return (strcmp(type, "header") == 0 || strcmp(type, "query") == 0 || strcmp(type, "claim") == 0) &&
           *apim_json_str(condition, "name", "") && is_pattern(apim_json_str(condition, "value", "("));
}

static apim_error_t *compile_group(apr_pool_t *p, const json_t *group,
                                   apr_int64_t (*unit_seconds)(const char *), json_t *out)
{
    const json_t *conditions = json_object_get(group, "conditions");
    apr_int64_t units = apim_json_int(group, "unitTime", 1);
    apr_int64_t window = unit_seconds(apim_json_str(group, "timeUnit", ""));
    size_t i, n = json_array_size(conditions);
    if (!n || n > MAX_CONDITIONS || units < 1 || units > MAX_UNITS || !window) {
        return apim_bad_request(p, "a conditional group has no conditions, too many, or no usable limit");
    }
    for (i = 0; i < n; i++) {
        if (!is_usable(json_array_get(conditions, i))) {
            return apim_bad_request(p, "a condition of the type '%s' is not usable",
                                    apim_json_str(json_array_get(conditions, i), "type", ""));
        }
    }
    json_array_append_new(out, json_pack("{s:I, s:I, s:O}", "count",
                                         (json_int_t)apim_json_int(group, "requestCount", -1), "window",
                                         (json_int_t)(units * window), "conditions", conditions));
    return NULL;
}

apim_error_t *gw_groups_compile(apr_pool_t *p, const json_t *groups,
                                apr_int64_t (*unit_seconds)(const char *), const char **text)
{
    json_t *out = apim_json_own(p, json_array());
    size_t i, n = json_array_size(groups);
    *text = NULL;
    if (n > MAX_GROUPS) {
        return apim_bad_request(p, "more than %d conditional groups", MAX_GROUPS);
    }
    for (i = 0; i < n; i++) {
        APIM_TRY(compile_group(p, json_array_get(groups, i), unit_seconds, out));
    }
    if (n) {
        *text = apim_json_text(p, out);
    }
    return NULL;
}

/* -- finding
 * --------------------------------------------------------------------------------------------------- */

static int fits(const char *pattern, const char *value)
{
    regex_t regex;
    int found;
    if (!value || strlen(value) > MAX_LOOKED_AT || regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB) != 0) {
        return 0;
    }
    found = regexec(&regex, value, 0, NULL, 0) == 0;
    regfree(&regex);
    return found;
}

static int address_fits(const json_t *condition, const char *address)
{
    unsigned char low[ADDRESS], high[ADDRESS], own[ADDRESS];
    return address && gw_address_parse(address, own) &&
           gw_address_parse(apim_json_str(condition, "low", ""), low) &&
           gw_address_parse(apim_json_str(condition, "high", ""), high) && memcmp(own, low, ADDRESS) >= 0 &&
           memcmp(own, high, ADDRESS) <= 0;
}

static int is_met(const json_t *condition, const gw_group_facts_t *facts)
{
    const char *type = apim_json_str(condition, "type", ""), *name = apim_json_str(condition, "name", "");
    const char *pattern = apim_json_str(condition, "value", "");
    int met = *type == 'i'   ? address_fits(condition, facts->address)
              : *type == 'h' ? fits(pattern, facts->header(facts->baton, name))
              : *type == 'q' ? fits(pattern, facts->parameter(facts->baton, name))
                             : fits(pattern, facts->claim(facts->baton, name));
    return met != apim_json_bool(condition, "invert", 0);
}

static int all_met(const json_t *conditions, const gw_group_facts_t *facts)
{
    size_t i;
    for (i = 0; i < json_array_size(conditions); i++) {
        if (!is_met(json_array_get(conditions, i), facts)) {
            return 0;
        }
    }
    return 1;
}

int gw_groups_find(apr_pool_t *p, const char *text, const gw_group_facts_t *facts, gw_group_limit_t *limit)
{
    static const apim_json_limits_t limits = {MAX_TEXT, 8};
    json_t *groups;
    size_t i;
    if (apim_json_parse(p, text, strlen(text), &limits, &groups)) {
        return 0;
    }
    for (i = 0; i < json_array_size(groups); i++) {
        const json_t *group = json_array_get(groups, i);
        if (all_met(json_object_get(group, "conditions"), facts)) {
            limit->index = (int)i;
            limit->count = apim_json_int(group, "count", -1);
            limit->window = apim_json_int(group, "window", 60);
            return 1;
        }
    }
    return 0;
}
