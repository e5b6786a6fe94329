/* SPDX-License-Identifier: Apache-2.0 */
#include "cors.h"

#include <apr_strings.h>
#include <string.h>

#define ALLOW_ORIGIN      "Access-Control-Allow-Origin"
#define ALLOW_CREDENTIALS "Access-Control-Allow-Credentials"
#define EXPOSE_HEADERS    "Access-Control-Expose-Headers"
/* What the gateway itself tells a caller; the back end's own list goes out beside it. */
#define EXPOSED                                                                                              \
    "X-Request-ID, Retry-After, WWW-Authenticate, RateLimit, RateLimit-Policy, X-RateLimit-Limit, "          \
    "X-RateLimit-Remaining, X-RateLimit-Reset"

void gw_cors_begin(request_rec *r, gw_call_t *call)
{
    const char *allowed;
    call->cors = call->api->cors ? call->api->cors : gw_server_config(r->server)->cors;
    if (!call->cors) {
        return;
    }
    if (!gw_cors_any_origin(call->cors)) {
        apr_table_addn(r->err_headers_out, "Vary", "Origin");
    }
    allowed = gw_cors_allow_origin(call->cors, apr_table_get(r->headers_in, "Origin"));
    if (!allowed) {
        return;
    }
    apr_table_setn(r->err_headers_out, ALLOW_ORIGIN, allowed);
    apr_table_setn(r->err_headers_out, EXPOSE_HEADERS, EXPOSED);
    if (call->cors->credentials && *allowed != '*') {
        apr_table_setn(r->err_headers_out, ALLOW_CREDENTIALS, "true");
    }
}

int gw_cors_is_preflight(request_rec *r, const gw_call_t *call)
{
    return call->cors && r->method_number == M_OPTIONS && apr_table_get(r->headers_in, "Origin") &&
           apr_table_get(r->headers_in, "Access-Control-Request-Method");
}

void gw_cors_answer(request_rec *r, const gw_call_t *call, const char *methods)
{
    apr_int64_t age = apr_time_sec(gw_server_config(r->server)->cors_max_age);
    const char *asked = apr_table_get(r->headers_in, "Access-Control-Request-Headers"), *headers;
    apr_table_unset(r->err_headers_out, EXPOSE_HEADERS);
    apr_table_addn(r->err_headers_out, "Vary",
                   "Access-Control-Request-Method, Access-Control-Request-Headers");
    if (!apr_table_get(r->err_headers_out, ALLOW_ORIGIN)) {
        return; /* nobody that may: the browser stops here */
    }
    apr_table_setn(r->err_headers_out, "Access-Control-Allow-Methods",
                   gw_cors_allow_methods(r->pool, call->cors, methods));
    headers = gw_cors_allow_headers(
        r->pool, call->cors,
        apr_pstrcat(r->pool, call->api->allows_oauth2 ? call->api->authorization_header : "", " ",
                    call->api->allows_api_key ? call->api->api_key_header : "", NULL),
        asked);
    if (*headers) {
        apr_table_setn(r->err_headers_out, "Access-Control-Allow-Headers", headers);
    }
    if (age > 0) {
        apr_table_setn(r->err_headers_out, "Access-Control-Max-Age",
                       apr_psprintf(r->pool, "%" APR_INT64_T_FMT, age));
    }
}

void gw_cors_leave_to_backend(request_rec *r, gw_call_t *call)
{
    call->cors = NULL;
    apr_table_unset(r->err_headers_out, ALLOW_ORIGIN);
    apr_table_unset(r->err_headers_out, ALLOW_CREDENTIALS);
    apr_table_unset(r->err_headers_out, EXPOSE_HEADERS);
    apr_table_unset(r->err_headers_out, "Vary");
}

void gw_cors_clean_answer(request_rec *r, const gw_call_t *call)
{
    static const char *const said[] = {ALLOW_ORIGIN, ALLOW_CREDENTIALS, "Access-Control-Allow-Methods",
                                       "Access-Control-Allow-Headers", "Access-Control-Max-Age"};
    apr_size_t i;
    for (i = 0; call->cors && i < sizeof(said) / sizeof(said[0]); i++) {
        apr_table_unset(r->headers_out, said[i]);
    }
}
