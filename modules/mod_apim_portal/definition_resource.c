/* SPDX-License-Identifier: Apache-2.0 */
#include <apr_lib.h>
#include <apr_strings.h>
#include <string.h>

#include "openapi/fetch.h"
#include "openapi/openapi.h"
#include "publisher.h"

/* The text of a definition as a client handed it over. */
typedef struct source_t {
    const char *text;
    apr_size_t len;
} source_t;

/* -- reading what was sent ---------------------------------------------------------------------------------
 */

static apim_error_t *fetch_source(rest_request_t *rq, const char *url, source_t *source)
{
    const portal_config_t *conf = po_config(rq->r);
    apim_fetch_options_t options = {0};
    apim_fetched_t *fetched;
    options.allow_cidrs = conf->import_allow;
    options.max_bytes = po_max_definition(conf);
    APIM_TRY(apim_fetch(rq->pool, url, &options, &fetched));
    source->text = fetched->body;
    source->len = fetched->len;
    return NULL;
}

/* One of file, url, inlineAPIDefinition (or apiDefinition, as PUT calls it). */
static apim_error_t *read_source(rest_request_t *rq, const apr_array_header_t *parts, const char *text_name,
                                 source_t *source)
{
    const apim_part_t *file = apim_multipart_get(parts, "file"), *text = apim_multipart_get(parts, text_name);
    const char *url = apim_multipart_text(rq->pool, parts, "url");
    const apim_part_t *given = file && file->len ? file : text && text->len ? text : NULL;
    if (given && url && *url) {
        return apim_bad_request(rq->pool, "Send one of file, url and %s, not several.", text_name);
    }
    if (url && *url) {
        return fetch_source(rq, url, source);
    }
    if (!given) {
        return apim_bad_request(rq->pool, "The form has no definition: send one of file, url and %s.",
                                text_name);
    }
    source->text = given->data;
    source->len = given->len;
    return NULL;
}

static apim_error_t *read_document(rest_request_t *rq, const source_t *source, apim_openapi_t **doc)
{
    apim_openapi_options_t options = {0};
    options.limits.max_bytes = po_max_definition(po_config(rq->r));
    return apim_openapi_read(rq->pool, source->text, source->len, &options, doc);
}

/* -- GET, PUT /apis/{apiId}/swagger ------------------------------------------------------------------------
 */

apim_error_t *po_definition_read(rest_request_t *rq)
{
    const char *text;
    apim_db_t *db;
    apim_error_t *err;
    po_api_t *api;
    APIM_TRY(po_open(rq, APIM_DB_API_MANAGER, &db));
    err = po_api_get(db, rq->pool, rq->param[0], &api);
    err = err ? err : po_api_get_definition(db, rq->pool, rq->param[0], &text);
    apim_db_close(db);
    APIM_TRY(err);
    po_set_etag(rq, api->etag);
    if (po_not_modified(rq, api->etag)) {
        return rest_reply_empty(rq->r, 304);
    }
    return rest_reply_text(rq->r, 200, "application/json", text, strlen(text));
}

/* The API's document with the operations and scopes of a definition. Scopes that are bound already keep their
 * roles unless the definition says otherwise. */
static json_t *with_operations(rest_request_t *rq, const json_t *document, const apim_openapi_t *doc)
{
    json_t *body = apim_json_own(rq->pool, json_object()), *scopes = apim_openapi_scopes_json(rq->pool, doc),
           *item, *old;
    apr_size_t i, k;
    json_array_foreach(scopes, i, item)
    {
        json_t *scope = json_object_get(item, "scope");
        json_array_foreach(json_object_get(document, "scopes"), k, old)
        {
            const json_t *known = json_object_get(old, "scope");
            if (json_equal(json_object_get(known, "name"), json_object_get(scope, "name")) &&
                !json_array_size(json_object_get(scope, "bindings"))) {
                json_object_set(scope, "bindings", json_object_get(known, "bindings"));
            }
        }
    }
    json_object_set(body, "operations", apim_openapi_operations_json(rq->pool, doc));
    json_object_set(body, "scopes", scopes);
    return body;
}

static apim_error_t *save_definition(rest_request_t *rq, apim_db_t *db, const apim_openapi_t *doc,
                                     const json_t *checked, const char *text, po_api_t **out)
{
    po_api_t *api;
    APIM_TRY(apim_db_begin(db));
    APIM_TRY(po_api_get_for_update(db, rq->pool, rq->param[0], out));
    api = *out;
    APIM_TRY(po_check_if_match(rq, api->etag));
    APIM_TRY(po_check_may_edit(rq, api));
    json_object_set(api->document, "operations", json_object_get(checked, "operations"));
    json_object_set(api->document, "scopes", json_object_get(checked, "scopes"));
    APIM_TRY(po_api_save(db, rq->pool, api, text, rq->username));
    return apim_db_commit(db);
}

