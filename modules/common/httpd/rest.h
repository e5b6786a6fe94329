/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APIM_REST_H
#define APIM_REST_H

#include <httpd.h>

#include "apim_json.h"

/*
 * A small kit for JSON over HTTP inside httpd: a table of routes, bounded body readers, and answers in the
 * error format of WSO2's REST APIs: {"code":…, "message":…, "description":…, "moreInfo":…,
 * "error":[{"code":…,"message":…}]}.
 *
 * A route's handler answers by one of the rest_reply_* functions and returns NULL, or returns an error, which
 * rest_dispatch writes and logs (level error for 5xx with the cause, debug otherwise).
 */
#define REST_MAX_PARAMS 4

typedef struct rest_request_t {
    request_rec *r;
    apr_pool_t *pool;                   /* r->pool */
    const char *param[REST_MAX_PARAMS]; /* values of the {…} segments of the route, decoded, in order */
    apr_table_t *query;                 /* decoded query parameters; the last of a repeated one wins */
    const struct rest_route_t *route;
    const char *username; /* set by the module's authenticate function; NULL: anonymous */
    const char *scopes;   /* scopes of the caller's token, blank-separated */
    void *context;        /* the module's own */
} rest_request_t;

typedef apim_error_t *(rest_handler_fn)(rest_request_t *rq);

enum { REST_ANONYMOUS_OK = 1 }; /* the route may be called without credentials */

typedef struct rest_route_t {
    const char *method; /* "GET"; a GET route answers HEAD too */
    const char *path;   /* "/apis/{apiId}/swagger", below the API's base path */
    rest_handler_fn *handler;
    const char *scopes; /* any one of these, blank-separated, is needed; NULL: authentication alone */
    int flags;
} rest_route_t;

/* Sets rq->username and rq->scopes from the request's credentials. With no credentials at all it leaves both
 * NULL and returns NULL; with bad ones it returns 401. */
typedef apim_error_t *(rest_authenticate_fn)(rest_request_t *rq);

/* Told how a request ended, after its answer was written. rq->route is NULL if there is none; err NULL after
 * success. */
typedef void(rest_done_fn)(rest_request_t *rq, const apim_error_t *err);

/* Asked once the token and its scopes are good, before the route's handler: an error is the answer. */
typedef apim_error_t *(rest_guard_fn)(rest_request_t *rq);

typedef struct rest_api_t {
    const char *base;           /* "/api/am/publisher/v4" */
    const rest_route_t *routes; /* ends with a NULL method */
    rest_authenticate_fn *authenticate;
    const char *realm; /* of WWW-Authenticate */
    void *context;
    rest_done_fn *done;   /* NULL: nobody wants to know */
    rest_guard_fn *guard; /* NULL: none */
} rest_api_t;

/**
 * Answers r if its path lies below api->base; DECLINED otherwise. Unknown path 404, known path with another
 * verb 405 with Allow, missing credentials 401 with WWW-Authenticate, missing scope 403: all in the error
 * format. Returns OK or an httpd status (only for a connection that broke).
 */
int rest_dispatch(request_rec *r, const rest_api_t *api);

/** Reads the whole body into *body (NUL-terminated past *len). 413 past max bytes; 400 if it breaks off. */
apim_error_t *rest_read_body(request_rec *r, apr_size_t max, char **body, apr_size_t *len);

/** Reads a JSON body (415 unless the Content-Type is JSON or absent; limits as apim_json_parse, max_bytes 1
 * MiB by default). */
apim_error_t *rest_read_json(request_rec *r, const apim_json_limits_t *limits, json_t **out);

/** Reads an application/x-www-form-urlencoded body. 415 on another type; 400 invalid escapes or UTF-8, and
 * repeated parameters (RFC 6749 section 3.2: they must not be), except resource and audience, which are added
 * one after another (RFC 8707, RFC 8693). */
apim_error_t *rest_read_form(request_rec *r, apr_size_t max, apr_table_t **form);

/** Takes a query string or form apart that must not repeat a parameter (RFC 6749 section 3.1). text may be
 * NULL. 400 as above. */
apim_error_t *rest_parse_form(apr_pool_t *p, const char *text, apr_table_t **form);

/** Decodes the query string; the last of a repeated parameter wins. 400 on broken escapes. */
apim_error_t *rest_query(request_rec *r, apr_table_t **query);

/** `limit` (1..1000, default 25) and `offset` (>= 0) of a list request; 400 says what is wrong. */
apim_error_t *rest_paging(rest_request_t *rq, int *limit, int *offset);

/** {"count":…,"list":[…],"pagination":{offset,limit,total,next,previous}}. list is stolen. */
json_t *rest_list(rest_request_t *rq, json_t *list, int limit, int offset, apr_int64_t total);

/** Writes a JSON answer with Cache-Control: no-store. j is stolen and released. Always returns NULL. */
apim_error_t *rest_reply_json(request_rec *r, int status, json_t *j);

/** Writes an answer of another type. */
apim_error_t *rest_reply_text(request_rec *r, int status, const char *content_type, const char *text,
                              apr_size_t len);

/** An answer without a body (200, 204). */
apim_error_t *rest_reply_empty(request_rec *r, int status);

/** Writes an error in the error format, with Retry-After and WWW-Authenticate where they belong. */
void rest_reply_error(request_rec *r, const apim_error_t *err);

/** Logs an error once: 5xx at level err with cause, the rest at debug. id: message id such as "APIM-PO0100".
 */
void rest_log_error(request_rec *r, const char *id, const apim_error_t *err);

/** The base URL as the client sees it, "https://host[:port]", from the request (for Location headers and
 * metadata). */
const char *rest_self_url(request_rec *r);

#endif
