/* SPDX-License-Identifier: Apache-2.0 */
#include "device_code.h"

#include <apr_strings.h>
#include <openssl/rand.h>
#include <string.h>

#include "apim_crypto.h"
#include "apim_seal.h"
#include "apim_text.h"
#include "client_auth.h"
#include "device_page.h"
#include "httpd/audit.h"
#include "httpd/db_pool.h"
#include "keymgr_sql.h"
#include "oauth_endpoints.h"
#include "oauth_error.h"
#include "resource_target.h"
#include "scope_service.h"

#define DEVICE_PREFIX  "apim_dc_"
#define DEVICE_BYTES   32
#define USER_PURPOSE   "apim user code"
#define USER_LETTERS   8
#define USER_RAW_BYTES 64
#define ALPHABET       "BCDFGHJKLMNPQRSTVWXZ" /* no vowels, no words (RFC 8628 section 6.1) */
#define ATTEMPTS       3
#define EARLY          1000 /* ms that a question may come before its time: clocks and networks jitter */

/* -- codes
 * -----------------------------------------------------------------------------------------------------------
 */

static const char *hyphenated(apr_pool_t *p, const char *letters)
{
    return apr_psprintf(p, "%.4s-%.4s", letters, letters + USER_LETTERS / 2);
}

const char *km_user_code(apr_pool_t *p, const char *typed)
{
    char letters[USER_LETTERS + 1];
    apr_size_t n = 0;
    for (; *typed; typed++) {
        char c = *typed >= 'a' && *typed <= 'z' ? (char)(*typed - 'a' + 'A') : *typed;
        if (strchr("- ._\t", c)) {
            continue;
        }
        if (n == USER_LETTERS || !strchr(ALPHABET, c)) {
            return NULL;
        }
        letters[n++] = c;
    }
    letters[n] = '\0';
    return n == USER_LETTERS ? hyphenated(p, letters) : NULL;
}

/* NULL if there is no randomness. */
static const char *random_user_code(apr_pool_t *p)
{
    const unsigned int sides = sizeof(ALPHABET) - 1;
    unsigned char raw[USER_RAW_BYTES];
    char letters[USER_LETTERS + 1];
    apr_size_t i, n = 0;
    if (RAND_bytes(raw, sizeof(raw)) != 1) {
        return NULL;
    }
    for (i = 0; i < sizeof(raw) && n < USER_LETTERS; i++) {
        if (raw[i] < 256 / sides * sides) { /* else some letters would come more often */
            letters[n++] = ALPHABET[raw[i] % sides];
        }
    }
    letters[n] = '\0';
    return n == USER_LETTERS ? hyphenated(p, letters) : NULL;
}

static const char *user_hash(const km_call_t *call, const char *user_code)
{
    return apim_derive(call->pool, call->conf->common.cluster_secret, USER_PURPOSE, user_code);
}

/* -- rows
 * ------------------------------------------------------------------------------------------------------------
 */

static apr_int64_t number(const char *text)
{
    apr_int64_t value = 0;
    return text && apim_parse_i64(text, &value) == 0 ? value : 0;
}

/* changed: rows that the statement changed. */
static apim_error_t *run(const km_call_t *call, const apim_stmt_t *stmt, int *changed,
                         const char *const *args, int nargs)
{
    apim_error_t *err;
    apim_db_t *db;
    APIM_TRY(apim_db_open(call->pool, &call->conf->common, APIM_DB_API_MANAGER, &db));
    err = apim_db_query(db, stmt, changed, args, nargs);
    apim_db_close(db);
    return err;
}

static apim_error_t *find(const km_call_t *call, const apim_stmt_t *stmt, const char *hash, km_device_t **out)
{
    apim_rows_t *rows = NULL;
    const char *const *row;
    apim_error_t *err;
    apim_db_t *db;
    km_device_t *d;
    *out = NULL;
    APIM_TRY(apim_db_open(call->pool, &call->conf->common, APIM_DB_API_MANAGER, &db));
    err = apim_db_select(db, call->pool, stmt, &rows, APIM_ARGS(hash));
    apim_db_close(db);
    if (err || !rows->count) {
        return err;
    }
    row = rows->row[0];
    d = apr_pcalloc(call->pool, sizeof(*d));
    d->hash = row[0];
    d->consumer_key = row[1];
    d->scopes = row[2];
    d->status = row[3];
    d->username = row[4];
    d->auth_time = number(row[5]);
    d->interval = number(row[6]);
    d->polled_at = number(row[7]);
    d->expires_at = number(row[8]);
    d->audience = row[9];
    *out = d;
    return NULL;
}

apim_error_t *km_device_make(const km_call_t *call, const km_client_t *client, const char *scopes,
                             const char *audience, const char **device_code, const char **user_code)
{
    apr_pool_t *p = call->pool;
    const char *random = apim_random_token(p, DEVICE_BYTES);
    int i, made = 0;
    if (!random) {
        return apim_internal(p, "no random bytes");
    }
    *device_code = apr_pstrcat(p, DEVICE_PREFIX, random, NULL);
    for (i = 0; i < ATTEMPTS && !made; i++) { /* again if someone else has that user code */
        *user_code = random_user_code(p);
        if (!*user_code) {
            return apim_internal(p, "no random bytes");
        }
        APIM_TRY(run(call, &km_device_insert, &made,
                     APIM_ARGS(apim_sha256_hex(p, *device_code), user_hash(call, *user_code),
                               client->consumer_key, scopes ? scopes : "", apim_i64(p, KM_DEVICE_INTERVAL),
                               apim_i64(p, call->now + KM_DEVICE_LIFETIME), audience)));
    }
    return made ? NULL : apim_internal(p, "no user code is free");
}

