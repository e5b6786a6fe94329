/* SPDX-License-Identifier: Apache-2.0 */
#include "login_service.h"

#include <apr_strings.h>
#include <string.h>

#include "apim_text.h"
#include "authorize.h"
#include "code_store.h"
#include "httpd/db_pool.h"
#include "logout.h"
#include "oauth_endpoints.h"
#include "operation_input.h"
#include "pushed_request.h"
#include "token_service.h"

#define MAX_URI    2048
#define MAX_TEXT   2048
#define MAX_SCOPES 4096

int km_login_is_portal(const apr_table_t *params, const char *client_id)
{
    return client_id && strcmp(client_id, KM_PORTAL_CLIENT) == 0 && km_pushed_is(params);
}

static apim_error_t *portal_client(const km_call_t *call, km_client_t **client)
{
    apim_db_t *db;
    apim_error_t *err;
    APIM_TRY(apim_db_open(call->pool, &call->conf->common, APIM_DB_API_MANAGER, &db));
    err = km_client_find(call->pool, db, KM_PORTAL_CLIENT, client);
    apim_db_close(db);
    return err || *client ? err
                          : apim_internal(call->pool, "the client " KM_PORTAL_CLIENT
                                                      " is missing in am_oauth_client; a migration makes it");
}

static apim_error_t *redirect_uri(const km_call_t *call, const json_t *in, const char **uri)
{
    APIM_TRY(km_in_needed(call->pool, in, "redirectUri", MAX_URI, uri));
    return strncmp(*uri, "https://", 8) == 0 || strncmp(*uri, "http://", 7) == 0
               ? NULL
               : apim_bad_request(call->pool, "redirectUri must be an http or https URL.");
}

static apim_error_t *answer_path(const km_call_t *call, const char *endpoint, apr_table_t *params,
                                 json_t **out)
{
    apr_pool_t *p = call->pool;
    const char *uri;
    APIM_TRY(km_pushed_seal(call, KM_PORTAL_CLIENT, params, &uri));
    *out = apim_json_own(p, json_pack("{s:s}", "path",
                                      apr_pstrcat(p, endpoint, "?client_id=" KM_PORTAL_CLIENT "&request_uri=",
                                                  apim_urlencode(p, uri), NULL)));
    return *out ? NULL : apim_internal(p, "an address could not be printed");
}

apim_error_t *km_portal_login_begin(const km_call_t *call, const json_t *in, json_t **out)
{
    const char *uri, *state, *challenge, *scopes, *prompt;
    apr_table_t *params = apr_table_make(call->pool, 10);
    APIM_TRY(redirect_uri(call, in, &uri));
    APIM_TRY(km_in_needed(call->pool, in, "state", MAX_TEXT, &state));
    APIM_TRY(km_in_needed(call->pool, in, "codeChallenge", 43, &challenge));
    APIM_TRY(km_in_words(call->pool, in, "scopes", MAX_SCOPES, &scopes));
    APIM_TRY(km_in_text(call->pool, in, "prompt", 64, &prompt));
    apr_table_setn(params, "response_type", "code");
    apr_table_setn(params, "redirect_uri", uri);
    apr_table_setn(params, "state", state);
    apr_table_setn(params, "scope", scopes ? scopes : "");
    apr_table_setn(params, "code_challenge", challenge);
    apr_table_setn(params, "code_challenge_method", "S256");
    if (prompt && *prompt) {
        apr_table_setn(params, "prompt", prompt);
    }
    return answer_path(call, KM_AUTHORIZE_PATH, params, out);
}

apim_error_t *km_portal_login_end(const km_call_t *call, const json_t *in, json_t **out)
{
    const char *text, *uri, *verifier;
    km_client_t *client;
    km_issued_t *issued;
    km_code_t *code;
    APIM_TRY(km_in_needed(call->pool, in, "code", MAX_TEXT, &text));
    APIM_TRY(redirect_uri(call, in, &uri));
    APIM_TRY(km_in_needed(call->pool, in, "codeVerifier", 128, &verifier));
    APIM_TRY(portal_client(call, &client));
    APIM_TRY(km_code_find(call, text, &code));
    APIM_TRY(km_redeem_code(call, client, text, uri, verifier, NULL, &issued));
    *out =
        apim_json_own(call->pool, json_pack("{s:s, s:s, s:s, s:I}", "username", code ? code->username : "",
                                            "accessToken", issued->access_token, "scope", issued->scopes,
                                            "expiresAt", (json_int_t)(call->now + issued->lifetime * 1000)));
    return *out ? NULL : apim_internal(call->pool, "a log-in could not be printed");
}

apim_error_t *km_portal_logout(const km_call_t *call, const json_t *in, json_t **out)
{
    const char *uri, *username;
    apr_table_t *params = apr_table_make(call->pool, 4);
    APIM_TRY(redirect_uri(call, in, &uri));
    APIM_TRY(km_in_needed(call->pool, in, "username", MAX_TEXT, &username));
    apr_table_setn(params, "post_logout_redirect_uri", uri);
    apr_table_setn(params, "username", username);
    return answer_path(call, KM_LOGOUT_PATH, params, out);
}