apim_error_t *po_definition_replace(rest_request_t *rq)
{
    apr_array_header_t *parts;
    source_t source;
    apim_openapi_t *doc;
    json_t *checked;
    po_api_t *api;
    apim_db_t *db;
    apim_error_t *err;
    const char *text;
    APIM_TRY(po_read_multipart(rq, &parts));
    APIM_TRY(read_source(rq, parts, "apiDefinition", &source));
    APIM_TRY(read_document(rq, &source, &doc));
    APIM_TRY(po_open(rq, APIM_DB_API_MANAGER, &db));
    err = po_api_get(db, rq->pool, rq->param[0], &api);
    apim_db_close(db);
    APIM_TRY(err);
    APIM_TRY(po_document_make(rq->pool, with_operations(rq, api->document, doc), api->document, &checked));
    APIM_TRY(po_check_references(rq, api->name, checked));
    text = apim_json_text(rq->pool, doc->root);
    APIM_TRY(po_open(rq, APIM_DB_API_MANAGER, &db));
    err = save_definition(rq, db, doc, checked, text, &api);
    apim_db_close(db);
    APIM_TRY(err);
    po_publish_all(rq, api->id, NULL);
    po_set_etag(rq, api->etag);
    return rest_reply_text(rq->r, 200, "application/json", text, strlen(text));
}

/* -- POST /apis/validate-openapi ---------------------------------------------------------------------------
 */

static json_t *texts(const apr_array_header_t *list)
{
    json_t *out = json_array();
    int i;
    for (i = 0; list && i < list->nelts; i++) {
        json_array_append_new(out, json_string(APR_ARRAY_IDX(list, i, const char *)));
    }
    return out;
}

static json_t *details(const apr_array_header_t *list)
{
    json_t *out = json_array();
    int i;
    for (i = 0; list && i < list->nelts; i++) {
        const apim_error_detail_t *d = &APR_ARRAY_IDX(list, i, apim_error_detail_t);
        json_array_append_new(out, json_pack("{s:s?, s:s, s:s?}", "code", d->code, "message", d->message,
                                             "description", d->message));
    }
    return out;
}

static json_t *validation_info(const apim_openapi_t *doc)
{
    return json_pack("{s:s, s:s, s:s?, s:s?, s:s, s:o, s:o}", "name", doc->title, "version", doc->version,
                     "context", doc->context, "description", doc->description, "openAPIVersion",
                     doc->openapi_version, "endpoints", texts(doc->server_urls), "warnings",
                     details(doc->warnings));
}

static json_t *invalid(const apim_error_t *err)
{
    json_t *errors = details(err->details);
    if (!json_array_size(errors)) {
        json_array_append_new(errors, json_pack("{s:s, s:s, s:s}", "code", "document", "message",
                                                err->description, "description", err->description));
    }
    return json_pack("{s:b, s:n, s:n, s:o}", "isValid", 0, "content", "info", "errors", errors);
}

apim_error_t *po_definition_validate(rest_request_t *rq)
{
    const char *content = apr_table_get(rq->query, "returnContent");
    apr_array_header_t *parts;
    source_t source;
    apim_openapi_t *doc;
    apim_error_t *err;
    json_t *out;
    APIM_TRY(po_read_multipart(rq, &parts));
    APIM_TRY(read_source(rq, parts, "inlineAPIDefinition", &source));
    err = read_document(rq, &source, &doc);
    if (err && err->status >= 500) {
        return err;
    }
    if (err) { /* a broken document is a result, not a failure */
        rest_log_error(rq->r, "APIM-PO0301", err);
        return rest_reply_json(rq->r, 200, invalid(err));
    }
    out = json_pack("{s:b, s:n, s:o, s:[]}", "isValid", 1, "content", "info", validation_info(doc), "errors");
    if (content && strcasecmp(content, "true") == 0) {
        apim_json_set_str(out, "content", apim_json_text(rq->pool, doc->root));
    }
    return rest_reply_json(rq->r, 200, out);
}

/* -- POST /apis/import-openapi -----------------------------------------------------------------------------
 */