apim_error_t *km_device_by_user_code(const km_call_t *call, const char *user_code, km_device_t **out)
{
    APIM_TRY(find(call, &km_device_by_user, user_hash(call, user_code), out));
    if (*out && (strcmp((*out)->status, "PENDING") != 0 || (*out)->expires_at <= call->now)) {
        *out = NULL;
    }
    return NULL;
}

apim_error_t *km_device_decide(const km_call_t *call, const char *user_code, const char *username,
                               apr_int64_t auth_time, const char *scopes, int *done)
{
    apr_pool_t *p = call->pool;
    return run(call, &km_device_decision, done,
               APIM_ARGS(scopes ? "ALLOWED" : "DENIED", username, apim_i64(p, auth_time),
                         scopes ? scopes : "", user_hash(call, user_code), apim_i64(p, call->now)));
}

apim_error_t *km_device_take(apim_db_t *db, const km_device_t *device, int *taken)
{
    return apim_db_query(db, &km_device_use, taken, APIM_ARGS(device->hash));
}

/* -- the device asks
 * ------------------------------------------------------------------------------------------------- */

static apim_error_t *refused(const km_call_t *call, const char *word, const char *text)
{
    return km_oauth_error(call->pool, HTTP_BAD_REQUEST, word, "%s", text);
}

/* Nobody has decided yet: notes the question, and whether it came too early (RFC 8628 section 3.5). */
static apim_error_t *pending(const km_call_t *call, const km_device_t *d)
{
    apr_pool_t *p = call->pool;
    int early = d->polled_at && call->now + EARLY < d->polled_at + d->interval;
    apr_int64_t interval = d->interval + (early ? KM_DEVICE_INTERVAL : 0);
    APIM_TRY(run(call, &km_device_polled, NULL,
                 APIM_ARGS(apim_i64(p, call->now), apim_i64(p, interval), d->hash)));
    return early ? refused(call, "slow_down", "Wait five seconds longer between two requests from now on.")
                 : refused(call, "authorization_pending", "Nobody has decided yet; ask again.");
}

apim_error_t *km_device_poll(const km_call_t *call, const km_client_t *client, const char *device_code,
                             km_device_t **out)
{
    km_device_t *d;
    APIM_TRY(find(call, &km_device_by_hash, apim_sha256_hex(call->pool, device_code), &d));
    if (!d || strcmp(d->consumer_key, client->consumer_key) != 0 || strcmp(d->status, "USED") == 0) {
        return refused(call, "invalid_grant",
                       "The device code is unknown or used, or was issued to another client.");
    }
    if (strcmp(d->status, "DENIED") == 0) {
        return refused(call, "access_denied", "The user did not allow it.");
    }
    if (d->expires_at <= call->now) {
        return refused(call, "expired_token", "The device code has expired; ask for a new one.");
    }
    if (strcmp(d->status, "ALLOWED") != 0) {
        return pending(call, d);
    }
    *out = d;
    return NULL;
}

/* -- the endpoint
 * ---------------------------------------------------------------------------------------------------- */

static apim_error_t *begin(const km_call_t *call, const char **device_code, const char **user_code)
{
    km_client_t *client;
    apr_table_t *form;
    const char *scope, *audience;
    APIM_TRY(km_read_form(call, &form));
    APIM_TRY(km_client_authenticate(call, form, &client));
    apim_audit_about(call->r, "client", client->consumer_key);
    apim_audit_about(call->r, "grant", KM_GRANT_DEVICE);
    if (!km_client_may(client, KM_GRANT_DEVICE)) {
        return km_oauth_error(call->pool, HTTP_BAD_REQUEST, "unauthorized_client",
                              "This client is not registered for the grant type " KM_GRANT_DEVICE ".");
    }
    scope = apr_table_get(form, "scope");
    APIM_TRY(km_scope_check(call->pool, scope));
    APIM_TRY(km_targets_read(call, form, KM_TARGET_RESOURCE, &audience));
    return km_device_make(call, client, scope, audience, device_code, user_code);
}

int km_endpoint_device_authorization(const km_call_t *call)
{
    const char *device_code, *user_code, *uri;
    apim_error_t *err = begin(call, &device_code, &user_code);
    apim_audit(call->r, &call->conf->common, "device-authorization", err);
    if (err) {
        return km_oauth_reply_error(call->r, err);
    }
    uri = apr_pstrcat(call->pool, km_issuer(call), KM_DEVICE_PATH, NULL);
    return km_oauth_reply(call->r, HTTP_OK,
                          json_pack("{s:s, s:s, s:s, s:s, s:i, s:i}", "device_code", device_code, "user_code",
                                    user_code, "verification_uri", uri, "verification_uri_complete",
                                    apr_pstrcat(call->pool, uri, "?user_code=", user_code, NULL),
                                    "expires_in", KM_DEVICE_LIFETIME / 1000, "interval",
                                    KM_DEVICE_INTERVAL / 1000));
}
