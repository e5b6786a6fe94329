/* SPDX-License-Identifier: Apache-2.0 */
#include "route_table.h"

#include <apr_strings.h>
#include <stdint.h>
#include <string.h>

#include "apim_json.h"

#define MAGIC          0x41505247u /* "APRG" */
#define MAX_SEGMENTS   64
#define MAX_CONTEXT    480 /* LMDB keys have at most 511 bytes */
#define MAX_OPERATIONS 10000
#define OVERFLOW_SIZE  2304

/* Of endpoints that say nothing about it: milliseconds, percent. */
#define SUSPEND_MS     5000
#define SUSPEND_MAX_MS 60000
#define SUSPEND_FACTOR 200

/* Offsets are from the start of the record; 0 is "none" (the header is there). */
typedef uint32_t offset_t;

typedef struct endpoint_r {
    offset_t url, urls, security;
    uint32_t timeout_ms, failover, suspend_ms, suspend_max_ms, suspend_factor, max_calls, max_window;
} endpoint_r;

struct gw_record_t {
    uint32_t magic;
    uint32_t format;
    uint32_t size;
    uint32_t flags;
    uint32_t status;
    uint32_t reserved;
    endpoint_r production, sandbox;
    int64_t revision;
    offset_t id, name, provider, context, version, authorization_header, api_key_header, api_policy,
        cors_origins, cors_headers, cors_methods;
    uint32_t operation_count;
    offset_t operations; /* operation_r[] in the order of the artefact */
    uint32_t node_count;
    offset_t nodes; /* node_r[]; the root first */
    uint32_t padding;
};

typedef struct operation_r {
    offset_t target, verb, policy, scopes;
    uint32_t auth_type;
} operation_r;

/* A node of the tree of segments. Its children stand together in nodes[], literals first and sorted by text,
 * then patterns, then the parameter: so literals are found by binary search and the rest in order of
 * precedence. */
typedef struct node_r {
    offset_t text;        /* literal; or prefix of a pattern */
    offset_t suffix;      /* of a pattern */
    uint32_t kind;        /* node_kind_e */
    uint32_t first_child; /* index */
    uint32_t literals, patterns, params;
    uint32_t first_end, ends;           /* operations that end here: indexes into end list */
    uint32_t first_wildcard, wildcards; /* operations whose template ends with an asterisk here */
} node_r;

enum { LITERAL, PATTERN, PARAMETER };
enum {
    FLAG_OAUTH2 = 1,
    FLAG_API_KEY = 2,
    FLAG_HTTP = 4,
    FLAG_HTTPS = 8,
    FLAG_PASS_CREDENTIALS = 16,
    FLAG_DEFAULT_VERSION = 32,
    FLAG_CORS_CREDENTIALS = 64
};

/* -- compiling
 * ------------------------------------------------------------------------------------------------------- */

/* The tree while it is being built. */
typedef struct tree_t {
    int kind;
    const char *text, *suffix;
    apr_array_header_t *children; /* tree_t * */
    apr_array_header_t *ends;     /* int */
    apr_array_header_t *wildcards;
    uint32_t index;
} tree_t;

typedef struct compiler_t {
    apr_pool_t *pool;
    char *bytes;
    apr_size_t size, room;
    const json_t *artefact;
    tree_t *root;
    uint32_t node_count;
} compiler_t;

static offset_t put(compiler_t *c, const void *data, apr_size_t len, apr_size_t align)
{
    apr_size_t at = (c->size + align - 1) / align * align;
    if (at + len > c->room) {
        apr_size_t room = (at + len) * 2;
        char *grown = apr_pcalloc(c->pool, room);
        memcpy(grown, c->bytes, c->size);
        c->bytes = grown;
        c->room = room;
    }
    if (data) {
        memcpy(c->bytes + at, data, len);
    }
    c->size = at + len;
    return (offset_t)at;
}

static offset_t put_string(compiler_t *c, const char *s)
{
    return s ? put(c, s, strlen(s) + 1, 1) : 0;
}

