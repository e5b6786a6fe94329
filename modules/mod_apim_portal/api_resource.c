/* SPDX-License-Identifier: Apache-2.0 */
#include <apr_strings.h>
#include <string.h>

#include "endpoint_secrets.h"
#include "openapi/openapi.h"
#include "access_control.h"
#include "publisher.h"
#include "publisher_sql.h"
#include "search_query.h"

/* -- lists -------------------------------------------------------------------------------------------------
 */

static const apim_stmt_t *list_statement(rest_request_t *rq)
{
    static const struct {
        const char *sort;
        const apim_stmt_t *asc, *desc;
    } orders[] = {{"name", &po_api_list_name_asc, &po_api_list_name_desc},
                  {"apiName", &po_api_list_name_asc, &po_api_list_name_desc},
                  {"version", &po_api_list_version_asc, &po_api_list_version_desc},
                  {"createdTime", &po_api_list_created_asc, &po_api_list_created_desc},
                  {"status", &po_api_list_status_asc, &po_api_list_status_desc}};
    const char *sort = apr_table_get(rq->query, "sortBy"), *order = apr_table_get(rq->query, "sortOrder");
    apr_size_t i;
    if (order && *order && strcasecmp(order, "asc") != 0 && strcasecmp(order, "desc") != 0) {
        return NULL;
    }
    if (!sort || !*sort) {
        return order && strcasecmp(order, "asc") == 0 ? &po_api_list_created_asc : &po_api_list_created_desc;
    }
    for (i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
        if (strcmp(sort, orders[i].sort) == 0) {
            return order && strcasecmp(order, "desc") == 0 ? orders[i].desc : orders[i].asc;
        }
    }
    return NULL;
}

static json_t *list_item(apr_pool_t *p, const char *const *row)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s?, s:b, s:b, s:s, s:s, s:s}", "id", row[0],
                     "name", row[2], "description", row[5], "context", row[3], "version", row[4], "provider",
                     row[1], "type", row[6], "lifeCycleStatus", row[7], "workflowStatus", row[13],
                     "hasThumbnail", po_number(row[12]) != 0, "isDefaultVersion", (int)po_number(row[11]),
                     "createdTime", apim_iso_time(p, po_number(row[8])), "updatedTime",
                     apim_iso_time(p, po_number(row[9])), "updatedBy", row[10]);
}

typedef struct page_t {
    int limit, offset;
    apr_int64_t total;
    json_t *list;
} page_t;

static apim_error_t *read_page(rest_request_t *rq, const apim_stmt_t *stmt, const po_query_t *q, page_t *page)
{
    apim_db_t *db;
    apim_rows_t *rows = NULL, *count = NULL;
    po_access_t access;
    apim_error_t *err;
    int i;
    APIM_TRY(po_access_of(rq, &access));
    APIM_TRY(po_open(rq, APIM_DB_API_MANAGER, &db));
    err = apim_db_select(db, rq->pool, &po_api_count, &count,
                         APIM_ARGS(PO_PATTERNS(*q), PO_ACCESS_ARGS(&access)));
    err = err ? err
              : apim_db_select(db, rq->pool, stmt, &rows,
                               APIM_ARGS(PO_PATTERNS(*q), PO_ACCESS_ARGS(&access),
                                         apim_i64(rq->pool, page->limit), apim_i64(rq->pool, page->offset)));
    apim_db_close(db);
    APIM_TRY(err);
    page->total = po_number(count->row[0][0]);
    page->list = json_array();
    for (i = 0; i < rows->count; i++) {
        json_array_append_new(page->list, list_item(rq->pool, rows->row[i]));
    }
    return NULL;
}

static apim_error_t *list(rest_request_t *rq, const char *query, page_t *page)
{
    const apim_stmt_t *stmt = list_statement(rq);
    po_query_t q;
    APIM_TRY(rest_paging(rq, &page->limit, &page->offset));
    if (!stmt) {
        return apim_bad_request(
            rq->pool, "sortBy must be name, version, createdTime or status, and sortOrder asc or desc.");
    }
    APIM_TRY(po_query_parse(rq->pool, query, &q));
    return read_page(rq, stmt, &q, page);
}

apim_error_t *po_apis_list(rest_request_t *rq)
{
    page_t page;
    APIM_TRY(list(rq, apr_table_get(rq->query, "query"), &page));
    return rest_reply_json(rq->r, 200, rest_list(rq, page.list, page.limit, page.offset, page.total));
}

