/* SPDX-License-Identifier: Apache-2.0 */
#include "search_query.h"

#include <apr_strings.h>
#include <string.h>

#include "apim_text.h"

#define MAX_QUERY 1000

const char *po_like_pattern(apr_pool_t *p, const char *value, int part)
{
    char *out = apr_palloc(p, strlen(value) * 2 + 3), *o = out;
    part = part && !strchr(value, '*');
    if (part) {
        *o++ = '%';
    }
    for (; *value; value++) {
        if (strchr("!%_", *value)) {
            *o++ = '!';
        }
        *o++ = *value == '*' ? '%' : *value;
    }
    if (part) {
        *o++ = '%';
    }
    *o = '\0';
    return out;
}

/* One condition as cut out of the query. */
typedef struct term_t {
    const char *modifier; /* NULL: a plain word */
    const char *value;
    int quoted;
} term_t;

static apim_error_t *next_term(apr_pool_t *p, const char **cursor, term_t *term)
{
    const char *s = *cursor;
    apr_size_t n = strcspn(s, " :\"");
    term->modifier = term->value = NULL;
    if (s[n] == ':' && n) {
        term->modifier = apr_pstrmemdup(p, s, n);
        s += n + 1;
    }
    term->quoted = *s == '"';
    if (term->quoted) {
        n = strcspn(++s, "\"");
        if (!s[n]) {
            return apim_bad_request(p, "The query has a double quote that is never closed.");
        }
    }
    else {
        n = strcspn(s, " ");
    }
    term->value = apr_pstrmemdup(p, s, n);
    *cursor = s + n + term->quoted;
    return NULL;
}

/* Takes the first free slot; 400 if there is none. */
static apim_error_t *take_slot(apr_pool_t *p, const char **slots, int count, const char *what,
                               const char *pattern)
{
    int i;
    for (i = 0; i < count; i++) {
        if (strcmp(slots[i], "%") == 0) {
            slots[i] = pattern;
            return NULL;
        }
    }
    return apim_bad_request(p, "The query has more than %d %s.", count, what);
}

static const char **slot_of_modifier(po_query_t *q, const char *modifier, int *whole)
{
    const struct {
        const char *name;
        const char **slot;
        int whole;
    } known[] = {{"name", &q->name, 0},
                 {"version", &q->version, 1},
                 {"context", &q->context, 0},
                 {"provider", &q->provider, 0},
                 {"status", &q->status, 1},
                 {"lcState", &q->status, 1},
                 {"description", &q->description, 0},
                 {"doc", &q->document, 0}};
    apr_size_t i;
    for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (strcasecmp(modifier, known[i].name) == 0) {
            *whole = known[i].whole;
            return known[i].slot;
        }
    }
    return NULL;
}

static apim_error_t *add_term(apr_pool_t *p, po_query_t *q, const term_t *term)
{
    const char **slot;
    int whole = 0;
    if (!*term->value) {
        return term->modifier ? apim_bad_request(p, "The query has no value after %s:.", term->modifier)
                              : NULL;
    }
    if (!term->modifier || strcasecmp(term->modifier, "content") == 0) {
        return take_slot(p, q->text, PO_QUERY_WORDS, "plain words", po_like_pattern(p, term->value, 1));
    }
    if (strcasecmp(term->modifier, "tag") == 0 || strcasecmp(term->modifier, "tags") == 0) {
        const char *pattern = apr_pstrcat(p, "%|", po_like_pattern(p, term->value, 0), "|%", NULL);
        return take_slot(p, q->tag, PO_QUERY_TAGS, "tags", pattern);
    }
    if (strcasecmp(term->modifier, "api-category") == 0) {
        const char *pattern = apr_pstrcat(p, "%|", po_like_pattern(p, term->value, 0), "|%", NULL);
        return take_slot(p, &q->category, 1, "condition on api-category", pattern);
    }
    slot = slot_of_modifier(q, term->modifier, &whole);
    if (!slot) {
        return apim_bad_request(
            p,
            "The query has an unknown modifier '%s'; known are name, version, context, provider, "
            "status, tag, description, api-category and doc.",
            term->modifier);
    }
    return take_slot(p, slot, 1, apr_pstrcat(p, "condition on ", term->modifier, NULL),
                     po_like_pattern(p, term->value, !term->quoted && !whole));
}

apim_error_t *po_query_parse(apr_pool_t *p, const char *query, po_query_t *q)
{
    int i;
    q->name = q->version = q->context = q->provider = q->status = q->description = "%";
    q->category = q->document = "%";
    for (i = 0; i < PO_QUERY_TAGS; i++) {
        q->tag[i] = "%";
    }
    for (i = 0; i < PO_QUERY_WORDS; i++) {
        q->text[i] = "%";
    }
    if (!query) {
        return NULL;
    }
    if (strlen(query) > MAX_QUERY || apim_has_control(query, NULL)) {
        return apim_bad_request(p, "The query must have at most %d characters and no control characters.",
                                MAX_QUERY);
    }
    for (query += strspn(query, " "); *query; query += strspn(query, " ")) {
        term_t term = {0};
        APIM_TRY(next_term(p, &query, &term));
        APIM_TRY(add_term(p, q, &term));
    }
    return NULL;
}