static tree_t *new_tree(apr_pool_t *p, int kind, const char *text, const char *suffix)
{
    tree_t *t = apr_pcalloc(p, sizeof(*t));
    t->kind = kind;
    t->text = text;
    t->suffix = suffix;
    t->children = apr_array_make(p, 2, sizeof(tree_t *));
    t->ends = apr_array_make(p, 2, sizeof(int));
    t->wildcards = apr_array_make(p, 1, sizeof(int));
    return t;
}

/* Literals by text; then patterns, the one with more fixed text first; then the parameter. */
static int compare_children(const void *av, const void *bv)
{
    const tree_t *a = *(tree_t *const *)av, *b = *(tree_t *const *)bv;
    int order;
    if (a->kind != b->kind) {
        return a->kind - b->kind;
    }
    if (a->kind == PATTERN) {
        order = (int)(strlen(b->text) + strlen(b->suffix)) - (int)(strlen(a->text) + strlen(a->suffix));
        if (order) {
            return order;
        }
    }
    order = strcmp(a->text, b->text);
    return order ? order : strcmp(a->suffix, b->suffix);
}

static tree_t *child_for(compiler_t *c, tree_t *parent, const char *segment, apr_size_t len)
{
    const char *open = memchr(segment, '{', len);
    const char *close = open ? memrchr(segment, '}', len) : NULL;
    const char *text = "", *suffix = "";
    int kind = LITERAL, i;
    tree_t *t;
    if (open && close && close > open) {
        text = apr_pstrmemdup(c->pool, segment, (apr_size_t)(open - segment));
        suffix = apr_pstrmemdup(c->pool, close + 1, (apr_size_t)(segment + len - close - 1));
        kind = *text || *suffix ? PATTERN : PARAMETER;
    }
    else {
        text = apr_pstrmemdup(c->pool, segment, len);
    }
    for (i = 0; i < parent->children->nelts; i++) {
        t = APR_ARRAY_IDX(parent->children, i, tree_t *);
        if (t->kind == kind && strcmp(t->text, text) == 0 && strcmp(t->suffix, suffix) == 0) {
            return t;
        }
    }
    t = new_tree(c->pool, kind, text, suffix);
    APR_ARRAY_PUSH(parent->children, tree_t *) = t;
    c->node_count++;
    return t;
}

static apim_error_t *add_template(compiler_t *c, const char *target, int operation)
{
    tree_t *t = c->root;
    const char *s = target;
    int depth = 0;
    if (*s != '/') {
        return apim_bad_request(c->pool, "operations[%d].target: '%s' must begin with '/'", operation,
                                target);
    }
    while (*s) {
        apr_size_t len;
        s += *s == '/';
        len = strcspn(s, "/");
        if (!len && !s[0]) {
            break; /* a trailing slash says nothing */
        }
        if (++depth > MAX_SEGMENTS) {
            return apim_bad_request(c->pool, "operations[%d].target: more than %d segments", operation,
                                    MAX_SEGMENTS);
        }
        if (len == 1 && *s == '*' && !s[1]) {
            APR_ARRAY_PUSH(t->wildcards, int) = operation;
            return NULL;
        }
        t = child_for(c, t, s, len);
        s += len;
    }
    APR_ARRAY_PUSH(t->ends, int) = operation;
    return NULL;
}

static uint32_t auth_type_of(const char *text)
{
    if (strcmp(text, "None") == 0) {
        return GW_AUTH_NONE;
    }
    if (strcmp(text, "Application") == 0) {
        return GW_AUTH_APPLICATION;
    }
    /* Any other text, known or not, must not open a resource: it asks for some token. */
    return strcmp(text, "Application User") == 0 ? GW_AUTH_USER : GW_AUTH_ANY;
}

static const char *joined_scopes(apr_pool_t *p, const json_t *scopes)
{
    const char *out = "";
    size_t i;
    for (i = 0; i < json_array_size(scopes); i++) {
        const char *scope = json_string_value(json_array_get(scopes, i));
        if (scope && *scope) {
            out = apr_pstrcat(p, out, *out ? " " : "", scope, NULL);
        }
    }
    return out;
}

