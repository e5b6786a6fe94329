/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A JSON reader (RFC 8259) of our own in front of jansson's tree: jansson's refuses integers past 64 bits,
 * which real documents have as bounds, has no limit on nodes, and allows 2048 levels of nesting.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "openapi/document.h"

typedef struct scanner_t {
    apim_doc_reader_t *reader;
    const char *s, *end;
    int depth;
    char *key; /* of the member whose value comes next */
    apr_size_t key_room;
    char *buffer; /* a string with escapes, unescaped */
    apr_size_t buffer_room;
} scanner_t;

static int read_value(scanner_t *sc, json_t *parent, json_t **root);

static void __attribute__((format(printf, 4, 5)))
fail(scanner_t *sc, const char *at, int syntax, const char *format, ...)
{
    apim_doc_reader_t *r = sc->reader;
    const char *c, *line_start = r->text, *what;
    int line = 1;
    va_list ap;
    for (c = r->text; c < at; c++) {
        if (*c == '\n') {
            line++;
            line_start = c + 1;
        }
    }
    va_start(ap, format);
    what = apr_pvsprintf(r->p, format, ap);
    va_end(ap);
    r->syntax = syntax;
    r->err = apim_error(r->p, 400, APIM_E_MALFORMED_DOCUMENT, "Malformed OpenAPI Definition",
                        "The JSON document cannot be read: line %d, column %d: %s.", line,
                        (int)(at - line_start) + 1, what);
}

static void skip_blanks(scanner_t *sc)
{
    while (sc->s < sc->end && (*sc->s == ' ' || *sc->s == '\n' || *sc->s == '\r' || *sc->s == '\t')) {
        sc->s++;
    }
}

static int next_is(scanner_t *sc, char c)
{
    skip_blanks(sc);
    if (sc->s < sc->end && *sc->s == c) {
        sc->s++;
        return 1;
    }
    return 0;
}

static int expected(scanner_t *sc, const char *what)
{
    if (sc->s >= sc->end) {
        fail(sc, sc->s, 1, "the document ends where %s should stand", what);
    }
    else {
        fail(sc, sc->s, 1, "%s should stand here", what);
    }
    return -1;
}

static int reserve(char **buffer, apr_size_t *room, apr_size_t need)
{
    char *grown;
    if (need <= *room) {
        return 0;
    }
    need += need / 2 + 64;
    grown = realloc(*buffer, need);
    if (!grown) {
        return -1;
    }
    *buffer = grown;
    *room = need;
    return 0;
}

/* -- strings --------------------------------------------------------------------------------------------- */

static int hex4(const char *s, const char *end, unsigned *out)
{
    int i;
    *out = 0;
    if (end - s < 4) {
        return -1;
    }
    for (i = 0; i < 4; i++) {
        char c = s[i];
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0) {
            return -1;
        }
        *out = *out << 4 | (unsigned)digit;
    }
    return 0;
}

static char *put_utf8(char *to, unsigned c)
{
    if (c < 0x80) {
        *to++ = (char)c;
    }
    else if (c < 0x800) {
        *to++ = (char)(0xc0 | c >> 6);
        *to++ = (char)(0x80 | (c & 0x3f));
    }
    else if (c < 0x10000) {
        *to++ = (char)(0xe0 | c >> 12);
        *to++ = (char)(0x80 | (c >> 6 & 0x3f));
        *to++ = (char)(0x80 | (c & 0x3f));
    }
    else {
        *to++ = (char)(0xf0 | c >> 18);
        *to++ = (char)(0x80 | (c >> 12 & 0x3f));
        *to++ = (char)(0x80 | (c >> 6 & 0x3f));
        *to++ = (char)(0x80 | (c & 0x3f));
    }
    return to;
}

/* \uXXXX at s (behind the u), with its second half if it is a surrogate. Returns where to go on, NULL if it
 * is no character. */
