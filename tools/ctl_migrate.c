/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl.h"

#include <apr_file_info.h>
#include <apr_file_io.h>
#include <apr_strings.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apim_crypto.h"
#include "apim_text.h"
#include "apimctl_sql.h"

#define MIGRATION_MAX_BYTES (4 * 1024 * 1024)
#define BUSY_SECONDS        60

/* One file sql/<database>/<dialect>/NNNN_<name>.sql. */
typedef struct migration_t {
    apr_int64_t version;
    const char *name; /* file name */
    const char *text;
    const char *checksum;
} migration_t;

static int by_version(const void *a, const void *b)
{
    const migration_t *x = a, *y = b;
    return (x->version > y->version) - (x->version < y->version);
}

static apim_error_t *read_file(apr_pool_t *p, const char *path, const char **text)
{
    apr_file_t *f;
    apr_finfo_t info;
    apr_size_t got = 0;
    char *buf = NULL;
    apr_status_t rv = apr_file_open(&f, path, APR_READ | APR_BINARY, 0, p);
    if (rv == APR_SUCCESS) {
        rv = apr_file_info_get(&info, APR_FINFO_SIZE, f);
        if (rv == APR_SUCCESS && info.size > MIGRATION_MAX_BYTES) {
            return apim_bad_request(p, "%s is larger than any migration should be", path);
        }
    }
    if (rv == APR_SUCCESS) {
        buf = apr_pcalloc(p, (apr_size_t)info.size + 1);
        rv = apr_file_read_full(f, buf, (apr_size_t)info.size, &got);
        apr_file_close(f);
    }
    if (rv != APR_SUCCESS && rv != APR_EOF) {
        char why[128];
        return apim_bad_request(p, "cannot read %s: %s", path, apr_strerror(rv, why, sizeof(why)));
    }
    *text = buf;
    return NULL;
}

/* "0001_users.sql" -> 1; 0 if it is not the name of a migration. */
static apr_int64_t version_of(const char *name)
{
    apr_size_t digits = strspn(name, "0123456789"), len = strlen(name);
    if (digits != 4 || name[4] != '_' || len < 10 || strcmp(name + len - 4, ".sql") != 0) {
        return 0;
    }
    return strtol(name, NULL, 10);
}

static apim_error_t *check_numbering(apr_pool_t *p, const char *dir, apr_array_header_t *list)
{
    int i;
    for (i = 0; i < list->nelts; i++) {
        const migration_t *m = &APR_ARRAY_IDX(list, i, migration_t);
        if (m->version != i + 1) {
            return apim_bad_request(
                p, "%s: migrations must be numbered from 0001 without a gap or a repeat; %s is out of order",
                dir, m->name);
        }
    }
    if (!list->nelts) {
        return apim_bad_request(p, "%s holds no migration (NNNN_name.sql); name the directory with --sql-dir",
                                dir);
    }
    return NULL;
}

static apim_error_t *read_migrations(const ctl_options_t *o, const char *database, apr_array_header_t **out)
{
    apr_pool_t *p = o->pool;
    const char *dialect = strcmp(o->driver, "pgsql") == 0 ? "postgresql" : "sqlite";
    const char *dir = apr_pstrcat(p, o->sql_dir, "/", database, "/", dialect, NULL);
    apr_array_header_t *list = apr_array_make(p, 8, sizeof(migration_t));
    apr_dir_t *d;
    apr_finfo_t info;
    apr_status_t rv = apr_dir_open(&d, dir, p);
    if (rv != APR_SUCCESS) {
        char why[128];
        return apim_bad_request(p, "cannot read %s: %s; name the directory with --sql-dir or APIM_SQL_DIR",
                                dir, apr_strerror(rv, why, sizeof(why)));
    }
    while (apr_dir_read(&info, APR_FINFO_NAME, d) == APR_SUCCESS) {
        migration_t *m;
        if (!version_of(info.name)) {
            continue;
        }
        m = apr_array_push(list);
        m->version = version_of(info.name);
        m->name = apr_pstrdup(p, info.name);
        APIM_TRY(read_file(p, apr_pstrcat(p, dir, "/", info.name, NULL), &m->text));
        m->checksum = apim_sha256_hex(p, m->text);
    }
    apr_dir_close(d);
    qsort(list->elts, (size_t)list->nelts, sizeof(migration_t), by_version);
    *out = list;
    return check_numbering(p, dir, list);
}

/* Opens a connection and a transaction that no other migration can be in. SQLite answers "busy" at once or
 * after a short while, so it is asked again. A connection is used for one step only: statements that SQLite
 * prepared before a change of the schema are of no use after it. */
