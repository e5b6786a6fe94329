/* SPDX-License-Identifier: Apache-2.0 */
#include "call_limits.h"

#include <apr_strings.h>
#include <arpa/inet.h>
#include <http_log.h>
#include <string.h>

#include "apim_text.h"
#include "policy_groups.h"

APLOG_USE_MODULE(apim_gateway);

#define UNLIMITED       "Unlimited"
#define UNAUTHENTICATED "Unauthenticated"
#define WARNED_MAX      64

/* A call's limits, and for each what the caller is told. */
typedef struct set_t {
    request_rec *r;
    int count;
    gw_limit_t limit[GW_LIMITS_MAX];
    struct {
        int code;
        const char *policy;
    } about[GW_LIMITS_MAX];
} set_t;

/* -- policies
 * ------------------------------------------------------------------------------------------------------- */

/* What WSO2 ships, per minute. */
static const struct {
    const char *level, *name;
    apr_int64_t per_minute;
} shipped[] = {{"subscription", "Gold", 5000},   {"subscription", "Silver", 2000},
               {"subscription", "Bronze", 1000}, {"subscription", UNAUTHENTICATED, 500},
               {"application", "50PerMin", 50},  {"application", "20PerMin", 20},
               {"application", "10PerMin", 10},  {"advanced", "50KPerMin", 50000},
               {"advanced", "20KPerMin", 20000}, {"advanced", "10KPerMin", 10000}};

#define LAST_RESORT 60

/* Once for each policy and child; after WARNED_MAX names it stays silent. */
static void warn_once(request_rec *r, const char *level, const char *name, apr_int64_t per_minute)
{
    static apr_uint64_t warned[WARNED_MAX];
    apr_uint64_t hash = 5381, none;
    const char *s;
    int i;
    for (s = apr_pstrcat(r->pool, level, "/", name, NULL); *s; s++) {
        hash = hash * 33 + (unsigned char)*s;
    }
    for (i = 0; i < WARNED_MAX; i++) {
        none = 0;
        if (__atomic_compare_exchange_n(&warned[i], &none, hash | 1, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
            ap_log_rerror(APLOG_MARK, APLOG_WARNING, 0, r,
                          "APIM-GW0120: the %s policy %s is not in this node's replica; %" APR_INT64_T_FMT
                          " calls a minute are allowed until it is",
                          level, name, per_minute);
            return;
        }
        if (none == (hash | 1)) {
            return;
        }
    }
}

static const gw_policy_t *stand_in(request_rec *r, const char *level, const char *name)
{
    gw_policy_t *policy = apr_pcalloc(r->pool, sizeof(*policy));
    apr_size_t i;
    policy->name = name;
    policy->request_count = LAST_RESORT;
    policy->window = 60;
    policy->stop_on_quota = 1;
    for (i = 0; i < sizeof(shipped) / sizeof(shipped[0]); i++) {
        if (strcmp(shipped[i].level, level) == 0 && strcmp(shipped[i].name, name) == 0) {
            policy->request_count = shipped[i].per_minute;
        }
    }
    warn_once(r, level, name, policy->request_count);
    return policy;
}

/* NULL: no limit. */
static const gw_policy_t *find_policy(request_rec *r, const char *level, const char *name)
{
    const gw_policy_t *policy;
    if (!name || !*name || strcmp(name, UNLIMITED) == 0) {
        return NULL;
    }
    policy = gw_policy_find(r->pool, level, name);
    return policy ? policy : stand_in(r, level, name);
}

/* -- which limits
 * --------------------------------------------------------------------------------------------------- */

static void add(set_t *set, const char *kind, int code, const gw_policy_t *policy, apr_int64_t limit,
                apr_int64_t seconds, const char *subject)
{
    gw_limit_t *l = &set->limit[set->count];
    if (limit < 0 || seconds <= 0) {
        return;
    }
    memset(l, 0, sizeof(*l));
    l->kind = kind;
    l->subject = subject;
    l->limit = (uint64_t)limit;
    l->window = (uint64_t)seconds * 1000;
    l->enforced = policy->stop_on_quota;
    set->about[set->count].code = code;
    set->about[set->count].policy = policy->name;
    set->count++;
}

static void add_simple(set_t *set, const char *kind, int code, const char *level, const char *name,
                       const char *subject)
{
    const gw_policy_t *policy = find_policy(set->r, level, name);
    if (policy) {
        add(set, kind, code, policy, policy->request_count, policy->window, subject);
    }
}

/* -- conditional groups
 * ------------------------------------------------------------------------------------------ */

typedef struct caller_t {
    request_rec *r;
    const gw_answer_t *answer;
} caller_t;

static const char *header_of(void *baton, const char *name)
{
    const caller_t *caller = baton;
    return apr_table_get(caller->r->headers_in, name);
}

/* The first value of a query parameter, decoded. */
static const char *parameter_of(void *baton, const char *name)
{
    const caller_t *caller = baton;
    apr_pool_t *p = caller->r->pool;
    const char *pair = caller->r->args;
    while (pair && *pair) {
        apr_size_t len = strcspn(pair, "&"), name_len = strcspn(pair, "=&");
        const char *decoded = apim_urldecode(p, pair, name_len, 1);
        if (decoded && strcmp(decoded, name) == 0) {
            return name_len < len ? apim_urldecode(p, pair + name_len + 1, len - name_len - 1, 1) : "";
        }
        pair += len + (pair[len] == '&');
    }
    return NULL;
}

static const char *claim_of(void *baton, const char *name)
{
    const gw_answer_t *a = ((const caller_t *)baton)->answer;
    const struct {
        const char *name, *value;
    } known[] = {{"enduser", a ? a->username : NULL},
                 {"subscriber", a ? a->application_owner : NULL},
                 {"applicationid", a ? a->application_id : NULL},
                 {"applicationname", a ? a->application_name : NULL},
                 {"applicationtier", a ? a->application_tier : NULL},
                 {"tier", a ? a->subscription_tier : NULL},
                 {"keytype", a && a->sandbox ? "SANDBOX" : "PRODUCTION"},
                 {"usertype", a && a->by_user ? "APPLICATION_USER" : "APPLICATION"}};
    apr_size_t i;
    for (i = 0; a && i < sizeof(known) / sizeof(known[0]); i++) {
        if (strcmp(known[i].name, name) == 0) {
            return known[i].value;
        }
    }
    return NULL;
}

/* An advanced policy: its own limit, or that of the first group that the call falls into. */
static void add_advanced(set_t *set, const char *kind, int code, const char *name, const char *subject,
                         const gw_answer_t *answer)
{
    caller_t caller = {set->r, answer};
    gw_group_facts_t facts = {&caller, set->r->useragent_ip, header_of, parameter_of, claim_of};
    const gw_policy_t *policy = find_policy(set->r, "advanced", name);
    gw_group_limit_t group;
    if (!policy) {
        return;
    }
    if (policy->groups && gw_groups_find(set->r->pool, policy->groups, &facts, &group)) {
        add(set, kind, code, policy, group.count, group.window,
            apr_psprintf(set->r->pool, "%s#%d", subject, group.index));
        return;
    }
    add(set, kind, code, policy, policy->request_count, policy->window, subject);
}

static void add_subscription(set_t *set, const gw_call_t *call, const gw_answer_t *answer)
{
    const gw_policy_t *policy = find_policy(set->r, "subscription", answer->subscription_tier);
    const char *subject = apr_pstrcat(set->r->pool, answer->application_id, "/", call->api->id, NULL);
    if (!policy) {
        return;
    }
    if (policy->burst_count > 0) {
        add(set, "burst", 900807, policy, policy->burst_count, policy->burst_window, subject);
    }
    add(set, "subscription", 900804, policy, policy->request_count, policy->window, subject);
}

/* The caller's address; of IPv6 the /64, which is what one customer gets. */
static const char *address_of(request_rec *r)
{
    unsigned char a[16];
    if (!strchr(r->useragent_ip, ':') || inet_pton(AF_INET6, r->useragent_ip, a) != 1 ||
        IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)(const void *)a)) {
        return r->useragent_ip;
    }
    return apim_hex(r->pool, a, 8);
}