apim_error_t *po_search(rest_request_t *rq)
{
    const char *query = apr_table_get(rq->query, "query");
    json_t *item;
    page_t page;
    apr_size_t i;
    if (query && strncmp(query, "type:API", 8) == 0 && (!query[8] || query[8] == ' ')) {
        query += 8;
    }
    APIM_TRY(list(rq, query, &page));
    json_array_foreach(page.list, i, item)
    {
        json_object_set_new(item, "type", json_string("API"));
        json_object_set(item, "status", json_object_get(item, "lifeCycleStatus"));
        json_object_set_new(item, "transportType", json_string("HTTP"));
    }
    return rest_reply_json(rq->r, 200, rest_list(rq, page.list, page.limit, page.offset, page.total));
}

/* -- adding ------------------------------------------------------------------------------------------------
 */

apim_error_t *po_definition_generate(rest_request_t *rq, const po_api_t *api, const char **text)
{
    json_t *definition;
    APIM_TRY(apim_openapi_generate(
        rq->pool, api->name, api->version, apim_json_str(api->document, "description", NULL),
        json_object_get(api->document, "operations"), json_object_get(api->document, "scopes"), &definition));
    if (!json_array_size(json_object_get(api->document, "operations"))) {
        apim_openapi_t *doc;
        APIM_TRY(apim_openapi_check(rq->pool, definition, NULL, &doc));
        json_object_set(api->document, "operations", apim_openapi_operations_json(rq->pool, doc));
    }
    *text = apim_json_text(rq->pool, definition);
    return NULL;
}

static apim_error_t *add_in_transaction(rest_request_t *rq, apim_db_t *db, po_api_t *api,
                                        const char *definition, apr_array_header_t *others)
{
    APIM_TRY(apim_db_begin(db));
    APIM_TRY(po_api_add(db, rq->pool, api, definition));
    APIM_TRY(po_api_settle_default(db, rq->pool, api, others));
    return apim_db_commit(db);
}

apim_error_t *po_api_add_and_reply(rest_request_t *rq, po_api_t *api, const char *definition)
{
    apr_array_header_t *others = apr_array_make(rq->pool, 2, sizeof(const char *));
    apim_db_t *db;
    apim_error_t *err;
    int i;
    APIM_TRY(po_open(rq, APIM_DB_API_MANAGER, &db));
    err = add_in_transaction(rq, db, api, definition, others);
    apim_db_close(db);
    APIM_TRY(err);
    for (i = 0; i < others->nelts; i++) {
        po_publish(rq->pool, rq->r->server, APR_ARRAY_IDX(others, i, const char *));
    }
    return po_reply_api(rq, 201, api);
}

static apim_error_t *seal(rest_request_t *rq, const json_t *body, const json_t *previous, json_t *document)
{
    return po_endpoint_secrets_seal(rq->pool, po_config(rq->r)->common.cluster_secret, body, previous,
                                    document);
}

apim_error_t *po_api_from_body(rest_request_t *rq, const json_t *body, po_api_t *api)
{
    po_problems_t problems = {rq->pool, NULL, 0};
    po_identity_t identity = {0};
    apim_error_t *err;
    if (!json_is_object(body)) {
        return apim_bad_request(rq->pool, "The body must be a JSON object.");
    }
    po_identity_read(&problems, body, &identity);
    err = po_document_make(rq->pool, body, NULL, &api->document);
    po_problems_take(&problems, err);
    APIM_TRY(po_problems_error(&problems));
    APIM_TRY(seal(rq, body, NULL, api->document));
    api->provider = api->updated_by = rq->username;
    api->name = identity.name;
    api->version = identity.version;
    api->context = identity.context;
    api->context_template = identity.context_template;
    api->is_default = apim_json_bool(body, "isDefaultVersion", 0);
    return po_check_references(rq, api->name, api->document);
}

apim_error_t *po_apis_create(rest_request_t *rq)
{
    po_api_t *api = apr_pcalloc(rq->pool, sizeof(*api));
    const char *definition;
    json_t *body;
    APIM_TRY(rest_read_json(rq->r, &po_api_limits, &body));
    APIM_TRY(po_api_from_body(rq, body, api));
    APIM_TRY(po_definition_generate(rq, api, &definition));
    return po_api_add_and_reply(rq, api, definition);
}

/* -- one API -----------------------------------------------------------------------------------------------
 */

static apim_error_t *read_one(rest_request_t *rq, const char *id, po_api_t **api)
{
    apim_db_t *db;
    apim_error_t *err;
    APIM_TRY(po_open(rq, APIM_DB_API_MANAGER, &db));
    err = po_api_get(db, rq->pool, id, api);
    apim_db_close(db);
    return err;
}

