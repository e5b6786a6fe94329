/* SPDX-License-Identifier: Apache-2.0 */
#include "login_session.h"

#include <apr_strings.h>
#include <string.h>
#include <util_cookies.h>

#include "apim_crypto.h"
#include "apim_seal.h"
#include "apim_text.h"
#include "httpd/db_pool.h"
#include "keymgr_sql.h"
#include "oauth_error.h"

#define FORM_PURPOSE "apim login form"
#define ID_BYTES     32
#define ID_LENGTH    43 /* of ID_BYTES as base64url */

/* -- cookies
 * ---------------------------------------------------------------------------------------------------------
 */

static int is_https(const km_call_t *call)
{
    return strncmp(km_issuer(call), "https:", 6) == 0;
}

static const char *cookie_name(const km_call_t *call, const char *name)
{
    return is_https(call) ? apr_pstrcat(call->pool, "__Host-", name, NULL) : name;
}

static const char *get_cookie(const km_call_t *call, const char *name)
{
    const char *value = NULL;
    ap_cookie_read(call->r, cookie_name(call, name), &value, 0);
    return value && strlen(value) == ID_LENGTH ? value : NULL;
}

/* value NULL: the browser is to forget it. */
static void set_cookie(const km_call_t *call, const char *name, const char *value)
{
    apr_table_addn(call->r->err_headers_out, "Set-Cookie",
                   apr_pstrcat(call->pool, cookie_name(call, name), "=", value ? value : "",
                               value ? "" : "; Max-Age=0", "; Path=/; HttpOnly; SameSite=Lax",
                               is_https(call) ? "; Secure" : "", NULL));
}

#define SESSION_COOKIE "apim_login"
#define BROWSER_COOKIE "apim_browser"

/* -- sessions
 * -------------------------------------------------------------------------------------------------------- */

static const char *session_hash(const km_call_t *call)
{
    const char *id = get_cookie(call, SESSION_COOKIE);
    return id ? apim_sha256_hex(call->pool, id) : NULL;
}

static apr_int64_t number(const char *text)
{
    apr_int64_t value = 0;
    return text && apim_parse_i64(text, &value) == 0 ? value : 0;
}

apim_error_t *km_session_find(const km_call_t *call, km_session_t **out)
{
    const char *hash = session_hash(call);
    apim_rows_t *rows = NULL;
    apim_error_t *err;
    apim_db_t *db;
    km_session_t *s;
    *out = NULL;
    if (!hash) {
        return NULL;
    }
    APIM_TRY(apim_db_open(call->pool, &call->conf->common, APIM_DB_API_MANAGER, &db));
    err = apim_db_select(db, call->pool, &km_session_by_id, &rows,
                         APIM_ARGS(hash, apim_i64(call->pool, call->now)));
    apim_db_close(db);
    if (err || !rows->count || (rows->row[0][2] && number(rows->row[0][2]) >= number(rows->row[0][1]))) {
        return err;
    }
    s = apr_pcalloc(call->pool, sizeof(*s));
    s->id_hash = hash;
    s->username = rows->row[0][0];
    s->auth_time = number(rows->row[0][1]);
    *out = s;
    return NULL;
}

static apim_error_t *replace(const km_call_t *call, apim_db_t *db, const char *old_hash,
                             const km_session_t *s)
{
    apr_pool_t *p = call->pool;
    APIM_TRY(apim_db_begin(db));
    if (old_hash) {
        APIM_TRY(apim_db_query(db, &km_session_delete, NULL, APIM_ARGS(old_hash)));
    }
    APIM_TRY(apim_db_query(db, &km_session_insert, NULL,
                           APIM_ARGS(s->id_hash, s->username, apim_i64(p, s->auth_time),
                                     apim_i64(p, s->auth_time + km_login_lifetime(call->conf) * 1000))));
    return apim_db_commit(db);
}

apim_error_t *km_session_start(const km_call_t *call, const km_user_t *user, km_session_t **out)
{
    const char *id = apim_random_token(call->pool, ID_BYTES);
    km_session_t *s = apr_pcalloc(call->pool, sizeof(*s));
    apim_error_t *err;
    apim_db_t *db;
    if (!id) {
        return apim_internal(call->pool, "no random bytes");
    }
    s->id_hash = apim_sha256_hex(call->pool, id);
    s->username = user->username;
    s->auth_time = call->now;
    APIM_TRY(apim_db_open(call->pool, &call->conf->common, APIM_DB_API_MANAGER, &db));
    err = replace(call, db, session_hash(call), s);
    apim_db_close(db);
    if (!err) {
        set_cookie(call, SESSION_COOKIE, id);
        *out = s;
    }
    return err;
}

apim_error_t *km_session_end(const km_call_t *call)
{
    const char *hash = session_hash(call);
    apim_error_t *err;
    apim_db_t *db;
    if (!hash) {
        return NULL;
    }
    APIM_TRY(apim_db_open(call->pool, &call->conf->common, APIM_DB_API_MANAGER, &db));
    err = apim_db_query(db, &km_session_delete, NULL, APIM_ARGS(hash));
    apim_db_close(db);
    if (!err) {
        set_cookie(call, SESSION_COOKIE, NULL);
    }
    return err;
}

/* -- forms
 * -----------------------------------------------------------------------------------------------------------
 */

/* No part but the last can hold a line feed: the texts cannot be mistaken for one another. */
static const char *seal_of(const km_call_t *call, const char *browser, const char *step,
                           const km_session_t *session, const char *expires, const char *request)
{
    return apim_derive(call->pool, call->conf->common.cluster_secret, FORM_PURPOSE,
                       apr_pstrcat(call->pool, step, "\n", browser, "\n", session ? session->id_hash : "",
                                   "\n", expires, "\n", request, NULL));
}

const char *km_form_seal(const km_call_t *call, const char *step, const km_session_t *session,
                         const char *expires, const char *request)
{
    const char *browser = get_cookie(call, BROWSER_COOKIE);
    if (!browser) {
        browser = apim_random_token(call->pool, ID_BYTES);
        if (!browser) {
            return NULL;
        }
        set_cookie(call, BROWSER_COOKIE, browser);
    }
    return seal_of(call, browser, step, session, expires, request);
}

/* What the browser itself says of where the form was. */
static int from_our_page(const km_call_t *call)
{
    const char *site = apr_table_get(call->r->headers_in, "Sec-Fetch-Site");
    const char *origin = apr_table_get(call->r->headers_in, "Origin");
    if (site) {
        return strcmp(site, "same-origin") == 0 || strcmp(site, "none") == 0;
    }
    /* "null" is what our own pages send: their Referrer-Policy is no-referrer. */
    return !origin || strcmp(origin, "null") == 0 || strcmp(origin, rest_self_url(call->r)) == 0 ||
           strcmp(origin, km_issuer(call)) == 0;
}

apim_error_t *km_form_check(const km_call_t *call, const char *step, const km_session_t *session,
                            const char *expires, const char *request, const char *seal)
{
    const char *browser = get_cookie(call, BROWSER_COOKIE);
    if (from_our_page(call) && browser && expires && request && seal && number(expires) > call->now &&
        !strchr(expires, '\n') &&
        apim_equal_secret(seal, seal_of(call, browser, step, session, expires, request))) {
        return NULL;
    }
    return km_oauth_error(call->pool, HTTP_FORBIDDEN, "access_denied",
                          "This form is too old, was made for another browser, or cookies are off.");
}
