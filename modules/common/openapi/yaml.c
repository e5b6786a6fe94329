/* SPDX-License-Identifier: Apache-2.0 */
/*
 * YAML to JSON: libyaml's events (YAML 1.1 syntax) with the scalars of YAML 1.2's core schema. libyaml does
 * no resolution and no expansion, so every bound is ours.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include <apr_hash.h>
#include <apr_strings.h>

#include "apim_json.h"
#include "openapi/document.h"

#define MAX_EXPANSION 10 /* nodes that aliases make, for each node of the text ... */
#define FREE_EXPANSION                                                                                       \
    10000                   /* ... and these for nothing, so that small documents may use one anchor a lot   \
                             */
#define MAX_SCALAR_TEXT 400 /* longest plain scalar that can be a number */

/* What an anchor stands for. value is NULL while the node is being read: an alias inside it would have no
 * end. */
typedef struct anchor_t {
    json_t *value; /* a reference of its own, released with the scratch pool */
    apr_size_t nodes, bytes;
    int height; /* levels of containers */
} anchor_t;

typedef struct frame_t {
    json_t *container; /* borrowed: hung into its parent when it begins */
    anchor_t *anchor;
    apr_size_t nodes, bytes; /* of the document before it began */
    int height;
    int have_key; /* a mapping whose key has been read and whose value comes next */
    int merge;    /* a mapping with << */
} frame_t;

typedef struct composer_t {
    apim_doc_reader_t *reader;
    yaml_parser_t parser;
    json_t *root;
    frame_t *frames;
    int depth; /* frames in use */
    char *key; /* of the member whose value comes next */
    apr_size_t key_room;
    apr_size_t text_nodes; /* without those that aliases made */
    apr_size_t bytes;      /* of all strings, aliases expanded */
    apr_hash_t *anchors;
    apr_pool_t *scratch;
    int done;
} composer_t;

static int __attribute__((format(printf, 4, 5)))
fail(composer_t *c, yaml_mark_t mark, int syntax, const char *format, ...)
{
    apim_doc_reader_t *r = c->reader;
    const char *what;
    va_list ap;
    va_start(ap, format);
    what = apr_pvsprintf(r->p, format, ap);
    va_end(ap);
    r->syntax = syntax;
    r->err = apim_error(r->p, 400, APIM_E_MALFORMED_DOCUMENT, "Malformed OpenAPI Definition",
                        "The YAML document cannot be read: line %d, column %d: %s.", (int)mark.line + 1,
                        (int)mark.column + 1, what);
    return -1;
}

static int out_of_memory(composer_t *c)
{
    c->reader->err = apim_internal(c->reader->p, "out of memory while reading a YAML document");
    return -1;
}

/* -- scalars: YAML 1.2 chapter 10.3 ---------------------------------------------------------------------- */

static int is_one_of(const char *s, const char *const *words)
{
    for (; *words; words++) {
        if (!strcmp(s, *words)) {
            return 1;
        }
    }
    return 0;
}

static int all_of(const char *s, const char *set)
{
    return *s && s[strspn(s, set)] == 0;
}

static json_t *based_integer(const char *digits, int base)
{
    json_int_t value = 0;
    for (; *digits; digits++) {
        int d = *digits <= '9' ? *digits - '0' : (*digits | 0x20) - 'a' + 10;
        if (value > (INT64_MAX - d) / base) {
            return NULL;
        }
        value = value * base + d;
    }
    return json_integer(value);
}

/* Rewrites a core schema number ("+.5", "012", "1.e3") as JSON writes it. Returns 0 if s is not a number. */
static int normal_number(const char *s, char *out)
{
    const char *digits, *fraction = "", *exponent = "";
    int ndigits, nfraction = 0;
    if (*s == '-') {
        *out++ = '-';
    }
    s += *s == '-' || *s == '+';
    digits = s;
    s += ndigits = (int)strspn(s, "0123456789");
    if (*s == '.') {
        fraction = ++s;
        s += nfraction = (int)strspn(s, "0123456789");
    }
    if (!ndigits && !nfraction) {
        return 0;
    }
    if (*s == 'e' || *s == 'E') {
        exponent = s++;
        s += *s == '-' || *s == '+';
        if (!all_of(s, "0123456789")) {
            return 0;
        }
        s += strlen(s);
    }
    while (ndigits > 1 && *digits == '0') {
        digits++;
        ndigits--;
    }
    out += sprintf(out, "%.*s", ndigits ? ndigits : 1, ndigits ? digits : "0");
    if (*fraction) {
        out += sprintf(out, ".%.*s", nfraction ? nfraction : 1, nfraction ? fraction : "0");
    }
    strcpy(out, exponent);
    return *s == 0;
}

