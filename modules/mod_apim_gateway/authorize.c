/* SPDX-License-Identifier: Apache-2.0 */
/* Between "the route is known" and "the call may go on": the decisions, in WSO2's order and with its codes.
 */
#include "gateway.h"

#include <ap_mpm.h>
#include <apr_strings.h>
#include <http_log.h>
#include <http_protocol.h>
#include <mod_status.h>
#include <string.h>

#include "apim_text.h"
#include "credentials.h"
#include "httpd/keymgr_call.h"
#include "httpd/metrics.h"
#include "assertion.h"
#include "call_limits.h"
#include "endpoint_group.h"
#include "shared_state.h"
#include "verification.h"

APLOG_USE_MODULE(apim_gateway);

/* The child's. */
static gw_verifier_t verifier;

/* -- start
 * ----------------------------------------------------------------------------------------------------------
 */

const char *gw_authorize_post_config(apr_pool_t *pconf, server_rec *main_server)
{
    const gw_server_config_t *conf = gw_server_config(main_server);
    const char *wrong = NULL;
    server_rec *s;
    if (conf->cache_size < (apr_int64_t)gw_token_cache_min_size()) {
        return apr_psprintf(pconf, "ApimCacheSize is too small; write at least %dM",
                            (int)(gw_token_cache_min_size() >> 20) + 1);
    }
    if (conf->rate_limit_size < (apr_int64_t)gw_rate_limiter_min_size()) {
        return "ApimRateLimitSize is too small; write at least 1M";
    }
    for (s = main_server; s && !wrong; s = s->next) {
        wrong = apim_keymgr_call_prepare(pconf, s, &gw_server_config(s)->common);
    }
    return wrong
               ? wrong
               : gw_shared_state_make(pconf, (apr_size_t)conf->cache_size, (apr_size_t)conf->rate_limit_size,
                                      conf->usage ? (apr_size_t)conf->usage_buffer : 0);
}

static int connections(const gw_server_config_t *conf)
{
    int threads = 0;
    ap_mpm_query(AP_MPMQ_MAX_THREADS, &threads);
    return conf->keymgr_connections > 0 ? conf->keymgr_connections : (threads + 1) / 2;
}

void gw_authorize_child_init(apr_pool_t *pchild, server_rec *main_server)
{
    verifier.shared = gw_shared_state_attach(pchild);
    if (!verifier.shared) {
        ap_log_error(
            APLOG_MARK, APLOG_CRIT, 0, main_server,
            "APIM-GW0121: the shared memory is not there; calls with credentials will be answered 503");
        return;
    }
    gw_assertion_child_init(pchild);
    gw_group_child_init(verifier.shared->health);
    verifier.gate =
        gw_keymgr_gate_make(pchild, verifier.shared->breaker, connections(gw_server_config(main_server)));
}

/* -- decisions
 * ------------------------------------------------------------------------------------------------------ */

static apim_error_t *missing(request_rec *r, const gw_api_t *api)
{
    return apim_error(
        r->pool, 401, 900902, "Missing Credentials",
        "Missing Credentials. Make sure your API invocation call has a header: %s%s%s%s",
        api->allows_oauth2
            ? apr_pstrcat(r->pool, "\"", api->authorization_header, ": Bearer ACCESS_TOKEN\"", NULL)
            : "",
        api->allows_oauth2 && api->allows_api_key ? " or " : "",
        api->allows_api_key ? apr_pstrcat(r->pool, "\"", api->api_key_header, ": API_KEY\"", NULL) : "",
        api->allows_oauth2 || api->allows_api_key ? "" : "(none is accepted by this API)");
}

/* Refusals of the Key Manager in WSO2's words. */
static const struct {
    int code, status;
    const char *message, *description;
} refusals[] = {
    {900901, 401, "Invalid Credentials",
     "Invalid Credentials. Make sure you have provided the correct security credentials"},
    {900903, 401, "Access Token Expired", "Access Token Expired. Renew the access token and try again"},
    {900904, 401, "Access Token Inactive",
     "Access Token Inactive. Generate a new access token and try again"},
    {900907, 401, "The requested API is temporarily blocked", "The subscription to the API is blocked"},
    {900908, 403, "Resource forbidden",
     "User is NOT authorized to access the Resource. API Subscription validation failed."},
    {900909, 401, "The subscription to the API is inactive",
     "The subscription to the API is on hold or was rejected"}};

