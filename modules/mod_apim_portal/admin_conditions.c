/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <regex.h>
#include <string.h>

#include "admin.h"

/*
 * Conditional groups of advanced policies: WSO2's conditionalGroups, as a body has them, and as gateways read
 * them. A group holds conditions, all of which a call must meet, and the limit that then holds.
 */
#define MAX_GROUPS     20
#define MAX_CONDITIONS 20
#define ADDRESS        16
/* What is known of a caller without looking into his token. */
#define CLAIMS  "enduser|subscriber|applicationid|applicationname|applicationtier|tier|keytype|usertype"
#define DIALECT "http://wso2.org/claims/"

/* -- reading a body
 * -------------------------------------------------------------------------------------------- */

static int check_address(po_problems_t *problems, const char *where, const char *text, unsigned char *bytes)
{
    memset(bytes, 0, ADDRESS);
    if (inet_pton(strchr(text, ':') ? AF_INET6 : AF_INET, text, bytes) != 1) {
        po_problem(problems, where, "must be an address such as 192.0.2.7 or 2001:db8::7.");
        return 0;
    }
    return 1;
}

static void check_range(po_problems_t *problems, const char *place, const char *first, const char *last)
{
    unsigned char low[ADDRESS], high[ADDRESS];
    const char *end = po_where(problems, place, "endingIP");
    int fits = check_address(problems, po_where(problems, place, "startingIP"), first, low) &
               check_address(problems, end, last, high);
    if (fits && (!strchr(first, ':') != !strchr(last, ':') || memcmp(low, high, ADDRESS) > 0)) {
        po_problem(problems, end, "must be of the same kind as startingIP, and not lie before it.");
    }
}

static void check_pattern(po_problems_t *problems, const char *where, const json_t *value)
{
    const char *text = po_check_text(problems, where, value, 1, 200, NULL);
    regex_t regex;
    if (!text) {
        return;
    }
    if (regcomp(&regex, text, REG_EXTENDED | REG_NOSUB) != 0) {
        po_problem(problems, where, "must be an extended regular expression.");
        return;
    }
    regfree(&regex);
}

static const char *claim_name(const char *url)
{
    return strncmp(url, DIALECT, sizeof(DIALECT) - 1) == 0 ? url + sizeof(DIALECT) - 1 : url;
}

/* The members of the conditions that look at a named value. */
static const struct {
    const char *type, *member, *name, *value, *kind;
} named[] = {
    {"HEADERCONDITION", "headerCondition", "headerName", "headerValue", "header"},
    {"QUERYPARAMETERCONDITION", "queryParameterCondition", "parameterName", "parameterValue", "query"},
    {"JWTCLAIMSCONDITION", "jwtClaimsCondition", "claimUrl", "attribute", "claim"}};

static void check_named(po_problems_t *problems, const char *where, const json_t *condition, int i)
{
    const json_t *inner = json_object_get(condition, named[i].member);
    const char *place = po_where(problems, where, named[i].member);
    const char *name = po_check_text(problems, po_where(problems, place, named[i].name),
                                     json_object_get(inner, named[i].name), 1, 200, NULL);
    if (name && strcmp(named[i].kind, "claim") == 0 && !po_one_of(claim_name(name), CLAIMS)) {
        po_problem(problems, po_where(problems, place, named[i].name),
                   "must be one of " CLAIMS " (with or without " DIALECT ").");
    }
    check_pattern(problems, po_where(problems, place, named[i].value),
                  json_object_get(inner, named[i].value));
}

static void check_ip(po_problems_t *problems, const char *where, const json_t *condition)
{
    const json_t *inner = json_object_get(condition, "ipCondition");
    const char *place = po_where(problems, where, "ipCondition");
    unsigned char bytes[ADDRESS];
    if (!po_check_one_of(problems, po_where(problems, place, "ipConditionType"),
                         json_object_get(inner, "ipConditionType"), "IPSPECIFIC|IPRANGE")) {
        return;
    }
    if (strcmp(apim_json_str(inner, "ipConditionType", ""), "IPSPECIFIC") == 0) {
        check_address(problems, po_where(problems, place, "specificIP"),
                      apim_json_str(inner, "specificIP", ""), bytes);
        return;
    }
    check_range(problems, place, apim_json_str(inner, "startingIP", ""),
                apim_json_str(inner, "endingIP", ""));
}