static apim_error_t *put_operations(compiler_t *c, uint32_t *count, offset_t *at)
{
    const json_t *operations = json_object_get(c->artefact, "operations");
    size_t n = json_array_size(operations), i;
    operation_r *list = apr_pcalloc(c->pool, sizeof(*list) * (n + 1));
    if (n > MAX_OPERATIONS) {
        return apim_bad_request(c->pool, "operations: at most %d are served", MAX_OPERATIONS);
    }
    for (i = 0; i < n; i++) {
        const json_t *op = json_array_get(operations, i);
        const char *target = apim_json_str(op, "target", NULL), *verb = apim_json_str(op, "verb", NULL);
        if (!target || !verb) {
            return apim_bad_request(c->pool, "operations[%d]: target and verb are needed", (int)i);
        }
        APIM_TRY(add_template(c, target, (int)i));
        list[i].target = put_string(c, target);
        list[i].verb = put_string(c, verb);
        list[i].policy = put_string(c, apim_json_str(op, "throttlingPolicy", "Unlimited"));
        list[i].scopes = put_string(c, joined_scopes(c->pool, json_object_get(op, "scopes")));
        list[i].auth_type = auth_type_of(apim_json_str(op, "authType", ""));
    }
    *count = (uint32_t)n;
    *at = put(c, list, sizeof(*list) * n, 8);
    return NULL;
}

static uint32_t put_indexes(compiler_t *c, const apr_array_header_t *list)
{
    return list->nelts ? put(c, list->elts, sizeof(int) * (apr_size_t)list->nelts, 4) : 0;
}

/* Breadth first, so that the children of a node stand together. */
static offset_t put_nodes(compiler_t *c)
{
    tree_t **queue = apr_pcalloc(c->pool, sizeof(*queue) * (c->node_count + 1));
    node_r *nodes = apr_pcalloc(c->pool, sizeof(*nodes) * (c->node_count + 1));
    uint32_t head, tail = 1;
    int i;
    queue[0] = c->root;
    for (head = 0; head < tail; head++) {
        tree_t *t = queue[head];
        node_r *n = &nodes[head];
        n->text = put_string(c, t->text);
        n->suffix = put_string(c, t->suffix);
        n->kind = (uint32_t)t->kind;
        n->first_child = tail;
        n->first_end = put_indexes(c, t->ends);
        n->ends = (uint32_t)t->ends->nelts;
        n->first_wildcard = put_indexes(c, t->wildcards);
        n->wildcards = (uint32_t)t->wildcards->nelts;
        qsort(t->children->elts, (size_t)t->children->nelts, sizeof(tree_t *), compare_children);
        for (i = 0; i < t->children->nelts; i++) {
            tree_t *child = APR_ARRAY_IDX(t->children, i, tree_t *);
            n->literals += child->kind == LITERAL;
            n->patterns += child->kind == PATTERN;
            n->params += child->kind == PARAMETER;
            queue[tail++] = child;
        }
    }
    return put(c, nodes, sizeof(*nodes) * c->node_count, 8);
}

static int array_has(const json_t *array, const char *word, int fallback)
{
    size_t i;
    if (!json_is_array(array)) {
        return fallback;
    }
    for (i = 0; i < json_array_size(array); i++) {
        const char *s = json_string_value(json_array_get(array, i));
        if (s && strcasecmp(s, word) == 0) {
            return 1;
        }
    }
    return 0;
}

static uint32_t flags_of(const json_t *a)
{
    const json_t *security = json_object_get(a, "securityScheme"),
                 *transport = json_object_get(a, "transport");
    return (array_has(security, "oauth2", 1) ? FLAG_OAUTH2 : 0u) |
           (array_has(security, "api_key", 0) ? FLAG_API_KEY : 0u) |
           (array_has(transport, "http", 1) ? FLAG_HTTP : 0u) |
           (array_has(transport, "https", 1) ? FLAG_HTTPS : 0u) |
           (apim_json_bool(a, "passCredentials", 0) ? FLAG_PASS_CREDENTIALS : 0u) |
           (apim_json_bool(a, "isDefaultVersion", 0) ? FLAG_DEFAULT_VERSION : 0u);
}

static apim_error_t *status_of(apr_pool_t *p, const char *text, uint32_t *status)
{
    static const char *const names[] = {"PUBLISHED", "PROTOTYPED", "BLOCKED", "DEPRECATED"};
    uint32_t i;
    for (i = 0; i < 4; i++) {
        if (strcmp(text, names[i]) == 0) {
            *status = i;
            return NULL;
        }
    }
    return apim_bad_request(p, "status: '%s' is not deployed", text);
}

