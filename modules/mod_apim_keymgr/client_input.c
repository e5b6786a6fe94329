/* SPDX-License-Identifier: Apache-2.0 */
#include "client_input.h"

#include <apr_strings.h>
#include <apr_uri.h>
#include <string.h>

#include "apim_text.h"

#define MAX_URI 2000

/* Grants that clients may be registered for; which of them the token endpoint serves, its metadata tells. */
static const char known[] =
    "client_credentials password refresh_token authorization_code implicit "
    "urn:ietf:params:oauth:grant-type:saml2-bearer urn:ietf:params:oauth:grant-type:jwt-bearer "
    "urn:ietf:params:oauth:grant-type:device_code urn:ietf:params:oauth:grant-type:token-exchange "
    "iwa:ntlm kerberos";

apim_error_t *km_check_grant_types(apr_pool_t *p, const char *grant_types, int drop_unknown, const char **out)
{
    char *state, *word, *copy = apr_pstrdup(p, grant_types ? grant_types : "");
    const char *list = "";
    for (word = apr_strtok(copy, " ", &state); word; word = apr_strtok(NULL, " ", &state)) {
        if (apim_word_in_list(word, known)) {
            if (!apim_word_in_list(word, list)) {
                list = apr_pstrcat(p, list, *list ? " " : "", word, NULL);
            }
        }
        else if (!drop_unknown) {
            return apim_bad_request(p, "'%s' is not a grant type; known are: %s.", word, known);
        }
    }
    *out = list;
    return NULL;
}

int km_grant_fits_public(const char *grant_type)
{
    return strcmp(grant_type, "authorization_code") == 0 || strcmp(grant_type, "implicit") == 0 ||
           strcmp(grant_type, "refresh_token") == 0 ||
           strcmp(grant_type, "urn:ietf:params:oauth:grant-type:device_code") == 0;
}

static const char *wrong_uri(apr_pool_t *p, const char *text)
{
    apr_uri_t uri;
    if (strlen(text) > MAX_URI || apim_has_control(text, NULL) || strpbrk(text, " \\\"<>*")) {
        return "is too long or holds characters that a redirect URI cannot have";
    }
    if (strchr(text, '#')) {
        return "has a fragment";
    }
    if (apr_uri_parse(p, text, &uri) != APR_SUCCESS || !uri.scheme) {
        return "is not an absolute URI";
    }
    if (strcasecmp(uri.scheme, "javascript") == 0 || strcasecmp(uri.scheme, "data") == 0 ||
        strcasecmp(uri.scheme, "vbscript") == 0 || strcasecmp(uri.scheme, "file") == 0) {
        return "has a scheme that browsers run";
    }
    if ((strcasecmp(uri.scheme, "http") == 0 || strcasecmp(uri.scheme, "https") == 0) &&
        (!uri.hostname || !*uri.hostname || uri.user)) {
        return "has no host, or a user name in it";
    }
    return NULL;
}

static apim_error_t *add_uri(apr_pool_t *p, const json_t *v, json_t *to)
{
    const char *text = json_string_value(v), *wrong = text ? wrong_uri(p, text) : "is not a text";
    if (wrong) {
        return apim_bad_request(p, "The redirect URI '%s' %s.", text ? text : "", wrong);
    }
    json_array_append_new(to, json_string(text));
    return NULL;
}

apim_error_t *km_check_redirect_uris(apr_pool_t *p, const json_t *uris, json_t **out)
{
    apr_size_t i;
    *out = apim_json_own(p, json_array());
    if (!uris || json_is_null(uris) || (json_is_string(uris) && !*json_string_value(uris))) {
        return NULL;
    }
    if (json_is_string(uris)) {
        return add_uri(p, uris, *out);
    }
    if (!json_is_array(uris) || json_array_size(uris) > KM_MAX_REDIRECTS) {
        return apim_bad_request(p, "Redirect URIs must be an array of at most %d texts.", KM_MAX_REDIRECTS);
    }
    for (i = 0; i < json_array_size(uris); i++) {
        const char *text = json_string_value(json_array_get(uris, i));
        if (text && !*text) {
            continue;
        }
        APIM_TRY(add_uri(p, json_array_get(uris, i), *out));
    }
    return NULL;
}
