/* SPDX-License-Identifier: Apache-2.0 */
#include <apr_strings.h>
#include <string.h>

#include "artifact.h"
#include "search_query.h"
#include "store.h"
#include "store_sql.h"

/* The catalogue: what the caller may see of the registry. */

static const apim_json_limits_t document_limits = {16 * 1024 * 1024, 200};
static const apim_json_limits_t definition_limits = {256 * 1024 * 1024, 200};

static apim_error_t *read_roles(apim_db_t *db, rest_request_t *rq, st_viewer_t *viewer)
{
    apim_rows_t *rows;
    int i;
    APIM_TRY(apim_db_select(db, rq->pool, &st_roles_of_user, &rows, APIM_ARGS(rq->username)));
    for (i = 0; i < rows->count; i++) {
        viewer->roles = apr_pstrcat(rq->pool, viewer->roles, rows->row[i][0], "|", NULL);
    }
    return NULL;
}

apim_error_t *st_viewer(rest_request_t *rq, st_viewer_t *viewer)
{
    apim_error_t *err;
    apim_db_t *db;
    viewer->logged_in = rq->username ? "1" : "0";
    viewer->roles = "|";
    if (!rq->username) {
        return NULL;
    }
    APIM_TRY(po_open(rq, APIM_DB_USER_MANAGER, &db));
    err = read_roles(db, rq, viewer);
    apim_db_close(db);
    return err;
}

apim_error_t *st_know_caller(rest_request_t *rq)
{
    st_viewer_t viewer;
    if (!rq->context) {
        APIM_TRY(st_viewer(rq, &viewer));
        rq->context = (void *)(apr_uintptr_t)viewer.roles;
    }
    return NULL;
}

const char *st_roles(const rest_request_t *rq)
{
    return rq->context ? rq->context : "|";
}

static apim_error_t *parse_document(rest_request_t *rq, const char *text, json_t **out)
{
    apim_error_t *err = apim_json_parse(rq->pool, text, strlen(text), &document_limits, out);
    return err ? apim_internal(rq->pool, "a document of the registry cannot be read: %s", err->description)
               : NULL;
}

apim_error_t *st_catalogue_get(rest_request_t *rq, const char *id, json_t **document, const char **status)
{
    st_viewer_t viewer;
    apim_rows_t *rows;
    apim_error_t *err;
    apim_db_t *db;
    APIM_TRY(st_viewer(rq, &viewer));
    APIM_TRY(po_open(rq, APIM_DB_REGISTRY, &db));
    err = apim_db_select(db, rq->pool, &st_api_get, &rows,
                         APIM_ARGS(id, viewer.logged_in, viewer.roles, viewer.roles));
    apim_db_close(db);
    if (err) {
        return err;
    }
    if (!rows->count) {
        return apim_not_found(rq->pool, "API", id);
    }
    *status = rows->row[0][1];
    APIM_TRY(parse_document(rq, rows->row[0][0], document));
    json_object_set_new(*document, "avgRating", st_average(rq->pool, rows->row[0][2], rows->row[0][3]));
    return NULL;
}

apim_error_t *st_check_seen(rest_request_t *rq, const char *id)
{
    json_t *document;
    const char *status;
    return st_catalogue_get(rq, id, &document, &status);
}

/* -- lists
 * ------------------------------------------------------------------------------------------------------------
 */

/* The members of DevPortal v3's APIInfoDTO. */
static json_t *api_info(const json_t *document)
{
    static const char *const members[] = {
        "id",           "name",         "description",        "context",         "version",
        "type",         "createdTime",  "provider",           "lifeCycleStatus", "thumbnailUri",
        "hasThumbnail", "avgRating",    "throttlingPolicies", "advertiseInfo",   "businessInformation",
        "tags",         "gatewayVendor"};
    json_t *out = json_object(), *tier, *names = json_array();
    size_t i;
    for (i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        json_t *value = json_object_get(document, members[i]);
        json_object_set(out, members[i], value ? value : json_null());
    }
    json_array_foreach(json_object_get(document, "tiers"), i, tier)
    {
        json_array_append(names, json_object_get(tier, "tierName"));
    }
    json_object_set_new(out, "throttlingPolicies", names);
    return out;
}

typedef struct listing_t {
    rest_request_t *rq;
    st_viewer_t viewer;
    po_query_t query;
    int limit, offset;
    apr_int64_t total;
    json_t *list;
} listing_t;

