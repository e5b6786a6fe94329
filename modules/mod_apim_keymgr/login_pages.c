/* SPDX-License-Identifier: Apache-2.0 */
#include "login_pages.h"

#include <apr_strings.h>
#include <apr_uri.h>
#include <string.h>

#include "apim_text.h"
#include "authorize.h"
#include "code_store.h"
#include "device_page.h"
#include "oauth_error.h"
#include "scope_service.h"
#include "web_page.h"

#define FORM_LIFETIME 1800000 /* ms */

const char *km_form_begin(const km_call_t *call, const km_authz_t *a, const char *step,
                          const km_session_t *session)
{
    apr_pool_t *p = call->pool;
    const char *expires = apim_i64(p, call->now + FORM_LIFETIME);
    const char *sealed_step = a->user_code ? apr_pstrcat(p, KM_DEVICE_STEP, step, NULL) : step;
    const char *seal = km_form_seal(call, sealed_step, session, expires, a->text);
    return seal ? apr_pstrcat(p, "<form method=\"post\" action=\"",
                              a->user_code ? KM_DEVICE_PATH : KM_AUTHORIZE_PATH, "\">\n",
                              "<input type=\"hidden\" name=\"step\" value=\"", step, "\">\n",
                              "<input type=\"hidden\" name=\"expires\" value=\"", expires, "\">\n",
                              "<input type=\"hidden\" name=\"request\" value=\"", km_html(p, a->text),
                              "\">\n", "<input type=\"hidden\" name=\"seal\" value=\"", seal, "\">\n", NULL)
                : NULL;
}

/* Who asks: its name is what whoever registered it chose, so the place that answers go to stands beside it,
 * or the code that the person has to compare. */
static const char *asker(const km_call_t *call, const km_authz_t *a)
{
    apr_pool_t *p = call->pool;
    apr_uri_t uri;
    const char *place = a->redirect_uri;
    if (a->user_code) {
        place = apr_pstrcat(p, km_say(call, "on the device that shows "), a->user_code, NULL);
    }
    else if (apr_uri_parse(p, a->redirect_uri, &uri) == APR_SUCCESS && uri.hostinfo && *uri.hostinfo) {
        place = uri.hostinfo;
    }
    return apr_pstrcat(p, "<strong>", km_html(p, a->client->name), "</strong> <span class=\"note\">(",
                       km_html(p, place), ")</span>", NULL);
}

static int no_randomness(const km_call_t *call)
{
    return km_page_error(call, apim_internal(call->pool, "no random bytes"));
}

int km_login_page(const km_call_t *call, const km_authz_t *a, int status, const char *username,
                  const char *wrong)
{
    apr_pool_t *p = call->pool;
    const char *form = km_form_begin(call, a, KM_STEP_LOGIN, NULL), *notice = "";
    if (!form) {
        return no_randomness(call);
    }
    if (wrong) {
        notice = apr_pstrcat(p, "<p class=\"error\" role=\"alert\">", km_html(p, wrong), "</p>\n", NULL);
    }
    return km_page_reply(call, status, "Log in",
                         apr_pstrcat(p, "<p>", km_say(call, "To go on to "), asker(call, a), "</p>\n", notice,
                                     form, "<label for=\"username\">", km_say(call, "User name"),
                                     "</label>\n<input id=\"username\" name=\"username\" "
                                     "autocomplete=\"username\" autocapitalize=\"none\" "
                                     "spellcheck=\"false\" required maxlength=\"255\" value=\"",
                                     km_html(p, username), "\"", username ? "" : " autofocus", ">\n",
                                     "<label for=\"password\">", km_say(call, "Password"),
                                     "</label>\n<input id=\"password\" name=\"password\" type=\"password\" "
                                     "autocomplete=\"current-password\" "
                                     "required maxlength=\"1024\"",
                                     username ? " autofocus" : "", ">\n<button type=\"submit\">",
                                     km_say(call, "Log in"), "</button>\n</form>", NULL),
                         km_form_target(p, a->redirect_uri));
}

static const struct {
    const char *scope, *text;
} known[] = {{KM_DEFAULT_SCOPE, "Know that you have an account here, and call APIs in your name"},
             {"openid", "Know who you are (your user name)"},
             {"profile", "Read your name"},
             {"email", "Read your e-mail address"},
             {"apim:subscribe", "Manage your subscriptions in the Store"},
             {"apim:app_manage", "Manage your applications in the Store, with their keys"},
             {"apim:api_create", "Create and change APIs in the Publisher"},
             {"apim:api_publish", "Publish APIs"},
             {"apim:admin", "Administer the API manager"}};

static apim_error_t *explain(const km_call_t *call, const char *scope, const char **text)
{
    apr_size_t i;
    for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (strcmp(scope, known[i].scope) == 0) {
            *text = km_say(call, known[i].text);
            return NULL;
        }
    }
    return km_scope_explained(call, scope, text);
}

static apim_error_t *list_scopes(const km_call_t *call, const char *scopes, const char **list)
{
    apr_pool_t *p = call->pool;
    char *state, *word, *copy = apr_pstrdup(p, scopes);
    *list = "";
    for (word = apr_strtok(copy, " ", &state); word; word = apr_strtok(NULL, " ", &state)) {
        const char *text = NULL;
        APIM_TRY(explain(call, word, &text));
        *list = apr_pstrcat(p, *list, "<li>", km_html(p, text ? text : word), NULL);
        if (text && strcmp(word, KM_DEFAULT_SCOPE) != 0) {
            *list = apr_pstrcat(p, *list, " <span class=\"note\">(", km_html(p, word), ")</span>", NULL);
        }
        *list = apr_pstrcat(p, *list, "</li>\n", NULL);
    }
    return NULL;
}

/* RFC 8628 section 5.4: who sent the code may want what the person has. */
static const char *device_warning(const km_call_t *call)
{
    return apr_pstrcat(call->pool, "<p>",
                       km_say(call,
                              "Allow it only if you have just begun this yourself, on a device in front of "
                              "you. Nobody ever needs you to type in a code that they sent you."),
                       "</p>\n", NULL);
}

int km_consent_page(const km_call_t *call, const km_authz_t *a, const km_session_t *session,
                    const char *scopes)
{
    apr_pool_t *p = call->pool;
    const char *list, *form = km_form_begin(call, a, KM_STEP_CONSENT, session);
    apim_error_t *err = list_scopes(call, scopes, &list);
    if (err) {
        return km_page_error(call, err);
    }
    if (!form) {
        return no_randomness(call);
    }
    return km_page_reply(
        call, HTTP_OK, "Allow access?",
        apr_pstrcat(p, "<p>", asker(call, a), km_say(call, " asks to be allowed, in the name of "),
                    "<strong>", km_html(p, session->username), "</strong>", km_say(call, ", to"),
                    "</p>\n<ul>\n", list, "</ul>\n", a->user_code ? device_warning(call) : "", form,
                    "<button name=\"decision\" value=\"allow\">", km_say(call, "Allow"),
                    "</button>\n"
                    "<button class=\"plain\" name=\"decision\" value=\"deny\">",
                    km_say(call, "Do not allow"), "</button>\n</form>", NULL),
        km_form_target(p, a->redirect_uri));
}
