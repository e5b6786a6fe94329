/* SPDX-License-Identifier: Apache-2.0 */
#include "openapi/document.h"

#include <string.h>

#include "apim_json.h"
#include "apim_text.h"

#define DEFAULT_MAX_BYTES (20 * 1024 * 1024)
#define DEFAULT_MAX_DEPTH 100
#define DEFAULT_MAX_NODES 2000000

int apim_doc_attach(json_t *parent, const char *key, json_t *value)
{
    size_t before;
    if (json_is_array(parent)) {
        return json_array_append_new(parent, value);
    }
    before = json_object_size(parent);
    if (json_object_set_new_nocheck(parent, key, value)) {
        return -1;
    }
    return json_object_size(parent) == before ? -1 : 0;
}

json_t *apim_doc_number(const char *text, apr_size_t len)
{
    /* jansson reads numbers the same in every locale */
    json_t *j = json_loadb(text, len, JSON_DECODE_ANY, NULL);
    return j ? j : json_loadb(text, len, JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL, NULL);
}

static apr_size_t bom_length(const char *text, apr_size_t len)
{
    return len >= 3 && !memcmp(text, "\xef\xbb\xbf", 3) ? 3 : 0;
}

int apim_doc_is_json(const char *text, apr_size_t len)
{
    apr_size_t i = bom_length(text, len);
    while (i < len && (text[i] == ' ' || text[i] == '\t' || text[i] == '\r' || text[i] == '\n')) {
        i++;
    }
    return i < len && (text[i] == '{' || text[i] == '[');
}

static apr_size_t sequence_length(unsigned char lead)
{
    return lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

/* Offset of the first byte that is not UTF-8, or NUL. */
static apr_size_t first_bad_byte(const char *text, apr_size_t len)
{
    apr_size_t i = 0;
    while (i < len) {
        apr_size_t n = sequence_length((unsigned char)text[i]);
        if (!text[i] || n > len - i || !apim_utf8_valid(text + i, n)) {
            break;
        }
        i += n;
    }
    return i;
}

static apim_error_t *check_encoding(apr_pool_t *p, const char *text, apr_size_t len)
{
    apr_size_t bad, i;
    int line = 1;
    if (len >= 2 && (!memcmp(text, "\xff\xfe", 2) || !memcmp(text, "\xfe\xff", 2))) {
        return apim_error(p, 400, APIM_E_MALFORMED_DOCUMENT, "Malformed OpenAPI Definition",
                          "The document is encoded in UTF-16. Please save it as UTF-8.");
    }
    if (apim_utf8_valid(text, len) && !memchr(text, 0, len)) {
        return NULL;
    }
    bad = first_bad_byte(text, len);
    for (i = 0; i < bad; i++) {
        line += text[i] == '\n';
    }
    return apim_error(p, 400, APIM_E_MALFORMED_DOCUMENT, "Malformed OpenAPI Definition",
                      "The document is not valid UTF-8 text: byte 0x%02x at line %d (offset %" APR_SIZE_T_FMT
                      ").",
                      (unsigned char)text[bad], line, bad);
}

static void set_limits(apim_doc_limits_t *to, const apim_doc_limits_t *from)
{
    to->max_bytes = from && from->max_bytes ? from->max_bytes : DEFAULT_MAX_BYTES;
    to->max_depth = from && from->max_depth ? from->max_depth : DEFAULT_MAX_DEPTH;
    to->max_nodes = from && from->max_nodes ? from->max_nodes : DEFAULT_MAX_NODES;
}

/* Text that begins like JSON may still be YAML in flow style. If it is neither, what the JSON reader says is
 * the more useful. */
static json_t *read_either(apim_doc_reader_t *reader)
{
    apim_doc_reader_t again = *reader;
    json_t *tree = apim_doc_read_json(reader);
    if (tree || !reader->syntax) {
        return tree;
    }
    tree = apim_doc_read_yaml(&again);
    if (tree || !again.syntax) {
        reader->err = again.err;
    }
    return tree;
}

apim_error_t *apim_doc_parse(apr_pool_t *p, const char *text, apr_size_t len, const apim_doc_limits_t *limits,
                             json_t **out)
{
    apim_doc_reader_t reader = {0};
    apr_size_t bom = bom_length(text, len);
    *out = NULL;
    set_limits(&reader.limits, limits);
    if (len > reader.limits.max_bytes) {
        return apim_error(p, 413, APIM_E_TOO_LARGE, "Content Too Large",
                          "The document has %" APR_SIZE_T_FMT " bytes; at most %" APR_SIZE_T_FMT
                          " are accepted.",
                          len, reader.limits.max_bytes);
    }
    APIM_TRY(check_encoding(p, text, len));
    reader.p = p;
    reader.text = text + bom;
    reader.len = len - bom;
    *out = apim_doc_is_json(text, len) ? read_either(&reader) : apim_doc_read_yaml(&reader);
    if (!*out) {
        return reader.err ? reader.err : apim_internal(p, "out of memory while reading a document");
    }
    apim_json_own(p, *out);
    return NULL;
}
