/* SPDX-License-Identifier: Apache-2.0 */
#include "device_page.h"

#include <apr_strings.h>
#include <string.h>

#include "apim_text.h"
#include "authorize.h"
#include "device_code.h"
#include "httpd/audit.h"
#include "httpd/db_pool.h"
#include "keymgr_log.h"
#include "login_guard.h"
#include "login_pages.h"
#include "oauth_endpoints.h"
#include "oauth_error.h"
#include "scope_service.h"
#include "user_store.h"
#include "web_page.h"

#define MAX_FORM 65536
/* What guesses of codes are counted under; no account has such a name. */
#define GUARDED "\nuser codes"

static const char *field(const apr_table_t *form, const char *name)
{
    const char *value = apr_table_get(form, name);
    return value ? value : "";
}

static void audit(const km_call_t *call, const apim_error_t *err)
{
    apim_audit_about(call->r, "grant", KM_GRANT_DEVICE);
    apim_audit(call->r, &call->conf->common, "authorization", err);
}

static void audit_refusal(const km_call_t *call, int status, const char *word)
{
    audit(call, km_oauth_error(call->pool, status, word, "Refused at the page for devices."));
}

/* -- the code
 * -------------------------------------------------------------------------------------------------------- */

/* typed: what the field holds; wrong: what went wrong before, NULL at first. */
static int code_page(const km_call_t *call, int status, const char *typed, const char *wrong)
{
    static const km_authz_t nothing = {.text = "", .user_code = ""};
    apr_pool_t *p = call->pool;
    const char *form = km_form_begin(call, &nothing, KM_STEP_CODE, NULL);
    if (!form) {
        return km_page_error(call, apim_internal(p, "no random bytes"));
    }
    if (wrong) {
        wrong = apr_pstrcat(p, "<p class=\"error\" role=\"alert\">", km_html(p, wrong), "</p>\n", NULL);
    }
    return km_page_reply(
        call, status, "Connect a device",
        apr_pstrcat(p, "<p>", km_say(call, "Type in the code that your device shows."), "</p>\n",
                    wrong ? wrong : "", form, "<label for=\"user_code\">", km_say(call, "Code"),
                    "</label>\n"
                    "<input id=\"user_code\" name=\"user_code\" autocomplete=\"off\" "
                    "autocapitalize=\"characters\" spellcheck=\"false\" required maxlength=\"32\" autofocus "
                    "value=\"",
                    km_html(p, typed), "\">\n<button type=\"submit\">", km_say(call, "Go on"),
                    "</button>\n</form>", NULL),
        NULL);
}

static int too_many(const km_call_t *call, const char *typed, int wait)
{
    audit_refusal(call, HTTP_TOO_MANY_REQUESTS, "Too Many Requests");
    apr_table_setn(call->r->err_headers_out, "Retry-After", apr_itoa(call->pool, wait));
    return code_page(call, HTTP_TOO_MANY_REQUESTS, typed,
                     apr_pstrcat(call->pool, km_say(call, "Too many wrong codes. Try again in "),
                                 apr_itoa(call->pool, wait),
                                 km_say(call, wait == 1 ? " second." : " seconds."), NULL));
}

static apim_error_t *find_client(const km_call_t *call, const char *id, km_client_t **out)
{
    apim_error_t *err;
    apim_db_t *db;
    APIM_TRY(apim_db_open(call->pool, &call->conf->common, APIM_DB_API_MANAGER, &db));
    err = km_client_find(call->pool, db, id, out);
    apim_db_close(db);
    return err;
}

/* What waits for the code, as a request that the log-in and consent pages know; *out NULL if nothing does. */
static apim_error_t *request_of(const km_call_t *call, const char *user_code, km_authz_t **out)
{
    km_client_t *client = NULL;
    km_device_t *device;
    km_authz_t *a;
    *out = NULL;
    APIM_TRY(km_device_by_user_code(call, user_code, &device));
    if (device) {
        APIM_TRY(find_client(call, device->consumer_key, &client));
    }
    if (!client) {
        return NULL;
    }
    a = apr_pcalloc(call->pool, sizeof(*a));
    a->client = client;
    a->scope = device->scopes;
    a->user_code = user_code;
    a->text = user_code;
    a->max_age = -1;
    *out = a;
    return NULL;
}

static int gone(const km_call_t *call, const char *typed)
{
    audit_refusal(call, HTTP_NOT_FOUND, "invalid_grant");
    return code_page(call, HTTP_NOT_FOUND, typed,
                     km_say(call, "No device waits for this code, or it has expired."));
}

/* -- who decides
 * ----------------------------------------------------------------------------------------------------- */

