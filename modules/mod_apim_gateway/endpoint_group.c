/* SPDX-License-Identifier: Apache-2.0 */
#include "endpoint_group.h"

#include <apr_strings.h>
#include <http_config.h>
#include <http_log.h>
#include <http_protocol.h>
#include <string.h>

#include "held_answer.h"
#include "httpd/proxy_run.h"
#include "shared_state.h"

APLOG_USE_MODULE(apim_gateway);

#define MAX_MEMBERS 32
#define TIMED_OUT   "proxy_timedout" /* mod_proxy's note */
#define THRESHOLD   3 /* failures; a member that cannot be connected to counts for that many at once */

typedef struct member_t {
    const char *url;
    gw_health_slot_t *slot;
    int tried;
    int probe; /* this call is the one that tries a suspended member */
} member_t;

struct gw_group_t {
    gw_health_rule_t rule;
    int count, current;
    member_t member[MAX_MEMBERS];
};

static gw_health_t *health;

void gw_group_child_init(gw_health_t *shared)
{
    health = shared;
}

int gw_group_suspended(void)
{
    return health ? gw_health_suspended(health, gw_now()) : 0;
}

/* FNV-1a, then mixed: the names are the publishers' own, nobody gains by a collision. */
static uint64_t key_of(const char *text, apr_size_t len)
{
    uint64_t h = 14695981039346656037ULL;
    apr_size_t i;
    for (i = 0; i < len; i++) {
        h = (h ^ (unsigned char)text[i]) * 1099511628211ULL;
    }
    h ^= h >> 33;
    h *= 0xff51afd7ed558ccdULL;
    return h ^ (h >> 33);
}

/* -- choosing
 * ------------------------------------------------------------------------------------------------------- */

static void add_members(request_rec *r, const gw_endpoint_t *endpoint, gw_group_t *group, uint64_t now)
{
    const char *s = endpoint->urls;
    while (*s && group->count < MAX_MEMBERS) {
        apr_size_t len = strcspn(s, "\n");
        member_t *member = &group->member[group->count++];
        member->url = apr_pstrmemdup(r->pool, s, len);
        member->slot = gw_health_slot(health, key_of(s, len), now);
        s += len + (s[len] == '\n');
    }
}

/* The next member that may be called and has not been, beginning at start; -1 for none. */
static int next_member(gw_group_t *group, int start, uint64_t now)
{
    int i;
    for (i = 0; i < group->count; i++) {
        int at = (start + i) % group->count;
        member_t *member = &group->member[at];
        gw_health_e state = member->tried ? GW_HEALTH_OPEN : gw_health_ask(member->slot, &group->rule, now);
        if (state != GW_HEALTH_OPEN) {
            member->tried = 1;
            member->probe = state == GW_HEALTH_HALF_OPEN;
            return at;
        }
    }
    return -1;
}

static apim_error_t *all_suspended(request_rec *r, const gw_group_t *group, uint64_t now)
{
    apim_error_t *err = apim_error(r->pool, HTTP_SERVICE_UNAVAILABLE, 303001, "Endpoint suspended",
                                   "The back end is suspended after failures and will be tried again soon.");
    uint64_t first = 0;
    int i;
    for (i = 0; i < group->count; i++) {
        uint64_t next = gw_health_next_try(group->member[i].slot);
        first = !first || next < first ? next : first;
    }
    err->retry_after = first > now ? (int)((first - now + 999) / 1000) : 1;
    return err;
}

apim_error_t *gw_group_choose(request_rec *r, const gw_endpoint_t *endpoint, gw_group_t **out,
                              const char **url)
{
    gw_group_t *group = apr_pcalloc(r->pool, sizeof(*group));
    uint64_t now = gw_now();
    int start = 0;
    if (!health) {
        return apim_unavailable(r->pool, "The gateway", "the shared memory is not there");
    }
    group->rule.threshold = THRESHOLD;
    group->rule.first_ms = (uint64_t)endpoint->suspend_ms;
    group->rule.longest_ms = (uint64_t)endpoint->suspend_max_ms;
    group->rule.factor = (uint64_t)endpoint->suspend_factor;
    group->rule.probe_ms = endpoint->timeout_ms ? (uint64_t)endpoint->timeout_ms : 60000;
    add_members(r, endpoint, group, now);
    if (!endpoint->failover && group->count > 1) {
        gw_health_slot_t *turns = gw_health_slot(health, key_of(endpoint->urls, strlen(endpoint->urls)), now);
        start = (int)(gw_health_turn(turns) % (uint64_t)group->count);
    }
    group->current = next_member(group, start, now);
    if (group->current < 0) {
        return all_suspended(r, group, now);
    }
    *out = group;
    *url = group->member[group->current].url;
    return NULL;
}