/* As in WSO2, a revision can be read by its id where an API's is expected. */
static apim_error_t *read_revision(rest_request_t *rq, apim_db_t *db, const char *id, po_api_t **api,
                                   apim_rows_t **rows)
{
    const apim_json_limits_t limits = {16 * 1024 * 1024, 64};
    APIM_TRY(apim_db_select(db, rq->pool, &po_revision_document, rows, APIM_ARGS(id)));
    if (!(*rows)->count) {
        return apim_not_found(rq->pool, "API", id);
    }
    APIM_TRY(po_api_get(db, rq->pool, (*rows)->row[0][3], api));
    return apim_json_parse(rq->pool, (*rows)->row[0][0], strlen((*rows)->row[0][0]), &limits,
                           &(*api)->document);
}

static apim_error_t *reply_revision(rest_request_t *rq, const char *id)
{
    apim_rows_t *rows;
    apim_db_t *db;
    apim_error_t *err;
    po_api_t *api;
    json_t *out;
    APIM_TRY(po_open(rq, APIM_DB_API_MANAGER, &db));
    err = read_revision(rq, db, id, &api, &rows);
    apim_db_close(db);
    APIM_TRY(err);
    out = po_api_json(rq->pool, api);
    apim_json_set_str(out, "id", id);
    apim_json_set_str(out, "description", apim_json_str(api->document, "description", ""));
    json_object_set_new(out, "isRevision", json_true());
    apim_json_set_str(out, "revisionedApiId", api->id);
    json_object_set_new(out, "revisionId", json_integer(po_number(rows->row[0][2])));
    return rest_reply_json(rq->r, 200, out);
}

apim_error_t *po_api_read(rest_request_t *rq)
{
    po_api_t *api;
    apim_error_t *err = read_one(rq, rq->param[0], &api);
    if (err && err->status == 404) {
        return reply_revision(rq, rq->param[0]);
    }
    APIM_TRY(err);
    if (po_not_modified(rq, api->etag)) {
        po_set_etag(rq, api->etag);
        return rest_reply_empty(rq->r, 304);
    }
    return po_reply_api(rq, 200, api);
}

/* Operations or scopes changed: the definition follows. *text stays NULL if it need not. */
static apim_error_t *rewrite_definition(rest_request_t *rq, apim_db_t *db, const json_t *before,
                                        const po_api_t *api, const char **text)
{
    json_t *operations = json_object_get(api->document, "operations"),
           *scopes = json_object_get(api->document, "scopes");
    json_t *definition, *changed;
    const char *stored;
    if (json_equal(json_object_get(before, "operations"), operations) &&
        json_equal(json_object_get(before, "scopes"), scopes)) {
        return NULL;
    }
    if (!json_array_size(operations)) {
        return apim_bad_request(rq->pool, "/operations: must hold at least one operation.");
    }
    APIM_TRY(po_api_get_definition(db, rq->pool, api->id, &stored));
    APIM_TRY(po_parse_definition(rq->pool, stored, &definition));
    APIM_TRY(apim_openapi_apply_operations(rq->pool, definition, operations, scopes, &changed));
    *text = apim_json_text(rq->pool, changed);
    return NULL;
}

apim_error_t *po_api_change(rest_request_t *rq, apim_db_t *db, const char *id, const json_t *body,
                            json_t *checked, const char *definition, po_api_t **out,
                            apr_array_header_t *others)
{
    const json_t *before;
    po_api_t *api;
    APIM_TRY(po_api_get_for_update(db, rq->pool, id, out));
    api = *out;
    APIM_TRY(po_check_if_match(rq, api->etag));
    APIM_TRY(po_check_may_edit(rq, api));
    before = api->document;
    APIM_TRY(po_document_make(rq->pool, body, before, &api->document));
    APIM_TRY(seal(rq, body, before, api->document));
    if (json_object_get(body, "scopes")) { /* with what the check found out: which are shared */
        json_object_set(api->document, "scopes", json_object_get(checked, "scopes"));
    }
    api->is_default = apim_json_bool(body, "isDefaultVersion", api->is_default);
    if (!definition) {
        APIM_TRY(rewrite_definition(rq, db, before, api, &definition));
    }
    APIM_TRY(po_api_save(db, rq->pool, api, definition, rq->username));
    return po_api_settle_default(db, rq->pool, api, others);
}

static apim_error_t *replace_in_transaction(rest_request_t *rq, apim_db_t *db, const json_t *body,
                                            json_t *checked, po_api_t **api, apr_array_header_t *others)
{
    APIM_TRY(apim_db_begin(db));
    APIM_TRY(po_api_change(rq, db, rq->param[0], body, checked, NULL, api, others));
    return apim_db_commit(db);
}

