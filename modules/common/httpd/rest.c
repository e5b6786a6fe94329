/* SPDX-License-Identifier: Apache-2.0 */
#include "rest.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <http_core.h>
#include <http_log.h>
#include <http_protocol.h>
#include <string.h>
#include <util_filter.h>

#include "apim_text.h"

#define FIRST_BUFFER 4096
#define MAX_LIMIT    1000

/* -- reading
 * ----------------------------------------------------------------------------------------------------- */

typedef struct buffer_t {
    char *data;
    apr_size_t len, size;
} buffer_t;

static void append(apr_pool_t *p, buffer_t *b, const char *data, apr_size_t len)
{
    if (b->len + len + 1 > b->size) {
        apr_size_t size = b->size ? b->size : FIRST_BUFFER;
        char *grown;
        while (size < b->len + len + 1) {
            size *= 2;
        }
        grown = apr_palloc(p, size);
        if (b->len) {
            memcpy(grown, b->data, b->len);
        }
        b->data = grown;
        b->size = size;
    }
    memcpy(b->data + b->len, data, len);
    b->len += len;
    b->data[b->len] = '\0';
}

static apim_error_t *too_large(request_rec *r, apr_size_t max)
{
    /* What is left unread would have to be swallowed to keep the connection. */
    r->connection->keepalive = AP_CONN_CLOSE;
    return apim_error(r->pool, HTTP_REQUEST_ENTITY_TOO_LARGE, APIM_E_TOO_LARGE, "Content Too Large",
                      "The request body is larger than the %" APR_SIZE_T_FMT " bytes accepted here.", max);
}

/* Takes what one brigade holds; sets *eos at the end of the body. */
static apim_error_t *take_brigade(request_rec *r, apr_bucket_brigade *bb, apr_size_t max, buffer_t *b,
                                  int *eos)
{
    apr_bucket *e;
    for (e = APR_BRIGADE_FIRST(bb); e != APR_BRIGADE_SENTINEL(bb); e = APR_BUCKET_NEXT(e)) {
        const char *data;
        apr_size_t len;
        if (APR_BUCKET_IS_EOS(e)) {
            *eos = 1;
            return NULL;
        }
        if (APR_BUCKET_IS_METADATA(e)) {
            continue;
        }
        if (apr_bucket_read(e, &data, &len, APR_BLOCK_READ) != APR_SUCCESS) {
            return apim_bad_request(r->pool, "The request body broke off.");
        }
        if (len > max - b->len) {
            return too_large(r, max);
        }
        append(r->pool, b, data, len);
    }
    return NULL;
}

apim_error_t *rest_read_body(request_rec *r, apr_size_t max, char **body, apr_size_t *len)
{
    const char *length = apr_table_get(r->headers_in, "Content-Length");
    apr_off_t server_limit = ap_get_limit_req_body(r);
    apr_bucket_brigade *bb;
    buffer_t b = {0};
    apim_error_t *err = NULL;
    apr_int64_t declared;
    int eos = 0;
    if (server_limit > 0 && (apr_uint64_t)server_limit < max) {
        max = (apr_size_t)server_limit;
    }
    if (length && !apim_parse_i64(length, &declared) && declared > (apr_int64_t)max) {
        return too_large(r, max);
    }
    append(r->pool, &b, "", 0);
    bb = apr_brigade_create(r->pool, r->connection->bucket_alloc);
    while (!eos && !err) {
        apr_status_t rv = ap_get_brigade(r->input_filters, bb, AP_MODE_READBYTES, APR_BLOCK_READ, 65536);
        if (rv != APR_SUCCESS) {
            int status = ap_map_http_request_error(rv, HTTP_BAD_REQUEST);
            r->connection->keepalive = AP_CONN_CLOSE;
            apr_brigade_destroy(bb);
            return apim_error(r->pool, status > 0 ? status : HTTP_BAD_REQUEST, APIM_E_BAD_REQUEST,
                              "Bad Request", "The request body could not be read.");
        }
        err = take_brigade(r, bb, max, &b, &eos);
        apr_brigade_cleanup(bb);
    }
    apr_brigade_destroy(bb);
    *body = b.data;
    *len = b.len;
    return err;
}

/* 1 if the Content-Type's media type is `type`; *absent tells that there is none. */
static int has_media_type(request_rec *r, const char *type, int *absent)
{
    const char *ct = apr_table_get(r->headers_in, "Content-Type");
    apr_size_t n;
    *absent = !ct;
    if (!ct) {
        return 0;
    }
    n = strcspn(ct, "; \t");
    return n == strlen(type) && strncasecmp(ct, type, n) == 0;
}

static apim_error_t *wrong_type(request_rec *r, const char *type)
{
    return apim_error(r->pool, HTTP_UNSUPPORTED_MEDIA_TYPE, 415, "Unsupported Media Type",
                      "The body must be sent with Content-Type: %s.", type);
}

