/* SPDX-License-Identifier: Apache-2.0 */
#include <apr_strings.h>
#include <http_protocol.h>
#include <string.h>

#include "openapi/openapi.h"
#include "publisher.h"

#define MULTIPART_EXTRA (256 * 1024)

const apim_json_limits_t po_api_limits = {8 * 1024 * 1024, 64};

apr_int64_t po_number(const char *text)
{
    apr_int64_t n = 0;
    return text && !apim_parse_i64(text, &n) ? n : 0;
}

/* -- conditional requests ----------------------------------------------------------------------------------
 */

static const char *etag_text(apr_pool_t *p, apr_int64_t etag)
{
    return apr_psprintf(p, "\"%" APR_INT64_T_FMT "\"", etag);
}

/* 1 if a list of entity tags ("1", W/"2", *) has ours. Weak ones count: our tags change with every change. */
static int etag_in_list(const char *list, const char *tag)
{
    apr_size_t len = strlen(tag);
    while (*list) {
        list += strspn(list, " ,\t");
        if (*list == '*') {
            return 1;
        }
        list += strncmp(list, "W/", 2) == 0 ? 2 : 0;
        if (strncmp(list, tag, len) == 0 && (!list[len] || strchr(" ,\t", list[len]))) {
            return 1;
        }
        list += strcspn(list, ",");
    }
    return 0;
}

void po_set_etag(rest_request_t *rq, apr_int64_t etag)
{
    apr_table_setn(rq->r->headers_out, "ETag", etag_text(rq->pool, etag));
}

apim_error_t *po_check_if_match(rest_request_t *rq, apr_int64_t etag)
{
    const char *list = apr_table_get(rq->r->headers_in, "If-Match");
    if (!list || etag_in_list(list, etag_text(rq->pool, etag))) {
        return NULL;
    }
    return apim_error(
        rq->pool, 412, APIM_E_PRECONDITION, "Precondition Failed",
        "The API was changed meanwhile. Read it again and repeat the change with its new ETag.");
}

int po_etag_matches(rest_request_t *rq, const char *tag)
{
    const char *list = apr_table_get(rq->r->headers_in, "If-None-Match");
    return list && etag_in_list(list, tag);
}

int po_not_modified(rest_request_t *rq, apr_int64_t etag)
{
    return po_etag_matches(rq, etag_text(rq->pool, etag));
}

/* -- bodies ------------------------------------------------------------------------------------------------
 */

apim_error_t *po_needed(rest_request_t *rq, const char *name, const char **value)
{
    *value = apr_table_get(rq->query, name);
    if (!*value || !**value) {
        return apim_bad_request(rq->pool, "The query parameter %s is missing.", name);
    }
    if (strlen(*value) > 1000 || apim_has_control(*value, NULL)) {
        return apim_bad_request(rq->pool, "The query parameter %s is too long or holds control characters.",
                                name);
    }
    return NULL;
}

apim_error_t *po_read_parts(rest_request_t *rq, apr_size_t max, apr_array_header_t **parts)
{
    const char *type = apr_table_get(rq->r->headers_in, "Content-Type");
    apr_size_t len;
    char *body;
    if (!type || strncasecmp(type, "multipart/form-data", 19) != 0) {
        return apim_error(rq->pool, 415, 415, "Unsupported Media Type",
                          "The body must be sent with Content-Type: multipart/form-data.");
    }
    APIM_TRY(rest_read_body(rq->r, max + MULTIPART_EXTRA, &body, &len));
    return apim_multipart_parse(rq->pool, type, body, len, parts);
}

apim_error_t *po_read_multipart(rest_request_t *rq, apr_array_header_t **parts)
{
    return po_read_parts(rq, po_max_definition(po_config(rq->r)), parts);
}

/* -- answers -----------------------------------------------------------------------------------------------
 */

apim_error_t *po_check_api_exists(rest_request_t *rq, const char *id)
{
    apim_error_t *err;
    apim_db_t *db;
    po_api_t *api;
    APIM_TRY(po_open(rq, APIM_DB_API_MANAGER, &db));
    err = po_api_get(db, rq->pool, id, &api);
    apim_db_close(db);
    return err;
}

apim_error_t *po_check_may_edit(rest_request_t *rq, const po_api_t *api)
{
    if (strcmp(api->status, "CREATED") == 0 || strcmp(api->status, "PROTOTYPED") == 0 ||
        po_has_scope(rq, "apim:api_publish") || po_has_scope(rq, "apim:api_manage") ||
        po_has_scope(rq, "apim:admin")) {
        return NULL;
    }
    return apim_error(rq->pool, 403, 900380, "Insufficient permission to update the API",
                      "Updating the API is restricted as it is %s; it needs the scope apim:api_publish.",
                      api->status);
}

apim_error_t *po_reply_api(rest_request_t *rq, int status, const po_api_t *api)
{
    po_set_etag(rq, api->etag);
    if (status == 201) {
        apr_table_setn(
            rq->r->headers_out, "Location",
            apr_pstrcat(rq->pool, rest_self_url(rq->r), PO_PUBLISHER_BASE "/apis/", api->id, NULL));
    }
    return rest_reply_json(rq->r, status, po_api_json(rq->pool, api));
}

apim_error_t *po_parse_definition(apr_pool_t *p, const char *text, json_t **definition)
{
    const apim_json_limits_t limits = {256 * 1024 * 1024, 200};
    apim_error_t *err = apim_json_parse(p, text, strlen(text), &limits, definition);
    return err ? apim_internal(p, "a stored definition cannot be read: %s", err->description) : NULL;
}

int po_publish_all(rest_request_t *rq, const char *id, const apr_array_header_t *others)
{
    int i, done = po_publish(rq->pool, rq->r->server, id);
    for (i = 0; others && i < others->nelts; i++) {
        po_publish(rq->pool, rq->r->server, APR_ARRAY_IDX(others, i, const char *));
    }
    return done;
}

json_t *po_gateways_of(rest_request_t *rq, const char *id, int published)
{
    const portal_config_t *conf = po_config(rq->r);
    apim_error_t *err;
    json_t *found;
    if (!published) {
        return apim_json_own(rq->pool, json_pack("{s:b, s:[]}", "published", 0, "environments"));
    }
    err = po_nodes_confirmations(rq->pool, conf, id, po_publish_wait(conf), &found);
    if (err) { /* the change itself is done; who has it can be asked for later */
        rest_log_error(rq->r, "APIM-PO0203", err);
        return apim_json_own(rq->pool, json_pack("{s:b, s:[]}", "published", 1, "environments"));
    }
    json_object_set_new(found, "published", json_true());
    return found;
}
