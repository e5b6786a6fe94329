/* SPDX-License-Identifier: Apache-2.0 */
#include "logout.h"

#include <apr_strings.h>
#include <string.h>

#include "apim_text.h"
#include "authorization_request.h"
#include "client_store.h"
#include "httpd/audit.h"
#include "httpd/db_pool.h"
#include "id_token.h"
#include "login_service.h"
#include "login_session.h"
#include "oauth_endpoints.h"
#include "oauth_error.h"
#include "pushed_request.h"
#include "web_page.h"

#define MAX_FORM      65536
#define STEP          "logout"
#define FORM_LIFETIME 1800000 /* ms */

typedef struct leaving_t {
    const char *username; /* whom the hint is about; NULL: no hint */
    const char *target;   /* where to go on to; NULL: a page of ours */
} leaving_t;

static const char *param(const apr_table_t *params, const char *name)
{
    const char *value = apr_table_get(params, name);
    return value && *value ? value : NULL;
}

static apim_error_t *wrong(const km_call_t *call, const char *text)
{
    return km_oauth_error(call->pool, HTTP_BAD_REQUEST, "invalid_request", "%s", text);
}

/* Byte for byte, as with redirect_uri. */
static apim_error_t *check_target(const km_call_t *call, const char *client_id, const char *uri)
{
    km_client_t *client = NULL;
    apim_error_t *err;
    apim_db_t *db;
    json_t *list;
    apr_size_t i;
    if (client_id && km_is_consumer_key(client_id)) {
        APIM_TRY(apim_db_open(call->pool, &call->conf->common, APIM_DB_API_MANAGER, &db));
        err = km_client_find(call->pool, db, client_id, &client);
        apim_db_close(db);
        if (err) {
            return err;
        }
    }
    list = client ? json_object_get(client->metadata, "post_logout_redirect_uris") : NULL;
    for (i = 0; i < json_array_size(list); i++) {
        const char *registered = json_string_value(json_array_get(list, i));
        if (registered && strcmp(registered, uri) == 0) {
            return NULL;
        }
    }
    return wrong(call, "The address to go on to is not one that the application has registered.");
}

static apim_error_t *read_leaving(const km_call_t *call, const apr_table_t *params, leaving_t *l)
{
    apr_pool_t *p = call->pool;
    const char *hint = param(params, "id_token_hint"), *id = param(params, "client_id"), *audience = NULL;
    const char *uri = param(params, "post_logout_redirect_uri"), *state = param(params, "state");
    memset(l, 0, sizeof(*l));
    if (hint) {
        APIM_TRY(km_id_token_read(call, hint, &l->username, &audience));
        if (!l->username || (id && strcmp(id, audience) != 0)) {
            return wrong(call, "The id_token_hint was not issued here, or to another application.");
        }
    }
    if (km_login_is_portal(params, id)) {
        l->username = param(params, "username");
    }
    else if (uri) {
        APIM_TRY(check_target(call, id ? id : audience, uri));
    }
    if (uri) {
        l->target = apr_pstrcat(p, uri, state ? strchr(uri, '?') ? "&state=" : "?state=" : "",
                                state ? apim_urlencode(p, state) : "", NULL);
    }
    return NULL;
}

static int gone(const km_call_t *call, const km_session_t *session, const leaving_t *l)
{
    apim_error_t *err = km_session_end(call);
    if (session) {
        apim_audit_about(call->r, "user", session->username);
        apim_audit(call->r, &call->conf->common, "logout", err);
    }
    if (err) {
        return km_page_error(call, err);
    }
    return l->target
               ? km_page_redirect(call, l->target)
               : km_page_reply(
                     call, HTTP_OK, "Logged out",
                     apr_pstrcat(call->pool, "<p>", km_say(call, "You are logged out."), "</p>", NULL), NULL);
}

/* The form carries the whole request. */
static int ask(const km_call_t *call, const km_session_t *session, const leaving_t *l, const char *text)
{
    apr_pool_t *p = call->pool;
    const char *expires = apim_i64(p, call->now + FORM_LIFETIME);
    const char *seal = km_form_seal(call, STEP, session, expires, text);
    if (!seal) {
        return km_page_error(call, apim_internal(p, "no random bytes"));
    }
    return km_page_reply(call, HTTP_OK, "Log out?",
                         apr_pstrcat(p, "<p>", km_say(call, "You are logged in as "), "<strong>",
                                     km_html(p, session->username), "</strong>.</p>\n",
                                     "<form method=\"post\" action=\"" KM_LOGOUT_PATH "\">\n",
                                     "<input type=\"hidden\" name=\"expires\" value=\"", expires, "\">\n",
                                     "<input type=\"hidden\" name=\"request\" value=\"", km_html(p, text),
                                     "\">\n", "<input type=\"hidden\" name=\"seal\" value=\"", seal, "\">\n",
                                     "<button type=\"submit\">", km_say(call, "Log out"),
                                     "</button>\n</form>", NULL),
                         km_form_target(p, l->target));
}

static apim_error_t *read_request(const km_call_t *call, apr_table_t **params)
{
    APIM_TRY(km_check_method(call, "GET POST"));
    return call->r->method_number == M_POST ? rest_read_form(call->r, MAX_FORM, params)
                                            : rest_parse_form(call->pool, call->r->args, params);
}

/* Our own form comes back. */
static apim_error_t *open_form(const km_call_t *call, const km_session_t *session, apr_table_t **params)
{
    apr_table_t *form = *params;
    APIM_TRY(km_form_check(call, STEP, session, apr_table_get(form, "expires"),
                           apr_table_get(form, "request"), apr_table_get(form, "seal")));
    return rest_parse_form(call->pool, apr_table_get(form, "request"), params);
}

int km_endpoint_logout(const km_call_t *call)
{
    apr_table_t *params = NULL;
    km_session_t *session = NULL;
    leaving_t l = {0};
    int confirmed = 0, pushed;
    apim_error_t *err = read_request(call, &params);
    if (!err) {
        err = km_session_find(call, &session);
    }
    if (!err && session && call->r->method_number == M_POST && apr_table_get(params, "seal")) {
        err = open_form(call, session, &params);
        confirmed = 1;
    }
    else if (!err) {
        err = km_pushed_resolve(call, &params, &pushed);
    }
    if (!err) {
        km_page_locales(call, apr_table_get(params, "ui_locales"));
        err = read_leaving(call, params, &l);
    }
    if (err) {
        return km_page_error(call, err);
    }
    if (!session || confirmed || (l.username && strcmp(l.username, session->username) == 0)) {
        return gone(call, session, &l);
    }
    return ask(call, session, &l, km_params_text(call->pool, params));
}