apim_error_t *rest_read_json(request_rec *r, const apim_json_limits_t *limits, json_t **out)
{
    apr_size_t max = limits && limits->max_bytes ? limits->max_bytes : 1024 * 1024;
    apr_size_t len;
    char *body;
    int absent;
    if (!has_media_type(r, "application/json", &absent) && !absent) {
        return wrong_type(r, "application/json");
    }
    APIM_TRY(rest_read_body(r, max, &body, &len));
    return apim_json_parse(r->pool, body, len, limits, out);
}

/* The parameters that requests may repeat (RFC 8707 section 2, RFC 8693 section 2.1). */
static int may_repeat(const char *name)
{
    return strcmp(name, "resource") == 0 || strcmp(name, "audience") == 0;
}

/* name=value&… into a table. once: a repeated name is an error, unless it may be. */
static apim_error_t *parse_pairs(apr_pool_t *p, const char *s, int once, apr_table_t **out)
{
    *out = apr_table_make(p, 8);
    while (s && *s) {
        apr_size_t n = strcspn(s, "&");
        const char *eq = memchr(s, '=', n);
        apr_size_t name_len = eq ? (apr_size_t)(eq - s) : n;
        const char *name = apim_urldecode(p, s, name_len, 1);
        const char *value = eq ? apim_urldecode(p, eq + 1, n - name_len - 1, 1) : "";
        if (!name || !value) {
            return apim_bad_request(p, "A parameter is not valid percent-encoded UTF-8.");
        }
        if (n && once && may_repeat(name)) {
            apr_table_addn(*out, name, value);
        }
        else if (n && once && apr_table_get(*out, name)) {
            return apim_bad_request(p, "The parameter %s is given more than once.", name);
        }
        else if (n) {
            apr_table_setn(*out, name, value);
        }
        s += n + (s[n] == '&');
    }
    return NULL;
}

apim_error_t *rest_read_form(request_rec *r, apr_size_t max, apr_table_t **form)
{
    apr_size_t len;
    char *body;
    int absent;
    if (!has_media_type(r, "application/x-www-form-urlencoded", &absent)) {
        return wrong_type(r, "application/x-www-form-urlencoded");
    }
    APIM_TRY(rest_read_body(r, max, &body, &len));
    if (strlen(body) != len) {
        return apim_bad_request(r->pool, "The body holds a NUL byte.");
    }
    return parse_pairs(r->pool, body, 1, form);
}

apim_error_t *rest_parse_form(apr_pool_t *p, const char *text, apr_table_t **form)
{
    return parse_pairs(p, text, 1, form);
}

apim_error_t *rest_query(request_rec *r, apr_table_t **query)
{
    return parse_pairs(r->pool, r->args, 0, query);
}

static apim_error_t *paging_value(rest_request_t *rq, const char *name, int fallback, int min, int max,
                                  int *out)
{
    const char *text = apr_table_get(rq->query, name);
    apr_int64_t value;
    *out = fallback;
    if (!text || !*text) {
        return NULL;
    }
    if (apim_parse_i64(text, &value) || value < min || value > max) {
        return apim_bad_request(rq->pool, "The query parameter %s must be a whole number from %d to %d.",
                                name, min, max);
    }
    *out = (int)value;
    return NULL;
}

apim_error_t *rest_paging(rest_request_t *rq, int *limit, int *offset)
{
    APIM_TRY(paging_value(rq, "limit", 25, 1, MAX_LIMIT, limit));
    return paging_value(rq, "offset", 0, 0, 100000000, offset);
}

/* The link to another page of the same list, "" if there is none. */
static const char *page_link(rest_request_t *rq, int limit, apr_int64_t offset, int exists)
{
    const apr_array_header_t *pairs = apr_table_elts(rq->query);
    const char *link = apr_psprintf(rq->pool, "?limit=%d&offset=%" APR_INT64_T_FMT, limit, offset);
    int i;
    if (!exists) {
        return "";
    }
    for (i = 0; i < pairs->nelts; i++) {
        const apr_table_entry_t *pair = &APR_ARRAY_IDX(pairs, i, apr_table_entry_t);
        if (strcmp(pair->key, "limit") && strcmp(pair->key, "offset")) {
            link = apr_pstrcat(rq->pool, link, "&", apim_urlencode(rq->pool, pair->key), "=",
                               apim_urlencode(rq->pool, pair->val), NULL);
        }
    }
    return apr_pstrcat(rq->pool, rq->r->uri, link, NULL);
}

