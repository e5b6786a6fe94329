/* SPDX-License-Identifier: Apache-2.0 */
#include <apr_strings.h>
#include <arpa/inet.h>
#include <string.h>

#include "admin.h"
#include "admin_sql.h"

/*
 * Deny policies: APIs, applications, users and addresses that every gateway turns away. They live in the
 * registry; while one is switched on, its artefact is there for the gateways, written in the transaction of
 * the change.
 */
#define TYPES "API|APPLICATION|IP|IPRANGE|USER"

static const apim_json_limits_t stored_limits = {64 * 1024, 16};

/* A condition as a body says it. */
typedef struct condition_t {
    const char *type;
    const char *value;      /* in one spelling */
    json_t *shown;          /* conditionValue of the answer; the pool's */
    const char *low, *high; /* of addresses */
    int invert, on;
} condition_t;

/* -- reading a body
 * -------------------------------------------------------------------------------------------- */

/* An address in its shortest spelling, NULL after a problem. *family is AF_INET or AF_INET6. */
static const char *read_address(po_problems_t *problems, const char *where, const json_t *value, int *family)
{
    const char *text = po_check_text(problems, where, value, 1, 64, NULL);
    unsigned char bytes[16];
    char *out = apr_palloc(problems->pool, INET6_ADDRSTRLEN);
    if (!text) {
        return NULL;
    }
    *family = strchr(text, ':') ? AF_INET6 : AF_INET;
    if (inet_pton(*family, text, bytes) != 1 || !inet_ntop(*family, bytes, out, INET6_ADDRSTRLEN)) {
        po_problem(problems, where, "must be an address such as 192.0.2.7 or 2001:db8::7.");
        return NULL;
    }
    return out;
}

static int is_behind(const char *low, const char *high, int family)
{
    unsigned char a[16] = {0}, b[16] = {0};
    return inet_pton(family, low, a) == 1 && inet_pton(family, high, b) == 1 && memcmp(a, b, sizeof(a)) > 0;
}

static void read_addresses(po_problems_t *problems, const json_t *value, condition_t *c)
{
    int range = strcmp(c->type, "IPRANGE") == 0, family = 0, other;
    const char *where = "/conditionValue";
    if (!json_is_object(value)) {
        po_problem(problems, where, "must be an object with %s.",
                   range ? "startingIp and endingIp" : "fixedIp, such as {\"fixedIp\": \"192.0.2.7\"}");
        return;
    }
    c->invert = apim_json_bool(value, "invert", 0);
    c->low = read_address(problems, po_where(problems, where, range ? "startingIp" : "fixedIp"),
                          json_object_get(value, range ? "startingIp" : "fixedIp"), &family);
    other = family;
    c->high = range ? read_address(problems, po_where(problems, where, "endingIp"),
                                   json_object_get(value, "endingIp"), &other)
                    : c->low;
    if (!c->low || !c->high) {
        return;
    }
    if (other != family || is_behind(c->low, c->high, family)) {
        po_problem(problems, where, "endingIp must be of the same kind as startingIp and not before it.");
    }
    c->value = apr_psprintf(problems->pool, "%s%s-%s", c->invert ? "!" : "", c->low, c->high);
    c->shown =
        range ? json_pack("{s:s, s:s, s:b}", "startingIp", c->low, "endingIp", c->high, "invert", c->invert)
              : json_pack("{s:s, s:b}", "fixedIp", c->low, "invert", c->invert);
    apim_json_own(problems->pool, c->shown);
}

static void read_name(po_problems_t *problems, const json_t *value, condition_t *c)
{
    const char *text = po_check_text(problems, "/conditionValue", value, 1, 400, NULL);
    const char *colon = text ? strchr(text, ':') : NULL, *tenant;
    if (!text) {
        return;
    }
    if (strlen(text) > 500) {
        po_problem(problems, "/conditionValue", "must have at most 500 bytes.");
    }
    if (strcmp(c->type, "API") == 0 && *text != '/') {
        po_problem(problems, "/conditionValue",
                   "must be the context of an API with its version, such as /pizzashack/1.0.0.");
    }
    if (strcmp(c->type, "APPLICATION") == 0 && (!colon || colon == text || !colon[1])) {
        po_problem(problems, "/conditionValue", "must be owner:application, such as ana:Shop.");
    }
    tenant = strcmp(c->type, "USER") == 0 ? strstr(text, "@carbon.super") : NULL;
    c->value =
        tenant && !tenant[13] ? apr_pstrmemdup(problems->pool, text, (apr_size_t)(tenant - text)) : text;
    c->shown = apim_json_own(problems->pool, json_string(c->value));
}

