/* SPDX-License-Identifier: Apache-2.0 */
#include "credentials.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <string.h>

#include "apim_text.h"

#define MAX_CREDENTIAL 8192
#define QUERY_NAME     "apikey"

typedef struct found_t {
    int count;
    int malformed;
    gw_credential_t credential;
} found_t;

/* b64token of RFC 6750 section 2.1; an API key may hold any visible character but a comma (which two headers
 * merge with). */
static int is_wellformed(gw_credential_e kind, const char *s)
{
    const char *extra = kind == GW_CREDENTIAL_TOKEN ? "-._~+/=" : NULL;
    for (; *s; s++) {
        if (extra ? !apr_isalnum(*s) && !strchr(extra, *s) : !apr_isgraph(*s) || *s == ',') {
            return 0;
        }
    }
    return 1;
}

static void found(found_t *f, gw_credential_e kind, const char *value)
{
    f->count++;
    f->credential.kind = kind;
    f->credential.value = value;
    f->credential.len = value ? strlen(value) : 0;
    if (!value || !*value || f->credential.len > MAX_CREDENTIAL || !is_wellformed(kind, value)) {
        f->malformed = 1;
    }
}

/* -- headers
 * -------------------------------------------------------------------------------------------------------- */

static const char *bearer_value(const char *header)
{
    if (!header || strncasecmp(header, "Bearer", 6) != 0 || (header[6] && header[6] != ' ')) {
        return NULL;
    }
    for (header += 6; *header == ' '; header++) {
    }
    return header;
}

static void look_at_headers(request_rec *r, const gw_api_t *api, found_t *f)
{
    const char *value;
    if (api->allows_oauth2) {
        value = bearer_value(apr_table_get(r->headers_in, api->authorization_header));
        if (value) {
            found(f, GW_CREDENTIAL_TOKEN, value);
            if (!api->pass_credentials) {
                apr_table_unset(r->headers_in, api->authorization_header);
            }
        }
    }
    if (api->allows_api_key) {
        value = apr_table_get(r->headers_in, api->api_key_header);
        if (value) {
            found(f, GW_CREDENTIAL_API_KEY, value);
            if (!api->pass_credentials) {
                apr_table_unset(r->headers_in, api->api_key_header);
            }
        }
    }
}

/* -- query
 * ----------------------------------------------------------------------------------------------------------
 */

static int is_api_key(apr_pool_t *p, const char *pair, apr_size_t len, const char **value)
{
    const char *equals = memchr(pair, '=', len), *name;
    apr_size_t name_len = equals ? (apr_size_t)(equals - pair) : len;
    if (name_len < sizeof(QUERY_NAME) - 1 || name_len > 3 * (sizeof(QUERY_NAME) - 1)) {
        return 0;
    }
    name = apim_urldecode(p, pair, name_len, 1);
    if (!name || strcmp(name, QUERY_NAME) != 0) {
        return 0;
    }
    *value = equals ? apim_urldecode(p, equals + 1, len - name_len - 1, 1) : "";
    return 1;
}

/* Takes apikey= out of the query; what stays keeps its order and its bytes. */
static void look_at_query(request_rec *r, gw_call_t *call, found_t *f)
{
    const char *pair = r->args, *value;
    char *rest;
    apr_size_t used = 0, len;
    int removed = 0;
    if (!r->args || !call->api->allows_api_key || !*r->args) {
        return;
    }
    rest = apr_palloc(r->pool, strlen(r->args) + 1);
    for (; pair; pair = pair[len] ? pair + len + 1 : NULL) {
        len = strcspn(pair, "&");
        if (is_api_key(r->pool, pair, len, &value)) {
            found(f, GW_CREDENTIAL_API_KEY, value);
            removed = 1;
            continue;
        }
        if (used) {
            rest[used++] = '&';
        }
        memcpy(rest + used, pair, len);
        used += len;
    }
    rest[used] = '\0';
    if (removed && !call->api->pass_credentials) {
        call->args = used ? rest : NULL;
    }
}

apim_error_t *gw_credentials_take(request_rec *r, gw_call_t *call, gw_credential_t *credential)
{
    found_t f = {0};
    call->args = r->args;
    look_at_headers(r, call->api, &f);
    look_at_query(r, call, &f);
    *credential = f.credential;
    if (f.count > 1) {
        return apim_error(r->pool, 401, 900901, "Invalid Credentials",
                          "Invalid Credentials. The call shows more than one credential; send either a token "
                          "or an API key, once.");
    }
    if (f.malformed) {
        return apim_error(r->pool, 401, 900901, "Invalid Credentials",
                          "Invalid Credentials. The token or API key is malformed or longer than %d bytes.",
                          MAX_CREDENTIAL);
    }
    return NULL;
}
