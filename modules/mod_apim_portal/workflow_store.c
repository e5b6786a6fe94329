/* SPDX-License-Identifier: Apache-2.0 */
#include "workflow_store.h"

#include <string.h>

#include "workflow_sql.h"

static apr_int64_t number(const char *text)
{
    apr_int64_t n = 0;
    return text && !apim_parse_i64(text, &n) ? n : 0;
}

static json_t *object_of(apr_pool_t *p, const char *text)
{
    json_t *j;
    return apim_json_parse(p, text, strlen(text), NULL, &j) ? apim_json_own(p, json_object()) : j;
}

void po_workflow_from_row(apr_pool_t *p, const char *const *row, po_workflow_t *out)
{
    out->id = row[0];
    out->type = row[1];
    out->subject = row[2];
    out->parent = row[3];
    out->status = row[4];
    out->description = row[5];
    out->properties = object_of(p, row[6]);
    out->request = object_of(p, row[7]);
    out->created_by = row[8];
    out->created_at = number(row[9]);
    out->updated_at = number(row[10]);
    out->decided_by = row[11];
    out->comment = row[12];
    out->callout = row[13];
    out->attempts = number(row[14]);
    out->callout_error = row[15];
}

static apim_error_t *waits_already(apr_pool_t *p)
{
    return apim_error(p, 409, 900911, "Waits for approval",
                      "This has been asked for already and waits for approval.");
}

static apim_error_t *insert(apim_db_t *db, apr_pool_t *p, po_workflow_t *wish, int calls_engine)
{
    const char *now = apim_i64(p, apim_now_ms()), *properties, *request;
    int added = 0;
    wish->id = apim_uuid(p);
    properties = wish->properties ? apim_json_text(p, wish->properties) : "{}";
    request = wish->request ? apim_json_text(p, wish->request) : "{}";
    if (!wish->id || !properties || !request) {
        return apim_internal(p, "a workflow cannot be written");
    }
    wish->status = "CREATED";
    APIM_TRY(apim_db_query(db, &wf_withdraw_rejected, NULL, APIM_ARGS(wish->type, wish->subject)));
    APIM_TRY(apim_db_query(db, &wf_insert, &added,
                           APIM_ARGS(wish->id, wish->type, wish->subject, wish->parent ? wish->parent : "",
                                     wish->description, properties, request, wish->created_by, now, now,
                                     calls_engine ? "DUE" : "NONE", now)));
    return added ? NULL : waits_already(p);
}

apim_error_t *po_workflow_ask(apim_db_t *db, apr_pool_t *p, po_workflow_t *wish, int *waits)
{
    apim_rows_t *rows;
    *waits = 0;
    APIM_TRY(apim_db_select(db, p, &wf_type_get, &rows, APIM_ARGS(wish->type)));
    if (!rows->count || !number(rows->row[0][0])) {
        return NULL;
    }
    *waits = 1;
    return insert(db, p, wish, *rows->row[0][1] != '\0');
}

apim_error_t *po_workflow_none_waits(apim_db_t *db, apr_pool_t *p, const char *type, const char *subject)
{
    apim_rows_t *rows;
    APIM_TRY(apim_db_select(db, p, &wf_pending, &rows, APIM_ARGS(type, subject)));
    return rows->count ? waits_already(p) : NULL;
}

apim_error_t *po_workflow_get(apim_db_t *db, apr_pool_t *p, const char *id, po_workflow_t *out)
{
    apim_rows_t *rows;
    APIM_TRY(apim_db_select(db, p, &wf_get, &rows, APIM_ARGS(id)));
    if (!rows->count) {
        return apim_not_found(p, "Workflow", id);
    }
    po_workflow_from_row(p, rows->row[0], out);
    return NULL;
}

apim_error_t *po_workflow_of_parent(apim_db_t *db, apr_pool_t *p, const char *parent,
                                    apr_array_header_t **out)
{
    apim_rows_t *rows;
    int i;
    APIM_TRY(apim_db_select(db, p, &wf_of_parent, &rows, APIM_ARGS(parent)));
    *out = apr_array_make(p, rows->count, sizeof(po_workflow_t));
    for (i = 0; i < rows->count; i++) {
        po_workflow_from_row(p, rows->row[i], apr_array_push(*out));
    }
    return NULL;
}

apim_error_t *po_workflow_decide(apim_db_t *db, apr_pool_t *p, const po_workflow_t *workflow,
                                 const char *status, const char *decided_by, const char *comment)
{
    int decided = 0;
    APIM_TRY(apim_db_query(db, &wf_decide, &decided,
                           APIM_ARGS(status, decided_by, comment, apim_i64(p, apim_now_ms()), workflow->id)));
    return decided ? NULL
                   : apim_error(p, 409, 409, "Conflict",
                                "The workflow %s is decided already, or was withdrawn.", workflow->id);
}

apim_error_t *po_workflow_withdraw(apim_db_t *db, const char *subject)
{
    return apim_db_query(db, &wf_withdraw, NULL, APIM_ARGS(subject));
}