json_t *rest_list(rest_request_t *rq, json_t *list, int limit, int offset, apr_int64_t total)
{
    int before = offset > limit ? offset - limit : 0;
    return json_pack("{s:I, s:o, s:{s:i, s:i, s:I, s:s, s:s}}", "count", (json_int_t)json_array_size(list),
                     "list", list, "pagination", "offset", offset, "limit", limit, "total", (json_int_t)total,
                     "next",
                     page_link(rq, limit, (apr_int64_t)offset + limit, (apr_int64_t)offset + limit < total),
                     "previous", page_link(rq, limit, before, offset > 0));
}

/* -- answering
 * --------------------------------------------------------------------------------------------------- */

apim_error_t *rest_reply_text(request_rec *r, int status, const char *content_type, const char *text,
                              apr_size_t len)
{
    r->status = status;
    ap_set_content_type(r, content_type);
    if (!apr_table_get(r->headers_out, "Cache-Control")) {
        apr_table_setn(r->headers_out, "Cache-Control", "no-store");
    }
    apr_table_setn(r->headers_out, "X-Content-Type-Options", "nosniff");
    ap_set_content_length(r, (apr_off_t)len);
    if (!r->header_only) {
        ap_rwrite(text, (int)len, r);
    }
    return NULL;
}

static apr_status_t free_text(void *text)
{
    free(text);
    return APR_SUCCESS;
}

apim_error_t *rest_reply_json(request_rec *r, int status, json_t *j)
{
    char *text = json_dumps(j, JSON_COMPACT);
    json_decref(j);
    if (!text) {
        return apim_internal(r->pool, "no memory for a JSON answer");
    }
    apr_pool_cleanup_register(r->pool, text, free_text, apr_pool_cleanup_null);
    apim_json_shorten_reals(text);
    return rest_reply_text(r, status, "application/json", text, strlen(text));
}

apim_error_t *rest_reply_empty(request_rec *r, int status)
{
    r->status = status;
    apr_table_setn(r->headers_out, "Cache-Control", "no-store");
    ap_set_content_length(r, 0);
    return NULL;
}

static json_t *error_body(const apim_error_t *err)
{
    json_t *details = json_array();
    int i;
    for (i = 0; err->details && i < err->details->nelts; i++) {
        const apim_error_detail_t *d = &APR_ARRAY_IDX(err->details, i, apim_error_detail_t);
        json_array_append_new(details,
                              json_pack("{s:s, s:s}", "code", d->code ? d->code : "", "message", d->message));
    }
    return json_pack("{s:i, s:s, s:s, s:s, s:o}", "code", err->code, "message", err->message, "description",
                     err->description ? err->description : "", "moreInfo", "", "error", details);
}

void rest_reply_error(request_rec *r, const apim_error_t *err)
{
    json_t *body = error_body(err);
    if (err->retry_after > 0) {
        apr_table_setn(r->err_headers_out, "Retry-After", apr_itoa(r->pool, err->retry_after));
    }
    if (!body) { /* a description that is not UTF-8 */
        apim_error_t plain = *err;
        plain.description = "";
        plain.details = NULL;
        body = error_body(&plain);
    }
    rest_reply_json(r, err->status, body);
}

void rest_log_error(request_rec *r, const char *id, const apim_error_t *err)
{
    int level = err->status >= 500 ? APLOG_ERR : APLOG_DEBUG;
    ap_log_rerror(APLOG_MARK, level, 0, r, "%s: %s %s answered %d (code %d): %s%s%s", id, r->method, r->uri,
                  err->status, err->code, err->description ? err->description : err->message,
                  err->cause ? " -- " : "", err->cause ? err->cause : "");
}

const char *rest_self_url(request_rec *r)
{
    apr_port_t port = ap_get_server_port(r);
    const char *scheme = ap_http_scheme(r);
    const char *host = r->hostname ? r->hostname : ap_get_server_name(r);
    if (strchr(host, ':') && *host != '[') {
        host = apr_psprintf(r->pool, "[%s]", host);
    }
    if (ap_is_default_port(port, r)) {
        return apr_psprintf(r->pool, "%s://%s", scheme, host);
    }
    return apr_psprintf(r->pool, "%s://%s:%u", scheme, host, port);
}

/* -- dispatching
 * ------------------------------------------------------------------------------------------------- */

/* Matches path against pattern; {…} takes one non-empty segment. */
static int match_path(apr_pool_t *p, const char *pattern, const char *path, const char **params)
{
    int n = 0;
    while (*pattern) {
        if (*pattern == '{') {
            apr_size_t len = strcspn(path, "/");
            if (!len || n == REST_MAX_PARAMS) {
                return 0;
            }
            params[n++] = apr_pstrmemdup(p, path, len);
            path += len;
            pattern += strcspn(pattern, "}") + 1;
        }
        else if (*pattern++ != *path++) {
            return 0;
        }
    }
    return !*path || (path[0] == '/' && !path[1]);
}