static apim_error_t *check_context(apr_pool_t *p, const char *name, const char *context)
{
    apr_size_t len = strlen(context);
    if (*context != '/' || len < 2 || len > MAX_CONTEXT || context[len - 1] == '/' || strstr(context, "//") ||
        gw_path_depth(context) > 31) {
        return apim_bad_request(p, "%s: '%s' is not a usable context", name, context);
    }
    return NULL;
}

/* Where the API answers: its context, and for the default version the template without the version. */
static apim_error_t *contexts_of(apr_pool_t *p, const json_t *a, apr_array_header_t **contexts)
{
    const char *context = apim_json_str(a, "context", "");
    const char *template = apim_json_str(a, "contextTemplate", "");
    *contexts = apr_array_make(p, 2, sizeof(const char *));
    APIM_TRY(check_context(p, "context", context));
    APR_ARRAY_PUSH(*contexts, const char *) = context;
    if (apim_json_bool(a, "isDefaultVersion", 0) && *template) {
        const char *mark = strstr(template, "/{version}");
        const char *plain =
            mark ? apr_pstrcat(p, apr_pstrmemdup(p, template, (apr_size_t)(mark - template)), mark + 10, NULL)
                 : template;
        if (strcmp(plain, context) != 0) {
            APIM_TRY(check_context(p, "contextTemplate", plain));
            APR_ARRAY_PUSH(*contexts, const char *) = plain;
        }
    }
    return NULL;
}

static uint32_t number_in(const json_t *object, const char *name, apr_int64_t max, uint32_t fallback)
{
    apr_int64_t n = apim_json_int(object, name, 0);
    return n > 0 && n <= max ? (uint32_t)n : fallback;
}

/* The URLs of a group, a line each; "" if there are none. */
static const char *lines(apr_pool_t *p, const json_t *urls)
{
    const char *out = "";
    size_t i;
    for (i = 0; i < json_array_size(urls); i++) {
        const char *url = json_string_value(json_array_get(urls, i));
        if (url && *url && !strpbrk(url, "\r\n")) {
            out = apr_pstrcat(p, out, *out ? "\n" : "", url, NULL);
        }
    }
    return out;
}

static void put_endpoint(compiler_t *c, const char *kind, endpoint_r *out)
{
    const json_t *endpoint = json_object_get(json_object_get(c->artefact, "endpoints"), kind);
    const json_t *suspend = json_object_get(endpoint, "suspend"),
                 *maximum = json_object_get(endpoint, "maxCalls");
    const char *url = apim_json_str(endpoint, "url", NULL);
    const char *urls = lines(c->pool, json_object_get(endpoint, "urls"));
    if (!url || !*url) {
        return;
    }
    out->url = put_string(c, url);
    out->urls = *urls ? put_string(c, urls) : suspend ? out->url : 0;
    if (json_is_object(json_object_get(endpoint, "security"))) {
        out->security = put_string(c, apim_json_text(c->pool, json_object_get(endpoint, "security")));
    }
    out->timeout_ms = number_in(endpoint, "timeoutMs", 3600000, 0);
    out->failover = strcmp(apim_json_str(endpoint, "algorithm", ""), "failover") == 0;
    out->max_calls = number_in(maximum, "count", 2000000000, 0);
    out->max_window = number_in(maximum, "seconds", 86400, 1);
    out->suspend_ms = number_in(suspend, "firstMs", 86400000, SUSPEND_MS);
    out->suspend_max_ms = number_in(suspend, "longestMs", 86400000, SUSPEND_MAX_MS);
    out->suspend_factor = number_in(suspend, "factor", 10000, SUSPEND_FACTOR);
}

/* The words of an array, blank-separated; what could not stand in a header is left out. fallback if there is
 * no array. */
