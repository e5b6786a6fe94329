/* SPDX-License-Identifier: Apache-2.0 */
#include "resource_target.h"

#include <apr_strings.h>
#include <apr_uri.h>
#include <string.h>

#include "apim_text.h"
#include "client_store.h"
#include "httpd/db_pool.h"
#include "keymgr_sql.h"
#include "oauth_error.h"

#define MAX_TARGETS  16
#define MAX_LENGTH   2000 /* of all of them: they have to fit into a JWT */
#define MAX_SEGMENTS 8    /* of a path that is looked for among the contexts of APIs */

static apr_array_header_t *words_of(apr_pool_t *p, const char *list)
{
    apr_array_header_t *words = apr_array_make(p, 4, sizeof(const char *));
    char *state, *word, *copy = apr_pstrdup(p, list ? list : "");
    for (word = apr_strtok(copy, " ", &state); word; word = apr_strtok(NULL, " ", &state)) {
        APR_ARRAY_PUSH(words, const char *) = word;
    }
    return words;
}

/* -- URLs
 * ----------------------------------------------------------------------------------------------------------
 */

/* What follows base in uri: "" or "/…"; NULL if uri does not lie below it. A closing slash of base counts for
 * nothing. */
static const char *below(const char *base, const char *uri)
{
    apr_size_t n = strlen(base);
    n -= n && base[n - 1] == '/';
    return n && strncmp(uri, base, n) == 0 && (!uri[n] || uri[n] == '/') ? uri + n : NULL;
}

static int same(const char *a, const char *b)
{
    const char *rest = below(a, b);
    return rest && (!*rest || strcmp(rest, "/") == 0);
}

/* The i-th URL that gateways are known by, NULL past the end. */
static const char *base_url(const km_call_t *call, int i)
{
    const apr_array_header_t *urls = call->conf->resources;
    int own = urls ? urls->nelts : 0;
    if (i < own) {
        return APR_ARRAY_IDX(urls, i, const char *);
    }
    return i == own ? km_audience(call) : i == own + 1 ? km_issuer(call) : NULL;
}

static int is_whole(const km_call_t *call, const char *word)
{
    return same(km_audience(call), word) || same(km_issuer(call), word);
}

/* -- what is asked for
 * ----------------------------------------------------------------------------------------------- */

static apim_error_t *invalid(const km_call_t *call, const char *text)
{
    return km_oauth_error(call->pool, HTTP_BAD_REQUEST, "invalid_target", "%s", text);
}

/* An absolute URI without fragment or query (RFC 8707 section 2). */
static int is_url(apr_pool_t *p, const char *text)
{
    apr_uri_t uri;
    return !strpbrk(text, " #?\"\\<>") && apr_uri_parse(p, text, &uri) == APR_SUCCESS && uri.scheme &&
           uri.hostname && *uri.hostname && !uri.user;
}

/* 1 if path, or what is left of it without its last segments, is the context of an API. */
static apim_error_t *in_context(const km_call_t *call, apim_db_t *db, const char *path, int *found)
{
    char *context = apr_pstrdup(call->pool, path), *slash = context + strlen(context);
    apim_rows_t *rows;
    int i;
    *found = 0;
    for (i = 0; i < MAX_SEGMENTS && slash && slash != context && !*found; i++) {
        *slash = '\0';
        APIM_TRY(apim_db_select(db, call->pool, &km_api_context, &rows, APIM_ARGS(context)));
        *found = rows->count != 0;
        slash = strrchr(context, '/');
    }
    return NULL;
}

static apim_error_t *is_api(const km_call_t *call, const char *path, int *found)
{
    apim_error_t *err;
    apim_db_t *db;
    APIM_TRY(apim_db_open(call->pool, &call->conf->common, APIM_DB_API_MANAGER, &db));
    err = in_context(call, db, path, found);
    apim_db_close(db);
    return err;
}

static apim_error_t *is_client(const km_call_t *call, const char *key, int *found)
{
    km_client_t *client = NULL;
    apim_error_t *err;
    apim_db_t *db;
    APIM_TRY(apim_db_open(call->pool, &call->conf->common, APIM_DB_API_MANAGER, &db));
    err = km_client_find(call->pool, db, key, &client);
    apim_db_close(db);
    *found = client != NULL;
    return err;
}

static apim_error_t *is_known(const km_call_t *call, const char *target, int *known)
{
    const char *base;
    int i;
    *known = is_whole(call, target);
    for (i = 0; !*known && (base = base_url(call, i)) != NULL; i++) {
        const char *path = below(base, target);
        if (path && (!*path || strcmp(path, "/") == 0)) {
            *known = 1;
        }
        else if (path) {
            APIM_TRY(is_api(call, path, known));
        }
    }
    return NULL;
}

static apim_error_t *add(const km_call_t *call, const char *value, int by_name, const char **list)
{
    int known = 0;
    if (!*value) {
        return NULL; /* counts as absent */
    }
    if (strlen(value) > MAX_LENGTH || apim_has_control(value, NULL)) {
        return invalid(call, "A target is too long or holds characters that a URI cannot have.");
    }
    if (by_name && km_is_consumer_key(value)) {
        APIM_TRY(is_client(call, value, &known));
    }
    else if (is_url(call->pool, value) || (by_name && strcmp(value, km_audience(call)) == 0)) {
        APIM_TRY(is_known(call, value, &known));
    }
    else if (!by_name) {
        return invalid(call, "resource must be an absolute URI without query and fragment.");
    }
    if (!known) {
        return invalid(call, "No gateway, API or client is known here by the name of a target.");
    }
    if (!apim_word_in_list(value, *list)) {
        *list = apr_pstrcat(call->pool, *list, **list ? " " : "", value, NULL);
    }
    return strlen(*list) <= MAX_LENGTH ? NULL : invalid(call, "The targets are too long together.");
}

