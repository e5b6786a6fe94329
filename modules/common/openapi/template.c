/* SPDX-License-Identifier: Apache-2.0 */
#include "openapi/template.h"

#include <apr_strings.h>
#include <string.h>
#include <strings.h>

#define MAX_LENGTH    4000
#define MAX_VARIABLES 50

const char *const apim_verbs[APIM_VERBS] = {"GET",     "PUT",  "POST",  "DELETE",
                                            "OPTIONS", "HEAD", "PATCH", "TRACE"};
const char *const apim_verb_keys[APIM_VERBS] = {"get",     "put",  "post",  "delete",
                                                "options", "head", "patch", "trace"};

int apim_verb_index(const char *verb, int any_case)
{
    int i;
    for (i = 0; i < APIM_VERBS; i++) {
        if (!(any_case ? strcasecmp(verb, apim_verb_keys[i]) : strcmp(verb, apim_verb_keys[i]))) {
            return i;
        }
    }
    return -1;
}

const char *apim_template_problem(const char *path)
{
    const char *s, *open = NULL;
    int variables = 0;
    if (strnlen(path, MAX_LENGTH + 1) > MAX_LENGTH) {
        return "is longer than 4000 bytes";
    }
    if (*path != '/') {
        return "does not begin with /";
    }
    for (s = path; *s; s++) {
        if ((unsigned char)*s < 0x20 || *s == 0x7f) {
            return "holds a control character";
        }
        if (*s == '{') {
            if (open) {
                return "opens a brace inside braces";
            }
            open = s;
            if (++variables > MAX_VARIABLES) {
                return "has more than 50 variables";
            }
        }
        else if (*s == '}') {
            if (!open) {
                return "closes a brace that is not open";
            }
            if (s == open + 1) {
                return "has a variable without a name";
            }
            open = NULL;
        }
    }
    return open ? "does not close a brace" : NULL;
}

const char *apim_template_shape(apr_pool_t *p, const char *path)
{
    char *shape = apr_palloc(p, strlen(path) + 1), *to = shape;
    int inside = 0;
    for (; *path; path++) {
        inside = inside && *path != '}';
        if (!inside) {
            *to++ = *path;
        }
        inside |= *path == '{';
    }
    *to = 0;
    return shape;
}

apr_array_header_t *apim_template_variables(apr_pool_t *p, const char *path)
{
    apr_array_header_t *names = apr_array_make(p, 2, sizeof(const char *));
    const char *open;
    while ((open = strchr(path, '{'))) {
        const char *close = strchr(open, '}');
        APR_ARRAY_PUSH(names, const char *) = apr_pstrmemdup(p, open + 1, (apr_size_t)(close - open - 1));
        path = close;
    }
    return names;
}