static json_t *number(const char *s)
{
    char text[MAX_SCALAR_TEXT + 8];
    if (s[0] == '0' && s[1] == 'o' && all_of(s + 2, "01234567")) {
        return based_integer(s + 2, 8);
    }
    if (s[0] == '0' && s[1] == 'x' && all_of(s + 2, "0123456789abcdefABCDEF")) {
        return based_integer(s + 2, 16);
    }
    if (!strchr("0123456789+-.", *s) || strlen(s) > MAX_SCALAR_TEXT || !normal_number(s, text)) {
        return NULL;
    }
    return apim_doc_number(text, strlen(text));
}

static int is_special_float(const char *s)
{
    static const char *const words[] = {".inf", ".Inf", ".INF", ".nan", ".NaN", ".NAN", NULL};
    return is_one_of(s + (*s == '-' || *s == '+'), words);
}

static json_t *plain(const char *s, apr_size_t len)
{
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};
    static const char *const trues[] = {"true", "True", "TRUE", NULL};
    static const char *const falses[] = {"false", "False", "FALSE", NULL};
    json_t *j;
    if (is_one_of(s, nulls)) {
        return json_null();
    }
    if (is_one_of(s, trues)) {
        return json_true();
    }
    if (is_one_of(s, falses)) {
        return json_false();
    }
    j = number(s);
    return j ? j : json_stringn_nocheck(s, len);
}

/* "str" of tag:yaml.org,2002:str; "" for none; NULL for one that we do not know. */
static const char *short_tag(const yaml_char_t *tag)
{
    static const char prefix[] = "tag:yaml.org,2002:";
    static const char *const known[] = {"str", "int", "float", "bool", "null", "map", "seq", NULL};
    const char *t = (const char *)tag;
    if (!t || !*t) {
        return "";
    }
    if (!strcmp(t, "!")) {
        return "str";
    }
    if (strncmp(t, prefix, sizeof(prefix) - 1)) {
        return NULL;
    }
    t += sizeof(prefix) - 1;
    return is_one_of(t, known) ? t : NULL;
}

static int check_tag(composer_t *c, const yaml_event_t *event, const yaml_char_t *tag,
                     const char *const *fitting)
{
    const char *t = short_tag(tag);
    if (!t || (*t && !is_one_of(t, fitting))) {
        return fail(c, event->start_mark, 0, "the tag %.100s is not supported here", (const char *)tag);
    }
    return 0;
}

static json_t *scalar(composer_t *c, const yaml_event_t *event)
{
    static const char *const fitting[] = {"str", "int", "float", "bool", "null", NULL};
    const char *s = (const char *)event->data.scalar.value;
    apr_size_t len = event->data.scalar.length;
    const char *tag;
    if (check_tag(c, event, event->data.scalar.tag, fitting)) {
        return NULL;
    }
    if (memchr(s, 0, len)) {
        fail(c, event->start_mark, 0, "the string holds a NUL character");
        return NULL;
    }
    tag = short_tag(event->data.scalar.tag);
    if (!strcmp(tag, "str") || (!*tag && event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)) {
        return json_stringn_nocheck(s, len);
    }
    if (is_special_float(s)) {
        fail(c, event->start_mark, 0, "%s is a number that JSON does not have", s);
        return NULL;
    }
    return plain(s, len);
}

/* -- counting -------------------------------------------------------------------------------------------- */

static int count(composer_t *c, yaml_mark_t mark, apr_size_t nodes, apr_size_t bytes, int from_alias)
{
    apim_doc_reader_t *r = c->reader;
    r->nodes += nodes;
    c->text_nodes += from_alias ? 0 : nodes;
    c->bytes += bytes;
    if (r->nodes > r->limits.max_nodes) {
        return fail(c, mark, 0, "the document has more than %" APR_SIZE_T_FMT " values", r->limits.max_nodes);
    }
    if (r->nodes > FREE_EXPANSION + (1 + MAX_EXPANSION) * c->text_nodes || c->bytes > r->limits.max_bytes) {
        return fail(c, mark, 0, "the aliases expand to too much");
    }
    return 0;
}