static apim_error_t *begin_locked(const ctl_options_t *o, apr_pool_t *p, apim_db_t **db)
{
    apr_time_t deadline = apr_time_now() + apr_time_from_sec(BUSY_SECONDS);
    apim_error_t *err;
    APIM_TRY(ctl_open(o, p, o->params, 0, db));
    while ((err = apim_db_begin(*db)) && err->status == 503 && !apim_db_is_postgresql(*db) &&
           apr_time_now() < deadline) {
        apr_sleep(apr_time_from_msec(50));
    }
    if (err) {
        return err;
    }
    if (apim_db_is_postgresql(*db)) {
        APIM_TRY(apim_db_script(*db, p, CTL_LOCK_PGSQL));
    }
    return apim_db_script(*db, p, CTL_SCHEMA_TABLE);
}

/* Refuses a database that knows more than these files, or other files under the same numbers. */
static apim_error_t *check_applied(apr_pool_t *p, const char *database, const apim_rows_t *rows,
                                   const apr_array_header_t *files)
{
    int i;
    for (i = 0; i < rows->count; i++) {
        apr_int64_t version = 0;
        const migration_t *m;
        apim_parse_i64(rows->row[i][0], &version);
        if (version < 1 || version > files->nelts) {
            return apim_bad_request(
                p,
                "%s has schema version %s, newer than the version %d this apimctl knows; install the "
                "release that goes with it, nothing was changed",
                database, rows->row[rows->count - 1][0], files->nelts);
        }
        m = &APR_ARRAY_IDX(files, version - 1, migration_t);
        if (strcmp(m->checksum, rows->row[i][2]) != 0) {
            return apim_bad_request(
                p,
                "%s: %s was changed after it had been applied; restore the file and write the change "
                "as a new migration, nothing was changed",
                database, m->name);
        }
    }
    return NULL;
}

static apim_error_t *check_database(const ctl_options_t *o, const char *database,
                                    const apr_array_header_t *files)
{
    apr_pool_t *p;
    apim_db_t *db;
    apim_rows_t *rows;
    apr_pool_create(&p, o->pool);
    APIM_TRY(begin_locked(o, p, &db));
    APIM_TRY(apim_db_select(db, p, &ctl_schema_rows, &rows, APIM_ARGS(database)));
    APIM_TRY(check_applied(o->pool, database, rows, files));
    APIM_TRY(apim_db_commit(db));
    apim_db_close(db);
    apr_pool_destroy(p);
    return NULL;
}

/* A database made from nothing must not look to a gateway like the one it replaces. */
static apim_error_t *first_epoch(apim_db_t *db, apr_pool_t *p, const char *database)
{
    const char *epoch = apim_uuid(p);
    if (!epoch) {
        return apim_internal(p, "the operating system gave no random bytes");
    }
    if (strcmp(database, "api_manager") == 0) {
        return apim_db_query(db, &ctl_am_epoch, NULL, APIM_ARGS(epoch));
    }
    if (strcmp(database, "registry") == 0) {
        return apim_db_query(db, &ctl_reg_epoch, NULL, APIM_ARGS(epoch));
    }
    return NULL;
}

static apim_error_t *apply(const ctl_options_t *o, const char *database, const migration_t *m, int *applied)
{
    apr_pool_t *p;
    apim_db_t *db;
    apim_rows_t *rows;
    apim_error_t *err;
    const char *version;
    apr_pool_create(&p, o->pool);
    version = apim_i64(p, m->version);
    APIM_TRY(begin_locked(o, p, &db));
    APIM_TRY(apim_db_select(db, p, &ctl_schema_one, &rows, APIM_ARGS(database, version)));
    *applied = rows->count == 0; /* another apimctl may have been quicker */
    if (*applied) {
        err = apim_db_script(db, p, m->text);
        if (err) {
            return apim_error(o->pool, err->status, err->code, "migration failed",
                              "%s/%s failed and was rolled back: %s", database, m->name, err->cause);
        }
        if (m->version == 1) {
            APIM_TRY(first_epoch(db, p, database));
        }
        APIM_TRY(
            apim_db_query(db, &ctl_schema_insert, NULL,
                          APIM_ARGS(database, version, m->name, m->checksum, apim_i64(p, apim_now_ms()))));
    }
    APIM_TRY(apim_db_commit(db));
    apim_db_close(db);
    apr_pool_destroy(p);
    return NULL;
}

