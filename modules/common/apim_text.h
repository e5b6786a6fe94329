/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APIM_TEXT_H
#define APIM_TEXT_H

#include <apr_pools.h>
#include <apr_time.h>

/** 1 if the bytes are valid UTF-8 (RFC 3629: no overlongs, no surrogates, nothing above U+10FFFF). */
int apim_utf8_valid(const char *s, apr_size_t len);

/** 1 if s holds a control character (below 0x20 or 0x7f); `allow` lists those that are fine, such as "\n\t".
 */
int apim_has_control(const char *s, const char *allow);

/** A number as text in the pool: what statement parameters are made of. */
const char *apim_i64(apr_pool_t *p, apr_int64_t value);

/** Decimal text to a number; 0 on success, -1 if it is not one (sign allowed, no blanks, no overflow). */
int apim_parse_i64(const char *s, apr_int64_t *out);

/** Lower-case hex of bytes. */
const char *apim_hex(apr_pool_t *p, const void *bytes, apr_size_t len);

/** base64url without padding (RFC 4648 section 5). */
const char *apim_b64url(apr_pool_t *p, const void *bytes, apr_size_t len);

/** Strict decoder of base64url without padding; NULL on any other character or impossible length. The result
 * is NUL-terminated for convenience; *len tells its size. */
unsigned char *apim_b64url_decode(apr_pool_t *p, const char *s, apr_size_t slen, apr_size_t *len);

/** RFC 3339 in UTC with milliseconds, "2026-11-23T07:00:00.000Z", from milliseconds since the epoch. */
const char *apim_iso_time(apr_pool_t *p, apr_int64_t ms);

/** Now, in milliseconds since the epoch: the unit of every time stored in the databases. */
apr_int64_t apim_now_ms(void);

/** percent-encodes everything but RFC 3986's unreserved characters. */
const char *apim_urlencode(apr_pool_t *p, const char *s);

/** application/x-www-form-urlencoded decoding of len bytes ('+' is a blank if plus is set); NULL if an escape
 * is broken or the result holds a NUL or is not UTF-8. */
char *apim_urldecode(apr_pool_t *p, const char *s, apr_size_t len, int plus);

/** 1 if word stands in list, which is separated by blanks (OAuth scope lists). Case-sensitive. */
int apim_word_in_list(const char *word, const char *list);

#endif