static apim_error_t *read_condition(rest_request_t *rq, condition_t *c)
{
    po_problems_t problems = {rq->pool, NULL, 0};
    const json_t *status, *value;
    json_t *body;
    APIM_TRY(rest_read_json(rq->r, NULL, &body));
    value = json_object_get(body, "conditionValue");
    status = json_object_get(body, "conditionStatus");
    if (po_check_one_of(&problems, "/conditionType", json_object_get(body, "conditionType"), TYPES)) {
        c->type = apim_json_str(body, "conditionType", "");
        if (strncmp(c->type, "IP", 2) == 0) {
            read_addresses(&problems, value, c);
        }
        else {
            read_name(&problems, value, c);
        }
    }
    if (status && !json_is_null(status) && !json_is_boolean(status)) {
        po_problem(&problems, "/conditionStatus", "must be true or false.");
    }
    c->on = apim_json_bool(body, "conditionStatus", 1);
    return po_problems_error(&problems);
}

/* -- storing
 * --------------------------------------------------------------------------------------------------- */

/* The artefact of a stored policy; NULL while it is switched off. */
static const char *artefact_of(apr_pool_t *p, const json_t *policy)
{
    const json_t *value = json_object_get(policy, "conditionValue");
    json_t *out;
    if (!apim_json_bool(policy, "conditionStatus", 0)) {
        return NULL;
    }
    out = json_pack("{s:s, s:s, s:b}", "level", "deny", "type", apim_json_str(policy, "conditionType", ""),
                    "invert", apim_json_bool(value, "invert", 0));
    apim_json_set_str(out, "value",
                      json_is_string(value) ? json_string_value(value)
                                            : apim_json_str(value, "fixedIp", NULL));
    apim_json_set_str(out, "start", apim_json_str(value, "startingIp", NULL));
    apim_json_set_str(out, "end", apim_json_str(value, "endingIp", NULL));
    return apim_json_text(p, apim_json_own(p, out));
}

static apim_error_t *put_artefact(rest_request_t *rq, apim_db_t *db, const char *id, const char *payload)
{
    return ad_put_policy_artifact(rq, db, apr_pstrcat(rq->pool, "deny/", id, NULL), payload);
}

static apim_error_t *find(rest_request_t *rq, apim_db_t *db, json_t **policy)
{
    apim_rows_t *rows;
    APIM_TRY(apim_db_select(db, rq->pool, &ad_deny_get, &rows, APIM_ARGS(rq->param[0])));
    if (!rows->count) {
        return apim_not_found(rq->pool, "Deny policy", rq->param[0]);
    }
    return apim_json_parse(rq->pool, rows->row[0][0], strlen(rows->row[0][0]), &stored_limits, policy);
}

static apim_error_t *insert(rest_request_t *rq, apim_db_t *db, const condition_t *c, const json_t *policy)
{
    const char *id = apim_json_str(policy, "conditionId", "");
    int added;
    APIM_TRY(apim_db_begin(db));
    APIM_TRY(apim_db_query(db, &ad_deny_insert, &added,
                           APIM_ARGS(id, c->type, c->value, apim_json_text(rq->pool, policy),
                                     apim_i64(rq->pool, apim_now_ms()))));
    if (!added) {
        return apim_error(rq->pool, 409, 900970, "Policy already exists",
                          "There is a deny policy for this already; switch it on or off.");
    }
    APIM_TRY(put_artefact(rq, db, id, artefact_of(rq->pool, policy)));
    return apim_db_commit(db);
}

static apim_error_t *change_status(rest_request_t *rq, apim_db_t *db, int on, json_t **policy)
{
    APIM_TRY(apim_db_begin(db));
    APIM_TRY(find(rq, db, policy));
    json_object_set_new(*policy, "conditionStatus", json_boolean(on));
    APIM_TRY(
        apim_db_query(db, &ad_deny_update, NULL, APIM_ARGS(apim_json_text(rq->pool, *policy), rq->param[0])));
    APIM_TRY(put_artefact(rq, db, rq->param[0], artefact_of(rq->pool, *policy)));
    return apim_db_commit(db);
}