static const char *joined_words(apr_pool_t *p, const json_t *array, const char *fallback)
{
    const char *out = json_is_array(array) ? "" : fallback;
    size_t i;
    for (i = 0; i < json_array_size(array); i++) {
        const char *s = json_string_value(json_array_get(array, i)), *c = s;
        while (c && *c > ' ' && *c < 127 && *c != ',') {
            c++;
        }
        if (s && *s && !*c) {
            out = apr_pstrcat(p, out, *out ? " " : "", s, NULL);
        }
    }
    return out;
}

static void put_cors(compiler_t *c, gw_record_t *h)
{
    const json_t *cors = json_object_get(c->artefact, "corsConfiguration");
    if (!apim_json_bool(cors, "corsConfigurationEnabled", 0)) {
        return;
    }
    h->cors_origins =
        put_string(c, joined_words(c->pool, json_object_get(cors, "accessControlAllowOrigins"), "*"));
    h->cors_headers = put_string(c, joined_words(c->pool, json_object_get(cors, "accessControlAllowHeaders"),
                                                 GW_CORS_DEFAULT_HEADERS));
    h->cors_methods = put_string(c, joined_words(c->pool, json_object_get(cors, "accessControlAllowMethods"),
                                                 GW_CORS_DEFAULT_METHODS));
    h->flags |= apim_json_bool(cors, "accessControlAllowCredentials", 0) ? FLAG_CORS_CREDENTIALS : 0u;
}

apim_error_t *gw_record_compile(apr_pool_t *p, const json_t *artefact, const gw_record_t **record,
                                apr_size_t *size, apr_array_header_t **contexts)
{
    compiler_t c = {.pool = p, .artefact = artefact, .node_count = 1, .room = 4096};
    gw_record_t h = {.magic = MAGIC, .format = GW_RECORD_FORMAT};
    const char *policy = apim_json_str(artefact, "apiThrottlingPolicy", NULL);
    c.bytes = apr_pcalloc(p, c.room);
    c.root = new_tree(p, LITERAL, "", "");
    put(&c, NULL, sizeof(h), 8);
    APIM_TRY(contexts_of(p, artefact, contexts));
    APIM_TRY(status_of(p, apim_json_str(artefact, "status", ""), &h.status));
    if (!apim_json_str(artefact, "id", NULL)) {
        return apim_bad_request(p, "id is needed");
    }
    h.flags = flags_of(artefact);
    h.revision = apim_json_int(artefact, "revision", 0);
    h.id = put_string(&c, apim_json_str(artefact, "id", ""));
    h.name = put_string(&c, apim_json_str(artefact, "name", ""));
    h.provider = put_string(&c, apim_json_str(artefact, "provider", ""));
    h.context = put_string(&c, apim_json_str(artefact, "context", ""));
    h.version = put_string(&c, apim_json_str(artefact, "version", ""));
    h.authorization_header = put_string(&c, apim_json_str(artefact, "authorizationHeader", "Authorization"));
    h.api_key_header = put_string(&c, apim_json_str(artefact, "apiKeyHeader", "apikey"));
    h.api_policy = policy && *policy ? put_string(&c, policy) : 0;
    put_cors(&c, &h);
    put_endpoint(&c, "production", &h.production);
    put_endpoint(&c, "sandbox", &h.sandbox);
    APIM_TRY(put_operations(&c, &h.operation_count, &h.operations));
    h.node_count = c.node_count;
    h.nodes = put_nodes(&c);
    /* LMDB aligns a value to 8 bytes only on overflow pages of its own, which it uses for values of about
     * half a page. */
    put(&c, NULL, c.size < OVERFLOW_SIZE ? OVERFLOW_SIZE - c.size : 0, 1);
    put(&c, "", 1, 1); /* the last byte is NUL: every string that starts inside ends inside */
    h.size = (uint32_t)c.size;
    memcpy(c.bytes, &h, sizeof(h));
    *record = (const gw_record_t *)(const void *)c.bytes;
    *size = c.size;
    return NULL;
}

/* -- checking
 * -------------------------------------------------------------------------------------------------------- */

static int range_ok(const gw_record_t *r, offset_t at, apr_uint64_t count, apr_size_t each)
{
    return at <= r->size && count * each <= r->size - at;
}