/* *done: the file is, or was just, switched. */
static apim_error_t *try_wal(const ctl_options_t *o, apr_pool_t *p, apim_db_t *db, int *done)
{
    apim_rows_t *rows;
    apim_error_t *err = apim_db_select(db, p, &ctl_journal_mode_sqlite, &rows, APIM_NOARGS);
    *done = !err && rows->count && strcmp(rows->row[0][0], "wal") == 0;
    if (!*done) {
        err = apim_db_select(db, p, &ctl_set_wal_sqlite, &rows, APIM_NOARGS);
        *done = !err && rows->count && strcmp(rows->row[0][0], "wal") == 0;
        if (*done) {
            printf("%s: write-ahead log switched on\n", o->params);
        }
    }
    return err;
}

/* Readers and a writer at once need SQLite's write-ahead log; the setting stays in the file. */
static apim_error_t *set_wal(const ctl_options_t *o)
{
    apr_time_t deadline = apr_time_now() + apr_time_from_sec(BUSY_SECONDS);
    for (;;) {
        int done = 0;
        apim_error_t *err;
        apim_db_t *db;
        /* Each time another: one that was open when another process switched does not notice. */
        APIM_TRY(ctl_open(o, o->pool, o->params, 0, &db));
        err = try_wal(o, o->pool, db, &done);
        apim_db_close(db);
        if (done) {
            return NULL;
        }
        if (apr_time_now() > deadline) {
            return err ? err : apim_bad_request(o->pool, "%s stays without write-ahead log", o->params);
        }
        apr_sleep(apr_time_from_msec(50));
    }
}

/* What the database's roles may do: SQL-DIR/<database>/grants.sql, each time, because a migration may have
 * added a table. Users of a SQLite file have no names. */
static apim_error_t *apply_grants(const ctl_options_t *o, const char *database)
{
    const char *path = apr_pstrcat(o->pool, o->sql_dir, "/", database, "/grants.sql", NULL), *text;
    apim_error_t *err;
    apr_pool_t *p;
    apim_db_t *db;
    if (strcmp(o->driver, "pgsql") != 0) {
        return NULL;
    }
    APIM_TRY(read_file(o->pool, path, &text));
    apr_pool_create(&p, o->pool);
    APIM_TRY(begin_locked(o, p, &db));
    err = apim_db_script(db, p, text);
    if (err) {
        return apim_error(o->pool, err->status, err->code, "grants failed",
                          "%s failed; run apimctl as the owner of the tables: %s", path, err->cause);
    }
    APIM_TRY(apim_db_commit(db));
    apim_db_close(db);
    apr_pool_destroy(p);
    return NULL;
}

static apim_error_t *migrate_one(const ctl_options_t *o, const char *database,
                                 const apr_array_header_t *files)
{
    int i, done = 0;
    for (i = 0; i < files->nelts; i++) {
        const migration_t *m = &APR_ARRAY_IDX(files, i, migration_t);
        int applied;
        APIM_TRY(apply(o, database, m, &applied));
        if (applied) {
            printf("%s: applied %s\n", database, m->name);
            done++;
        }
    }
    if (!done) {
        printf("%s: is at version %d, nothing to do\n", database, files->nelts);
    }
    return apply_grants(o, database);
}

/* A database and the files its schema is made of. */
typedef struct plan_t {
    const char *database;
    apr_array_header_t *files;
} plan_t;

static apim_error_t *make_plans(const ctl_options_t *o, apr_array_header_t *plans)
{
    int i;
    for (i = 0; ctl_databases[i]; i++) {
        if (!o->database || strcmp(o->database, ctl_databases[i]) == 0) {
            plan_t *plan = apr_array_push(plans);
            plan->database = ctl_databases[i];
            APIM_TRY(read_migrations(o, plan->database, &plan->files));
        }
    }
    return NULL;
}

apim_error_t *ctl_migrate(const ctl_options_t *o)
{
    apr_array_header_t *plans = apr_array_make(o->pool, 3, sizeof(plan_t));
    int i;
    APIM_TRY(make_plans(o, plans));
    if (strcmp(o->driver, "sqlite3") == 0) {
        APIM_TRY(set_wal(o));
    }
    /* All are checked before any is changed. */
    for (i = 0; i < plans->nelts; i++) {
        const plan_t *plan = &APR_ARRAY_IDX(plans, i, plan_t);
        APIM_TRY(check_database(o, plan->database, plan->files));
    }
    for (i = 0; i < plans->nelts; i++) {
        const plan_t *plan = &APR_ARRAY_IDX(plans, i, plan_t);
        APIM_TRY(migrate_one(o, plan->database, plan->files));
    }
    return NULL;
}