static void add_unauthenticated(set_t *set, const gw_call_t *call)
{
    int before = set->count;
    add_simple(set, "unauthenticated", 900804, "subscription", UNAUTHENTICATED,
               apr_pstrcat(set->r->pool, address_of(set->r), "/", call->api->id, NULL));
    if (set->count > before) {
        set->limit[before].anonymous = 1;
    }
}

static void add_backend(set_t *set, const gw_call_t *call)
{
    static const gw_policy_t back_end = {.name = "maxTps", .stop_on_quota = 1};
    const gw_endpoint_t *endpoint = gw_call_endpoint(call);
    if (endpoint->max_calls) {
        add(set, "backend", 900801, &back_end, endpoint->max_calls, endpoint->max_window,
            apr_pstrcat(set->r->pool, call->api->id, endpoint == &call->api->sandbox ? "/sandbox" : "",
                        NULL));
    }
}

static void collect(set_t *set, const gw_call_t *call, const gw_answer_t *answer)
{
    const gw_api_t *api = call->api;
    apr_pool_t *p = set->r->pool;
    if (api->api_policy && *api->api_policy) {
        add_advanced(set, "api", 900800, api->api_policy, api->id, answer);
    }
    else {
        add_advanced(set, "resource", 900802, call->operation->policy,
                     apr_pstrcat(p, api->id, " ", call->operation->verb, " ", call->operation->target, NULL),
                     answer);
    }
    add_backend(set, call);
    if (!answer) {
        add_unauthenticated(set, call);
        return;
    }
    add_subscription(set, call, answer);
    add_simple(set, "application", 900803, "application", answer->application_tier,
               apr_pstrcat(p, answer->application_id, "/", answer->username, NULL));
}