/* A node that reaches `height` levels down hangs at the current depth. */
static int check_depth(composer_t *c, yaml_mark_t mark, int height)
{
    int i;
    if (c->depth + height > c->reader->limits.max_depth) {
        return fail(c, mark, 0, "mappings and sequences are nested more than %d levels deep",
                    c->reader->limits.max_depth);
    }
    for (i = c->depth - 1; i >= 0 && c->frames[i].height < height + c->depth - i; i--) {
        c->frames[i].height = height + c->depth - i;
    }
    return 0;
}

/* -- the tree -------------------------------------------------------------------------------------------- */

static frame_t *top(composer_t *c)
{
    return c->depth ? &c->frames[c->depth - 1] : NULL;
}

/* 1 if the next node is a key of a mapping. */
static int key_is_next(composer_t *c)
{
    frame_t *f = top(c);
    return f && json_is_object(f->container) && !f->have_key;
}

static int take_key(composer_t *c, const yaml_event_t *event)
{
    const char *s = (const char *)event->data.scalar.value;
    apr_size_t len = event->data.scalar.length;
    frame_t *f = top(c);
    if (memchr(s, 0, len)) {
        return fail(c, event->start_mark, 0, "the key holds a NUL character");
    }
    if (len + 1 > c->key_room) {
        char *grown = realloc(c->key, len + 64);
        if (!grown) {
            return out_of_memory(c);
        }
        c->key = grown;
        c->key_room = len + 64;
    }
    memcpy(c->key, s, len + 1);
    if (json_object_get(f->container, c->key)) {
        return fail(c, event->start_mark, 0, "the key \"%.100s\" stands twice in one mapping", c->key);
    }
    f->merge |= event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && !strcmp(s, "<<");
    f->have_key = 1;
    c->bytes += len;
    return 0;
}

/* Hangs a node into the tree. Its reference is taken in any case. */
static int hang(composer_t *c, json_t *value)
{
    frame_t *f = top(c);
    if (!value) {
        return c->reader->err ? -1 : out_of_memory(c);
    }
    if (!f) {
        c->root = value;
        return 0;
    }
    f->have_key = 0;
    return apim_doc_attach(f->container, c->key, value) ? out_of_memory(c) : 0;
}

static anchor_t *begin_anchor(composer_t *c, const yaml_char_t *name)
{
    anchor_t *a;
    if (!name) {
        return NULL;
    }
    a = apr_pcalloc(c->scratch, sizeof(*a));
    apr_hash_set(c->anchors, apr_pstrdup(c->scratch, (const char *)name), APR_HASH_KEY_STRING, a);
    return a;
}

static int take_scalar(composer_t *c, const yaml_event_t *event)
{
    anchor_t *a;
    json_t *value;
    if (key_is_next(c)) {
        return take_key(c, event);
    }
    if (count(c, event->start_mark, 1, event->data.scalar.length, 0)) {
        return -1;
    }
    value = scalar(c, event);
    a = begin_anchor(c, event->data.scalar.anchor);
    if (a && value) {
        a->value = apim_json_own(c->scratch, json_incref(value));
        a->nodes = 1;
        a->bytes = event->data.scalar.length;
    }
    return hang(c, value);
}

static int take_alias(composer_t *c, const yaml_event_t *event)
{
    const char *name = (const char *)event->data.alias.anchor;
    anchor_t *a = apr_hash_get(c->anchors, name, APR_HASH_KEY_STRING);
    if (key_is_next(c)) {
        return fail(c, event->start_mark, 0, "an alias cannot be a key");
    }
    if (!a) {
        return fail(c, event->start_mark, 1, "the alias *%.100s has no anchor before it", name);
    }
    if (!a->value) {
        return fail(c, event->start_mark, 0, "the alias *%.100s stands inside the node it refers to", name);
    }
    if (count(c, event->start_mark, a->nodes, a->bytes, 1) || check_depth(c, event->start_mark, a->height)) {
        return -1;
    }
    return hang(c, a->height ? json_deep_copy(a->value) : json_incref(a->value));
}

static int begin_container(composer_t *c, const yaml_event_t *event, json_t *container,
                           const yaml_char_t *anchor)
{
    frame_t *f;
    if (key_is_next(c)) {
        json_decref(container);
        return fail(c, event->start_mark, 0, "a mapping or sequence cannot be a key");
    }
    if (count(c, event->start_mark, 1, 0, 0) || check_depth(c, event->start_mark, 1)) {
        json_decref(container);
        return -1;
    }
    if (hang(c, container)) {
        return -1;
    }
    f = &c->frames[c->depth++];
    memset(f, 0, sizeof(*f));
    f->container = container;
    f->anchor = begin_anchor(c, anchor);
    f->nodes = c->reader->nodes - 1;
    f->bytes = c->bytes;
    f->height = 1;
    return 0;
}

