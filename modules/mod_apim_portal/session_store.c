/* SPDX-License-Identifier: Apache-2.0 */
#include "session_store.h"

#include <apr_strings.h>
#include <string.h>

#include "apim_seal.h"
#include "session_sql.h"

#define ID_BYTES  32
#define ID_LENGTH 43 /* base64url of it */
#define PURPOSE   "portal-session"
#define COOKIE    "apim_portal_session"

/* -- the cookie
 * ---------------------------------------------------------------------------------------------- */

static int is_tls(request_rec *r)
{
    return strncmp(rest_self_url(r), "https:", 6) == 0;
}

/* Browsers take a __Host- cookie only from TLS, for this host alone and its whole path. Without TLS it goes
 * to no path but the REST APIs': not to back ends behind a gateway of the same host. */
static const char *full_name(request_rec *r, const char *name)
{
    return is_tls(r) ? apr_pstrcat(r->pool, "__Host-", name, NULL) : name;
}

void po_cookie_set(rest_request_t *rq, const char *name, const char *id, apr_int64_t seconds,
                   const char *same_site)
{
    const char *value =
        apr_psprintf(rq->pool, "%s=%s; Path=%s; Max-Age=%" APR_INT64_T_FMT "; HttpOnly; SameSite=%s%s",
                     full_name(rq->r, name), id, is_tls(rq->r) ? "/" : "/api/am", seconds, same_site,
                     is_tls(rq->r) ? "; Secure" : "");
    apr_table_addn(rq->r->err_headers_out, "Set-Cookie", value);
}

static void set_cookie(rest_request_t *rq, const char *id, apr_int64_t seconds)
{
    po_cookie_set(rq, COOKIE, id, seconds, "Strict");
}

static int is_id(const char *text)
{
    return strlen(text) == ID_LENGTH &&
           strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") == ID_LENGTH;
}

/* A second cookie of the name is not ours: then neither counts. */
const char *po_cookie_read(rest_request_t *rq, const char *name)
{
    const char *header = apr_table_get(rq->r->headers_in, "Cookie"), *found = NULL;
    apr_size_t n;
    char *state, *pair, *copy = apr_pstrdup(rq->pool, header ? header : "");
    name = full_name(rq->r, name);
    n = strlen(name);
    for (pair = apr_strtok(copy, ";", &state); pair; pair = apr_strtok(NULL, ";", &state)) {
        pair += strspn(pair, " \t");
        if (strncmp(pair, name, n) == 0 && pair[n] == '=') {
            if (found) {
                return NULL;
            }
            found = pair + n + 1;
        }
    }
    return found && is_id(found) ? found : NULL;
}

/* -- where a request comes from
 * ------------------------------------------------------------------------------ */

static int from_our_page(const request_rec *r)
{
    const char *site = apr_table_get(r->headers_in, "Sec-Fetch-Site");
    return apr_table_get(r->headers_in, PO_SESSION_HEADER) && (!site || strcmp(site, "same-origin") == 0);
}

apim_error_t *po_session_check_origin(rest_request_t *rq)
{
    return from_our_page(rq->r)
               ? NULL
               : apim_error(rq->pool, 403, APIM_E_FORBIDDEN, "Forbidden",
                            "This is for the web pages of this server only: they send " PO_SESSION_HEADER
                            ". Programs use an access token.");
}

/* -- rows
 * ----------------------------------------------------------------------------------------------------- */

static apim_error_t *insert(rest_request_t *rq, const char *hash, const po_grant_t *grant, const char *sealed)
{
    const char *now = apim_i64(rq->pool, apim_now_ms());
    apim_db_t *db;
    apim_error_t *err;
    APIM_TRY(po_open(rq, APIM_DB_API_MANAGER, &db));
    /* Log-ins are rare enough to tidy up at each. */
    err = apim_db_query(db, &po_session_delete_expired, NULL, APIM_ARGS(now));
    if (!err) {
        err = apim_db_query(
            db, &po_session_insert, NULL,
            APIM_ARGS(hash, grant->username, sealed, now, apim_i64(rq->pool, grant->expires_at)));
    }
    apim_db_close(db);
    return err;
}

static apim_error_t *find(rest_request_t *rq, const char *hash, apim_rows_t **rows)
{
    apim_db_t *db;
    apim_error_t *err;
    APIM_TRY(po_open(rq, APIM_DB_API_MANAGER, &db));
    err = apim_db_select(db, rq->pool, &po_session_select, rows,
                         APIM_ARGS(hash, apim_i64(rq->pool, apim_now_ms())));
    apim_db_close(db);
    return err;
}

static apim_error_t *drop(rest_request_t *rq, const char *hash)
{
    apim_db_t *db;
    apim_error_t *err;
    APIM_TRY(po_open(rq, APIM_DB_API_MANAGER, &db));
    err = apim_db_query(db, &po_session_delete, NULL, APIM_ARGS(hash));
    apim_db_close(db);
    return err;
}

/* The token of an id; NULL in *token if there is no such session. */
static apim_error_t *read_token(rest_request_t *rq, const char *id, const char **token,
                                apr_int64_t *expires_at)
{
    const char *hash = apim_sha256_hex(rq->pool, id);
    apim_rows_t *rows;
    *token = NULL;
    APIM_TRY(find(rq, hash, &rows));
    if (!rows->count) {
        return NULL;
    }
    if (expires_at) {
        apim_parse_i64(rows->row[0][1], expires_at);
    }
    return apim_unseal(rq->pool, id, PURPOSE, hash, rows->row[0][0], token);
}

/* -- sessions
 * ------------------------------------------------------------------------------------------------- */

apim_error_t *po_session_begin(rest_request_t *rq, const po_grant_t *grant)
{
    const char *id = apim_random_token(rq->pool, ID_BYTES), *hash, *sealed;
    if (!id) {
        return apim_internal(rq->pool, "no random bytes");
    }
    APIM_TRY(po_session_end(rq));
    hash = apim_sha256_hex(rq->pool, id);
    APIM_TRY(apim_seal(rq->pool, id, PURPOSE, hash, grant->token, &sealed));
    APIM_TRY(insert(rq, hash, grant, sealed));
    set_cookie(rq, id, (grant->expires_at - apim_now_ms()) / 1000);
    return NULL;
}

apim_error_t *po_session_token(rest_request_t *rq, const char **token, apr_int64_t *expires_at)
{
    const char *id = from_our_page(rq->r) ? po_cookie_read(rq, COOKIE) : NULL;
    *token = NULL;
    if (!id) {
        return NULL;
    }
    APIM_TRY(read_token(rq, id, token, expires_at));
    if (!*token) {
        set_cookie(rq, "", 0);
        return apim_error(rq->pool, 401, APIM_E_INVALID_CREDENTIALS, "Unauthenticated request",
                          "The session has ended. Log in again.");
    }
    return NULL;
}

apim_error_t *po_session_end(rest_request_t *rq)
{
    const char *id = po_cookie_read(rq, COOKIE), *token;
    json_t *in, *out;
    if (!id) {
        return NULL;
    }
    APIM_TRY(read_token(rq, id, &token, NULL));
    APIM_TRY(drop(rq, apim_sha256_hex(rq->pool, id)));
    set_cookie(rq, "", 0);
    in = token ? apim_json_own(rq->pool, json_pack("{s:s}", "token", token)) : NULL;
    return in ? apim_keymgr_call(rq->r, &po_config(rq->r)->common, "token-revoke", in, &out) : NULL;
}