static const char *unicode_escape(const char *s, const char *end, char **to)
{
    unsigned c, low;
    if (hex4(s, end, &c) || !c) {
        return NULL;
    }
    s += 4;
    if (c >= 0xd800 && c <= 0xdfff) {
        if (c >= 0xdc00 || end - s < 6 || s[0] != '\\' || s[1] != 'u' || hex4(s + 2, end, &low) ||
            low < 0xdc00 || low > 0xdfff) {
            return NULL;
        }
        c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
        s += 6;
    }
    *to = put_utf8(*to, c);
    return s;
}

static const char *escape(const char *s, const char *end, char **to)
{
    static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    const char *name;
    if (s < end && *s == 'u') {
        return unicode_escape(s + 1, end, to);
    }
    name = s < end && *s ? strchr(names, *s) : NULL;
    if (!name) {
        return NULL;
    }
    *(*to)++ = values[name - names];
    return s + 1;
}

/* The end of the string that begins at s (behind the quote): sets *escapes if it has any. NULL if there is
 * none. */
static const char *string_end(scanner_t *sc, const char *s, int *escapes)
{
    *escapes = 0;
    for (; s < sc->end && *s != '"'; s++) {
        if ((unsigned char)*s < 0x20) {
            fail(sc, s, 1, "a control character stands in a string; write it as an escape, such as \\n");
            return NULL;
        }
        if (*s == '\\') {
            *escapes = 1;
            s++;
        }
    }
    if (s >= sc->end) {
        fail(sc, sc->end, 1, "the document ends inside a string");
        return NULL;
    }
    return s;
}

static int unescape(scanner_t *sc, const char *s, const char *end, char *to, apr_size_t *len)
{
    char *start = to;
    while (s < end) {
        if (*s != '\\') {
            *to++ = *s++;
            continue;
        }
        const char *next = escape(s + 1, end, &to);
        if (!next) {
            fail(sc, s, 0,
                 "this escape is not known or is no character (NUL and lone surrogates are refused)");
            return -1;
        }
        s = next;
    }
    *to = 0;
    *len = (apr_size_t)(to - start);
    return 0;
}

/* At an opening quote: the string into *buffer, NUL-terminated. */
static int read_text(scanner_t *sc, char **buffer, apr_size_t *room, apr_size_t *len)
{
    const char *start = sc->s + 1;
    int escapes;
    const char *end = string_end(sc, start, &escapes);
    if (!end || reserve(buffer, room, (apr_size_t)(end - start) + 1)) {
        return -1;
    }
    sc->s = end + 1;
    if (escapes) {
        return unescape(sc, start, end, *buffer, len);
    }
    *len = (apr_size_t)(end - start);
    memcpy(*buffer, start, *len);
    (*buffer)[*len] = 0;
    return 0;
}

static json_t *read_string(scanner_t *sc)
{
    apr_size_t len;
    return read_text(sc, &sc->buffer, &sc->buffer_room, &len) ? NULL : json_stringn_nocheck(sc->buffer, len);
}

/* -- numbers and words ----------------------------------------------------------------------------------- */

static const char *digits(const char *s, const char *end)
{
    while (s < end && *s >= '0' && *s <= '9') {
        s++;
    }
    return s;
}

/* Up to 18 digits, which is nearly every number there is, need no library. */
static json_t *small_integer(const char *s, const char *end, int negative)
{
    json_int_t value = 0;
    for (; s < end; s++) {
        value = value * 10 + (*s - '0');
    }
    return json_integer(negative ? -value : value);
}

static json_t *read_number(scanner_t *sc)
{
    const char *start = sc->s, *s = start + (*start == '-'), *int_start = s, *int_end;
    json_t *number;
    int_end = s = digits(s, sc->end);
    if (int_end == int_start || (*int_start == '0' && int_end - int_start > 1)) {
        fail(sc, start, 1, "this is not a number");
        return NULL;
    }
    if (s < sc->end && *s == '.') {
        s = digits(s + 1, sc->end);
    }
    if (s < sc->end && (*s == 'e' || *s == 'E')) {
        s++;
        s = digits(s + (s < sc->end && (*s == '+' || *s == '-')), sc->end);
    }
    sc->s = s;
    if (s == int_end && int_end - int_start <= 18) {
        return small_integer(int_start, int_end, *start == '-');
    }
    number = apim_doc_number(start, (apr_size_t)(s - start));
    if (!number) {
        fail(sc, start, 0, "this is not a number, or it is too big");
    }
    return number;
}