static int node_ok(const gw_record_t *r, const node_r *n)
{
    apr_uint64_t children = (apr_uint64_t)n->literals + n->patterns + n->params;
    return n->text && n->text < r->size && n->suffix && n->suffix < r->size && n->params <= 1 &&
           n->first_child + children <= r->node_count && range_ok(r, n->first_end, n->ends, sizeof(int)) &&
           range_ok(r, n->first_wildcard, n->wildcards, sizeof(int)) && n->first_end % 4 == 0 &&
           n->first_wildcard % 4 == 0;
}

static const node_r *nodes_of(const gw_record_t *r)
{
    return (const node_r *)(const void *)((const char *)r + r->nodes);
}

static const operation_r *operations_of(const gw_record_t *r)
{
    return (const operation_r *)(const void *)((const char *)r + r->operations);
}

static const int *indexes_at(const gw_record_t *r, offset_t at)
{
    return (const int *)(const void *)((const char *)r + at);
}

static int indexes_ok(const gw_record_t *r, offset_t at, uint32_t count)
{
    uint32_t i;
    for (i = 0; i < count; i++) {
        int index = indexes_at(r, at)[i];
        if (index < 0 || (uint32_t)index >= r->operation_count) {
            return 0;
        }
    }
    return 1;
}

int gw_record_ours(const void *bytes, apr_size_t size)
{
    const gw_record_t *r = bytes;
    return size >= sizeof(*r) && !((uintptr_t)bytes & 7) && r->magic == MAGIC &&
           r->format == GW_RECORD_FORMAT && r->size == size;
}

int gw_record_valid(const void *bytes, apr_size_t size)
{
    const gw_record_t *r = bytes;
    uint32_t i;
    if (!gw_record_ours(bytes, size) || ((const char *)bytes)[size - 1] || r->status > GW_DEPRECATED ||
        !r->node_count || r->nodes % 8 || r->operations % 8 ||
        !range_ok(r, r->nodes, r->node_count, sizeof(node_r)) ||
        !range_ok(r, r->operations, r->operation_count, sizeof(operation_r))) {
        return 0;
    }
    if (r->id >= size || r->name >= size || r->provider >= size || r->context >= size || r->version >= size ||
        r->authorization_header >= size || r->api_key_header >= size || r->api_policy >= size ||
        r->production.url >= size || r->production.urls >= size || r->production.security >= size ||
        r->sandbox.security >= size || r->sandbox.url >= size || r->sandbox.urls >= size ||
        r->cors_origins >= size || r->cors_headers >= size || r->cors_methods >= size) {
        return 0;
    }
    for (i = 0; i < r->operation_count; i++) {
        const operation_r *op = &operations_of(r)[i];
        if (op->target >= size || op->verb >= size || op->policy >= size || op->scopes >= size ||
            op->auth_type > GW_AUTH_ANY) {
            return 0;
        }
    }
    for (i = 0; i < r->node_count; i++) {
        const node_r *n = &nodes_of(r)[i];
        if (!node_ok(r, n) || !indexes_ok(r, n->first_end, n->ends) ||
            !indexes_ok(r, n->first_wildcard, n->wildcards) ||
            (n->literals + n->patterns + n->params && n->first_child <= i)) {
            return 0;
        }
    }
    return 1;
}

/* -- matching
 * -------------------------------------------------------------------------------------------------------- */

static const char *string_at(const gw_record_t *r, offset_t at)
{
    return (const char *)r + at;
}

typedef struct matcher_t {
    const gw_record_t *record;
    const char *method;
    struct {
        const char *s;
        apr_size_t len;
    } segment[MAX_SEGMENTS];
    int segments;
    int truncated; /* the path has more segments than any template */
    int allow[32];
    int allow_count;
    int found; /* operation, -1 */
} matcher_t;

/* Looks for the verb among the operations of a matching template. HEAD is answered by GET where it is not
 * declared. */
static int try_operations(matcher_t *m, offset_t list, uint32_t count)
{
    int fallback = -1;
    uint32_t i;
    for (i = 0; i < count; i++) {
        int index = indexes_at(m->record, list)[i];
        const char *verb = string_at(m->record, operations_of(m->record)[index].verb);
        if (strcmp(verb, m->method) == 0) {
            m->found = index;
            return 1;
        }
        if (strcmp(verb, "GET") == 0 && strcmp(m->method, "HEAD") == 0) {
            fallback = index;
        }
        if (m->allow_count < (int)(sizeof(m->allow) / sizeof(m->allow[0]))) {
            m->allow[m->allow_count++] = index;
        }
    }
    if (fallback >= 0) {
        m->found = fallback;
    }
    return fallback >= 0;
}