static apim_error_t *add_api(void *baton, apr_pool_t *p, const char *const *values, int columns)
{
    listing_t *l = baton;
    json_t *document;
    apim_error_t *err = apim_json_parse(p, values[0], strlen(values[0]), &document_limits, &document);
    if (err) {
        return apim_internal(l->rq->pool, "a document of the registry cannot be read: %s", err->description);
    }
    json_object_set_new(document, "avgRating", st_average(l->rq->pool, values[1], values[2]));
    json_array_append_new(l->list, api_info(document));
    return NULL;
}

#define FILTER_ARGS(l) (l)->viewer.logged_in, (l)->viewer.roles, (l)->viewer.roles, PO_PATTERNS((l)->query)

/* sortBy=createdTime shows the newest first, rating the best; the default is by name. */
static const apim_stmt_t *list_statement(const char *sort)
{
    if (sort && strcasecmp(sort, "createdTime") == 0) {
        return &st_api_list_newest;
    }
    return sort && strcasecmp(sort, "rating") == 0 ? &st_api_list_rated : &st_api_list;
}

static apim_error_t *read_list(listing_t *l, apim_db_t *db, const apim_stmt_t *list)
{
    apr_pool_t *p = l->rq->pool;
    apim_rows_t *rows;
    APIM_TRY(apim_db_select(db, p, &st_api_count, &rows, APIM_ARGS(FILTER_ARGS(l))));
    apim_parse_i64(rows->row[0][0], &l->total);
    return apim_db_each(db, p, list, add_api, l,
                        APIM_ARGS(FILTER_ARGS(l), apim_i64(p, l->limit), apim_i64(p, l->offset)));
}

static apim_error_t *list_apis(rest_request_t *rq, listing_t *l)
{
    const char *sort = apr_table_get(rq->query, "sortBy");
    apim_error_t *err;
    apim_db_t *db;
    int i;
    l->rq = rq;
    APIM_TRY(rest_paging(rq, &l->limit, &l->offset));
    APIM_TRY(po_query_parse(rq->pool, apr_table_get(rq->query, "query"), &l->query));
    for (i = 0; i < PO_QUERY_TAGS; i++) { /* tags are stored as |tag|tag| */
        if (strcmp(l->query.tag[i], "%") != 0) {
            const char *tag = l->query.tag[i];
            l->query.tag[i] = *tag == '%' ? tag : apr_pstrcat(rq->pool, "%|", tag, "|%", NULL);
        }
    }
    APIM_TRY(st_viewer(rq, &l->viewer));
    APIM_TRY(po_open(rq, APIM_DB_REGISTRY, &db));
    l->list = apim_json_own(rq->pool, json_array());
    err = read_list(l, db, list_statement(sort));
    apim_db_close(db);
    return err;
}

apim_error_t *st_apis_list(rest_request_t *rq)
{
    listing_t l = {0};
    APIM_TRY(list_apis(rq, &l));
    return rest_reply_json(rq->r, 200, rest_list(rq, json_incref(l.list), l.limit, l.offset, l.total));
}

/* WSO2's search answers APIs and documents in one list; documents come with their own feature. */
apim_error_t *st_search(rest_request_t *rq)
{
    listing_t l = {0};
    json_t *item;
    size_t i;
    APIM_TRY(list_apis(rq, &l));
    json_array_foreach(l.list, i, item)
    {
        json_object_set_new(item, "transportType",
                            json_object_get(item, "type") ? json_incref(json_object_get(item, "type"))
                                                          : json_null());
        json_object_set_new(item, "type", json_string("API"));
    }
    return rest_reply_json(rq->r, 200, rest_list(rq, json_incref(l.list), l.limit, l.offset, l.total));
}

static apim_error_t *read_tags(rest_request_t *rq, apim_db_t *db, const st_viewer_t *v, int limit, int offset,
                               json_t *list, apr_int64_t *total)
{
    apim_rows_t *rows;
    int i;
    APIM_TRY(apim_db_select(db, rq->pool, &st_tag_count, &rows, APIM_ARGS(v->logged_in, v->roles, v->roles)));
    apim_parse_i64(rows->row[0][0], total);
    APIM_TRY(apim_db_select(
        db, rq->pool, &st_tag_list, &rows,
        APIM_ARGS(v->logged_in, v->roles, v->roles, apim_i64(rq->pool, limit), apim_i64(rq->pool, offset))));
    for (i = 0; i < rows->count; i++) {
        apr_int64_t count = 0;
        apim_parse_i64(rows->row[i][1], &count);
        json_array_append_new(list,
                              json_pack("{s:s, s:I}", "value", rows->row[i][0], "count", (json_int_t)count));
    }
    return NULL;
}

