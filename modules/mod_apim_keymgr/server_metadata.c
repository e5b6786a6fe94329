/* SPDX-License-Identifier: Apache-2.0 */
#include <apr_strings.h>

#include "authorization_request.h"
#include "authorize.h"
#include "device_code.h"
#include "logout.h"
#include "oauth_endpoints.h"
#include "oauth_error.h"
#include "page_language.h"
#include "pushed_request.h"
#include "registration.h"
#include "userinfo.h"

static void add_url(const km_call_t *call, json_t *to, const char *name, const char *path)
{
    apim_json_set_str(to, name, apr_pstrcat(call->pool, km_issuer(call), path, NULL));
}

/* values: blank-separated */
static void add_list(const km_call_t *call, json_t *to, const char *name, const char *values)
{
    char *state, *word, *copy = apr_pstrdup(call->pool, values);
    json_t *list = json_array();
    for (word = apr_strtok(copy, " ", &state); word; word = apr_strtok(NULL, " ", &state)) {
        json_array_append_new(list, json_string(word));
    }
    json_object_set_new(to, name, list);
}

static void add_endpoints(const km_call_t *call, json_t *j)
{
    add_url(call, j, "authorization_endpoint", KM_AUTHORIZE_PATH);
    add_url(call, j, "token_endpoint", "/oauth2/token");
    add_url(call, j, "revocation_endpoint", "/oauth2/revoke");
    add_url(call, j, "introspection_endpoint", "/oauth2/introspect");
    add_url(call, j, "userinfo_endpoint", KM_USERINFO_PATH);
    add_url(call, j, "end_session_endpoint", KM_LOGOUT_PATH);
    add_url(call, j, "pushed_authorization_request_endpoint", KM_PAR_PATH);
    add_url(call, j, "device_authorization_endpoint", KM_DEVICE_AUTHORIZATION_PATH);
    add_url(call, j, "jwks_uri", "/oauth2/jwks");
    add_url(call, j, "registration_endpoint", KM_REGISTER_PATH);
}

static void add_abilities(const km_call_t *call, json_t *j)
{
    static const char with_secret[] =
        "client_secret_basic client_secret_post private_key_jwt client_secret_jwt";
    static const char signing[] = "ES256 RS256 PS256 EdDSA HS256";
    const char *any = apr_pstrcat(call->pool, with_secret, " none", NULL);
    json_object_set_new(j, "response_types_supported", km_authz_response_types(call));
    add_list(call, j, "response_modes_supported", "query fragment form_post");
    add_list(call, j, "grant_types_supported", km_grant_names(call));
    add_list(call, j, "code_challenge_methods_supported", "S256");
    add_list(call, j, "token_endpoint_auth_methods_supported", any);
    add_list(call, j, "revocation_endpoint_auth_methods_supported", any);
    add_list(call, j, "introspection_endpoint_auth_methods_supported",
             with_secret); /* anyone can say to be public */
    add_list(call, j, "token_endpoint_auth_signing_alg_values_supported", signing);
    add_list(call, j, "revocation_endpoint_auth_signing_alg_values_supported", signing);
    add_list(call, j, "introspection_endpoint_auth_signing_alg_values_supported", signing);
    add_list(call, j, "subject_types_supported", "public");
    add_list(call, j, "id_token_signing_alg_values_supported", apim_alg_name(km_algorithm(call->conf)));
    add_list(call, j, "scopes_supported", "openid profile email");
    add_list(call, j, "ui_locales_supported", KM_PAGE_LANGUAGES);
    add_list(call, j, "claims_supported",
             "sub iss aud exp iat auth_time nonce at_hash c_hash azp name given_name family_name "
             "preferred_username "
             "updated_at "
             "email email_verified");
    add_list(call, j, "prompt_values_supported", "none login consent select_account");
    json_object_set_new(j, "authorization_response_iss_parameter_supported", json_true());
    json_object_set_new(j, "require_pushed_authorization_requests", json_false());
    json_object_set_new(j, "claims_parameter_supported", json_false());
    json_object_set_new(j, "request_parameter_supported", json_false());
    json_object_set_new(j, "request_uri_parameter_supported", json_false());
}

int km_endpoint_metadata(const km_call_t *call)
{
    apim_error_t *err = km_check_method(call, "GET");
    json_t *j = err ? NULL : json_pack("{s:s}", "issuer", km_issuer(call));
    if (!err && !j) {
        err = apim_internal(call->pool, "the issuer is not UTF-8");
    }
    if (err) {
        return km_oauth_reply_error(call->r, err);
    }
    add_endpoints(call, j);
    add_abilities(call, j);
    apr_table_setn(call->r->headers_out, "Cache-Control", "public, max-age=60");
    rest_reply_json(call->r, HTTP_OK, j);
    return OK;
}
