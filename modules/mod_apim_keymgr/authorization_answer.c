/* SPDX-License-Identifier: Apache-2.0 */
#include "authorization_answer.h"

#include <apr_strings.h>

#include "apim_text.h"
#include "code_store.h"
#include "httpd/audit.h"
#include "id_token.h"
#include "oauth_error.h"
#include "pushed_request.h"
#include "token_service.h"
#include "userinfo.h"
#include "web_page.h"

/* -- sending
 * ----------------------------------------------------------------------------------------------------------
 */

/* The fields of a form that posts itself. */
static int append_field(void *text, const char *name, const char *value)
{
    const char **to = text;
    apr_pool_t *p = (apr_pool_t *)to[1];
    to[0] = apr_pstrcat(p, to[0], "<input type=\"hidden\" name=\"", km_html(p, name), "\" value=\"",
                        km_html(p, value), "\">\n", NULL);
    return 1;
}

static const char *joined(const km_call_t *call, const km_authz_t *a, const apr_table_t *answer)
{
    const char *uri = a->redirect_uri, *mark = strchr(uri, '?');
    const char *separator = a->mode == KM_MODE_FRAGMENT ? "#" : !mark ? "?" : mark[1] ? "&" : "";
    return apr_pstrcat(call->pool, uri, separator, km_params_text(call->pool, answer), NULL);
}

/* With state and iss (RFC 9207). */
static int answer_with(const km_call_t *call, const km_authz_t *a, apr_table_t *answer)
{
    const char *fields[2] = {"", (const char *)call->pool};
    apr_table_setn(answer, "iss", km_issuer(call));
    if (a->state) {
        apr_table_setn(answer, "state", a->state);
    }
    if (a->mode != KM_MODE_FORM_POST) {
        return km_page_redirect(call, joined(call, a, answer));
    }
    apr_table_do(append_field, (void *)fields, answer, NULL);
    return km_page_submit(call, a->redirect_uri, fields[0]);
}

int km_answer_refused(const km_call_t *call, const km_authz_t *a, const apim_error_t *err)
{
    apr_table_t *answer = apr_table_make(call->pool, 4);
    apim_audit_about(call->r, "client", a->client->consumer_key);
    apim_audit(call->r, &call->conf->common, "authorization", err);
    if (err->status >= 500 || err->status == HTTP_TOO_MANY_REQUESTS) {
        return km_page_error(call, err);
    }
    rest_log_error(call->r, "APIM-KM0051", err);
    apr_table_setn(answer, "error", km_oauth_word(err));
    apr_table_setn(answer, "error_description", km_oauth_description(call->pool, err));
    return answer_with(call, a, answer);
}

/* -- what was asked for
 * ----------------------------------------------------------------------------------------------- */

static apim_error_t *add_code(const km_call_t *call, const km_authz_t *a, const km_session_t *session,
                              const char *scopes, apr_table_t *answer)
{
    km_code_t code = {.consumer_key = a->client->consumer_key,
                      .username = session->username,
                      .redirect_uri = a->redirect_uri,
                      .challenge = a->challenge,
                      .scopes = scopes,
                      .nonce = a->nonce,
                      .audience = a->audience,
                      .auth_time = session->auth_time};
    const char *text;
    APIM_TRY(km_code_make(call, &code, &text));
    apr_table_setn(answer, "code", text);
    return NULL;
}

static apim_error_t *add_token(const km_call_t *call, const km_authz_t *a, const km_session_t *session,
                               const char *scopes, apr_table_t *answer)
{
    km_issued_t *issued;
    APIM_TRY(km_issue_implicit(call, a->client, session->username, scopes, a->audience, &issued));
    apr_table_setn(answer, "access_token", issued->access_token);
    apr_table_setn(answer, "token_type", "Bearer");
    apr_table_setn(answer, "expires_in", apim_i64(call->pool, issued->lifetime));
    apr_table_setn(answer, "scope", issued->scopes);
    return NULL;
}

/* Where no access token will fetch what the scopes tell of the user, the ID token says it (OpenID Connect
 * Core section 5.4). */
static apim_error_t *add_id_token(const km_call_t *call, const km_authz_t *a, const km_session_t *session,
                                  const char *scopes, apr_table_t *answer)
{
    km_id_token_t id = {.consumer_key = a->client->consumer_key,
                        .username = session->username,
                        .nonce = a->nonce,
                        .auth_time = session->auth_time,
                        .lifetime = km_client_access_lifetime(call, a->client, 0),
                        .access_token = apr_table_get(answer, "access_token"),
                        .code = apr_table_get(answer, "code")};
    const char *text;
    json_t *claims = NULL;
    if (!id.access_token && !id.code) {
        APIM_TRY(km_userinfo_claims(call, session->username, scopes, &claims));
        id.claims = apim_json_own(call->pool, claims);
    }
    APIM_TRY(km_id_token_make(call, &id, &text));
    apr_table_setn(answer, "id_token", text);
    return NULL;
}

static apim_error_t *make(const km_call_t *call, const km_authz_t *a, const km_session_t *session,
                          const char *scopes, apr_table_t *answer)
{
    APIM_TRY(km_pushed_use(call, a->params));
    if (a->wants & KM_WANTS_CODE) {
        APIM_TRY(add_code(call, a, session, scopes, answer));
    }
    if (a->wants & KM_WANTS_TOKEN) {
        APIM_TRY(add_token(call, a, session, scopes, answer));
    }
    return a->wants & KM_WANTS_ID_TOKEN && apim_word_in_list("openid", scopes)
               ? add_id_token(call, a, session, scopes, answer)
               : NULL;
}

int km_answer_granted(const km_call_t *call, const km_authz_t *a, const km_session_t *session,
                      const char *scopes)
{
    apr_table_t *answer = apr_table_make(call->pool, 8);
    apim_error_t *err = make(call, a, session, scopes, answer);
    apim_audit_about(call->r, "client", a->client->consumer_key);
    apim_audit_about(call->r, "user", session->username);
    apim_audit(call->r, &call->conf->common, "authorization", err);
    return err ? km_page_error(call, err) : answer_with(call, a, answer);
}
