/* SPDX-License-Identifier: Apache-2.0 */
#include "cors_rules.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <string.h>

#define MAX_ASKED 4096
#define TOKEN     "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-.^_`|~"

/* The next of blank-separated words; NULL after the last. */
static const char *next_word(const char **rest, apr_size_t *len)
{
    const char *word = *rest + strspn(*rest, " ");
    *len = strcspn(word, " ");
    *rest = word + *len;
    return *len ? word : NULL;
}

static int has_word(const char *words, const char *word, apr_size_t len)
{
    const char *each;
    apr_size_t n;
    while ((each = next_word(&words, &n))) {
        if (n == len && strncasecmp(each, word, len) == 0) {
            return 1;
        }
    }
    return 0;
}

static int is_port(const char *s)
{
    apr_size_t n = strspn(s, "0123456789");
    return n > 0 && n <= 5 && !s[n];
}

int gw_cors_origin_usable(const char *text)
{
    const char *host = strstr(text, "://");
    apr_size_t n;
    if (strcmp(text, "*") == 0) {
        return 1;
    }
    if (!host || !apr_isalpha(*text) || strspn(text, TOKEN) < (apr_size_t)(host - text)) {
        return 0;
    }
    host += 3;
    host += strncmp(host, "*.", 2) == 0 ? 2 : 0;
    if (*host == '[') {
        n = strspn(host + 1, "0123456789abcdefABCDEF:.") + 1;
        n += host[n] == ']';
    }
    else {
        n = strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._");
    }
    return n > 0 && (!host[n] || (host[n] == ':' && is_port(host + n + 1)));
}

int gw_cors_any_origin(const gw_cors_t *cors)
{
    return has_word(cors->origins, "*", 1);
}

/* "https://" "*" ".example.org": the asterisk takes one or more labels of the host, and nothing else. */
static int origin_fits(const char *rule, apr_size_t len, const char *origin)
{
    const char *star = memchr(rule, '*', len);
    apr_size_t before = star ? (apr_size_t)(star - rule) : 0, after = star ? len - before - 1 : 0;
    apr_size_t n = strlen(origin);
    if (!star) {
        return n == len && strncasecmp(rule, origin, len) == 0;
    }
    return n > before + after && strncasecmp(rule, origin, before) == 0 &&
           strncasecmp(star + 1, origin + n - after, after) == 0 &&
           strspn(origin + before, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._") >=
               n - before - after;
}

const char *gw_cors_allow_origin(const gw_cors_t *cors, const char *origin)
{
    const char *rest = cors->origins, *rule;
    apr_size_t len;
    if (!origin || !*origin) {
        return NULL;
    }
    if (gw_cors_any_origin(cors)) {
        return "*";
    }
    while ((rule = next_word(&rest, &len))) {
        if (origin_fits(rule, len, origin)) {
            return origin;
        }
    }
    return NULL;
}

static const char *append(apr_pool_t *p, const char *list, const char *word, apr_size_t len)
{
    return apr_pstrcat(p, list, *list ? ", " : "", apr_pstrmemdup(p, word, len), NULL);
}

const char *gw_cors_allow_methods(apr_pool_t *p, const gw_cors_t *cors, const char *resource)
{
    const char *out = "";
    while (*resource) {
        apr_size_t len;
        resource += strspn(resource, ", ");
        len = strcspn(resource, ", ");
        if (len && has_word(cors->methods, resource, len)) {
            out = append(p, out, resource, len);
        }
        resource += len;
    }
    return out;
}

const char *gw_cors_allow_headers(apr_pool_t *p, const gw_cors_t *cors, const char *more, const char *asked)
{
    const char *out = "", *rest = cors->headers, *word;
    apr_size_t len;
    if (has_word(cors->headers, "*", 1)) {
        /* Named one by one: the asterisk itself would not cover Authorization, nor a call with credentials.
         */
        return asked && strlen(asked) <= MAX_ASKED && strspn(asked, TOKEN ", ") == strlen(asked) ? asked : "";
    }
    while ((word = next_word(&rest, &len))) {
        out = append(p, out, word, len);
    }
    while ((word = next_word(&more, &len))) {
        if (!has_word(cors->headers, word, len)) {
            out = append(p, out, word, len);
        }
    }
    return out;
}