static apim_error_t *drop(rest_request_t *rq, apim_db_t *db)
{
    json_t *policy;
    APIM_TRY(apim_db_begin(db));
    APIM_TRY(find(rq, db, &policy));
    APIM_TRY(apim_db_query(db, &ad_deny_delete, NULL, APIM_ARGS(rq->param[0])));
    APIM_TRY(put_artefact(rq, db, rq->param[0], NULL));
    return apim_db_commit(db);
}

/* -- operations
 * ------------------------------------------------------------------------------------------------ */

apim_error_t *ad_deny_policies(rest_request_t *rq)
{
    json_t *list = apim_json_own(rq->pool, json_array()), *policy;
    apim_rows_t *rows;
    apim_error_t *err;
    apim_db_t *db;
    int i;
    APIM_TRY(po_open(rq, APIM_DB_REGISTRY, &db));
    err = apim_db_select(db, rq->pool, &ad_deny_list, &rows, APIM_NOARGS);
    apim_db_close(db);
    for (i = 0; !err && i < rows->count; i++) {
        err = apim_json_parse(rq->pool, rows->row[i][0], strlen(rows->row[i][0]), &stored_limits, &policy);
        if (!err) {
            json_array_append(list, policy);
        }
    }
    return err ? err
               : rest_reply_json(
                     rq->r, 200,
                     json_pack("{s:I, s:O}", "count", (json_int_t)json_array_size(list), "list", list));
}

apim_error_t *ad_deny_policy_add(rest_request_t *rq)
{
    condition_t c = {NULL, NULL, NULL, NULL, NULL, 0, 0};
    const char *id = apim_uuid(rq->pool);
    apim_error_t *err;
    json_t *policy;
    apim_db_t *db;
    if (!id) {
        return apim_internal(rq->pool, "no random id");
    }
    APIM_TRY(read_condition(rq, &c));
    policy = apim_json_own(rq->pool, json_pack("{s:s, s:s, s:O, s:b}", "conditionId", id, "conditionType",
                                               c.type, "conditionValue", c.shown, "conditionStatus", c.on));
    APIM_TRY(po_open(rq, APIM_DB_REGISTRY, &db));
    err = insert(rq, db, &c, policy);
    apim_db_close(db);
    if (err) {
        return err;
    }
    apr_table_setn(
        rq->r->headers_out, "Location",
        apr_pstrcat(rq->pool, rest_self_url(rq->r), PO_ADMIN_BASE "/throttling/deny-policy/", id, NULL));
    return rest_reply_json(rq->r, 201, json_incref(policy));
}

apim_error_t *ad_deny_policy_read(rest_request_t *rq)
{
    apim_error_t *err;
    json_t *policy;
    apim_db_t *db;
    APIM_TRY(po_open(rq, APIM_DB_REGISTRY, &db));
    err = find(rq, db, &policy);
    apim_db_close(db);
    return err ? err : rest_reply_json(rq->r, 200, json_incref(policy));
}

apim_error_t *ad_deny_policy_switch(rest_request_t *rq)
{
    json_t *body, *policy;
    apim_error_t *err;
    apim_db_t *db;
    APIM_TRY(rest_read_json(rq->r, NULL, &body));
    if (!json_is_boolean(json_object_get(body, "conditionStatus"))) {
        return apim_bad_request(rq->pool, "conditionStatus: must be true or false.");
    }
    APIM_TRY(po_open(rq, APIM_DB_REGISTRY, &db));
    err = change_status(rq, db, apim_json_bool(body, "conditionStatus", 0), &policy);
    apim_db_close(db);
    return err ? err : rest_reply_json(rq->r, 200, json_incref(policy));
}

apim_error_t *ad_deny_policy_drop(rest_request_t *rq)
{
    apim_error_t *err;
    apim_db_t *db;
    APIM_TRY(po_open(rq, APIM_DB_REGISTRY, &db));
    err = drop(rq, db);
    apim_db_close(db);
    return err ? err : rest_reply_empty(rq->r, 200);
}