/* -- what the caller is told
 * ---------------------------------------------------------------------------------------- */

static uint64_t in_seconds(uint64_t ms)
{
    return (ms + 999) / 1000;
}

/* The limit that will stop the caller first: the one that does, else fewest calls left, else longest until
 * they come back. */
static int strictest(const set_t *set, int refusing)
{
    int i, best = 0;
    if (refusing >= 0) {
        return refusing;
    }
    for (i = 1; i < set->count; i++) {
        const gw_limit_t *a = &set->limit[i], *b = &set->limit[best];
        if (a->remaining < b->remaining || (a->remaining == b->remaining && a->reset > b->reset)) {
            best = i;
        }
    }
    return best;
}

/* Integers of structured fields have 15 digits (RFC 9651). */
static const char *number(apr_pool_t *p, uint64_t n)
{
    return apim_i64(p, n < 999999999999999ULL ? (apr_int64_t)n : 999999999999999LL);
}

/* draft-ietf-httpapi-ratelimit-headers: RateLimit-Policy: "subscription";q=5000;w=60   RateLimit:
 * "subscription";r=4999;t=60 */
static void set_fields(const set_t *set)
{
    apr_pool_t *p = set->r->pool;
    const char *policy = "", *state = "";
    int i;
    for (i = 0; i < set->count; i++) {
        const gw_limit_t *l = &set->limit[i];
        const char *comma = i ? ", " : "";
        policy = apr_pstrcat(p, policy, comma, "\"", l->kind, "\";q=", number(p, l->limit),
                             ";w=", number(p, l->window / 1000), NULL);
        state = apr_pstrcat(p, state, comma, "\"", l->kind, "\";r=", number(p, l->remaining),
                            ";t=", number(p, in_seconds(l->reset)), NULL);
    }
    apr_table_setn(set->r->err_headers_out, "RateLimit-Policy", policy);
    apr_table_setn(set->r->err_headers_out, "RateLimit", state);
}

static void set_headers(const set_t *set, int refusing)
{
    const gw_limit_t *l = &set->limit[strictest(set, refusing)];
    apr_table_t *headers = set->r->err_headers_out;
    if (!set->count || !gw_server_config(set->r->server)->rate_limit_headers) {
        return;
    }
    set_fields(set);
    apr_table_setn(headers, "X-RateLimit-Limit", number(set->r->pool, l->limit));
    apr_table_setn(headers, "X-RateLimit-Remaining", number(set->r->pool, l->remaining));
    apr_table_setn(headers, "X-RateLimit-Reset", number(set->r->pool, in_seconds(l->reset)));
}

/* In WSO2's words and its form of dates, which people's scripts read. */
static apim_error_t *refusal(const set_t *set, int refusing)
{
    const gw_limit_t *l = &set->limit[refusing];
    uint64_t wait = in_seconds(l->reset) ? in_seconds(l->reset) : 1;
    char when[64];
    apr_size_t len;
    apr_time_exp_t t;
    apim_error_t *err;
    apr_time_exp_gmt(&t, apr_time_now() + apr_time_from_sec((apr_time_t)wait));
    apr_strftime(when, &len, sizeof(when), "%Y-%b-%d %H:%M:%S+0000 UTC", &t);
    if (set->about[refusing].code == 900801) {
        err = apim_error(set->r->pool, HTTP_SERVICE_UNAVAILABLE, 900801, "API Limit Reached",
                         "API not accepting requests: its back end takes no more at the moment.");
        err->retry_after = wait < 0x7fffffff ? (int)wait : 0x7fffffff;
        return err;
    }
    err = apim_error(set->r->pool, 429, set->about[refusing].code, "Message throttled out",
                     "You have exceeded your quota .You can access API after %s", when);
    err->retry_after = wait < 0x7fffffff ? (int)wait : 0x7fffffff;
    return err;
}

static void mark_what_passed(const set_t *set)
{
    int i;
    for (i = 0; i < set->count; i++) {
        if (set->limit[i].over) {
            apr_table_setn(set->r->subprocess_env, "apim_over_limit", set->about[i].policy);
        }
    }
}

apim_error_t *gw_limits_charge(request_rec *r, gw_rate_limiter_t *limiter, const gw_call_t *call,
                               const gw_answer_t *answer)
{
    set_t set = {r, 0, {{0}}, {{0, NULL}}};
    int refusing;
    collect(&set, call, answer);
    if (!set.count) {
        return NULL;
    }
    refusing = gw_rate_limiter_take(limiter, set.limit, set.count, gw_now());
    set_headers(&set, refusing);
    if (refusing >= 0) {
        return refusal(&set, refusing);
    }
    mark_what_passed(&set);
    return NULL;
}