static apim_error_t *refused(request_rec *r, gw_call_t *call, const gw_answer_t *answer)
{
    apr_size_t i, last = sizeof(refusals) / sizeof(refusals[0]) - 1;
    for (i = 0; i < last && refusals[i].code != answer->code; i++) {
    }
    i = refusals[i].code == answer->code ? i : 0;
    call->challenge = answer->code == 900903
                          ? "error=\"invalid_token\", error_description=\"The access token expired\""
                      : i == 0 ? "error=\"invalid_token\""
                               : NULL;
    return apim_error(r->pool, refusals[i].status, refusals[i].code, refusals[i].message, "%s",
                      refusals[i].description);
}

static apim_error_t *check_token_type(request_rec *r, gw_call_t *call, const gw_answer_t *answer)
{
    gw_auth_type_e wanted = call->operation->auth_type;
    if (wanted == GW_AUTH_ANY || (wanted == GW_AUTH_USER) == (answer->by_user != 0)) {
        return NULL;
    }
    call->challenge = "error=\"invalid_token\", error_description=\"Incorrect access token type\"";
    return apim_error(r->pool, 401, 900905, "Incorrect Access Token Type is provided",
                      "The resource needs a token of an %s",
                      wanted == GW_AUTH_USER ? "application user" : "application");
}

static apim_error_t *check_scopes(request_rec *r, const gw_call_t *call, const gw_answer_t *answer)
{
    const char *wanted = call->operation->scopes;
    char *state, *word, *copy;
    if (!wanted || !*wanted) {
        return NULL;
    }
    copy = apr_pstrdup(r->pool, wanted);
    for (word = apr_strtok(copy, " ", &state); word; word = apr_strtok(NULL, " ", &state)) {
        if (apim_word_in_list(word, answer->scopes)) {
            return NULL;
        }
    }
    return apim_error(r->pool, 403, 900910,
                      "The access token does not allow you to access the requested resource",
                      "User is NOT authorized to access the Resource: %s. Scope validation failed.",
                      call->operation->target);
}

/* For LogFormat and Require expr. */
static void set_variables(request_rec *r, const gw_answer_t *answer)
{
    apr_table_t *env = r->subprocess_env;
    apr_table_addn(env, "apim_application", answer->application_name);
    apr_table_addn(env, "apim_application_id", answer->application_id);
    apr_table_addn(env, "apim_consumer_key", answer->consumer_key);
    apr_table_addn(env, "apim_user", answer->username);
    apr_table_addn(env, "apim_tier", answer->subscription_tier);
    apr_table_addn(env, "apim_key_type", answer->sandbox ? "SANDBOX" : "PRODUCTION");
    if (answer->authorized && *answer->username) {
        r->user = apr_pstrdup(r->pool, answer->username);
        r->ap_auth_type = apr_pstrdup(r->pool, "Bearer");
    }
}

static apim_error_t *check_credential(request_rec *r, gw_call_t *call, const gw_credential_t *credential)
{
    const gw_answer_t *answer;
    if (credential->kind == GW_CREDENTIAL_NONE) {
        return missing(r, call->api);
    }
    APIM_TRY(gw_verify(r, &verifier, call, credential, &answer));
    set_variables(r, answer);
    if (!answer->authorized) {
        return refused(r, call, answer);
    }
    call->answer = answer;
    call->sandbox = answer->sandbox;
    APIM_TRY(gw_deny_check(r, call, answer));
    APIM_TRY(check_token_type(r, call, answer));
    return check_scopes(r, call, answer);
}

apim_error_t *gw_authorize(request_rec *r, gw_call_t *call)
{
    gw_credential_t credential;
    apim_error_t *malformed = gw_credentials_take(r, call, &credential);
    if (!verifier.shared) {
        return apim_unavailable(r->pool, "The gateway", "the shared memory is not there");
    }
    APIM_TRY(gw_deny_check(r, call, NULL));
    if (call->operation->auth_type != GW_AUTH_NONE) {
        if (malformed) {
            call->challenge = "error=\"invalid_request\"";
            return malformed;
        }
        APIM_TRY(check_credential(r, call, &credential));
    }
    APIM_TRY(gw_limits_charge(r, verifier.shared->limiter, call, call->answer));
    return call->answer && gw_server_config(r->server)->assertion
               ? gw_assertion_set(r, &verifier, call, &credential, call->answer)
               : NULL;
}

/* -- for the sync watchdog
 * ------------------------------------------------------------------------------------------ */

void gw_mark_stale(const char *kind, const char *subject)
{
    if (verifier.shared) {
        apim_marks_set_named(verifier.shared->marks, kind, subject);
    }
}

