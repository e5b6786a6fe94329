/* SPDX-License-Identifier: Apache-2.0 */
#include "apim_text.h"

#include <apr_strings.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Length of the UTF-8 sequence at s (1..4), 0 if it is not valid. */
static apr_size_t utf8_sequence(const unsigned char *s, apr_size_t left)
{
    apr_size_t n, i;
    unsigned int cp;
    if (s[0] < 0x80) {
        return 1;
    }
    if (s[0] >= 0xc2 && s[0] <= 0xdf) {
        n = 2;
        cp = s[0] & 0x1fu;
    }
    else if (s[0] >= 0xe0 && s[0] <= 0xef) {
        n = 3;
        cp = s[0] & 0x0fu;
    }
    else if (s[0] >= 0xf0 && s[0] <= 0xf4) {
        n = 4;
        cp = s[0] & 0x07u;
    }
    else {
        return 0;
    }
    if (n > left) {
        return 0;
    }
    for (i = 1; i < n; i++) {
        if ((s[i] & 0xc0) != 0x80) {
            return 0;
        }
        cp = (cp << 6) | (s[i] & 0x3fu);
    }
    if ((n == 3 && cp < 0x800) || (n == 4 && cp < 0x10000) || cp > 0x10ffff ||
        (cp >= 0xd800 && cp <= 0xdfff)) {
        return 0;
    }
    return n;
}

int apim_utf8_valid(const char *s, apr_size_t len)
{
    const unsigned char *u = (const unsigned char *)s;
    apr_size_t i = 0;
    while (i < len) {
        apr_size_t n = utf8_sequence(u + i, len - i);
        if (!n) {
            return 0;
        }
        i += n;
    }
    return 1;
}

int apim_has_control(const char *s, const char *allow)
{
    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;
        if ((c < 0x20 || c == 0x7f) && !(allow && strchr(allow, c))) {
            return 1;
        }
    }
    return 0;
}

const char *apim_i64(apr_pool_t *p, apr_int64_t value)
{
    return apr_psprintf(p, "%" APR_INT64_T_FMT, value);
}

int apim_parse_i64(const char *s, apr_int64_t *out)
{
    char *end;
    if (!s || !(*s == '-' || (*s >= '0' && *s <= '9'))) {
        return -1;
    }
    errno = 0;
    *out = strtoll(s, &end, 10);
    return (errno || *end || end == s) ? -1 : 0;
}

const char *apim_hex(apr_pool_t *p, const void *bytes, apr_size_t len)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *b = bytes;
    char *out = apr_palloc(p, len * 2 + 1);
    apr_size_t i;
    for (i = 0; i < len; i++) {
        out[2 * i] = digits[b[i] >> 4];
        out[2 * i + 1] = digits[b[i] & 15];
    }
    out[2 * len] = '\0';
    return out;
}

static const char B64URL[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

const char *apim_b64url(apr_pool_t *p, const void *bytes, apr_size_t len)
{
    const unsigned char *b = bytes;
    char *out = apr_palloc(p, (len + 2) / 3 * 4 + 1), *o = out;
    apr_size_t i;
    for (i = 0; i + 2 < len; i += 3) {
        *o++ = B64URL[b[i] >> 2];
        *o++ = B64URL[(b[i] & 3) << 4 | b[i + 1] >> 4];
        *o++ = B64URL[(b[i + 1] & 15) << 2 | b[i + 2] >> 6];
        *o++ = B64URL[b[i + 2] & 63];
    }
    if (len - i == 1) {
        *o++ = B64URL[b[i] >> 2];
        *o++ = B64URL[(b[i] & 3) << 4];
    }
    else if (len - i == 2) {
        *o++ = B64URL[b[i] >> 2];
        *o++ = B64URL[(b[i] & 3) << 4 | b[i + 1] >> 4];
        *o++ = B64URL[(b[i + 1] & 15) << 2];
    }
    *o = '\0';
    return out;
}

static int b64url_value(char c)
{
    if (c >= 'A' && c <= 'Z') {
        return c - 'A';
    }
    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 26;
    }
    if (c >= '0' && c <= '9') {
        return c - '0' + 52;
    }
    return c == '-' ? 62 : c == '_' ? 63 : -1;
}

unsigned char *apim_b64url_decode(apr_pool_t *p, const char *s, apr_size_t slen, apr_size_t *len)
{
    unsigned char *out;
    unsigned int acc = 0;
    int bits = 0;
    apr_size_t i, n = 0;
    if (slen % 4 == 1) {
        return NULL;
    }
    out = apr_palloc(p, slen / 4 * 3 + 3);
    for (i = 0; i < slen; i++) {
        int v = b64url_value(s[i]);
        if (v < 0) {
            return NULL;
        }
        acc = (acc << 6 | (unsigned int)v) & 0xffffffu;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            out[n++] = (unsigned char)(acc >> bits);
        }
    }
    /* Left-over bits must be zero, or two texts would decode to the same bytes (token malleability). */
    if (bits && (acc & ((1u << bits) - 1))) {
        return NULL;
    }
    out[n] = '\0';
    *len = n;
    return out;
}

const char *apim_iso_time(apr_pool_t *p, apr_int64_t ms)
{
    apr_time_exp_t t;
    apr_time_exp_gmt(&t, ms * 1000);
    return apr_psprintf(p, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", t.tm_year + 1900, t.tm_mon + 1, t.tm_mday,
                        t.tm_hour, t.tm_min, t.tm_sec, (int)(ms % 1000));
}

apr_int64_t apim_now_ms(void)
{
    return apr_time_as_msec(apr_time_now());
}

const char *apim_urlencode(apr_pool_t *p, const char *s)
{
    static const char digits[] = "0123456789ABCDEF";
    char *out = apr_palloc(p, strlen(s) * 3 + 1), *o = out;
    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr("-._~", c)) {
            *o++ = (char)c;
        }
        else {
            *o++ = '%';
            *o++ = digits[c >> 4];
            *o++ = digits[c & 15];
        }
    }
    *o = '\0';
    return out;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

char *apim_urldecode(apr_pool_t *p, const char *s, apr_size_t len, int plus)
{
    char *out = apr_palloc(p, len + 1);
    apr_size_t i, n = 0;
    for (i = 0; i < len; i++) {
        char c = s[i];
        if (c == '%') {
            int hi = i + 2 < len ? hex_value(s[i + 1]) : -1;
            int lo = i + 2 < len ? hex_value(s[i + 2]) : -1;
            if (hi < 0 || lo < 0) {
                return NULL;
            }
            c = (char)(hi << 4 | lo);
            i += 2;
        }
        else if (c == '+' && plus) {
            c = ' ';
        }
        if (!c) {
            return NULL;
        }
        out[n++] = c;
    }
    out[n] = '\0';
    return apim_utf8_valid(out, n) ? out : NULL;
}

int apim_word_in_list(const char *word, const char *list)
{
    apr_size_t len = strlen(word);
    while (list && *list) {
        apr_size_t n = strcspn(list, " ");
        if (n == len && len && memcmp(list, word, len) == 0) {
            return 1;
        }
        list += n;
        list += strspn(list, " ");
    }
    return 0;
}
