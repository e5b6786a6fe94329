/* SPDX-License-Identifier: Apache-2.0 */
#include "authorize.h"

#include <apr_strings.h>
#include <string.h>

#include "authorization_answer.h"
#include "code_store.h"
#include "httpd/audit.h"
#include "keymgr_log.h"
#include "login_pages.h"
#include "login_service.h"
#include "login_session.h"
#include "oauth_endpoints.h"
#include "oauth_error.h"
#include "pushed_request.h"
#include "scope_service.h"
#include "web_page.h"

#define MAX_FORM 65536

static int tell(const km_call_t *call, const km_authz_t *a, const char *word, const char *text)
{
    return km_answer_refused(call, a, km_oauth_error(call->pool, HTTP_BAD_REQUEST, word, "%s", text));
}

/* The scopes that the session's user may have; *granted NULL if there is no such user any more. */
static apim_error_t *granted_scopes(const km_call_t *call, const km_authz_t *a, const km_session_t *session,
                                    const char **granted)
{
    km_user_t *user;
    *granted = NULL;
    APIM_TRY(km_user_find(call, session->username, &user));
    return user ? km_scope_grant(call, a->client, user->username, user, a->scope, granted) : NULL;
}

static apim_error_t *consent_needed(const km_call_t *call, const km_authz_t *a, const km_session_t *session,
                                    const char *scopes, int *needed)
{
    int covers;
    *needed = 1;
    if (km_login_is_portal(a->params, a->client->consumer_key)) {
        *needed = 0;
        return NULL;
    }
    if (a->consent || km_authz_is_native(a)) {
        return NULL;
    }
    APIM_TRY(km_consent_covers(call, session->username, a->client->consumer_key, scopes, &covers));
    *needed = !covers;
    return NULL;
}

/* Someone has logged in: consent, or the code at once. */
static int logged_in(const km_call_t *call, const km_authz_t *a, const km_session_t *session)
{
    const char *scopes;
    int needed = 1;
    apim_error_t *err = granted_scopes(call, a, session, &scopes);
    if (!err && !scopes) {
        return a->no_pages ? tell(call, a, "login_required", "The user has to log in.")
                           : km_login_page(call, a, HTTP_OK, NULL, NULL);
    }
    if (!err) {
        err = consent_needed(call, a, session, scopes, &needed);
    }
    if (err) {
        return km_page_error(call, err);
    }
    if (!needed) {
        return km_answer_granted(call, a, session, scopes);
    }
    return a->no_pages ? tell(call, a, "consent_required", "The user has to consent.")
                       : km_consent_page(call, a, session, scopes);
}

static int is_fresh(const km_call_t *call, const km_authz_t *a, const km_session_t *session)
{
    return !a->login && (!a->username || strcmp(a->username, session->username) == 0) &&
           (a->max_age < 0 || call->now - session->auth_time <= a->max_age * 1000);
}

/* A request as the client wrote it. */
static int begin(const km_call_t *call, const km_authz_t *a)
{
    km_session_t *session;
    apim_error_t *err = km_session_find(call, &session);
    if (err) {
        return km_page_error(call, err);
    }
    if (session && is_fresh(call, a, session)) {
        return logged_in(call, a, session);
    }
    return a->no_pages ? tell(call, a, "login_required", "The user has to log in.")
                       : km_login_page(call, a, HTTP_OK, a->login_hint ? a->login_hint : a->username, NULL);
}

/* -- forms of our own pages
 * ------------------------------------------------------------------------------------------ */

static const char *field(const apr_table_t *form, const char *name)
{
    const char *value = apr_table_get(form, name);
    return value ? value : "";
}

