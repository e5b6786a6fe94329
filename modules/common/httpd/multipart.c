/* SPDX-License-Identifier: Apache-2.0 */
#include "multipart.h"

#include <apr_lib.h>
#include <apr_strings.h>
#include <string.h>

#define MAX_PARTS 64

/* The value of a parameter in a header such as `form-data; name="file"; filename=a.json`; NULL if absent. */
static const char *header_parameter(apr_pool_t *p, const char *header, const char *name)
{
    apr_size_t nlen = strlen(name);
    const char *s = header;
    while ((s = strchr(s, ';'))) {
        s++;
        while (*s == ' ' || *s == '\t') {
            s++;
        }
        if (strncasecmp(s, name, nlen) == 0 && s[nlen] == '=') {
            const char *v = s + nlen + 1;
            if (*v == '"') {
                char *out = apr_palloc(p, strlen(v) + 1), *o = out;
                for (v++; *v && *v != '"'; v++) {
                    if (*v == '\\' && v[1]) {
                        v++;
                    }
                    *o++ = *v;
                }
                *o = '\0';
                return out;
            }
            return apr_pstrmemdup(p, v, strcspn(v, "; \t"));
        }
        if (*s == '"') {
            s++;
        }
    }
    return NULL;
}

static const char *find(const char *hay, apr_size_t hlen, const char *needle, apr_size_t nlen)
{
    return memmem(hay, hlen, needle, nlen);
}

/* Reads the header block of a part; returns where its content starts, NULL if it is malformed. */
static const char *read_part_headers(apr_pool_t *p, const char *s, const char *end, apim_part_t *part)
{
    while (s < end) {
        const char *eol = find(s, (apr_size_t)(end - s), "\r\n", 2);
        const char *line;
        if (!eol) {
            return NULL;
        }
        if (eol == s) {
            return s + 2;
        }
        line = apr_pstrmemdup(p, s, (apr_size_t)(eol - s));
        if (strncasecmp(line, "Content-Disposition:", 20) == 0) {
            part->name = header_parameter(p, line, "name");
            part->filename = header_parameter(p, line, "filename");
        }
        else if (strncasecmp(line, "Content-Type:", 13) == 0) {
            for (line += 13; *line == ' '; line++) {
            }
            part->content_type = line;
        }
        s = eol + 2;
    }
    return NULL;
}

apim_error_t *apim_multipart_parse(apr_pool_t *p, const char *content_type, const char *body, apr_size_t len,
                                   apr_array_header_t **parts)
{
    const char *boundary = header_parameter(p, content_type, "boundary");
    const char *delimiter, *s, *end = body + len;
    apr_size_t dlen;
    *parts = apr_array_make(p, 4, sizeof(apim_part_t));
    if (!boundary || !*boundary || strlen(boundary) > 70) {
        return apim_bad_request(p, "The Content-Type has no usable boundary parameter (RFC 2046).");
    }
    delimiter = apr_pstrcat(p, "--", boundary, NULL);
    dlen = strlen(delimiter);
    s = find(body, len, delimiter, dlen);
    delimiter = apr_pstrcat(p, "\r\n--", boundary, NULL);
    while (s) {
        apim_part_t part = {0};
        const char *next;
        s += dlen;
        if (end - s >= 2 && memcmp(s, "--", 2) == 0) {
            return NULL;
        }
        while (s < end && (*s == ' ' || *s == '\t')) {
            s++;
        }
        if (end - s < 2 || memcmp(s, "\r\n", 2) != 0 ||
            !(part.data = read_part_headers(p, s + 2, end, &part)) || !part.name) {
            break;
        }
        /* An empty part's delimiter shares the blank line's CRLF. */
        next = find(part.data - 2, (apr_size_t)(end - part.data + 2), delimiter, strlen(delimiter));
        if (!next) {
            break;
        }
        part.len = next < part.data ? 0 : (apr_size_t)(next - part.data);
        if ((*parts)->nelts >= MAX_PARTS) {
            return apim_bad_request(p, "The form has more than %d parts.", MAX_PARTS);
        }
        APR_ARRAY_PUSH(*parts, apim_part_t) = part;
        s = next + 2;
    }
    return apim_bad_request(p, "The multipart body is malformed after part %d (RFC 7578).", (*parts)->nelts);
}

const apim_part_t *apim_multipart_get(const apr_array_header_t *parts, const char *name)
{
    int i;
    for (i = 0; parts && i < parts->nelts; i++) {
        const apim_part_t *part = &APR_ARRAY_IDX(parts, i, apim_part_t);
        if (strcmp(part->name, name) == 0) {
            return part;
        }
    }
    return NULL;
}

const char *apim_multipart_text(apr_pool_t *p, const apr_array_header_t *parts, const char *name)
{
    const apim_part_t *part = apim_multipart_get(parts, name);
    return part ? apr_pstrmemdup(p, part->data, part->len) : NULL;
}