static int compare_segment(const gw_record_t *r, const node_r *n, const char *s, apr_size_t len)
{
    const char *text = string_at(r, n->text);
    int order = strncmp(text, s, len);
    return order ? order : text[len] ? 1 : 0;
}

static const node_r *find_literal(const matcher_t *m, const node_r *n, int depth)
{
    const node_r *children = nodes_of(m->record) + n->first_child;
    uint32_t low = 0, high = n->literals;
    while (low < high) {
        uint32_t mid = (low + high) / 2;
        int order = compare_segment(m->record, &children[mid], m->segment[depth].s, m->segment[depth].len);
        if (!order) {
            return &children[mid];
        }
        if (order < 0) {
            low = mid + 1;
        }
        else {
            high = mid;
        }
    }
    return NULL;
}

/* A pattern's parameter takes at least one character. */
static int pattern_fits(const matcher_t *m, const node_r *n, int depth)
{
    const char *prefix = string_at(m->record, n->text), *suffix = string_at(m->record, n->suffix);
    apr_size_t plen = strlen(prefix), slen = strlen(suffix), len = m->segment[depth].len;
    const char *s = m->segment[depth].s;
    return len > plen + slen && memcmp(s, prefix, plen) == 0 && memcmp(s + len - slen, suffix, slen) == 0;
}

/* Depth first in order of precedence. Each node of the tree is reached by one path only, so the work is
 * bounded by the tree. */
static int descend(matcher_t *m, const node_r *n, int depth)
{
    const node_r *child;
    uint32_t i;
    if (depth == m->segments && !m->truncated) {
        if (try_operations(m, n->first_end, n->ends)) {
            return 1;
        }
    }
    else if (depth < m->segments) {
        child = find_literal(m, n, depth);
        if (child && descend(m, child, depth + 1)) {
            return 1;
        }
        child = nodes_of(m->record) + n->first_child + n->literals;
        for (i = 0; i < n->patterns; i++) {
            if (pattern_fits(m, &child[i], depth) && descend(m, &child[i], depth + 1)) {
                return 1;
            }
        }
        if (n->params && descend(m, &child[n->patterns], depth + 1)) {
            return 1;
        }
    }
    return try_operations(m, n->first_wildcard, n->wildcards);
}

static void split_path(matcher_t *m, const char *path)
{
    while (*path) {
        apr_size_t len;
        path += *path == '/';
        len = strcspn(path, "/");
        if (!len && !*path) {
            return;
        }
        if (m->segments == MAX_SEGMENTS) {
            m->truncated = 1;
            return;
        }
        m->segment[m->segments].s = path;
        m->segment[m->segments++].len = len;
        path += len;
    }
}

static const char *allow_list(apr_pool_t *p, const matcher_t *m)
{
    const char *allow = "";
    int i, j;
    for (i = 0; i < m->allow_count; i++) {
        const char *verb = string_at(m->record, operations_of(m->record)[m->allow[i]].verb);
        for (j = 0; j < i; j++) {
            if (strcmp(verb, string_at(m->record, operations_of(m->record)[m->allow[j]].verb)) == 0) {
                break;
            }
        }
        if (j == i) {
            allow = apr_pstrcat(p, allow, *allow ? ", " : "", verb, NULL);
        }
    }
    return allow;
}

static gw_operation_t *copy_operation(apr_pool_t *p, const gw_record_t *r, uint32_t index)
{
    const operation_r *from = &operations_of(r)[index];
    gw_operation_t *to = apr_palloc(p, sizeof(*to));
    to->target = apr_pstrdup(p, string_at(r, from->target));
    to->verb = apr_pstrdup(p, string_at(r, from->verb));
    to->policy = apr_pstrdup(p, string_at(r, from->policy));
    to->scopes = apr_pstrdup(p, string_at(r, from->scopes));
    to->auth_type = (gw_auth_type_e)from->auth_type;
    return to;
}

