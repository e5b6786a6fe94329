/* SPDX-License-Identifier: Apache-2.0 */
#define KM_OAUTH_ERROR_IMPLEMENTATION
#include "oauth_error.h"

#include <apr_strings.h>
#include <string.h>

static const char *const words[] = {"invalid_request",         "invalid_client",
                                    "invalid_grant",           "unauthorized_client",
                                    "invalid_scope",           "unsupported_grant_type",
                                    "temporarily_unavailable", "server_error",
                                    "invalid_client_metadata", "invalid_redirect_uri",
                                    "invalid_token",           "access_denied",
                                    "authorization_pending",   "slow_down",
                                    "expired_token",           "unsupported_response_type",
                                    "login_required",          "consent_required",
                                    "request_not_supported",   "request_uri_not_supported",
                                    "insufficient_scope",      "invalid_target"};

apim_error_t *km_oauth_error(apr_pool_t *p, int status, const char *word, const char *format, ...)
{
    va_list ap;
    const char *text;
    va_start(ap, format);
    text = apr_pvsprintf(p, format, ap);
    va_end(ap);
    return apim_error(p, status, status, word, "%s", text);
}

apim_error_t *km_invalid_client(apr_pool_t *p)
{
    return km_oauth_error(p, HTTP_UNAUTHORIZED, "invalid_client",
                          "The client is unknown or its credentials are wrong.");
}

const char *km_oauth_word(const apim_error_t *err)
{
    apr_size_t i;
    for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(err->message, words[i]) == 0) {
            return words[i];
        }
    }
    if (err->status == HTTP_SERVICE_UNAVAILABLE || err->status == HTTP_TOO_MANY_REQUESTS) {
        return "temporarily_unavailable";
    }
    return err->status >= 500 ? "server_error" : "invalid_request";
}

/* error_description may hold %x20-21 / %x23-5B / %x5D-7E only (RFC 6749 appendix A.8). */
const char *km_oauth_description(apr_pool_t *p, const apim_error_t *err)
{
    char *text = apr_pstrdup(p, err->description ? err->description : ""), *s;
    for (s = text; *s; s++) {
        if (*s == '"' || *s == '\\') {
            *s = '\'';
        }
        else if (*s < 0x20 || *s > 0x7e) {
            *s = '?';
        }
    }
    return text;
}

int km_oauth_reply(request_rec *r, int status, json_t *j)
{
    apr_table_setn(r->headers_out, "Cache-Control", "no-store");
    apr_table_setn(r->headers_out, "Pragma", "no-cache");
    rest_reply_json(r, status, j);
    return OK;
}

int km_oauth_reply_error(request_rec *r, const apim_error_t *err)
{
    rest_log_error(r, "APIM-KM0001", err);
    if (err->retry_after > 0) {
        apr_table_setn(r->err_headers_out, "Retry-After", apr_itoa(r->pool, err->retry_after));
    }
    if (err->status == HTTP_UNAUTHORIZED && !apr_table_get(r->err_headers_out, "WWW-Authenticate")) {
        apr_table_setn(r->err_headers_out, "WWW-Authenticate",
                       "Basic realm=\"API Manager\", charset=\"UTF-8\"");
    }
    return km_oauth_reply(r, err->status,
                          json_pack("{s:s, s:s}", "error", km_oauth_word(err), "error_description",
                                    km_oauth_description(r->pool, err)));
}
