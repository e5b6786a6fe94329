/* SPDX-License-Identifier: Apache-2.0 */
#include "verification.h"

#include <apr_strings.h>
#include <http_log.h>
#include <string.h>

#include "apim_json.h"
#include "apim_text.h"
#include "httpd/keymgr_call.h"

#define RETRY_AFTER  2
#define NAP_FIRST    500 /* microseconds between looks into the cache while another asks */
#define NAP_LONGEST  8000
#define FLIGHT_SLACK 1000 /* ms an asker may take beyond its time before others take over */
#define MAX_ASKS     2    /* the answer was made stale while it was under way: once more */

APLOG_USE_MODULE(apim_gateway);

/* -- an answer as bytes
 * -------------------------------------------------------------------------------------------- */

/* The strings of an answer in the order they lie in the cache. */
/* clang-format off */
#define ANSWER_STRINGS(X) \
    X(description) X(token_id) X(consumer_key) X(username) \
    X(application_id) X(application_name) X(application_tier) X(application_owner) \
    X(subscription_id) X(subscription_tier) X(scopes)
/* clang-format on */

typedef struct flat_t {
    apr_int64_t expires_at;
    apr_int32_t code;
    unsigned char authorized, sandbox, by_user, pad;
    char strings[];
} flat_t;

static const flat_t *flatten(apr_pool_t *p, const gw_answer_t *a, uint32_t *len)
{
    apr_size_t size = sizeof(flat_t);
    flat_t *flat;
    char *at;
#define MEASURE(name) size += strlen(a->name) + 1;
    ANSWER_STRINGS(MEASURE)
    flat = apr_pcalloc(p, size);
    flat->expires_at = a->expires_at;
    flat->code = a->code;
    flat->authorized = (unsigned char)a->authorized;
    flat->sandbox = (unsigned char)a->sandbox;
    flat->by_user = (unsigned char)a->by_user;
    at = flat->strings;
#define COPY(name)                                                                                           \
    memcpy(at, a->name, strlen(a->name) + 1);                                                                \
    at += strlen(a->name) + 1;
    ANSWER_STRINGS(COPY)
    *len = (uint32_t)size;
    return flat;
}

static const gw_answer_t *unflatten(apr_pool_t *p, const flat_t *flat)
{
    gw_answer_t *a = apr_palloc(p, sizeof(*a));
    const char *at = flat->strings;
    a->authorized = flat->authorized;
    a->code = flat->code;
    a->sandbox = flat->sandbox;
    a->by_user = flat->by_user;
    a->expires_at = flat->expires_at;
#define POINT(name)                                                                                          \
    a->name = at;                                                                                            \
    at += strlen(at) + 1;
    ANSWER_STRINGS(POINT)
    return a;
}

/* -- the question
 * -------------------------------------------------------------------------------------------------- */

/* Everything one verification carries about. */
typedef struct question_t {
    request_rec *r;
    const gw_verifier_t *v;
    const gw_call_t *call;
    const gw_server_config_t *conf;
    const gw_credential_t *credential;
    gw_cache_key_t key;       /* of (credential, API) */
    gw_cache_key_t bound_key; /* the same from this address and page: an API key may be bound to them */
    uint64_t deadline;
} question_t;

static int needs_subscription(const gw_call_t *call)
{
    return call->api->status != GW_PROTOTYPED;
}

static int make_keys(question_t *q)
{
    const char *referer = apr_table_get(q->r->headers_in, "Referer");
    const char *scope = apr_pstrcat(q->r->pool, q->credential->kind == GW_CREDENTIAL_TOKEN ? "t" : "k",
                                    needs_subscription(q->call) ? "s" : "p", q->call->api->id, NULL);
    if (gw_token_cache_key(q->v->shared->cache, q->credential->value, q->credential->len, scope, &q->key)) {
        return -1;
    }
    q->bound_key = q->key;
    if (q->credential->kind != GW_CREDENTIAL_API_KEY) {
        return 0;
    }
    scope = apr_pstrcat(q->r->pool, scope, "\n", q->r->useragent_ip, "\n", referer ? referer : "", NULL);
    return gw_token_cache_key(q->v->shared->cache, q->credential->value, q->credential->len, scope,
                              &q->bound_key);
}

