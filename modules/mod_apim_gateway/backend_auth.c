/* SPDX-License-Identifier: Apache-2.0 */
#include "backend_auth.h"

#include <apr_strings.h>
#include <apr_thread_cond.h>
#include <apr_thread_mutex.h>
#include <http_log.h>
#include <stdlib.h>
#include <string.h>

#include "apim_json.h"
#include "apim_seal.h"
#include "apim_text.h"
#include "oauth_client.h"

APLOG_USE_MODULE(apim_gateway);

#define SEAL_PURPOSE "endpoint-security"
#define SEAL_CONTEXT "endpointConfig"
#define MAX_ENTRIES  1024
#define LONGEST_WAIT apr_time_from_sec(15) /* beyond what getting a token may take */
#define PAUSE        apr_time_from_sec(1)  /* after a token could not be had */
#define NEW          apr_time_from_sec(5)  /* a token that was refused is not replaced before */

/* One credential. Everything is malloc'ed: entries come and go while the child lives. */
typedef struct entry_t {
    struct entry_t *next;
    char *security;                                      /* the key */
    char *header;                                        /* value of Authorization, NULL: none yet */
    apr_time_t got, refresh_at, expires, retry_at, used; /* expires 0: never */
    int fetching;
} entry_t;

static struct {
    server_rec *server;
    apr_thread_mutex_t *mutex; /* never held across I/O */
    apr_thread_cond_t *fetched;
    entry_t *entries;
    int count;
} here;

void gw_backend_auth_child_init(apr_pool_t *pchild, server_rec *s)
{
    here.server = s;
    apr_thread_mutex_create(&here.mutex, APR_THREAD_MUTEX_DEFAULT, pchild);
    apr_thread_cond_create(&here.fetched, pchild);
}

/* -- the table; call with the mutex
 * --------------------------------------------------------------------------------- */

static void drop_least_used(void)
{
    entry_t **least = NULL, **at, *gone;
    for (at = &here.entries; *at; at = &(*at)->next) {
        if (!(*at)->fetching && (!least || (*at)->used < (*least)->used)) {
            least = at;
        }
    }
    if (least) {
        gone = *least;
        *least = gone->next;
        here.count--;
        free(gone->security);
        free(gone->header);
        free(gone);
    }
}

static entry_t *find(const char *security)
{
    entry_t *e;
    for (e = here.entries; e && strcmp(e->security, security) != 0; e = e->next) {
    }
    return e;
}

static entry_t *find_or_add(const char *security)
{
    entry_t *e = find(security);
    if (e) {
        return e;
    }
    if (here.count >= MAX_ENTRIES) {
        drop_least_used();
    }
    e = calloc(1, sizeof(*e));
    if (e && !(e->security = strdup(security))) {
        free(e);
        e = NULL;
    }
    if (e) {
        e->next = here.entries;
        here.entries = e;
        here.count++;
    }
    return e;
}

static int is_good(const entry_t *e, apr_time_t now)
{
    return e->header && (!e->expires || now < e->expires);
}

/* -- getting credentials
 * -------------------------------------------------------------------------------------------- */

static apim_error_t *open_secret(request_rec *r, const json_t *security, const char *name, const char **text)
{
    const char *secret = gw_server_config(here.server)->common.cluster_secret;
    if (!secret) {
        return apim_internal(r->pool,
                             "credentials for a back end are sealed, and ApimClusterSecret is not set");
    }
    return apim_unseal(r->pool, secret, SEAL_PURPOSE, SEAL_CONTEXT, apim_json_str(security, name, ""), text);
}

static apim_error_t *get_basic(request_rec *r, const json_t *security, const char **header)
{
    const char *password;
    APIM_TRY(open_secret(r, security, "password", &password));
    *header =
        apr_pstrcat(r->pool, "Basic ",
                    ap_pbase64encode(r->pool, apr_pstrcat(r->pool, apim_json_str(security, "username", ""),
                                                          ":", password, NULL)),
                    NULL);
    return NULL;
}