/* -- running
 * -------------------------------------------------------------------------------------------------------- */

static int has_body(const request_rec *r)
{
    return ap_request_has_body((request_rec *)(apr_uintptr_t)r) || apr_table_get(r->headers_in, "Upgrade");
}

static int is_idempotent(const request_rec *r)
{
    int method = r->method_number;
    return method == M_GET || method == M_OPTIONS || method == M_DELETE || method == M_PUT;
}

/* mod_proxy says 503 if it could not connect, 502 and 504 if no answer came, 500 if TLS could not be agreed
 * on. */
static int is_failure(int rc, const gw_held_answer_t *held)
{
    return rc == HTTP_BAD_GATEWAY || rc == HTTP_SERVICE_UNAVAILABLE || rc == HTTP_GATEWAY_TIME_OUT ||
           rc == HTTP_INTERNAL_SERVER_ERROR || (held && gw_held_answer_broke(held));
}

static void report(request_rec *r, const gw_group_t *group, int failed, int rc)
{
    const member_t *member = &group->member[group->current];
    if (!failed) {
        gw_health_good(member->slot);
    }
    else if (gw_health_bad(member->slot, &group->rule, gw_now(), member->probe,
                           rc == HTTP_SERVICE_UNAVAILABLE ? THRESHOLD : 1)) {
        ap_log_rerror(APLOG_MARK, APLOG_WARNING, 0, r,
                      "APIM-GW0310: the endpoint %s is suspended after failures; calls try it again later",
                      member->url);
    }
}

static void begin_anew(request_rec *r, gw_held_answer_t *held)
{
    gw_held_answer_again(held);
    apr_table_unset(r->notes, "error-notes");
    apr_table_unset(r->notes, "verbose-error-to");
    apr_table_unset(r->notes, TIMED_OUT);
}

/* 1 if the call now goes to another member. */
static int go_on(request_rec *r, gw_call_t *call, gw_group_aim_fn *aim, int rc)
{
    gw_group_t *group = call->group;
    int next;
    if (!is_idempotent(r) && rc != HTTP_SERVICE_UNAVAILABLE) {
        return 0;
    }
    next = next_member(group, group->current + 1, gw_now());
    if (next < 0) {
        return 0;
    }
    group->current = next;
    return aim(r, call, group->member[next].url) == NULL && apim_proxy_fixup(r) == OK;
}

static int run_repeatable(request_rec *r, gw_call_t *call, gw_group_aim_fn *aim)
{
    gw_held_answer_t *held = gw_held_answer_begin(r, r->connection->keepalives);
    int rc, failed, waited = 0;
    /* For a request that is not the first of its connection mod_proxy would close that instead of saying 502.
     */
    r->connection->keepalives = 0;
    for (;;) {
        rc = apim_proxy_run(r);
        failed = is_failure(rc, held);
        report(r, call->group, failed, rc);
        waited += apr_table_get(r->notes, TIMED_OUT) != NULL;
        /* Who has waited for two members has waited long enough. */
        if (!failed || gw_held_answer_passed(held) || r->connection->aborted || waited > 1 ||
            !go_on(r, call, aim, rc)) {
            break;
        }
        begin_anew(r, held);
    }
    if (gw_held_answer_broke(held)) {
        gw_held_answer_again(held);
        rc = HTTP_BAD_GATEWAY;
    }
    gw_held_answer_end(held);
    return rc;
}

int gw_group_run(request_rec *r, gw_call_t *call, gw_group_aim_fn *aim)
{
    int rc;
    if (!has_body(r)) {
        return run_repeatable(r, call, aim);
    }
    rc = apim_proxy_run(r);
    report(r, call->group, is_failure(rc, NULL), rc);
    return rc;
}