void gw_mark_all_stale(void)
{
    if (verifier.shared) {
        apim_marks_set_all(verifier.shared->marks);
    }
}

/* -- status
 * ---------------------------------------------------------------------------------------------------------
 */

static void fact(request_rec *r, int flags, const char *key, const char *title, uint64_t value)
{
    if (flags & APIM_METRICS_FLAG) {
        apim_metrics_fact(r, "gateway", key, title, (apr_int64_t)value);
    }
    else if (flags & AP_STATUS_SHORT) {
        ap_rprintf(r, "ApimGateway%s: %" APR_UINT64_T_FMT "\n", key, (apr_uint64_t)value);
    }
    else {
        ap_rprintf(r, "<tr><th align=\"left\">%s</th><td>%" APR_UINT64_T_FMT "</td></tr>\n", title,
                   (apr_uint64_t)value);
    }
}

static void cache_facts(request_rec *r, int flags)
{
    gw_cache_stats_t s;
    gw_token_cache_stats(verifier.shared->cache, gw_now(), &s);
    fact(r, flags, "CacheEntries", "Verification cache: entries", s.used);
    fact(r, flags, "CacheSlots", "Verification cache: room for", s.slots);
    fact(r, flags, "CacheHits", "Verification cache: hits", s.hits);
    fact(r, flags, "CacheMisses", "Verification cache: misses", s.misses);
    fact(r, flags, "CacheStale", "Verification cache: entries found stale", s.stale);
    fact(r, flags, "CacheEvictions", "Verification cache: entries pushed out", s.evictions);
    fact(r, flags, "CacheTooLarge", "Verification cache: answers too large to keep", s.too_large);
}

static void keymgr_facts(request_rec *r, int flags)
{
    const gw_keymgr_stats_t *s = verifier.shared->keymgr;
    const char *breaker = gw_breaker_state(verifier.shared->breaker, gw_now());
    uint64_t calls = __atomic_load_n(&s->calls, __ATOMIC_RELAXED);
    fact(r, flags, "KeyManagerCalls", "Key Manager: calls", calls);
    fact(r, flags, "KeyManagerFailures", "Key Manager: failed calls",
         __atomic_load_n(&s->failures, __ATOMIC_RELAXED));
    fact(r, flags, "KeyManagerRefused", "Key Manager: not asked, busy or broken",
         __atomic_load_n(&s->refused, __ATOMIC_RELAXED));
    fact(r, flags, "KeyManagerWaits", "Key Manager: waited for another's answer",
         __atomic_load_n(&s->waits, __ATOMIC_RELAXED));
    fact(r, flags, "KeyManagerMeanMicroseconds", "Key Manager: mean time (microseconds)",
         calls ? __atomic_load_n(&s->microseconds, __ATOMIC_RELAXED) / calls : 0);
    fact(r, flags, "KeyManagerSlowestMicroseconds", "Key Manager: slowest (microseconds)",
         __atomic_load_n(&s->slowest, __ATOMIC_RELAXED));
    if (flags & APIM_METRICS_FLAG) {
        fact(r, flags, "KeyManagerBreakerOpen", "Key Manager: 1 while the circuit breaker is not closed",
             strcmp(breaker, "closed") != 0);
        return;
    }
    ap_rprintf(r,
               flags & AP_STATUS_SHORT
                   ? "ApimGatewayKeyManagerBreaker: %s\n"
                   : "<tr><th align=\"left\">Key Manager: circuit breaker</th><td>%s</td></tr>\n",
               breaker);
}

static void limiter_facts(request_rec *r, int flags)
{
    gw_rate_stats_t s;
    gw_rate_limiter_stats(verifier.shared->limiter, gw_now(), &s);
    fact(r, flags, "LimitCounters", "Rate limits: counters in use", s.used);
    fact(r, flags, "LimitSlots", "Rate limits: room for", s.slots);
    fact(r, flags, "LimitAllowed", "Rate limits: calls allowed", s.allowed);
    fact(r, flags, "LimitRefused", "Rate limits: calls refused", s.refused);
    fact(r, flags, "LimitEvictions", "Rate limits: counters pushed out", s.evictions);
    fact(r, flags, "EndpointsSuspended", "Endpoints: suspended after failures",
         (uint64_t)gw_group_suspended());
    fact(r, flags, "LimitUnenforced", "Rate limits: calls passed without counting", s.unenforced);
}

void gw_authorize_status(request_rec *r, int flags)
{
    if (verifier.shared) {
        cache_facts(r, flags);
        keymgr_facts(r, flags);
        limiter_facts(r, flags);
    }
}