static int which_named(const char *type)
{
    int i;
    for (i = 0; i < 3 && strcmp(named[i].type, type) != 0; i++) {
    }
    return i;
}

static void check_condition(po_problems_t *problems, const char *where, const json_t *condition)
{
    const char *type = apim_json_str(condition, "type", "");
    int i = which_named(type);
    if (i < 3) {
        check_named(problems, where, condition, i);
    }
    else if (strcmp(type, "IPCONDITION") == 0) {
        check_ip(problems, where, condition);
    }
    else {
        po_problem(problems, po_where(problems, where, "type"),
                   "must be IPCONDITION, HEADERCONDITION, QUERYPARAMETERCONDITION or JWTCLAIMSCONDITION.");
    }
}

static json_t *read_group(po_problems_t *problems, const char *where, const json_t *group)
{
    json_t *conditions = json_object_get(group, "conditions"), *condition;
    const char *place = po_where(problems, where, "conditions");
    size_t i, n = json_array_size(conditions);
    if (!n || n > MAX_CONDITIONS) {
        po_problem(problems, place, "must have 1 to %d conditions.", MAX_CONDITIONS);
        return NULL;
    }
    json_array_foreach(conditions, i, condition)
    {
        check_condition(problems, po_where_item(problems, place, i), condition);
    }
    po_check_kept(problems, where, group, 0);
    return json_pack(
        "{s:s, s:O, s:o*}", "description", apim_json_str(group, "description", ""), "conditions", conditions,
        "limit",
        ad_read_limit(problems, po_where(problems, where, "limit"), json_object_get(group, "limit")));
}

json_t *ad_read_groups(po_problems_t *problems, const json_t *groups)
{
    json_t *out = apim_json_own(problems->pool, json_array());
    size_t i, n = json_array_size(groups);
    if (groups && !json_is_null(groups) && (!json_is_array(groups) || n > MAX_GROUPS)) {
        po_problem(problems, "/conditionalGroups", "must be an array of at most %d groups.", MAX_GROUPS);
        return out;
    }
    for (i = 0; i < n; i++) {
        json_t *group =
            read_group(problems, po_where_item(problems, "/conditionalGroups", i), json_array_get(groups, i));
        if (group) {
            json_array_append_new(out, group);
        }
    }
    return out;
}

/* -- for gateways
 * ---------------------------------------------------------------------------------------------- */

static json_t *condition_for_gateway(const json_t *condition)
{
    const char *type = apim_json_str(condition, "type", "");
    const json_t *ip = json_object_get(condition, "ipCondition"), *inner;
    int invert = apim_json_bool(condition, "invertCondition", 0), i = which_named(type);
    if (i < 3) {
        inner = json_object_get(condition, named[i].member);
        return json_pack("{s:s, s:s, s:s, s:b}", "type", named[i].kind, "name",
                         i == 2 ? claim_name(apim_json_str(inner, named[i].name, ""))
                                : apim_json_str(inner, named[i].name, ""),
                         "value", apim_json_str(inner, named[i].value, ""), "invert", invert);
    }
    i = strcmp(apim_json_str(ip, "ipConditionType", ""), "IPRANGE") == 0;
    return json_pack("{s:s, s:s, s:s, s:b}", "type", "ip", "low",
                     apim_json_str(ip, i ? "startingIP" : "specificIP", ""), "high",
                     apim_json_str(ip, i ? "endingIP" : "specificIP", ""), "invert", invert);
}

json_t *ad_groups_for_gateway(const json_t *groups)
{
    json_t *out = json_array();
    size_t i, j;
    for (i = 0; i < json_array_size(groups); i++) {
        const json_t *group = json_array_get(groups, i), *conditions = json_object_get(group, "conditions");
        const json_t *count = json_object_get(json_object_get(group, "limit"), "requestCount");
        json_t *list = json_array();
        for (j = 0; j < json_array_size(conditions); j++) {
            json_array_append_new(list, condition_for_gateway(json_array_get(conditions, j)));
        }
        json_array_append_new(out, json_pack("{s:o, s:I, s:I, s:s}", "conditions", list, "requestCount",
                                             (json_int_t)apim_json_int(count, "requestCount", -1), "unitTime",
                                             (json_int_t)apim_json_int(count, "unitTime", 1), "timeUnit",
                                             apim_json_str(count, "timeUnit", "min")));
    }
    return out;
}