static json_t *read_word(scanner_t *sc)
{
    apr_size_t left = (apr_size_t)(sc->end - sc->s);
    if (left >= 4 && !memcmp(sc->s, "true", 4)) {
        sc->s += 4;
        return json_true();
    }
    if (left >= 5 && !memcmp(sc->s, "false", 5)) {
        sc->s += 5;
        return json_false();
    }
    if (left >= 4 && !memcmp(sc->s, "null", 4)) {
        sc->s += 4;
        return json_null();
    }
    expected(sc, "a value");
    return NULL;
}

/* -- objects and arrays ---------------------------------------------------------------------------------- */

static int read_member(scanner_t *sc, json_t *object)
{
    const char *at;
    apr_size_t len;
    skip_blanks(sc);
    at = sc->s;
    if (at >= sc->end || *at != '"') {
        return expected(sc, "a key in double quotes");
    }
    if (read_text(sc, &sc->key, &sc->key_room, &len)) {
        return -1;
    }
    if (json_object_get(object, sc->key)) {
        fail(sc, at, 0, "the key \"%.100s\" stands twice in one object", sc->key);
        return -1;
    }
    return next_is(sc, ':') ? read_value(sc, object, NULL) : expected(sc, "a colon");
}

static int read_container(scanner_t *sc, json_t *container)
{
    int object = json_is_object(container);
    char close = object ? '}' : ']';
    sc->s++;
    if (++sc->depth > sc->reader->limits.max_depth) {
        fail(sc, sc->s - 1, 0, "objects and arrays are nested more than %d levels deep",
             sc->reader->limits.max_depth);
        return -1;
    }
    if (!next_is(sc, close)) {
        do {
            if (object ? read_member(sc, container) : read_value(sc, container, NULL)) {
                return -1;
            }
        } while (next_is(sc, ','));
        if (!next_is(sc, close)) {
            return expected(sc, object ? "a comma or }" : "a comma or ]");
        }
    }
    sc->depth--;
    return 0;
}

static json_t *read_scalar(scanner_t *sc)
{
    char c = *sc->s;
    return c == '"' ? read_string(sc) : c == '-' || (c >= '0' && c <= '9') ? read_number(sc) : read_word(sc);
}

/* Hangs the value into parent, an object under sc->key, or keeps it as the root. A container is hung up
 * before it is read, so that sc->key is free for its members. */
static int read_value(scanner_t *sc, json_t *parent, json_t **root)
{
    json_t *value;
    int container;
    skip_blanks(sc);
    if (sc->s >= sc->end) {
        return expected(sc, "a value");
    }
    if (++sc->reader->nodes > sc->reader->limits.max_nodes) {
        fail(sc, sc->s, 0, "the document has more than %" APR_SIZE_T_FMT " values",
             sc->reader->limits.max_nodes);
        return -1;
    }
    container = *sc->s == '{' || *sc->s == '[';
    value = *sc->s == '{' ? json_object() : *sc->s == '[' ? json_array() : read_scalar(sc);
    if (!value) {
        return -1;
    }
    if (root) {
        *root = value;
    }
    else if (apim_doc_attach(parent, sc->key, value)) {
        return -1;
    }
    return container ? read_container(sc, value) : 0;
}

json_t *apim_doc_read_json(apim_doc_reader_t *reader)
{
    scanner_t sc = {reader, reader->text, reader->text + reader->len, 0, NULL, 0, NULL, 0};
    json_t *root = NULL;
    int failed = read_value(&sc, NULL, &root);
    if (!failed) {
        skip_blanks(&sc);
        if (sc.s < sc.end) {
            fail(&sc, sc.s, 1, "something stands behind the end of the document");
            failed = 1;
        }
    }
    free(sc.key);
    free(sc.buffer);
    if (failed) {
        json_decref(root);
        return NULL;
    }
    return root;
}