apim_error_t *po_api_replace(rest_request_t *rq)
{
    apr_array_header_t *others = apr_array_make(rq->pool, 2, sizeof(const char *));
    json_t *body, *checked;
    po_api_t *api;
    apim_db_t *db;
    apim_error_t *err;
    APIM_TRY(rest_read_json(rq->r, &po_api_limits, &body));
    APIM_TRY(read_one(rq, rq->param[0], &api));
    APIM_TRY(po_check_if_match(rq, api->etag));
    APIM_TRY(po_document_make(rq->pool, body, api->document, &checked));
    APIM_TRY(po_check_references(rq, api->name, checked));
    APIM_TRY(po_open(rq, APIM_DB_API_MANAGER, &db));
    err = replace_in_transaction(rq, db, body, checked, &api, others);
    apim_db_close(db);
    APIM_TRY(err);
    po_publish_all(rq, api->id, others);
    return po_reply_api(rq, 200, api);
}

static apim_error_t *drop_in_transaction(rest_request_t *rq, apim_db_t *db, const char *id)
{
    po_api_t *api;
    APIM_TRY(apim_db_begin(db));
    APIM_TRY(po_api_get_for_update(db, rq->pool, id, &api));
    APIM_TRY(po_check_if_match(rq, api->etag));
    APIM_TRY(po_check_may_edit(rq, api));
    APIM_TRY(po_api_remove(db, rq->pool, api));
    return apim_db_commit(db);
}

apim_error_t *po_api_drop(rest_request_t *rq)
{
    apim_db_t *db;
    apim_error_t *err;
    APIM_TRY(po_open(rq, APIM_DB_API_MANAGER, &db));
    err = drop_in_transaction(rq, db, rq->param[0]);
    apim_db_close(db);
    APIM_TRY(err);
    po_publish(rq->pool, rq->r->server, rq->param[0]);
    return rest_reply_empty(rq->r, 200);
}

/* -- is a name or context taken? ---------------------------------------------------------------------------
 */

apim_error_t *po_apis_validate(rest_request_t *rq)
{
    const char *query;
    apim_rows_t *rows;
    apim_db_t *db;
    apim_error_t *err;
    APIM_TRY(po_needed(rq, "query", &query));
    APIM_TRY(po_open(rq, APIM_DB_API_MANAGER, &db));
    if (strncmp(query, "context:", 8) == 0) {
        const char *context = query[8] == '/' ? query + 8 : apr_pstrcat(rq->pool, "/", query + 8, NULL);
        err = apim_db_select(db, rq->pool, &po_api_count_context, &rows, APIM_ARGS(context, context));
    }
    else {
        const char *name = strncmp(query, "name:", 5) == 0 ? query + 5 : query;
        err = apim_db_select(db, rq->pool, &po_api_count_name, &rows, APIM_ARGS(name));
    }
    apim_db_close(db);
    APIM_TRY(err);
    if (!po_number(rows->row[0][0])) {
        return apim_error(rq->pool, 404, APIM_E_NOT_FOUND, "Not Found", "No API has this name or context.");
    }
    return rest_reply_empty(rq->r, 200);
}

/* -- a new version -----------------------------------------------------------------------------------------
 */

static apim_error_t *copy_from(rest_request_t *rq, const char *id, const char *version, po_api_t *api,
                               const char **text)
{
    json_t *definition;
    apim_db_t *db;
    apim_error_t *err;
    po_api_t *source;
    APIM_TRY(po_open(rq, APIM_DB_API_MANAGER, &db));
    err = po_api_get(db, rq->pool, id, &source);
    err = err ? err : po_api_get_definition(db, rq->pool, id, text);
    apim_db_close(db);
    APIM_TRY(err);
    *api = *source;
    api->version = version;
    api->updated_by = rq->username;
    api->copied_from = source->id;
    api->context = po_effective_context(rq->pool, api->context_template, version);
    APIM_TRY(po_parse_definition(rq->pool, *text, &definition));
    *text = apim_json_text(rq->pool, apim_openapi_with_info(rq->pool, definition, NULL, version, NULL));
    return NULL;
}

apim_error_t *po_apis_copy(rest_request_t *rq)
{
    po_problems_t problems = {rq->pool, NULL, 0};
    const char *id, *version, *is_default = apr_table_get(rq->query, "defaultVersion"), *definition;
    po_api_t api;
    APIM_TRY(po_needed(rq, "newVersion", &version));
    APIM_TRY(po_needed(rq, "apiId", &id));
    po_check_version(&problems, "newVersion", apim_json_own(rq->pool, json_string(version)));
    APIM_TRY(po_problems_error(&problems));
    APIM_TRY(copy_from(rq, id, version, &api, &definition));
    api.is_default = is_default && strcasecmp(is_default, "true") == 0;
    return po_api_add_and_reply(rq, &api, definition);
}
