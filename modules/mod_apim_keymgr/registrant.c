/* SPDX-License-Identifier: Apache-2.0 */
#include "registrant.h"

#include <string.h>

#include "apim_text.h"
#include "client_auth.h"
#include "httpd/audit.h"
#include "oauth_error.h"
#include "resource_target.h"
#include "token_lookup.h"

static const char *const scopes[] = {"apim:subscribe", "apim:app_manage", "apim:admin"};

const char *km_bearer(request_rec *r)
{
    const char *header = apr_table_get(r->headers_in, "Authorization");
    if (!header || strncasecmp(header, "Bearer ", 7) != 0) {
        return NULL;
    }
    header += 7;
    return header + strspn(header, " ");
}

static apim_error_t *refused(const km_call_t *call, int by_token)
{
    apr_table_setn(call->r->err_headers_out, "WWW-Authenticate",
                   by_token ? "Bearer realm=\"API Manager\", error=\"invalid_token\""
                            : "Basic realm=\"API Manager\", charset=\"UTF-8\"");
    return km_oauth_error(
        call->pool, HTTP_UNAUTHORIZED, "invalid_token",
        by_token ? "The access token is not valid or has none of the scopes apim:subscribe, apim:app_manage, "
                   "apim:admin."
                 : "Registering takes a user's name and password (Basic) or access token (Bearer).");
}

static apim_error_t *by_token(const km_call_t *call, const char *token, km_user_t **out)
{
    km_token_info_t *info;
    apr_size_t i;
    int allowed = 0;
    APIM_TRY(km_lookup_token(call, token, NULL, NULL, &info));
    for (i = 0; info->state == KM_ACTIVE && info->username && km_audience_is_ours(call, info->audience) &&
                i < sizeof(scopes) / sizeof(scopes[0]);
         i++) {
        allowed |= apim_word_in_list(scopes[i], info->scopes);
    }
    if (!allowed) {
        return refused(call, 1);
    }
    return km_user_find(call, info->username, out);
}

apim_error_t *km_registrant(const km_call_t *call, km_user_t **out)
{
    const char *token = km_bearer(call->r), *name, *password;
    *out = NULL;
    if (token) {
        APIM_TRY(by_token(call, token, out));
        apim_audit_about(call->r, "user", *out ? (*out)->username : NULL);
        return *out ? NULL : refused(call, 1);
    }
    if (km_basic_credentials(call->r, 0, &name, &password) || !name) {
        return refused(call, 0);
    }
    APIM_TRY(km_user_authenticate(call, name, password, out));
    return *out ? NULL : refused(call, 0);
}
