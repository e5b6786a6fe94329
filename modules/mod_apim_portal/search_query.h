/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APIM_PORTAL_SEARCH_QUERY_H
#define APIM_PORTAL_SEARCH_QUERY_H

#include "apim_error.h"

/*
 * The query of the list and search resources: "name:pizza version:1.* status:PUBLISHED tag:food margherita".
 * Conditions are separated by blanks and all must hold. A value with blanks stands in double quotes. `*`
 * matches anything; a value without it matches as a part, except version and status, which match as a whole;
 * a quoted value matches as a whole. A word without a modifier is looked for in name, context, provider,
 * description and tags. api-category: names one of the API's categories, as a whole; doc: is looked for in
 * its documents.
 *
 * The result is patterns for LIKE … ESCAPE '!'; "%" where nothing is asked. Pure: any thread.
 */
#define PO_QUERY_WORDS 4
#define PO_QUERY_TAGS  3

typedef struct po_query_t {
    const char *name, *version, *context, *provider, *status, *description;
    const char *tag[PO_QUERY_TAGS];
    const char *text[PO_QUERY_WORDS];
    const char *category; /* in a list with bars */
    const char *document;
} po_query_t;

/** The parameters of PO_API_FILTER and ST_FILTER: each pattern twice. */
#define PO_PATTERNS(q)                                                                                       \
    (q).name, (q).name, (q).version, (q).version, (q).context, (q).context, (q).provider, (q).provider,      \
        (q).status, (q).status, (q).description, (q).description, (q).tag[0], (q).tag[0], (q).tag[1],        \
        (q).tag[1], (q).tag[2], (q).tag[2], (q).text[0], (q).text[0], (q).text[1], (q).text[1], (q).text[2], \
        (q).text[2], (q).text[3], (q).text[3], (q).category, (q).category, (q).document, (q).document

/** Parses; NULL or "" asks for everything. 400 names an unknown modifier, an open quote, too many words. */
apim_error_t *po_query_parse(apr_pool_t *p, const char *query, po_query_t *out);

/** The value as a LIKE pattern: !, % and _ escaped, * is any text; part: may stand anywhere. */
const char *po_like_pattern(apr_pool_t *p, const char *value, int part);

#endif
