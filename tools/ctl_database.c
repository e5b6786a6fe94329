/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl.h"

#include <apr_file_info.h>
#include <apr_strings.h>
#include <stdio.h>
#include <string.h>

#include "apim_crypto.h"
#include "apim_text.h"
#include "apimctl_sql.h"

const char *const ctl_databases[] = {"user_manager", "api_manager", "registry", NULL};

apim_error_t *ctl_open(const ctl_options_t *o, apr_pool_t *p, const char *params, int must_exist,
                       apim_db_t **db)
{
    apr_finfo_t info;
    if (must_exist && strcmp(o->driver, "sqlite3") == 0 &&
        apr_stat(&info, params, APR_FINFO_TYPE, p) != APR_SUCCESS) {
        return apim_bad_request(p, "there is no database %s; run apimctl migrate first", params);
    }
    return apim_db_connect(p, o->driver, params, db);
}

/* apim_schema is missing in a database that was never migrated; both drivers can say so. */
static apim_error_t *has_schema_table(apim_db_t *db, apr_pool_t *p, int *has)
{
    apim_rows_t *rows;
    APIM_TRY(apim_db_select(db, p, apim_db_is_postgresql(db) ? &ctl_has_schema_pgsql : &ctl_has_schema_sqlite,
                            &rows, APIM_NOARGS));
    *has = rows->count > 0;
    return NULL;
}

apim_error_t *ctl_schema_version(const ctl_options_t *o, const char *params, const char *database,
                                 apr_int64_t *version)
{
    apr_pool_t *p = o->pool;
    apim_db_t *db;
    apim_rows_t *rows;
    int has;
    *version = 0;
    APIM_TRY(ctl_open(o, p, params, 1, &db));
    APIM_TRY(has_schema_table(db, p, &has));
    if (has) {
        APIM_TRY(apim_db_select(db, p, &ctl_schema_rows, &rows, APIM_ARGS(database)));
        if (rows->count && apim_parse_i64(rows->row[rows->count - 1][0], version)) {
            return apim_internal(p, "apim_schema holds a version that is no number");
        }
    }
    apim_db_close(db);
    return NULL;
}

apim_error_t *ctl_show_versions(const ctl_options_t *o)
{
    apim_db_t *db;
    apim_rows_t *rows;
    int has, i;
    APIM_TRY(ctl_open(o, o->pool, o->params, 1, &db));
    APIM_TRY(has_schema_table(db, o->pool, &has));
    if (!has) {
        return apim_bad_request(o->pool, "this database holds no schema of ours; run apimctl migrate");
    }
    APIM_TRY(apim_db_select(db, o->pool, &ctl_schema_all, &rows, APIM_NOARGS));
    for (i = 0; i < rows->count; i++) {
        apr_int64_t at = 0;
        apim_parse_i64(rows->row[i][3], &at);
        printf("%-14s %4s  %-28s %s\n", rows->row[i][0], rows->row[i][1], rows->row[i][2],
               apim_iso_time(o->pool, at));
    }
    apim_db_close(db);
    return NULL;
}

static apim_error_t *renew(const ctl_options_t *o, const char *database, const apim_stmt_t *stmt, int *done)
{
    apr_int64_t version;
    apim_db_t *db;
    const char *epoch = apim_uuid(o->pool);
    if (o->database && strcmp(o->database, database) != 0) {
        return NULL;
    }
    APIM_TRY(ctl_schema_version(o, o->params, database, &version));
    if (!version) {
        return NULL;
    }
    if (!epoch) {
        return apim_internal(o->pool, "the operating system gave no random bytes");
    }
    APIM_TRY(ctl_open(o, o->pool, o->params, 1, &db));
    APIM_TRY(apim_db_query(db, stmt, NULL, APIM_ARGS(epoch)));
    apim_db_close(db);
    printf("%s: feed has epoch %s; gateways will read it from the start\n", database, epoch);
    *done = 1;
    return NULL;
}

apim_error_t *ctl_new_epoch(const ctl_options_t *o)
{
    int done = 0;
    APIM_TRY(renew(o, "api_manager", &ctl_am_epoch, &done));
    APIM_TRY(renew(o, "registry", &ctl_reg_epoch, &done));
    if (!done) {
        return apim_bad_request(o->pool, "this database holds neither api_manager nor registry");
    }
    return NULL;
}