/* *granted NULL if there is no such user any more. */
static apim_error_t *granted_scopes(const km_call_t *call, const km_authz_t *a, const km_session_t *session,
                                    const char **granted)
{
    km_user_t *user;
    *granted = NULL;
    APIM_TRY(km_user_find(call, session->username, &user));
    return user ? km_scope_grant(call, a->client, user->username, user, a->scope, granted) : NULL;
}

static int ask(const km_call_t *call, const km_authz_t *a, const km_session_t *session)
{
    const char *scopes;
    apim_error_t *err = granted_scopes(call, a, session, &scopes);
    if (err) {
        return km_page_error(call, err);
    }
    return scopes ? km_consent_page(call, a, session, scopes) : km_login_page(call, a, HTTP_OK, NULL, NULL);
}

static int take_code(const km_call_t *call, const apr_table_t *form)
{
    const char *typed = field(form, "user_code"), *code = km_user_code(call->pool, typed);
    const char *address = call->r->useragent_ip;
    int wait = km_login_guard_wait(GUARDED, address);
    km_session_t *session = NULL;
    km_authz_t *a = NULL;
    apim_error_t *err;
    if (wait) {
        return too_many(call, typed, wait);
    }
    err = code ? request_of(call, code, &a) : NULL;
    if (!err && !a) {
        km_login_guard_failed(GUARDED, address);
        return gone(call, typed);
    }
    if (!err) {
        err = km_session_find(call, &session);
    }
    if (err) {
        return km_page_error(call, err);
    }
    return session ? ask(call, a, session) : km_login_page(call, a, HTTP_OK, NULL, NULL);
}

static int decide(const km_call_t *call, const km_authz_t *a, const km_session_t *session,
                  const apr_table_t *form)
{
    const int allow = strcmp(field(form, "decision"), "allow") == 0;
    const char *scopes = NULL;
    int done = 0;
    apim_error_t *err;
    apim_audit_about(call->r, "user", session->username);
    apim_audit_about(call->r, "client", a->client->consumer_key);
    err = allow ? granted_scopes(call, a, session, &scopes) : NULL;
    if (!err && allow && !scopes) {
        return km_login_page(call, a, HTTP_OK, NULL, NULL);
    }
    if (!err) {
        err = km_device_decide(call, a->user_code, session->username, session->auth_time, scopes, &done);
    }
    if (err) {
        audit(call, err);
        return km_page_error(call, err);
    }
    if (!done) {
        return gone(call, a->user_code);
    }
    if (!allow) {
        audit_refusal(call, HTTP_BAD_REQUEST, "access_denied");
        return km_page_reply(
            call, HTTP_OK, "Not allowed",
            apr_pstrcat(call->pool, "<p>",
                        km_say(call, "The device was given nothing. You can close this page."), "</p>", NULL),
            NULL);
    }
    audit(call, NULL);
    return km_page_reply(call, HTTP_OK, "Device connected",
                         apr_pstrcat(call->pool, "<p>",
                                     km_say(call, "Your device goes on by itself. You can close this page."),
                                     "</p>", NULL),
                         NULL);
}

/* -- requests
 * -------------------------------------------------------------------------------------------------------- */

/* A form of ours. Seals cover the step, so none of another page passes for one. */
static int take_form(const km_call_t *call, const apr_table_t *form)
{
    const char *step = field(form, "step");
    km_session_t *session = NULL;
    km_authz_t *a = NULL;
    apim_error_t *err = NULL;
    if (strcmp(step, KM_STEP_CONSENT) == 0) {
        err = km_session_find(call, &session);
    }
    if (!err) {
        err = km_form_check(call, apr_pstrcat(call->pool, KM_DEVICE_STEP, step, NULL), session,
                            apr_table_get(form, "expires"), apr_table_get(form, "request"),
                            apr_table_get(form, "seal"));
    }
    if (!err && strcmp(step, KM_STEP_CODE) == 0) {
        return take_code(call, form);
    }
    if (!err) {
        err = request_of(call, apr_table_get(form, "request"), &a);
    }
    if (err) {
        return km_page_error(call, err);
    }
    if (!a) {
        return gone(call, apr_table_get(form, "request"));
    }
    return session ? decide(call, a, session, form) : km_log_in(call, a, form, ask);
}

static apim_error_t *read_request(const km_call_t *call, apr_table_t **form)
{
    APIM_TRY(km_check_method(call, "GET POST"));
    return call->r->method_number == M_POST ? rest_read_form(call->r, MAX_FORM, form)
                                            : rest_parse_form(call->pool, call->r->args, form);
}

int km_endpoint_device(const km_call_t *call)
{
    apr_table_t *form;
    apim_error_t *err = read_request(call, &form);
    if (err) {
        return km_page_error(call, err);
    }
    if (call->r->method_number == M_POST) {
        return take_form(call, form);
    }
    return code_page(call, HTTP_OK, field(form, "user_code"), NULL);
}
