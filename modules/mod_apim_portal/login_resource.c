/* SPDX-License-Identifier: Apache-2.0 */
#include "login_resource.h"

#include <apr_strings.h>
#include <string.h>

#include "apim_seal.h"
#include "pages.h"
#include "session_store.h"

#define PURPOSE   "portal-login"
#define COOKIE    "apim_portal_login"
#define LIFETIME  1800000 /* ms: as long as the Key Manager's log-in form lives */
#define MAX_PLACE 1000
#define CALLBACK  PO_PAGES_BASE "/callback"

/* -- what for
 * ------------------------------------------------------------------------------------------------ */

static const char *add_scopes(apr_pool_t *p, const char *list, const rest_route_t *route)
{
    for (; route->method; route++) {
        char *state, *word, *copy = apr_pstrdup(p, route->scopes ? route->scopes : "");
        for (word = apr_strtok(copy, " ", &state); word; word = apr_strtok(NULL, " ", &state)) {
            if (!apim_word_in_list(word, list)) {
                list = apr_pstrcat(p, list, *list ? " " : "", word, NULL);
            }
        }
    }
    return list;
}

/* All that the REST APIs know; the Key Manager leaves out what the user's roles do not allow. */
static const char *all_scopes(apr_pool_t *p)
{
    return add_scopes(p, add_scopes(p, add_scopes(p, "", po_store_routes), po_publisher_routes),
                      po_admin_routes);
}

/* -- where to
 * ------------------------------------------------------------------------------------------------ */

static const char *first_page(const request_rec *r)
{
    const portal_dir_config_t *on = po_dir_config(r);
    return on->store == 1 ? "/store/" : on->publisher == 1 ? "/publisher/" : "/admin/";
}

/* Only a path of our own: "//host", "/\host" and what browsers drop (tab, newline) lead elsewhere. */
static const char *place_of(const request_rec *r, const char *wanted)
{
    return wanted && strlen(wanted) <= MAX_PLACE && !apim_has_control(wanted, NULL) &&
                   po_pages_is_place(r, wanted)
               ? wanted
               : first_page(r);
}

static apim_error_t *redirect(rest_request_t *rq, const char *url)
{
    apr_table_setn(rq->r->headers_out, "Location", url);
    apr_table_setn(rq->r->headers_out, "Referrer-Policy", "no-referrer");
    return rest_reply_empty(rq->r, HTTP_SEE_OTHER);
}

static const char *callback_url(rest_request_t *rq)
{
    return apr_pstrcat(rq->pool, rest_self_url(rq->r), CALLBACK, NULL);
}

/* -- the browser
 * ---------------------------------------------------------------------------------------------- */

/* The id that this browser has for log-ins; a new one where it has none. */
static const char *browser(rest_request_t *rq)
{
    const char *id = po_cookie_read(rq, COOKIE);
    id = id ? id : apim_random_token(rq->pool, 32);
    if (id) {
        po_cookie_set(rq, COOKIE, id, LIFETIME / 1000,
                      "Lax"); /* Lax: it has to come along when the Key Manager sends us back */
    }
    return id;
}

/* PKCE: the verifier of one log-in of one browser (RFC 7636: 43 characters of 256 bits). */
static const char *verifier(rest_request_t *rq, const char *id, const char *nonce)
{
    return apim_derive(rq->pool, id, PURPOSE, nonce);
}

static const char *challenge(rest_request_t *rq, const char *text)
{
    unsigned char hash[32];
    return text && !apim_sha256(text, strlen(text), hash) ? apim_b64url(rq->pool, hash, sizeof(hash)) : NULL;
}

/* "<expires> <nonce> <place>", under the browser's name. */
static apim_error_t *make_state(rest_request_t *rq, const char *id, const char *nonce, const char *place,
                                const char **state)
{
    apr_pool_t *p = rq->pool;
    return apim_seal(p, po_config(rq->r)->common.cluster_secret, PURPOSE, apim_sha256_hex(p, id),
                     apr_pstrcat(p, apim_i64(p, apim_now_ms() + LIFETIME), " ", nonce, " ", place, NULL),
                     state);
}

/* 0, nonce and place of a state that this browser was given. */
static int open_state(rest_request_t *rq, const char *id, const char *state, const char **nonce,
                      const char **place)
{
    apr_pool_t *p = rq->pool;
    const char *text;
    char *mark, *second;
    apr_int64_t expires;
    if (!id || !state ||
        apim_unseal(p, po_config(rq->r)->common.cluster_secret, PURPOSE, apim_sha256_hex(p, id), state,
                    &text)) {
        return 1;
    }
    mark = strchr(text, ' ');
    second = mark ? strchr(mark + 1, ' ') : NULL;
    if (!second || apim_parse_i64(apr_pstrmemdup(p, text, (apr_size_t)(mark - text)), &expires) ||
        expires <= apim_now_ms()) {
        return 1;
    }
    *nonce = apr_pstrmemdup(p, mark + 1, (apr_size_t)(second - mark - 1));
    *place = second + 1;
    return 0;
}