static int look_up(question_t *q, const gw_answer_t **answer)
{
    gw_token_cache_t *cache = q->v->shared->cache;
    gw_cache_entry_t entry;
    if (!gw_token_cache_get(cache, &q->key, gw_now(), q->r->pool, &entry) &&
        (q->credential->kind != GW_CREDENTIAL_API_KEY ||
         !gw_token_cache_get(cache, &q->bound_key, gw_now(), q->r->pool, &entry))) {
        return 0;
    }
    *answer = unflatten(q->r->pool, entry.data);
    return 1;
}

static json_t *make_input(question_t *q)
{
    json_t *in = apim_json_own(q->r->pool, json_object());
    const char *referer = apr_table_get(q->r->headers_in, "Referer");
    apim_json_set_str(in, q->credential->kind == GW_CREDENTIAL_TOKEN ? "token" : "apiKey",
                      q->credential->value);
    apim_json_set_str(in, "apiId", q->call->api->id);
    apim_json_set_str(in, "context", q->call->api->context);
    apim_json_set_str(in, "version", q->call->api->version);
    apim_json_set_str(in, "apiName", q->call->api->name);
    json_object_set_new(in, "subscriptionRequired", json_boolean(needs_subscription(q->call)));
    apim_json_set_str(in, "clientIp", q->r->useragent_ip);
    if (referer && apim_utf8_valid(referer, strlen(referer))) {
        apim_json_set_str(in, "referer", referer);
    }
    return in;
}

/* -- the answer
 * ---------------------------------------------------------------------------------------------------- */

static const char *scopes_of(apr_pool_t *p, const json_t *answer)
{
    const json_t *array = json_object_get(answer, "scopes");
    const char *list = "";
    size_t i;
    for (i = 0; i < json_array_size(array); i++) {
        const char *scope = json_string_value(json_array_get(array, i));
        if (scope) {
            list = apr_pstrcat(p, list, *list ? " " : "", scope, NULL);
        }
    }
    return list;
}

static int is(const json_t *j, const char *member, const char *value)
{
    return strcmp(apim_json_str(j, member, ""), value) == 0;
}

static const gw_answer_t *read_answer(apr_pool_t *p, const json_t *j)
{
    gw_answer_t *a = apr_pcalloc(p, sizeof(*a));
    a->authorized = apim_json_bool(j, "authorized", 0);
    a->code = a->authorized ? 0 : (int)apim_json_int(j, "code", 900901);
    a->sandbox = is(j, "keyType", "SANDBOX");
    a->by_user = is(j, "userType", "APPLICATION_USER");
    a->expires_at = apim_json_int(j, "expiresAt", 0);
    a->description = apim_json_str(j, "description", "");
    a->token_id = apim_json_str(j, "tokenId", "");
    a->consumer_key = apim_json_str(j, "consumerKey", "");
    a->username = apim_json_str(j, "username", "");
    a->application_id = apim_json_str(j, "applicationId", "");
    a->application_name = apim_json_str(j, "applicationName", "");
    a->application_tier = apim_json_str(j, "applicationTier", "");
    a->application_owner = apim_json_str(j, "applicationOwner", "");
    a->subscription_id = apim_json_str(j, "subscriptionId", "");
    a->subscription_tier = apim_json_str(j, "subscriptionTier", "");
    a->scopes = scopes_of(p, j);
    return a;
}

/* How long an answer may be used, in ms. */
static apr_int64_t lifetime(const gw_server_config_t *conf, const gw_answer_t *a)
{
    apr_int64_t ms = apr_time_as_msec(a->authorized ? conf->cache_ttl : conf->negative_cache_ttl);
    apr_int64_t left = a->expires_at ? a->expires_at - apim_now_ms() : ms;
    return a->authorized && left < ms ? left : ms;
}