gw_match_e gw_record_match(apr_pool_t *p, const gw_record_t *record, const char *method, const char *path,
                           gw_operation_t **operation, const char **allow)
{
    matcher_t m;
    m.record = record;
    m.method = method;
    m.segments = m.truncated = m.allow_count = 0;
    m.found = -1;
    split_path(&m, path);
    if (descend(&m, nodes_of(record), 0)) {
        *operation = copy_operation(p, record, (uint32_t)m.found);
        return GW_MATCH_FOUND;
    }
    if (m.allow_count) {
        *allow = allow_list(p, &m);
        return GW_MATCH_NO_VERB;
    }
    return GW_MATCH_NO_RESOURCE;
}

static void copy_endpoint(apr_pool_t *p, const gw_record_t *r, const endpoint_r *from, gw_endpoint_t *to)
{
    to->url = from->url ? apr_pstrdup(p, string_at(r, from->url)) : NULL;
    to->urls = from->urls ? apr_pstrdup(p, string_at(r, from->urls)) : NULL;
    to->security = from->security ? apr_pstrdup(p, string_at(r, from->security)) : NULL;
    to->timeout_ms = (int)from->timeout_ms;
    to->failover = (int)from->failover;
    to->suspend_ms = (int)from->suspend_ms;
    to->suspend_max_ms = (int)from->suspend_max_ms;
    to->suspend_factor = (int)from->suspend_factor;
    to->max_calls = from->max_calls;
    to->max_window = (int)from->max_window;
}

static const gw_cors_t *copy_cors(apr_pool_t *p, const gw_record_t *r)
{
    gw_cors_t *cors = apr_palloc(p, sizeof(*cors));
    cors->origins = apr_pstrdup(p, string_at(r, r->cors_origins));
    cors->headers = apr_pstrdup(p, string_at(r, r->cors_headers));
    cors->methods = apr_pstrdup(p, string_at(r, r->cors_methods));
    cors->credentials = (r->flags & FLAG_CORS_CREDENTIALS) != 0;
    return cors;
}

gw_api_t *gw_record_api(apr_pool_t *p, const gw_record_t *r)
{
    gw_api_t *api = apr_pcalloc(p, sizeof(*api));
    api->id = apr_pstrdup(p, string_at(r, r->id));
    api->name = apr_pstrdup(p, string_at(r, r->name));
    api->provider = apr_pstrdup(p, string_at(r, r->provider));
    api->context = apr_pstrdup(p, string_at(r, r->context));
    api->version = apr_pstrdup(p, string_at(r, r->version));
    api->authorization_header = apr_pstrdup(p, string_at(r, r->authorization_header));
    api->api_key_header = apr_pstrdup(p, string_at(r, r->api_key_header));
    api->api_policy = r->api_policy ? apr_pstrdup(p, string_at(r, r->api_policy)) : NULL;
    copy_endpoint(p, r, &r->production, &api->production);
    copy_endpoint(p, r, &r->sandbox, &api->sandbox);
    api->cors = r->cors_origins ? copy_cors(p, r) : NULL;
    api->status = (gw_api_status_e)r->status;
    api->allows_oauth2 = (r->flags & FLAG_OAUTH2) != 0;
    api->allows_api_key = (r->flags & FLAG_API_KEY) != 0;
    api->transport_http = (r->flags & FLAG_HTTP) != 0;
    api->transport_https = (r->flags & FLAG_HTTPS) != 0;
    api->pass_credentials = (r->flags & FLAG_PASS_CREDENTIALS) != 0;
    api->is_default_version = (r->flags & FLAG_DEFAULT_VERSION) != 0;
    api->revision = r->revision;
    return api;
}

void gw_record_operations(apr_pool_t *p, const gw_record_t *record,
                          void (*fn)(void *, const gw_operation_t *), void *baton)
{
    uint32_t i;
    for (i = 0; i < record->operation_count; i++) {
        fn(baton, copy_operation(p, record, i));
    }
}

int gw_path_depth(const char *path)
{
    int depth = 0;
    for (; *path; path++) {
        depth += path[0] == '/' && path[1] && path[1] != '/';
    }
    return depth;
}