static apim_error_t *read_properties(rest_request_t *rq, const apr_array_header_t *parts, json_t **body)
{
    const apim_part_t *part = apim_multipart_get(parts, "additionalProperties");
    apim_error_t *err;
    if (!part || !part->len) {
        *body = apim_json_own(rq->pool, json_object());
        return NULL;
    }
    err = apim_json_parse(rq->pool, part->data, part->len, NULL, body);
    if (err) {
        err->description = apr_pstrcat(rq->pool, "additionalProperties: ", err->description, NULL);
    }
    return err;
}

static int is_absent(const json_t *body, const char *name)
{
    const json_t *value = json_object_get(body, name);
    return !value || json_is_null(value);
}

/* text without the characters in bad and control characters not in allow, cut to max bytes at a character's
 * end. */
static const char *cleaned(apr_pool_t *p, const char *text, const char *bad, const char *allow,
                           apr_size_t max)
{
    char *out = apr_palloc(p, strlen(text) + 1);
    apr_size_t n = 0;
    for (; *text; text++) {
        int control = (unsigned char)*text < 0x20 || *text == 0x7f;
        if (!strchr(control ? "" : bad, *text) && (!control || strchr(allow, *text)) && (n || *text != ' ')) {
            out[n++] = *text;
        }
    }
    while (n > max) {
        for (n--; n && ((unsigned char)out[n] & 0xc0) == 0x80; n--) {
        }
    }
    while (n && out[n - 1] == ' ') {
        n--;
    }
    out[n] = '\0';
    return out;
}

/* "/" and the letters and digits of name in lower case. */
static const char *context_of_name(apr_pool_t *p, const char *name)
{
    char *out = apr_palloc(p, strlen(name) + 2), *o = out;
    for (*o++ = '/'; *name; name++) {
        if (apr_isalnum(*name) && (unsigned char)*name < 0x80) {
            *o++ = (char)apr_tolower(*name);
        }
    }
    *o = '\0';
    return out[1] ? out : "/api";
}

static void fill_endpoints(json_t *body, const apim_openapi_t *doc)
{
    const char *production = doc->production_url ? doc->production_url : doc->endpoint_url;
    json_t *config = json_pack("{s:s}", "endpoint_type", "http");
    if (production && apim_fetch_url_valid(production)) {
        json_object_set_new(config, "production_endpoints", json_pack("{s:s}", "url", production));
    }
    if (doc->sandbox_url && apim_fetch_url_valid(doc->sandbox_url)) {
        json_object_set_new(config, "sandbox_endpoints", json_pack("{s:s}", "url", doc->sandbox_url));
    }
    json_object_set_new(body, "endpointConfig", config);
}

/* What the client did not say is taken from the document. */
static void fill_from_document(rest_request_t *rq, json_t *body, const apim_openapi_t *doc)
{
    apr_pool_t *p = rq->pool;
    if (is_absent(body, "name")) {
        apim_json_set_str(body, "name", cleaned(p, doc->title, "~!@#;:%^*()+={}|\\<>\"',&$[]/", "", 150));
    }
    if (is_absent(body, "version")) {
        apim_json_set_str(body, "version",
                          cleaned(p, doc->version, " /\\?#[]@!$&'()*+,;=:%\"<>^`{|}", "", 30));
    }
    if (is_absent(body, "context")) {
        apim_json_set_str(body, "context", context_of_name(p, apim_json_str(body, "name", "")));
    }
    if (is_absent(body, "description") && doc->description) {
        apim_json_set_str(body, "description", cleaned(p, doc->description, "", "\r\n\t", 32000));
    }
    if (is_absent(body, "endpointConfig")) {
        fill_endpoints(body, doc);
    }
    json_object_set(body, "operations", apim_openapi_operations_json(p, doc));
    json_object_set(body, "scopes", apim_openapi_scopes_json(p, doc));
}

apim_error_t *po_definition_import(rest_request_t *rq)
{
    po_api_t *api = apr_pcalloc(rq->pool, sizeof(*api));
    apr_array_header_t *parts;
    apim_openapi_t *doc;
    source_t source;
    json_t *body;
    APIM_TRY(po_read_multipart(rq, &parts));
    APIM_TRY(read_properties(rq, parts, &body));
    if (!json_is_object(body)) {
        return apim_bad_request(rq->pool, "additionalProperties must be a JSON object.");
    }
    APIM_TRY(read_source(rq, parts, "inlineAPIDefinition", &source));
    APIM_TRY(read_document(rq, &source, &doc));
    fill_from_document(rq, body, doc);
    APIM_TRY(po_api_from_body(rq, body, api));
    return po_api_add_and_reply(rq, api, apim_json_text(rq->pool, doc->root));
}