static int keep(question_t *q, const gw_answer_t *a, int bound, gw_cache_entry_t *entry)
{
    apr_int64_t ms = lifetime(q->conf, a);
    apim_marks_t *marks = q->v->shared->marks;
    entry->data = flatten(q->r->pool, a, &entry->len);
    entry->refusal = !a->authorized;
    entry->place[APIM_MARK_TOKEN] = apim_marks_place(marks, APIM_MARK_TOKEN, a->token_id);
    entry->place[APIM_MARK_CLIENT] = apim_marks_place(marks, APIM_MARK_CLIENT, a->consumer_key);
    entry->place[APIM_MARK_APPLICATION] = apim_marks_place(marks, APIM_MARK_APPLICATION, a->application_id);
    entry->place[APIM_MARK_API] = apim_marks_place(marks, APIM_MARK_API, q->call->api->id);
    entry->place[APIM_MARK_USER] = apim_marks_place(marks, APIM_MARK_USER, a->username);
    if (ms <= 0) {
        return 0;
    }
    entry->expires_at = gw_now() + (uint64_t)ms;
    return gw_token_cache_put(q->v->shared->cache, bound ? &q->bound_key : &q->key, gw_now(), entry);
}

/* -- asking
 * -------------------------------------------------------------------------------------------------------- */

static apim_error_t *unavailable(request_rec *r, const char *cause)
{
    apim_error_t *err = apim_error(r->pool, 503, 900900, "Unclassified Authentication Failure",
                                   "The credentials cannot be verified at the moment. Please try again.");
    err->cause = cause;
    err->retry_after = RETRY_AFTER;
    return err;
}

static void count_call(gw_keymgr_stats_t *stats, apr_time_t took, int failed)
{
    uint64_t us = (uint64_t)took, slowest = __atomic_load_n(&stats->slowest, __ATOMIC_RELAXED);
    __atomic_fetch_add(&stats->calls, 1, __ATOMIC_RELAXED);
    __atomic_fetch_add(&stats->failures, (uint64_t)failed, __ATOMIC_RELAXED);
    __atomic_fetch_add(&stats->microseconds, us, __ATOMIC_RELAXED);
    while (us > slowest && !__atomic_compare_exchange_n(&stats->slowest, &slowest, us, 1, __ATOMIC_RELAXED,
                                                        __ATOMIC_RELAXED)) {
    }
}

static apim_error_t *ask_through_gate(question_t *q, const char *operation, json_t **out)
{
    gw_keymgr_stats_t *stats = q->v->shared->keymgr;
    gw_gate_e gate = gw_keymgr_gate_enter(q->v->gate, gw_now(), q->deadline);
    apr_time_t start = apr_time_now();
    apim_error_t *err;
    if (gate != GW_GATE_OPEN) {
        __atomic_fetch_add(&stats->refused, 1, __ATOMIC_RELAXED);
        return unavailable(q->r, gate == GW_GATE_BUSY
                                     ? "all ApimKeyManagerConnections are in use"
                                     : "the Key Manager failed several times; waiting a second");
    }
    err = apim_keymgr_call(q->r, &q->conf->common, operation, make_input(q), out);
    gw_keymgr_gate_leave(q->v->gate, gw_now(), !err || err->status < 500);
    count_call(stats, apr_time_now() - start, err != NULL);
    if (err) {
        return unavailable(q->r, apr_psprintf(q->r->pool, "%s: %d %s %s", operation, err->status,
                                              err->description, err->cause ? err->cause : ""));
    }
    if (!json_is_boolean(json_object_get(*out, "authorized"))) {
        return unavailable(q->r, "the answer does not say whether the call is authorized");
    }
    return NULL;
}