int km_log_in(const km_call_t *call, const km_authz_t *a, const apr_table_t *form, km_logged_in_fn *next)
{
    const char *username = field(form, "username");
    km_session_t *session;
    km_user_t *user = NULL;
    apim_error_t *err = km_user_authenticate(call, username, field(form, "password"), &user);
    if (err && err->status == HTTP_TOO_MANY_REQUESTS) {
        apr_table_setn(call->r->err_headers_out, "Retry-After", apr_itoa(call->pool, err->retry_after));
        return km_login_page(call, a, HTTP_TOO_MANY_REQUESTS, username,
                             apr_pstrcat(call->pool, km_say(call, "Too many failed log-ins; try again in "),
                                         apr_itoa(call->pool, err->retry_after), km_say(call, " seconds."),
                                         NULL));
    }
    if (!err && !user) {
        return km_login_page(call, a, HTTP_FORBIDDEN, username,
                             km_say(call, "The user name or the password is wrong."));
    }
    if (user && a->username && strcmp(a->username, user->username) != 0) {
        return tell(call, a, "login_required", "Another user has logged in than the one expected.");
    }
    if (!err) {
        err = km_session_start(call, user, &session);
    }
    return err ? km_page_error(call, err) : next(call, a, session);
}

static int decide(const km_call_t *call, const km_authz_t *a, const km_session_t *session,
                  const apr_table_t *form)
{
    const char *scopes = NULL;
    apim_error_t *err;
    apim_audit_about(call->r, "user", session->username);
    if (strcmp(field(form, "decision"), "allow") != 0) {
        return tell(call, a, "access_denied", "The user did not allow it.");
    }
    err = granted_scopes(call, a, session, &scopes);
    if (!err && !scopes) {
        return km_login_page(call, a, HTTP_OK, NULL, NULL);
    }
    if (!err) {
        err = km_consent_add(call, session->username, a->client->consumer_key, scopes);
    }
    apim_audit_about(call->r, "client", a->client->consumer_key);
    apim_audit(call->r, &call->conf->common, "consent", err);
    return err ? km_page_error(call, err) : km_answer_granted(call, a, session, scopes);
}

/* Opens what a form carries. *session: whose form it is, NULL for the log-in form. */
static apim_error_t *open_form(const km_call_t *call, const apr_table_t *form, apr_table_t **params,
                               km_session_t **session)
{
    const char *step = field(form, "step");
    *session = NULL;
    if (strcmp(step, KM_STEP_CONSENT) == 0) {
        APIM_TRY(km_session_find(call, session));
    }
    APIM_TRY(km_form_check(call, step, *session, apr_table_get(form, "expires"),
                           apr_table_get(form, "request"), apr_table_get(form, "seal")));
    return rest_parse_form(call->pool, apr_table_get(form, "request"), params);
}

/* -- requests
 * -------------------------------------------------------------------------------------------------------- */

static apim_error_t *read_request(const km_call_t *call, apr_table_t **form)
{
    APIM_TRY(km_check_method(call, "GET POST"));
    return call->r->method_number == M_POST ? rest_read_form(call->r, MAX_FORM, form)
                                            : rest_parse_form(call->pool, call->r->args, form);
}

int km_endpoint_authorize(const km_call_t *call)
{
    apr_table_t *form = NULL, *params = NULL;
    km_session_t *session = NULL;
    km_authz_t *a = NULL;
    apim_error_t *err = read_request(call, &form);
    const char *step = err ? NULL : apr_table_get(form, "seal") ? field(form, "step") : NULL;
    int pushed = 1; /* what a form of ours carries was looked at when it was made */
    if (!err && step && call->r->method_number == M_POST) {
        err = open_form(call, form, &params, &session);
    }
    else if (!err) {
        step = NULL;
        params = form;
        err = km_pushed_resolve(call, &params, &pushed);
    }
    if (!err) {
        km_page_locales(call, apr_table_get(params, "ui_locales"));
        err = km_authz_begin(call, params, &a);
    }
    if (err) {
        apim_audit(call->r, &call->conf->common, "authorization", err);
        return km_page_error(call, err);
    }
    err = km_authz_check(call, params, a);
    if (!err && !pushed && apim_json_bool(a->client->metadata, "require_pushed_authorization_requests", 0)) {
        err = km_oauth_error(call->pool, HTTP_BAD_REQUEST, "invalid_request",
                             "This client has to push its requests (RFC 9126).");
    }
    if (err) {
        return km_answer_refused(call, a, err);
    }
    if (!step) {
        return begin(call, a);
    }
    return session ? decide(call, a, session, form) : km_log_in(call, a, form, logged_in);
}