/* -- the Key Manager
 * ------------------------------------------------------------------------------------------------ */

/* A path at the Key Manager, as the browser reaches it. */
static apim_error_t *ask_for_path(rest_request_t *rq, const char *operation, json_t *in, const char **url)
{
    json_t *answer;
    if (!in) {
        return apim_internal(rq->pool, "a question to the Key Manager could not be written");
    }
    APIM_TRY(apim_keymgr_call(rq->r, &po_config(rq->r)->common, operation, in, &answer));
    *url = apr_pstrcat(rq->pool, po_keymgr_url(rq->r), apim_json_str(answer, "path", ""), NULL);
    return NULL;
}

apim_error_t *po_login_begin(rest_request_t *rq)
{
    const char *place = place_of(rq->r, apr_table_get(rq->query, "return")),
               *prompt = apr_table_get(rq->query, "prompt");
    const char *id = browser(rq), *nonce = apim_random_token(rq->pool, 16), *state, *proof, *url;
    proof = id && nonce ? challenge(rq, verifier(rq, id, nonce)) : NULL;
    if (!proof) {
        return apim_internal(rq->pool, "no random bytes");
    }
    APIM_TRY(make_state(rq, id, nonce, place, &state));
    APIM_TRY(
        ask_for_path(rq, "portal-login-begin",
                     apim_json_own(rq->pool, json_pack("{s:s, s:s, s:s, s:s, s:s}", "redirectUri",
                                                       callback_url(rq), "state", state, "codeChallenge",
                                                       proof, "scopes", all_scopes(rq->pool), "prompt",
                                                       prompt && strcmp(prompt, "none") == 0 ? "none" : "")),
                     &url));
    return redirect(rq, url);
}

static apim_error_t *redeem(rest_request_t *rq, const char *code, const char *proof, po_grant_t *out)
{
    json_t *in = apim_json_own(rq->pool, json_pack("{s:s, s:s, s:s}", "code", code, "redirectUri",
                                                   callback_url(rq), "codeVerifier", proof));
    json_t *answer;
    if (!in) {
        return apim_bad_request(rq->pool, "The code is not valid.");
    }
    APIM_TRY(apim_keymgr_call(rq->r, &po_config(rq->r)->common, "portal-login-end", in, &answer));
    out->username = apim_json_str(answer, "username", "");
    out->token = apim_json_str(answer, "accessToken", "");
    out->scopes = apim_json_str(answer, "scope", "");
    out->expires_at = apim_json_int(answer, "expiresAt", 0);
    return NULL;
}

static apim_error_t *went_wrong(rest_request_t *rq, const char *place, const char *word)
{
    const char *hash = strchr(place, '#');
    apr_size_t n = hash ? (apr_size_t)(hash - place) : strlen(place);
    return redirect(rq,
                    apr_pstrcat(rq->pool, apr_pstrmemdup(rq->pool, place, n),
                                memchr(place, '?', n) ? "&" : "?", "login=", word, hash ? hash : "", NULL));
}

apim_error_t *po_login_end(rest_request_t *rq)
{
    const char *id = po_cookie_read(rq, COOKIE), *code = apr_table_get(rq->query, "code");
    const char *refused = apr_table_get(rq->query, "error"), *nonce, *place, *proof;
    po_grant_t grant = {0};
    apim_error_t *err;
    if (open_state(rq, id, apr_table_get(rq->query, "state"), &nonce, &place)) {
        return went_wrong(rq, first_page(rq->r), "failed"); /* old, or not begun by this browser */
    }
    place = place_of(rq->r, place);
    if (refused || !code) {
        return went_wrong(rq, place, refused && strcmp(refused, "access_denied") == 0 ? "denied" : "failed");
    }
    proof = verifier(rq, id, nonce);
    err = proof ? redeem(rq, code, proof, &grant) : apim_internal(rq->pool, "a key could not be derived");
    if (err && err->status >= 500) {
        return err;
    }
    if (err) {
        rest_log_error(rq->r, "APIM-PO0075", err);
        return went_wrong(rq, place, "failed");
    }
    APIM_TRY(po_session_begin(rq, &grant));
    return redirect(rq, place);
}

apim_error_t *po_logout_url(rest_request_t *rq, const char *username, const char **url)
{
    const char *back = apr_pstrcat(rq->pool, rest_self_url(rq->r), first_page(rq->r), NULL);
    return ask_for_path(
        rq, "portal-logout",
        apim_json_own(rq->pool, json_pack("{s:s, s:s}", "username", username, "redirectUri", back)), url);
}
