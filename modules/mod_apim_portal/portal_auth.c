/* SPDX-License-Identifier: Apache-2.0 */
#include <apr_strings.h>
#include <apr_thread_mutex.h>
#include <string.h>

#include "session_store.h"

/*
 * Who calls. The Key Manager's answer about a token is kept for CACHE_MS in a table of fixed size, addressed
 * by the token's hash: a newer token simply takes the place of an older one.
 */
#define CACHE_SLOTS  1024 /* a power of two */
#define CACHE_MS     3000
#define MAX_USERNAME 256
#define MAX_SCOPES   2048

typedef struct slot_t {
    unsigned char hash[32];
    apr_int64_t until; /* 0: empty */
    char username[MAX_USERNAME];
    char scopes[MAX_SCOPES];
} slot_t;

static slot_t *slots;
static apr_thread_mutex_t *slots_mutex;

void po_auth_child_init(apr_pool_t *pchild)
{
    slots = apr_pcalloc(pchild, sizeof(slot_t) * CACHE_SLOTS);
    if (apr_thread_mutex_create(&slots_mutex, APR_THREAD_MUTEX_DEFAULT, pchild) != APR_SUCCESS) {
        slots = NULL; /* works without */
    }
}

static slot_t *slot_of(const unsigned char hash[32])
{
    return &slots[(hash[0] | hash[1] << 8) & (CACHE_SLOTS - 1)];
}

static int recall(rest_request_t *rq, const unsigned char hash[32])
{
    slot_t *slot;
    if (!slots) {
        return 0;
    }
    apr_thread_mutex_lock(slots_mutex);
    slot = slot_of(hash);
    if (slot->until > apim_now_ms() && memcmp(slot->hash, hash, 32) == 0) {
        rq->username = apr_pstrdup(rq->pool, slot->username);
        rq->scopes = apr_pstrdup(rq->pool, slot->scopes);
    }
    apr_thread_mutex_unlock(slots_mutex);
    return rq->username != NULL;
}

static void remember(const rest_request_t *rq, const unsigned char hash[32], apr_int64_t expires)
{
    apr_int64_t until = apim_now_ms() + CACHE_MS;
    slot_t *slot;
    if (!slots || strlen(rq->username) >= MAX_USERNAME || strlen(rq->scopes) >= MAX_SCOPES) {
        return;
    }
    apr_thread_mutex_lock(slots_mutex);
    slot = slot_of(hash);
    memcpy(slot->hash, hash, 32);
    apr_cpystrn(slot->username, rq->username, MAX_USERNAME);
    apr_cpystrn(slot->scopes, rq->scopes, MAX_SCOPES);
    slot->until = expires > 0 && expires < until ? expires : until;
    apr_thread_mutex_unlock(slots_mutex);
}

static apim_error_t *refused(rest_request_t *rq, const char *description)
{
    return apim_error(rq->pool, 401, APIM_E_INVALID_CREDENTIALS, "Unauthenticated request", "%s",
                      description);
}

static apim_error_t *introspect(rest_request_t *rq, const char *token, const unsigned char hash[32])
{
    json_t *in = apim_json_own(rq->pool, json_pack("{s:s}", "token", token));
    const char *username;
    json_t *out;
    if (!in) {
        return refused(rq, "The access token is not valid.");
    }
    APIM_TRY(apim_keymgr_call(rq->r, &po_config(rq->r)->common, "introspect", in, &out));
    username = apim_json_str(out, "username", NULL);
    if (!apim_json_bool(out, "active", 0)) {
        return refused(
            rq, "The access token is unknown, expired or revoked. Ask the token endpoint for a new one.");
    }
    if (!username || !*username) {
        return refused(rq, "The access token belongs to no user. Ask for it with a user's credentials.");
    }
    rq->username = apr_pstrdup(rq->pool, username);
    rq->scopes = apr_pstrdup(rq->pool, apim_json_str(out, "scope", ""));
    remember(rq, hash, apim_json_int(out, "exp", 0) * 1000);
    return NULL;
}

/* The token that the request brings, or that its session stands for; NULL if there is neither. */
static apim_error_t *read_token(rest_request_t *rq, const char **token)
{
    const char *header = apr_table_get(rq->r->headers_in, "Authorization");
    if (!header) {
        return po_session_token(rq, token, NULL);
    }
    if (strncasecmp(header, "Bearer ", 7) != 0) {
        return refused(rq, "The Authorization header must be: Bearer <access token>.");
    }
    for (header += 7; *header == ' '; header++) {
    }
    if (!*header || strlen(header) > 8000 || apim_has_control(header, NULL)) {
        return refused(rq, "The access token is not valid.");
    }
    *token = header;
    return NULL;
}

apim_error_t *po_authenticate(rest_request_t *rq)
{
    unsigned char hash[32];
    const char *token;
    APIM_TRY(read_token(rq, &token));
    if (!token) {
        return NULL;
    }
    if (apim_sha256(token, strlen(token), hash)) {
        return apim_internal(rq->pool, "SHA-256 failed");
    }
    if (!recall(rq, hash)) {
        APIM_TRY(introspect(rq, token, hash));
    }
    rq->r->user = apr_pstrdup(rq->pool, rq->username); /* for the access log */
    return NULL;
}

int po_has_scope(const rest_request_t *rq, const char *scope)
{
    return rq->scopes && apim_word_in_list(scope, rq->scopes);
}