/* << is one mapping or a sequence of them; what the mapping itself says, and what came earlier, wins. */
static int merge(composer_t *c, frame_t *f, const yaml_event_t *event)
{
    json_t *from = json_incref(json_object_get(f->container, "<<")), *one;
    size_t i, n = json_is_array(from) ? json_array_size(from) : 1;
    int failed = 0;
    json_object_del(f->container, "<<");
    for (i = 0; i < n && !failed; i++) {
        one = json_is_array(from) ? json_array_get(from, i) : from;
        failed = json_is_object(one)
                     ? json_object_update_missing(f->container, one)
                     : fail(c, event->start_mark, 0, "<< must be a mapping or a sequence of mappings");
    }
    json_decref(from);
    return failed;
}

static int end_container(composer_t *c, const yaml_event_t *event)
{
    frame_t *f = top(c);
    if (f->merge && merge(c, f, event)) {
        return -1;
    }
    if (f->anchor) {
        f->anchor->value = apim_json_own(c->scratch, json_incref(f->container));
        f->anchor->nodes = c->reader->nodes - f->nodes;
        f->anchor->bytes = c->bytes - f->bytes;
        f->anchor->height = f->height;
    }
    c->depth--;
    return 0;
}

static int take_event(composer_t *c, const yaml_event_t *event)
{
    static const char *const map[] = {"map", NULL}, *const seq[] = {"seq", NULL};
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        return c->root ? fail(c, event->start_mark, 0, "a second document begins here; one is expected") : 0;
    case YAML_SCALAR_EVENT:
        return take_scalar(c, event);
    case YAML_ALIAS_EVENT:
        return take_alias(c, event);
    case YAML_MAPPING_START_EVENT:
        if (check_tag(c, event, event->data.mapping_start.tag, map)) {
            return -1;
        }
        return begin_container(c, event, json_object(), event->data.mapping_start.anchor);
    case YAML_SEQUENCE_START_EVENT:
        if (check_tag(c, event, event->data.sequence_start.tag, seq)) {
            return -1;
        }
        return begin_container(c, event, json_array(), event->data.sequence_start.anchor);
    case YAML_MAPPING_END_EVENT:
    case YAML_SEQUENCE_END_EVENT:
        return end_container(c, event);
    case YAML_STREAM_END_EVENT:
        c->done = 1;
        return 0;
    default:
        return 0;
    }
}

static int syntax_error(composer_t *c)
{
    const yaml_parser_t *y = &c->parser;
    if (y->error == YAML_MEMORY_ERROR) {
        return out_of_memory(c);
    }
    if (y->error == YAML_READER_ERROR) {
        return fail(c, y->mark, 1, "%s (character %#x, offset %lu)", y->problem ? y->problem : "unreadable",
                    (unsigned)y->problem_value, (unsigned long)y->problem_offset);
    }
    return fail(c, y->problem_mark, 1, "%s%s%s", y->problem ? y->problem : "this is not YAML",
                y->context ? " " : "", y->context ? y->context : "");
}

static int compose(composer_t *c)
{
    yaml_event_t event;
    int failed = 0;
    while (!failed && !c->done) {
        if (!yaml_parser_parse(&c->parser, &event)) {
            return syntax_error(c);
        }
        failed = take_event(c, &event);
        yaml_event_delete(&event);
    }
    if (!failed && !c->root) {
        return fail(c, c->parser.mark, 1, "the document is empty");
    }
    return failed;
}

json_t *apim_doc_read_yaml(apim_doc_reader_t *reader)
{
    composer_t c = {0};
    int failed;
    c.reader = reader;
    c.frames = calloc((size_t)reader->limits.max_depth + 1, sizeof(*c.frames));
    if (!c.frames || !yaml_parser_initialize(&c.parser)) {
        free(c.frames);
        out_of_memory(&c);
        return NULL;
    }
    apr_pool_create(&c.scratch, reader->p);
    c.anchors = apr_hash_make(c.scratch);
    yaml_parser_set_encoding(&c.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&c.parser, (const unsigned char *)reader->text, reader->len);
    failed = compose(&c);
    yaml_parser_delete(&c.parser);
    apr_pool_destroy(c.scratch);
    free(c.frames);
    free(c.key);
    if (failed) {
        json_decref(c.root);
        return NULL;
    }
    return c.root;
}