apim_error_t *st_tags_list(rest_request_t *rq)
{
    json_t *list = apim_json_own(rq->pool, json_array());
    apr_int64_t total = 0;
    st_viewer_t viewer;
    apim_error_t *err;
    int limit, offset;
    apim_db_t *db;
    APIM_TRY(rest_paging(rq, &limit, &offset));
    APIM_TRY(st_viewer(rq, &viewer));
    APIM_TRY(po_open(rq, APIM_DB_REGISTRY, &db));
    err = read_tags(rq, db, &viewer, limit, offset, list, &total);
    apim_db_close(db);
    return err ? err : rest_reply_json(rq->r, 200, rest_list(rq, json_incref(list), limit, offset, total));
}

/* -- one API
 * ----------------------------------------------------------------------------------------------------------
 */

/* Subscriptions may be made to what is published, in one of its tiers. */
static void add_subscription_facts(json_t *document, const char *status)
{
    int open = strcmp(status, "PUBLISHED") == 0 && json_array_size(json_object_get(document, "tiers")) > 0;
    json_object_set_new(document, "isSubscriptionAvailable", json_boolean(open));
}

apim_error_t *st_api_read(rest_request_t *rq)
{
    json_t *document;
    const char *status;
    APIM_TRY(st_catalogue_get(rq, rq->param[0], &document, &status));
    po_store_set_urls(rq->pool, document, po_gateway_url(rq->r));
    add_subscription_facts(document, status);
    return rest_reply_json(rq->r, 200, json_incref(document));
}

/* Without URLs of its own the definition gets this portal's idea of the gateway. */
static apim_error_t *reply_definition(rest_request_t *rq, const char *text, const char *document_text)
{
    const char *base = po_gateway_url(rq->r), *context, *url;
    json_t *definition, *document;
    apim_error_t *err = apim_json_parse(rq->pool, text, strlen(text), &definition_limits, &definition);
    if (err) {
        return apim_internal(rq->pool, "a definition of the registry cannot be read: %s", err->description);
    }
    APIM_TRY(parse_document(rq, document_text, &document));
    context = apim_json_str(document, "context", "");
    url = apr_pstrcat(rq->pool, base, context, NULL);
    if (json_object_get(definition, "swagger")) {
        if (!json_object_get(definition, "host")) {
            const char *host = strstr(base, "://");
            json_object_set_new(definition, "host", json_string(host ? host + 3 : base));
            json_object_set_new(definition, "basePath", json_string(context));
            json_object_set_new(definition, "schemes",
                                json_pack("[s]", strncmp(base, "https:", 6) == 0 ? "https" : "http"));
        }
    }
    else if (!json_array_size(json_object_get(definition, "servers"))) {
        json_object_set_new(definition, "servers", json_pack("[{s:s}]", "url", url));
    }
    return rest_reply_json(rq->r, 200, json_incref(definition));
}

apim_error_t *st_api_definition_read(rest_request_t *rq)
{
    st_viewer_t viewer;
    apim_rows_t *rows;
    apim_error_t *err;
    apim_db_t *db;
    APIM_TRY(st_viewer(rq, &viewer));
    APIM_TRY(po_open(rq, APIM_DB_REGISTRY, &db));
    err = apim_db_select(db, rq->pool, &st_api_definition, &rows,
                         APIM_ARGS(rq->param[0], viewer.logged_in, viewer.roles, viewer.roles));
    apim_db_close(db);
    if (err) {
        return err;
    }
    return rows->count ? reply_definition(rq, rows->row[0][0], rows->row[0][1])
                       : apim_not_found(rq->pool, "API", rq->param[0]);
}

apim_error_t *st_api_policies(rest_request_t *rq)
{
    json_t *document;
    const char *status;
    APIM_TRY(st_catalogue_get(rq, rq->param[0], &document, &status));
    return rest_reply_json(rq->r, 200, json_incref(json_object_get(document, "tiers")));
}
