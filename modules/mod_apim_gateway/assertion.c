/* SPDX-License-Identifier: Apache-2.0 */
#include "assertion.h"

#include <apr_strings.h>
#include <apr_thread_mutex.h>
#include <http_log.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#include "apim_json.h"
#include "apim_siphash.h"
#include "apim_text.h"

APLOG_USE_MODULE(apim_gateway);

#define SETS        2048
#define WAYS        4
#define ALMOST_OVER (5 * 60 * 1000) /* ms before its end an assertion is renewed */
#define PAUSE       2000            /* ms until the next try to renew one */
#define LONGEST     16384

/* Everything is malloc'ed: entries come and go while the child lives. */
typedef struct slot_t {
    uint64_t key[2];
    char *jwt;
    apr_int64_t expires_at, renew_at; /* ms since the epoch */
} slot_t;

static struct {
    apr_thread_mutex_t *mutex; /* never held across I/O */
    uint64_t salt[2];
    slot_t slot[SETS][WAYS];
} here;

void gw_assertion_child_init(apr_pool_t *pchild)
{
    apr_thread_mutex_create(&here.mutex, APR_THREAD_MUTEX_DEFAULT, pchild);
    if (RAND_bytes((unsigned char *)here.salt, sizeof(here.salt)) != 1) {
        here.mutex = NULL;
    }
}

/* All that the assertion will say. */
static void make_key(request_rec *r, const gw_call_t *call, const gw_answer_t *a, uint64_t key[2])
{
    const char *text = apr_pstrcat(
        r->pool, call->api->id, "\n", call->api->name, "\n", call->api->context, "\n", a->username, "\n",
        a->application_id, "\n", a->application_name, "\n", a->application_owner, "\n", a->application_tier,
        "\n", a->subscription_tier, "\n", a->sandbox ? "S" : "P", a->by_user ? "U" : "A", NULL);
    apim_siphash128(here.salt, text, strlen(text), key);
}

/* -- the table; call with the mutex
 * --------------------------------------------------------------------------------------- */

static slot_t *find(const uint64_t key[2])
{
    slot_t *set = here.slot[key[0] % SETS];
    int i;
    for (i = 0; i < WAYS; i++) {
        if (set[i].jwt && set[i].key[0] == key[0] && set[i].key[1] == key[1]) {
            return &set[i];
        }
    }
    return NULL;
}

/* The slot of key, a free one, or the one that ends first. */
static slot_t *place_for(const uint64_t key[2])
{
    slot_t *set = here.slot[key[0] % SETS], *best = find(key);
    int i;
    for (i = 0; !best && i < WAYS; i++) {
        best = set[i].jwt ? NULL : &set[i];
    }
    if (!best) {
        best = set;
        for (i = 1; i < WAYS; i++) {
            best = set[i].expires_at < best->expires_at ? &set[i] : best;
        }
    }
    return best;
}

static void keep(const uint64_t key[2], const char *jwt, apr_int64_t expires_at)
{
    char *copy = strdup(jwt);
    slot_t *slot = place_for(key);
    if (copy) {
        free(slot->jwt);
        slot->key[0] = key[0];
        slot->key[1] = key[1];
        slot->jwt = copy;
        slot->expires_at = expires_at;
        slot->renew_at = expires_at - ALMOST_OVER;
    }
}

/* A copy in p while it is good, else NULL. *renew: this call should get the next one. */
static const char *look_up(apr_pool_t *p, const uint64_t key[2], int *renew)
{
    apr_int64_t now = apim_now_ms();
    slot_t *slot = find(key);
    *renew = 1;
    if (!slot || now >= slot->expires_at) {
        return NULL;
    }
    *renew = now >= slot->renew_at;
    if (*renew) {
        slot->renew_at = now + PAUSE; /* one call, not all */
    }
    return apr_pstrdup(p, slot->jwt);
}

/* -- getting one
 * -----------------------------------------------------------------------------------------------------------
 */

static apim_error_t *ask(request_rec *r, const gw_verifier_t *verifier, const gw_call_t *call,
                         const gw_credential_t *credential, const char **jwt, apr_int64_t *expires_at)
{
    json_t *out;
    apim_error_t *err = gw_verification_ask(r, verifier, call, credential, "assertion", &out);
    if (err) {
        return err;
    }
    *jwt = apim_json_str(out, "assertion", "");
    *expires_at = apim_json_int(out, "assertionExpiresAt", 0);
    if (!**jwt || strlen(*jwt) > LONGEST) {
        /* Revoked since it was verified: its caller may well come again, and will be told. */
        err = apim_error(r->pool, 503, 900900, "Unclassified Authentication Failure",
                         "The credentials cannot be verified at the moment. Please try again.");
        err->cause = "assertion: the Key Manager made none";
        err->retry_after = 1;
    }
    return err;
}

apim_error_t *gw_assertion_set(request_rec *r, const gw_verifier_t *verifier, const gw_call_t *call,
                               const gw_credential_t *credential, const gw_answer_t *answer)
{
    const char *jwt, *fresh = NULL;
    apr_int64_t expires_at = 0;
    apim_error_t *err = NULL;
    uint64_t key[2];
    int renew;
    if (!here.mutex) {
        return apim_internal(r->pool, "no mutex or no randomness for assertions");
    }
    make_key(r, call, answer, key);
    apr_thread_mutex_lock(here.mutex);
    jwt = look_up(r->pool, key, &renew);
    apr_thread_mutex_unlock(here.mutex);
    if (renew && !(err = ask(r, verifier, call, credential, &fresh, &expires_at))) {
        apr_thread_mutex_lock(here.mutex);
        keep(key, fresh, expires_at);
        apr_thread_mutex_unlock(here.mutex);
        jwt = fresh;
    }
    if (!jwt) {
        return err;
    }
    apr_table_setn(r->headers_in, gw_server_config(r->server)->assertion_header, jwt);
    return NULL;
}
