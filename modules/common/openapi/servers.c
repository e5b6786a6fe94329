/* SPDX-License-Identifier: Apache-2.0 */
/* Where a document says its API is: servers, or host, basePath and schemes; WSO2's endpoint extensions. */
#include <apr_strings.h>
#include <string.h>
#include <strings.h>

#include "apim_json.h"
#include "openapi/check.h"
#include "openapi/fetch.h"

/* Puts the default values of variables into a server's URL. A variable without a default stays as it is. */
static const char *expand(apr_pool_t *p, const char *url, const json_t *variables)
{
    const char *out = "", *open, *close, *value;
    while ((open = strchr(url, '{')) && (close = strchr(open, '}'))) {
        const char *name = apr_pstrmemdup(p, open + 1, (apr_size_t)(close - open - 1));
        value = apim_scalar_text(p, json_object_get(json_object_get(variables, name), "default"));
        out = apr_pstrcat(p, out, apr_pstrmemdup(p, url, (apr_size_t)(open - url)),
                          value ? value : apr_psprintf(p, "{%s}", name), NULL);
        url = close + 1;
    }
    return apr_pstrcat(p, out, url, NULL);
}

static void check_variables(apim_check_t *c, const json_t *server, const apim_place_t *at)
{
    json_t *variables = apim_want_object(c, server, "variables", at, 0), *variable;
    const char *name;
    json_object_foreach(variables, name, variable)
    {
        if (!apim_scalar_text(c->p, json_object_get(variable, "default"))) {
            apim_odd(c, APIM_MEMBER(APIM_MEMBER(at, "variables"), name), "missing",
                     "a server variable should have a \"default\".");
        }
    }
}

void apim_check_servers(apim_check_t *c, const json_t *in, const apim_place_t *at)
{
    json_t *servers = apim_want_array(c, in, "servers", at), *server;
    size_t i;
    json_array_foreach(servers, i, server)
    {
        const apim_place_t *here = APIM_ITEM(APIM_MEMBER(at, "servers"), i);
        if (apim_spend(c, 1 + json_object_size(json_object_get(server, "variables")))) {
            return;
        }
        if (!json_is_string(json_object_get(server, "url"))) {
            apim_problem(c, here, json_is_object(server) ? "missing" : "type",
                         "a server must be an object with a string \"url\".");
            continue;
        }
        check_variables(c, server, here);
    }
}

static void read_openapi_servers(apim_check_t *c)
{
    json_t *servers = json_object_get(c->root, "servers"), *server;
    size_t i;
    apim_check_servers(c, c->root, NULL);
    json_array_foreach(servers, i, server)
    {
        const char *url = apim_json_str(server, "url", NULL);
        if (url && i < APIM_OPENAPI_MAX_PROBLEMS) {
            APR_ARRAY_PUSH(c->doc->server_urls, const char *) =
                expand(c->p, url, json_object_get(server, "variables"));
        }
    }
}

static void read_swagger_servers(apim_check_t *c)
{
    const char *host = apim_want_string(c, c->root, "host", NULL);
    const char *base = apim_want_string(c, c->root, "basePath", NULL);
    json_t *schemes = apim_want_array(c, c->root, "schemes", NULL), *scheme;
    size_t i;
    json_array_foreach(schemes, i, scheme)
    {
        if (json_is_string(scheme) && host && *host) {
            APR_ARRAY_PUSH(c->doc->server_urls, const char *) =
                apr_pstrcat(c->p, json_string_value(scheme), "://", host, base ? base : "", NULL);
        }
    }
    if (!c->doc->server_urls->nelts && host && *host) {
        APR_ARRAY_PUSH(c->doc->server_urls, const char *) =
            apr_pstrcat(c->p, "https://", host, base ? base : "", NULL);
    }
    else if (!c->doc->server_urls->nelts && base && *base) {
        APR_ARRAY_PUSH(c->doc->server_urls, const char *) = base;
    }
}

/* Without a slash at the end: the resources behind it begin with one. NULL for nothing. */
static const char *trimmed(apr_pool_t *p, const char *s)
{
    apr_size_t n = s ? strlen(s) : 0;
    while (n && s[n - 1] == '/') {
        n--;
    }
    return n ? apr_pstrmemdup(p, s, n) : NULL;
}

/* The path of a URL or of a relative reference that begins with a slash. */
static const char *path_of(const char *url)
{
    const char *host = strstr(url, "://");
    return host ? strchr(host + 3, '/') : *url == '/' ? url : NULL;
}

static const char *first_url(const json_t *endpoints)
{
    const char *url = json_string_value(json_array_get(json_object_get(endpoints, "urls"), 0));
    return url && apim_fetch_url_valid(url) ? url : NULL;
}

static void push_transport(apim_check_t *c, const json_t *words)
{
    const json_t *word;
    size_t i;
    json_array_foreach(words, i, word)
    {
        const char *s = json_string_value(word);
        if (s && c->doc->transports->nelts < 2 && (!strcmp(s, "http") || !strcmp(s, "https"))) {
            APR_ARRAY_PUSH(c->doc->transports, const char *) = s;
        }
    }
}

void apim_read_servers(apim_check_t *c)
{
    apim_openapi_t *doc = c->doc;
    const char *context = apim_json_str(c->root, "x-wso2-basePath", NULL);
    int i;
    c->major == 2 ? read_swagger_servers(c) : read_openapi_servers(c);
    for (i = 0; i < doc->server_urls->nelts; i++) {
        const char *url = APR_ARRAY_IDX(doc->server_urls, i, const char *);
        int secure = !strncasecmp(url, "https:", 6);
        if (apim_fetch_url_valid(url) && (!doc->endpoint_url || (secure && c->major == 2))) {
            doc->endpoint_url = trimmed(c->p, url);
        }
    }
    if (!context) {
        context = c->major == 2             ? apim_json_str(c->root, "basePath", NULL)
                  : doc->server_urls->nelts ? path_of(APR_ARRAY_IDX(doc->server_urls, 0, const char *))
                                            : NULL;
    }
    doc->context = trimmed(c->p, context);
    doc->production_url = first_url(json_object_get(c->root, "x-wso2-production-endpoints"));
    doc->sandbox_url = first_url(json_object_get(c->root, "x-wso2-sandbox-endpoints"));
    push_transport(c, json_object_get(c->root, c->major == 2 ? "schemes" : "x-wso2-transports"));
    push_transport(c, c->doc->transports->nelts ? NULL : json_object_get(c->root, "x-wso2-transports"));
}