static int method_matches(request_rec *r, const char *method)
{
    return strcmp(method, r->method) == 0 || (strcmp(method, "GET") == 0 && r->header_only);
}

static const rest_route_t *find_route(rest_request_t *rq, const rest_api_t *api, const char *path,
                                      const char **allow)
{
    const rest_route_t *route;
    *allow = NULL;
    for (route = api->routes; route->method; route++) {
        const char *params[REST_MAX_PARAMS] = {0};
        if (!match_path(rq->pool, route->path, path, params)) {
            continue;
        }
        if (method_matches(rq->r, route->method)) {
            memcpy(rq->param, params, sizeof(params));
            return route;
        }
        *allow = *allow ? apr_pstrcat(rq->pool, *allow, ", ", route->method, NULL) : route->method;
    }
    return NULL;
}

static int has_any_scope(const char *needed, const char *held)
{
    while (*needed) {
        apr_size_t n = strcspn(needed, " ");
        char word[128];
        if (n < sizeof(word)) {
            memcpy(word, needed, n);
            word[n] = '\0';
            if (apim_word_in_list(word, held)) {
                return 1;
            }
        }
        needed += n;
        needed += strspn(needed, " ");
    }
    return 0;
}

static apim_error_t *authorize(rest_request_t *rq, const rest_api_t *api)
{
    const rest_route_t *route = rq->route;
    if (!api->authenticate) {
        return NULL;
    }
    APIM_TRY(api->authenticate(rq));
    if (!rq->username && !(route->flags & REST_ANONYMOUS_OK)) {
        return apim_error(rq->pool, 401, APIM_E_INVALID_CREDENTIALS, "Unauthenticated request",
                          "Send an access token: Authorization: Bearer <token>.");
    }
    if (rq->username && route->scopes && !(route->flags & REST_ANONYMOUS_OK) &&
        !has_any_scope(route->scopes, rq->scopes)) {
        return apim_error(rq->pool, 403, 900910,
                          "The access token does not allow you to access the requested resource",
                          "This operation needs one of these scopes: %s.", route->scopes);
    }
    return NULL;
}

static apim_error_t *run_route(rest_request_t *rq, const rest_api_t *api, const char *path)
{
    const char *allow;
    if (!apim_utf8_valid(path, strlen(path)) || apim_has_control(path, NULL)) {
        return apim_bad_request(rq->pool, "The path is not valid UTF-8 or holds control characters.");
    }
    APIM_TRY(rest_query(rq->r, &rq->query));
    rq->route = find_route(rq, api, path, &allow);
    if (!rq->route && allow) {
        apr_table_setn(rq->r->err_headers_out, "Allow", allow);
        return apim_error(rq->pool, HTTP_METHOD_NOT_ALLOWED, 405, "Method Not Allowed",
                          "This resource answers %s.", allow);
    }
    if (!rq->route) {
        return apim_error(rq->pool, 404, APIM_E_NOT_FOUND, "Not Found", "There is no resource at this path.");
    }
    APIM_TRY(authorize(rq, api));
    if (api->guard) {
        APIM_TRY(api->guard(rq));
    }
    return rq->route->handler(rq);
}

/* WWW-Authenticate of a 401, or of a 403 for scope (RFC 6750 section 3). */
static void add_challenge(rest_request_t *rq, const rest_api_t *api, const apim_error_t *err)
{
    const char *value = NULL;
    int sent = apr_table_get(rq->r->headers_in, "Authorization") != NULL;
    if (err->status == 401) {
        value = apr_psprintf(rq->pool, "Bearer realm=\"%s\"%s", api->realm,
                             sent ? ", error=\"invalid_token\"" : "");
    }
    else if (err->status == 403 && err->code == 900910) {
        value = apr_psprintf(rq->pool, "Bearer realm=\"%s\", error=\"insufficient_scope\", scope=\"%s\"",
                             api->realm, rq->route->scopes);
    }
    if (value && !apr_table_get(rq->r->err_headers_out, "WWW-Authenticate")) {
        apr_table_setn(rq->r->err_headers_out, "WWW-Authenticate", value);
    }
}

int rest_dispatch(request_rec *r, const rest_api_t *api)
{
    apr_size_t n = strlen(api->base);
    rest_request_t *rq;
    apim_error_t *err;
    if (strncmp(r->uri, api->base, n) != 0 || (r->uri[n] && r->uri[n] != '/')) {
        return DECLINED;
    }
    rq = apr_pcalloc(r->pool, sizeof(*rq));
    rq->r = r;
    rq->pool = r->pool;
    rq->context = api->context;
    err = run_route(rq, api, r->uri + n);
    if (err) {
        rest_log_error(r, "APIM-RE0001", err);
        add_challenge(rq, api, err);
        rest_reply_error(r, err);
    }
    if (api->done) {
        api->done(rq, err);
    }
    return OK;
}