apim_error_t *km_targets_read(const km_call_t *call, const apr_table_t *params, km_target_e kind,
                              const char **out)
{
    const apr_array_header_t *pairs = apr_table_elts(params);
    const char *list = "";
    int i, count = 0;
    for (i = 0; i < pairs->nelts; i++) {
        const apr_table_entry_t *pair = &APR_ARRAY_IDX(pairs, i, apr_table_entry_t);
        int by_name = kind == KM_TARGET_ANY && strcmp(pair->key, "audience") == 0;
        if (!by_name && strcmp(pair->key, "resource") != 0) {
            continue;
        }
        if (++count > MAX_TARGETS) {
            return invalid(call, "More than 16 targets are asked for.");
        }
        APIM_TRY(add(call, pair->val, by_name, &list));
    }
    *out = *list ? list : NULL;
    return NULL;
}

/* -- what is granted
 * ------------------------------------------------------------------------------------------------- */

static int is_within(const km_call_t *call, const char *word, const apr_array_header_t *granted)
{
    int i;
    for (i = 0; i < granted->nelts; i++) {
        const char *one = APR_ARRAY_IDX(granted, i, const char *);
        if (strcmp(one, word) == 0 || below(one, word) ||
            (is_whole(call, one) && !km_is_consumer_key(word))) {
            return 1;
        }
    }
    return 0;
}

apim_error_t *km_targets_narrow(const km_call_t *call, const char *granted, const char *wanted,
                                const char **out)
{
    apr_array_header_t *words = words_of(call->pool, wanted), *had = words_of(call->pool, granted);
    int i;
    for (i = 0; granted && i < words->nelts; i++) {
        if (!is_within(call, APR_ARRAY_IDX(words, i, const char *), had)) {
            return invalid(call, "A target is not among those that were granted before.");
        }
    }
    *out = wanted ? wanted : granted;
    if (*out && strcmp(*out, km_audience(call)) == 0) {
        *out = NULL;
    }
    return NULL;
}

/* -- tokens
 * ----------------------------------------------------------------------------------------------------------
 */

/* Past scheme and host of a URL. */
static const char *path_of(const char *url)
{
    const char *host = strstr(url, "://"), *path = host ? strchr(host + 3, '/') : NULL;
    return path ? path : "";
}

static int leads_to(const char *path, const char *context)
{
    return path && (!*path || strcmp(path, "/") == 0 || (context && below(context, path)));
}

/* Which URL a gateway is known by was looked at when the token was issued; without ApimIssuer it depends on
 * the request, so here the path decides. */
static int word_covers(const km_call_t *call, const char *word, const char *context)
{
    const char *base;
    int i;
    if (km_is_consumer_key(word)) {
        return 0;
    }
    for (i = 0; (base = base_url(call, i)) != NULL; i++) {
        if (leads_to(below(base, word), context)) {
            return 1;
        }
    }
    return strstr(word, "://") && leads_to(path_of(word), context);
}

int km_audience_covers(const km_call_t *call, const char *audience, const char *context)
{
    apr_array_header_t *words = words_of(call->pool, audience);
    int i;
    for (i = 0; i < words->nelts; i++) {
        if (word_covers(call, APR_ARRAY_IDX(words, i, const char *), context)) {
            return 1;
        }
    }
    return !audience;
}

int km_audience_is_ours(const km_call_t *call, const char *audience)
{
    apr_array_header_t *words = words_of(call->pool, audience);
    int i;
    for (i = 0; i < words->nelts; i++) {
        if (is_whole(call, APR_ARRAY_IDX(words, i, const char *))) {
            return 1;
        }
    }
    return !audience;
}

json_t *km_audience_json(const km_call_t *call, const char *audience)
{
    apr_array_header_t *words = words_of(call->pool, audience);
    json_t *array;
    int i;
    if (words->nelts < 2) {
        return json_string(audience ? audience : km_audience(call));
    }
    array = json_array();
    for (i = 0; i < words->nelts; i++) {
        json_array_append_new(array, json_string(APR_ARRAY_IDX(words, i, const char *)));
    }
    return array;
}

const char *km_audience_of(const km_call_t *call, const json_t *claims)
{
    const json_t *aud = json_object_get(claims, "aud");
    const char *text = json_string_value(aud), *list = "";
    apr_size_t i;
    if (text) {
        /* Without ApimTokenAudience the default is the token's own issuer. */
        const char *usual = call->conf->audience ? call->conf->audience : apim_json_str(claims, "iss", "");
        return strcmp(text, usual) == 0 ? NULL : text;
    }
    for (i = 0; i < json_array_size(aud); i++) {
        const char *word = json_string_value(json_array_get(aud, i));
        list = word ? apr_pstrcat(call->pool, list, *list ? " " : "", word, NULL) : list;
    }
    return list;
}