/* Asks, and asks again if what it depends on was marked while the answer was under way. */
static apim_error_t *ask(question_t *q, const gw_answer_t **answer, gw_flight_result_e *result)
{
    apim_marks_t *marks = q->v->shared->marks;
    gw_cache_entry_t entry = {0};
    int asks, bound;
    json_t *out = NULL;
    *result = GW_FLIGHT_NO_ANSWER;
    for (asks = 0; asks < MAX_ASKS; asks++) {
        entry.stamp = apim_marks_stamp(marks);
        APIM_TRY(ask_through_gate(q, "verify", &out));
        *answer = read_answer(q->r->pool, out);
        bound = !apim_json_bool(out, "cacheable", 1);
        *result = (!bound || q->credential->kind == GW_CREDENTIAL_API_KEY) && keep(q, *answer, bound, &entry)
                      ? GW_FLIGHT_KEPT
                      : GW_FLIGHT_NOT_KEPT;
        if (*result != GW_FLIGHT_KEPT || apim_marks_fresh(marks, entry.stamp, entry.place, GW_CACHE_MARKS)) {
            break;
        }
    }
    return NULL;
}

static apim_error_t *ask_for_all(question_t *q, gw_flight_t *flight, const gw_answer_t **answer)
{
    gw_flight_result_e result = GW_FLIGHT_KEPT;
    apim_error_t *err = NULL;
    if (!look_up(q, answer)) { /* it may have come between our look and our claim */
        err = ask(q, answer, &result);
    }
    gw_flight_done(flight, gw_now(), result);
    return err;
}

static apim_error_t *wait_or_ask(question_t *q, const gw_answer_t **answer)
{
    apr_interval_time_t nap = NAP_FIRST;
    gw_flight_result_e result;
    gw_flight_t flight;
    int waited = 0;
    while (gw_now() < q->deadline) {
        switch (gw_flight_begin(q->v->shared->flights, q->bound_key.word[2], gw_now(),
                                q->deadline + FLIGHT_SLACK, waited, &flight)) {
        case GW_FLIGHT_ASK:
            return ask_for_all(q, &flight, answer);
        case GW_FLIGHT_ALONE:
            return ask(q, answer, &result);
        case GW_FLIGHT_FAILED:
            return unavailable(q->r, "another call asked the Key Manager for the same credential and failed");
        default:
            break;
        }
        if (!waited) {
            waited = 1;
            __atomic_fetch_add(&q->v->shared->keymgr->waits, 1, __ATOMIC_RELAXED);
        }
        apr_sleep(nap);
        nap = nap * 2 < NAP_LONGEST ? nap * 2 : NAP_LONGEST;
        if (look_up(q, answer)) {
            return NULL;
        }
    }
    return unavailable(q->r,
                       "waited in vain for another call that asks the Key Manager for the same credential");
}

apim_error_t *gw_verify(request_rec *r, const gw_verifier_t *verifier, const gw_call_t *call,
                        const gw_credential_t *credential, const gw_answer_t **answer)
{
    question_t q = {r, verifier, call, gw_server_config(r->server), credential, {{0}}, {{0}}, 0};
    if (make_keys(&q)) {
        return unavailable(r, "SHA-256 failed");
    }
    if (look_up(&q, answer)) {
        return NULL;
    }
    q.deadline = gw_now() + (uint64_t)apr_time_as_msec(apim_keymgr_timeout(&q.conf->common));
    return wait_or_ask(&q, answer);
}

apim_error_t *gw_verification_ask(request_rec *r, const gw_verifier_t *verifier, const gw_call_t *call,
                                  const gw_credential_t *credential, const char *operation, json_t **out)
{
    question_t q = {r, verifier, call, gw_server_config(r->server), credential, {{0}}, {{0}}, 0};
    q.deadline = gw_now() + (uint64_t)apr_time_as_msec(apim_keymgr_timeout(&q.conf->common));
    return ask_through_gate(&q, operation, out);
}
