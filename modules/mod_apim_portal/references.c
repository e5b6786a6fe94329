/* SPDX-License-Identifier: Apache-2.0 */
#include <apr_strings.h>
#include <string.h>

#include "category_sql.h"
#include "publisher.h"
#include "publisher_sql.h"

/* -- roles (User Manager database) -------------------------------------------------------------------------
 */

static apim_error_t *roles_exist(apim_db_t *db, po_problems_t *problems, const char *where,
                                 const json_t *roles)
{
    apim_rows_t *rows;
    apr_size_t i;
    json_t *role;
    json_array_foreach(roles, i, role)
    {
        APIM_TRY(apim_db_select(db, problems->pool, &po_role_get, &rows, APIM_ARGS(json_string_value(role))));
        if (!rows->count) {
            po_problem(problems, po_where_item(problems, where, i), "there is no role %s.",
                       json_string_value(role));
        }
    }
    return NULL;
}

apim_error_t *po_check_roles(rest_request_t *rq, po_problems_t *problems, const char *where,
                             const json_t *roles)
{
    apim_db_t *db;
    apim_error_t *err;
    if (!json_array_size(roles)) {
        return NULL;
    }
    APIM_TRY(po_open(rq, APIM_DB_USER_MANAGER, &db));
    err = roles_exist(db, problems, where, roles);
    apim_db_close(db);
    return err;
}

static apim_error_t *check_bindings(rest_request_t *rq, po_problems_t *problems, const json_t *document)
{
    apr_size_t i;
    json_t *item;
    json_array_foreach(json_object_get(document, "scopes"), i, item)
    {
        const char *where = apr_psprintf(rq->pool, "/scopes/%d/scope/bindings", (int)i);
        APIM_TRY(
            po_check_roles(rq, problems, where, json_object_get(json_object_get(item, "scope"), "bindings")));
    }
    return NULL;
}

/* -- policies (registry) -----------------------------------------------------------------------------------
 */

static apim_error_t *policy_exists(apim_db_t *db, po_problems_t *problems, const char *level,
                                   const char *where, const char *name)
{
    apim_rows_t *rows;
    if (!name || strcmp(name, "Unlimited") == 0) {
        return NULL;
    }
    APIM_TRY(apim_db_select(db, problems->pool, &po_policy_get, &rows, APIM_ARGS(level, name)));
    if (!rows->count) {
        po_problem(problems, where, "there is no %s policy %s.", level, name);
    }
    return NULL;
}

static apim_error_t *policies_exist(apim_db_t *db, po_problems_t *problems, const json_t *document)
{
    const char *last = "Unlimited"; /* operations mostly share one policy */
    apr_size_t i;
    json_t *item;
    json_array_foreach(json_object_get(document, "policies"), i, item)
    {
        APIM_TRY(policy_exists(db, problems, "subscription", po_where_item(problems, "/policies", i),
                               json_string_value(item)));
    }
    APIM_TRY(policy_exists(db, problems, "advanced", "/apiThrottlingPolicy",
                           apim_json_str(document, "apiThrottlingPolicy", NULL)));
    json_array_foreach(json_object_get(document, "operations"), i, item)
    {
        const char *name = apim_json_str(item, "throttlingPolicy", "Unlimited");
        if (strcmp(name, last) != 0) {
            last = name;
            APIM_TRY(policy_exists(db, problems, "advanced",
                                   apr_psprintf(problems->pool, "/operations/%d/throttlingPolicy", (int)i),
                                   name));
        }
    }
    return NULL;
}

static apim_error_t *check_policies(rest_request_t *rq, po_problems_t *problems, const json_t *document)
{
    apim_db_t *db;
    apim_error_t *err;
    APIM_TRY(po_open(rq, APIM_DB_REGISTRY, &db));
    err = policies_exist(db, problems, document);
    apim_db_close(db);
    return err;
}

/* -- scopes (API Manager database) -------------------------------------------------------------------------
 */

static apim_error_t *settle_scope(apim_db_t *db, po_problems_t *problems, const char *api_name,
                                  apr_size_t index, json_t *item)
{
    const char *where = apr_psprintf(problems->pool, "/scopes/%d", (int)index);
    json_t *scope = json_object_get(item, "scope");
    const char *name = apim_json_str(scope, "name", "");
    apim_rows_t *rows;
    APIM_TRY(apim_db_select(db, problems->pool, &po_scope_shared, &rows, APIM_ARGS(name)));
    if (rows->count) {
        json_object_set_new(item, "shared", json_true());
        json_object_set_new(scope, "displayName", json_string(rows->row[0][1]));
        json_object_set_new(scope, "description", json_string(rows->row[0][2]));
        return NULL;
    }
    if (apim_json_bool(item, "shared", 0)) {
        po_problem(problems, where, "there is no shared scope %s.", name);
    }
    APIM_TRY(apim_db_select(db, problems->pool, &po_scope_of_others, &rows, APIM_ARGS(name, api_name)));
    if (rows->count) {
        po_problem(problems, where, "the scope %s belongs to the API %s already; make it a shared scope.",
                   name, rows->row[0][0]);
    }
    return NULL;
}

static apim_error_t *check_scopes(rest_request_t *rq, po_problems_t *problems, const char *api_name,
                                  json_t *document)
{
    json_t *scopes = json_object_get(document, "scopes"), *item;
    apim_error_t *err = NULL;
    apim_db_t *db;
    apr_size_t i;
    if (!json_array_size(scopes)) {
        return NULL;
    }
    APIM_TRY(po_open(rq, APIM_DB_API_MANAGER, &db));
    json_array_foreach(scopes, i, item)
    {
        err = settle_scope(db, problems, api_name, i, item);
        if (err) {
            break;
        }
    }
    apim_db_close(db);
    return err;
}

/* -- categories (API Manager database) ---------------------------------------------------------------------
 */

static apim_error_t *categories_exist(apim_db_t *db, po_problems_t *problems, const json_t *categories)
{
    apim_rows_t *rows;
    apr_size_t i;
    json_t *item;
    json_array_foreach(categories, i, item)
    {
        const char *name = json_string_value(item);
        APIM_TRY(apim_db_select(db, problems->pool, &po_category_named, &rows, APIM_ARGS(name)));
        if (!rows->count) {
            po_problem(problems, po_where_item(problems, "/categories", i), "there is no category %s.", name);
        }
    }
    return NULL;
}

static apim_error_t *check_categories(rest_request_t *rq, po_problems_t *problems, const json_t *document)
{
    const json_t *categories = json_object_get(document, "categories");
    apim_error_t *err;
    apim_db_t *db;
    if (!json_array_size(categories)) {
        return NULL;
    }
    APIM_TRY(po_open(rq, APIM_DB_API_MANAGER, &db));
    err = categories_exist(db, problems, categories);
    apim_db_close(db);
    return err;
}

apim_error_t *po_check_references(rest_request_t *rq, const char *name, json_t *document)
{
    po_problems_t problems = {rq->pool, NULL, 0};
    APIM_TRY(po_check_roles(rq, &problems, "/visibleRoles", json_object_get(document, "visibleRoles")));
    APIM_TRY(po_check_roles(rq, &problems, "/accessControlRoles",
                            json_object_get(document, "accessControlRoles")));
    APIM_TRY(check_bindings(rq, &problems, document));
    APIM_TRY(check_policies(rq, &problems, document));
    APIM_TRY(check_scopes(rq, &problems, name, document));
    APIM_TRY(check_categories(rq, &problems, document));
    return po_problems_error(&problems);
}
