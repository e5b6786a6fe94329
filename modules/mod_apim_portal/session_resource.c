/* SPDX-License-Identifier: Apache-2.0 */
#include <apr_strings.h>
#include <string.h>

#include "login_resource.h"
#include "pages.h"
#include "session_store.h"

/* Who uses the web pages, and what is there for them: GET and DELETE /api/am/portal/v1/session; and the way
 * in (login_resource.h). */

static json_t *words(apr_pool_t *p, const char *text)
{
    json_t *list = json_array();
    char *state, *word, *copy = apr_pstrdup(p, text ? text : "");
    for (word = apr_strtok(copy, " ", &state); word; word = apr_strtok(NULL, " ", &state)) {
        json_array_append_new(list, json_string(word));
    }
    return list;
}

static json_t *parts(const request_rec *r)
{
    const portal_dir_config_t *on = po_dir_config(r);
    json_t *list = json_array();
    if (on->store == 1) {
        json_array_append_new(list, json_string("store"));
    }
    if (on->publisher == 1) {
        json_array_append_new(list, json_string("publisher"));
    }
    if (on->admin == 1) {
        json_array_append_new(list, json_string("admin"));
    }
    return list;
}

static apim_error_t *reply(rest_request_t *rq, const char *username, const char *scopes,
                           apr_int64_t expires_at)
{
    json_t *j = json_pack("{s:s?, s:o, s:o, s:b, s:s, s:s}", "username", username, "scopes",
                          words(rq->pool, scopes), "parts", parts(rq->r), "selfSignUp",
                          po_self_signup(po_config(rq->r)), "gatewayUrl", po_gateway_url(rq->r), "tokenUrl",
                          apr_pstrcat(rq->pool, po_keymgr_url(rq->r), "/oauth2/token", NULL));
    if (j && username) {
        apim_json_set_str(j, "expiresAt", apim_iso_time(rq->pool, expires_at));
    }
    return j ? rest_reply_json(rq->r, 200, j) : apim_internal(rq->pool, "a session could not be printed");
}

/* A session that has ended is the same as none: a page that is opened asks this first. */
static apim_error_t *session_read(rest_request_t *rq)
{
    apr_int64_t expires_at = 0;
    const char *token;
    apim_error_t *err;
    APIM_TRY(po_session_check_origin(rq));
    err = po_session_token(rq, &token, &expires_at);
    if (!err && token) {
        err = po_authenticate(rq);
    }
    if (err && err->status != 401) {
        return err;
    }
    return err ? reply(rq, NULL, NULL, 0) : reply(rq, rq->username, rq->scopes, expires_at);
}

/* Without a Key Manager nothing is ended: the person tries again, and is not left logged in there
 * unknowingly. */
static apim_error_t *session_drop(rest_request_t *rq)
{
    const char *url = NULL;
    apim_error_t *err;
    APIM_TRY(po_session_check_origin(rq));
    err = po_authenticate(rq);
    if (err && err->status != HTTP_UNAUTHORIZED) {
        return err;
    }
    if (rq->username) {
        APIM_TRY(po_logout_url(rq, rq->username, &url));
    }
    APIM_TRY(po_session_end(rq));
    return rest_reply_json(rq->r, HTTP_OK, json_pack("{s:s?}", "logoutUrl", url));
}

const rest_route_t po_pages_routes[] = {{"GET", "/session", session_read, NULL, REST_ANONYMOUS_OK},
                                        {"DELETE", "/session", session_drop, NULL, REST_ANONYMOUS_OK},
                                        {"GET", "/login", po_login_begin, NULL, REST_ANONYMOUS_OK},
                                        {"GET", "/callback", po_login_end, NULL, REST_ANONYMOUS_OK},
                                        {NULL}};