/* *lifetime: seconds, 0: for ever. */
static apim_error_t *get_header(request_rec *r, const char *text, const char **header, apr_int64_t *lifetime)
{
    const apim_json_limits_t limits = {64 * 1024, 8};
    gw_oauth_client_t client = {0};
    const char *token;
    json_t *security;
    *lifetime = 0;
    APIM_TRY(apim_json_parse(r->pool, text, strlen(text), &limits, &security));
    if (strcmp(apim_json_str(security, "type", ""), "OAUTH") != 0) {
        return get_basic(r, security, header);
    }
    client.token_url = apim_json_str(security, "tokenUrl", "");
    client.id = apim_json_str(security, "clientId", "");
    client.parameters = json_object_get(security, "customParameters");
    APIM_TRY(open_secret(r, security, "clientSecret", &client.secret));
    APIM_TRY(gw_oauth_client_token(r->pool, &client, &token, lifetime));
    *header = apr_pstrcat(r->pool, "Bearer ", token, NULL);
    return NULL;
}

static void keep(entry_t *e, const char *header, apr_int64_t lifetime, apr_time_t now)
{
    char *copy = strdup(header);
    free(e->header);
    e->header = copy;
    e->got = now;
    e->retry_at = 0;
    e->expires = lifetime ? now + apr_time_from_sec(lifetime) : 0;
    /* A tenth of its life before it ends, so that calls do not wait. */
    e->refresh_at = lifetime ? now + apr_time_from_sec(lifetime) * 9 / 10 : 0;
}

/* This thread gets the credentials; e stays, because it is marked. Called and left with the mutex. */
static apim_error_t *fetch(request_rec *r, entry_t *e)
{
    const char *header = NULL;
    apr_int64_t lifetime;
    apim_error_t *err;
    e->fetching = 1;
    apr_thread_mutex_unlock(here.mutex);
    err = get_header(r, e->security, &header, &lifetime);
    apr_thread_mutex_lock(here.mutex);
    e->fetching = 0;
    if (err) {
        e->retry_at = apr_time_now() + PAUSE;
    }
    else {
        keep(e, header, lifetime, apr_time_now());
    }
    apr_thread_cond_broadcast(here.fetched);
    return err;
}

static void wait_for_fetch(const char *security)
{
    apr_time_t deadline = apr_time_now() + LONGEST_WAIT, now;
    entry_t *e = find(security);
    while (e && e->fetching && (now = apr_time_now()) < deadline) {
        apr_thread_cond_timedwait(here.fetched, here.mutex, deadline - now);
        e = find(security); /* it may have gone while nobody held the mutex */
    }
}

/* The value of the header in r->pool, NULL if there is none to be had; *err says why if this call found out.
 */
static const char *header_of(request_rec *r, const char *security, apim_error_t **err)
{
    apr_time_t now = apr_time_now();
    entry_t *e = find_or_add(security);
    if (!e) {
        return NULL;
    }
    e->used = now;
    if (!e->fetching && now >= e->retry_at && (!is_good(e, now) || (e->refresh_at && now >= e->refresh_at))) {
        *err = fetch(r, e);
    }
    else if (e->fetching && !is_good(e, now)) {
        wait_for_fetch(security);
        e = find(security);
    }
    return e && is_good(e, apr_time_now()) ? apr_pstrdup(r->pool, e->header) : NULL;
}

apim_error_t *gw_backend_auth_apply(request_rec *r, const char *security)
{
    apim_error_t *err = NULL, *fault;
    const char *header;
    apr_thread_mutex_lock(here.mutex);
    header = header_of(r, security, &err);
    apr_thread_mutex_unlock(here.mutex);
    if (err) {
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r, "APIM-GW0320: no credentials for the back end%s: %s",
                      header ? " (the old ones are used on)" : "",
                      err->cause ? err->cause : err->description);
    }
    if (header) {
        apr_table_setn(r->headers_in, "Authorization", header);
        return NULL;
    }
    fault = apim_error(r->pool, HTTP_SERVICE_UNAVAILABLE, 101503, "Error connecting to the back end",
                       "The gateway's credentials for the back end are not to be had at the moment.");
    fault->retry_after = 5;
    return fault;
}

void gw_backend_auth_rejected(const char *security)
{
    apr_time_t now = apr_time_now();
    entry_t *e;
    apr_thread_mutex_lock(here.mutex);
    e = find(security);
    if (e && e->expires && now - e->got > NEW) {
        e->expires = now;
    }
    apr_thread_mutex_unlock(here.mutex);
}
