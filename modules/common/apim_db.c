/* SPDX-License-Identifier: Apache-2.0 */
#include "apim_db.h"

#include <apr_hash.h>
#include <apr_strings.h>
#include <libpq-fe.h>
#include <poll.h>
#include <string.h>

#define CONNECTION_KEY "apim_db_connection/1"
#define MAX_READS      16
#define PREPARE_TRIES  40
#define PREPARE_PAUSE  (50 * 1000)

/* What belongs to the connection and outlives a loan. */
typedef struct connection_t {
    const apr_dbd_driver_t *driver;
    apr_dbd_t *handle;
    apr_pool_t *pool;
    int is_postgresql;
    int backend_pid; /* PostgreSQL: changes when libpq reconnected, and the prepared statements are gone */
    apr_pool_t *prepared_pool; /* one per backend, so that reconnects do not pile up memory */
    apr_hash_t *prepared;      /* label -> apr_dbd_prepared_t */
} connection_t;

struct apim_db_t {
    connection_t *c;
    apr_pool_t *pool; /* of the loan: errors are made here */
    int in_transaction;
    void (*release)(void *);
    void *baton;
};

static void forget_prepared(connection_t *c)
{
    if (c->prepared_pool) {
        apr_pool_destroy(c->prepared_pool);
    }
    apr_pool_create(&c->prepared_pool, c->pool);
    c->prepared = apr_hash_make(c->prepared_pool);
}

static PGconn *pg(const connection_t *c)
{
    return apr_dbd_native_handle(c->driver, c->handle);
}

/* A server that closed the connection while it was idle has left an end-of-file to read, as a rule behind a
 * message that says why; seeing it here turns the loss into a quiet reconnect instead of a failed statement.
 */
static int connection_lost(const connection_t *c)
{
    PGconn *conn = pg(c);
    struct pollfd fd = {.fd = PQsocket(conn), .events = POLLIN};
    int reads;
    for (reads = 0; reads < MAX_READS && PQstatus(conn) == CONNECTION_OK && fd.fd >= 0; reads++) {
        if (poll(&fd, 1, 0) != 1) {
            return 0;
        }
        if (!PQconsumeInput(conn)) {
            return 1;
        }
    }
    return 1;
}

static apim_error_t *ensure_connected(apim_db_t *db)
{
    connection_t *c = db->c;
    if (!c->is_postgresql) {
        return NULL;
    }
    if (connection_lost(c)) {
        PQreset(pg(c));
        if (PQstatus(pg(c)) != CONNECTION_OK) {
            return apim_unavailable(db->pool, "The database", "reconnect failed: %s", PQerrorMessage(pg(c)));
        }
    }
    if (PQbackendPID(pg(c)) != c->backend_pid) {
        c->backend_pid = PQbackendPID(pg(c));
        forget_prepared(c);
    }
    return NULL;
}

/* States of PostgreSQL that pass by themselves: deadlock, serialization failure, lock or statement timeout,
 * shutdown, restart, too many connections, disk full. Errors are reported with their state in front (see
 * connection_state), in any language. */
static int passes_with_time(const char *text)
{
    static const char *const states[] = {" 40P01: ", " 40001: ", " 55P03: ", " 57014: ", " 57P01: ",
                                         " 57P02: ", " 57P03: ", " 53300: ", " 53100: ", " 53200: "};
    apr_size_t i;
    for (i = 0; text && i < sizeof(states) / sizeof(states[0]); i++) {
        if (strstr(text, states[i])) {
            return 1;
        }
    }
    return 0;
}

static apim_error_t *statement_error(apim_db_t *db, const char *what, int rc)
{
    connection_t *c = db->c;
    const char *text = apr_dbd_error(c->driver, c->handle, rc);
    char *cause = apr_psprintf(db->pool, "%s: %s", what, text ? text : "no text");
    char *nl;
    int away;
    while ((nl = strpbrk(cause, "\r\n"))) {
        *nl = ' ';
    }
    /* SQLITE_BUSY, SQLITE_LOCKED, SQLITE_FULL, SQLITE_CANTOPEN and SQLITE_IOERR pass with time; so does a
     * lost server. */
    away = c->is_postgresql ? PQstatus(pg(c)) != CONNECTION_OK || passes_with_time(text)
                            : (rc == 5 || rc == 6 || rc == 13 || rc == 14 || rc == 10);
    return away ? apim_unavailable(db->pool, "The database", "%s", cause)
                : apim_internal(db->pool, "%s", cause);
}

/* SQLite's driver waits for a lock when a statement runs, but not when it is prepared; and preparing the
 * first one on a new connection reads the schema, which a process that has just closed its last connection
 * may hold locked. */
static int prepare(connection_t *c, const apim_stmt_t *stmt, apr_dbd_prepared_t **out)
{
    int tries, rc = 0;
    for (tries = 0; tries < PREPARE_TRIES; tries++) {
        rc = apr_dbd_prepare(c->driver, c->prepared_pool, c->handle, stmt->sql, stmt->label, out);
        if (c->is_postgresql || (rc != 5 && rc != 6)) { /* SQLITE_BUSY, SQLITE_LOCKED */
            break;
        }
        apr_sleep(PREPARE_PAUSE);
    }
    return rc;
}

static apim_error_t *prepared_statement(apim_db_t *db, const apim_stmt_t *stmt, apr_dbd_prepared_t **out)
{
    connection_t *c = db->c;
    int rc;
    *out = apr_hash_get(c->prepared, stmt->label, APR_HASH_KEY_STRING);
    if (*out) {
        return NULL;
    }
    rc = prepare(c, stmt, out);
    if (rc) {
        return statement_error(db, stmt->label, rc);
    }
    apr_hash_set(c->prepared, stmt->label, APR_HASH_KEY_STRING, *out);
    return NULL;
}

apim_error_t *apim_db_query(apim_db_t *db, const apim_stmt_t *stmt, int *affected, const char *const *args,
                            int nargs)
{
    connection_t *c = db->c;
    apr_dbd_prepared_t *prepared;
    int rc, rows = 0;
    APIM_TRY(prepared_statement(db, stmt, &prepared));
    rc = apr_dbd_pquery(c->driver, db->pool, c->handle, &rows, prepared, nargs, (const char **)args);
    if (rc) {
        return statement_error(db, stmt->label, rc);
    }
    if (affected) {
        *affected = rows;
    }
    return NULL;
}

apim_error_t *apim_db_each(apim_db_t *db, apr_pool_t *p, const apim_stmt_t *stmt, apim_row_fn *fn,
                           void *baton, const char *const *args, int nargs)
{
    connection_t *c = db->c;
    apr_dbd_prepared_t *prepared;
    apr_dbd_results_t *res = NULL;
    apr_dbd_row_t *row = NULL;
    apr_pool_t *result_pool, *row_pool;
    apim_error_t *err = NULL;
    int rc, columns, i;
    APIM_TRY(prepared_statement(db, stmt, &prepared));
    apr_pool_create(&result_pool, p);
    apr_pool_create(&row_pool, result_pool);
    /* Always a seekable result: the other kind sleeps 100 ms on PostgreSQL when it is empty, and hides
     * errors. */
    rc = apr_dbd_pselect(c->driver, result_pool, c->handle, &res, prepared, 1, nargs, (const char **)args);
    if (rc) {
        err = statement_error(db, stmt->label, rc);
    }
    columns = rc ? 0 : apr_dbd_num_cols(c->driver, res);
    while (!err && apr_dbd_get_row(c->driver, result_pool, res, &row, -1) == 0) {
        const char **values;
        apr_pool_clear(row_pool);
        values = apr_pcalloc(row_pool, sizeof(char *) * (apr_size_t)(columns + 1));
        for (i = 0; i < columns; i++) {
            const char *value = NULL;
            /* datum_get, unlike get_entry, tells NULL from "". */
            if (apr_dbd_datum_get(c->driver, row, i, APR_DBD_TYPE_STRING, &value) == APR_SUCCESS) {
                values[i] = value;
            }
        }
        err = fn(baton, row_pool, values, columns);
    }
    apr_pool_destroy(result_pool);
    return err;
}

typedef struct collect_t {
    apr_pool_t *pool;
    apr_array_header_t *rows;
    int columns;
} collect_t;

static apim_error_t *collect_row(void *baton, apr_pool_t *row_pool, const char *const *values, int columns)
{
    collect_t *collect = baton;
    const char **copy = apr_palloc(collect->pool, sizeof(char *) * (apr_size_t)(columns + 1));
    int i;
    for (i = 0; i < columns; i++) {
        copy[i] = values[i] ? apr_pstrdup(collect->pool, values[i]) : NULL;
    }
    copy[columns] = NULL;
    collect->columns = columns;
    APR_ARRAY_PUSH(collect->rows, const char **) = copy;
    return NULL;
}

apim_error_t *apim_db_select(apim_db_t *db, apr_pool_t *p, const apim_stmt_t *stmt, apim_rows_t **rows,
                             const char *const *args, int nargs)
{
    collect_t collect = {p, apr_array_make(p, 8, sizeof(const char **)), 0};
    APIM_TRY(apim_db_each(db, p, stmt, collect_row, &collect, args, nargs));
    *rows = apr_pcalloc(p, sizeof(**rows));
    (*rows)->count = collect.rows->nelts;
    (*rows)->columns = collect.columns;
    (*rows)->row = (const char ***)(void *)collect.rows->elts;
    return NULL;
}

/* One statement without parameters, straight to the driver. */
static int run_plain(apim_db_t *db, const char *sql)
{
    int rows;
    return apr_dbd_query(db->c->driver, db->c->handle, &rows, sql);
}

apim_error_t *apim_db_begin(apim_db_t *db)
{
    int rc;
    if (db->in_transaction) {
        return apim_internal(db->pool, "apim_db_begin inside a transaction");
    }
    /* Not apr_dbd_transaction_start: it crashes on a dead PostgreSQL connection. */
    rc = run_plain(db, db->c->is_postgresql ? "BEGIN" : "BEGIN IMMEDIATE");
    if (rc) {
        return statement_error(db, "BEGIN", rc);
    }
    db->in_transaction = 1;
    return NULL;
}

apim_error_t *apim_db_commit(apim_db_t *db)
{
    int rc = run_plain(db, "COMMIT");
    if (rc) {
        apim_error_t *err = statement_error(db, "COMMIT", rc);
        apim_db_rollback(db);
        return err;
    }
    db->in_transaction = 0;
    return NULL;
}

void apim_db_rollback(apim_db_t *db)
{
    if (db && db->in_transaction) {
        run_plain(db, "ROLLBACK");
        db->in_transaction = 0;
    }
}

apim_error_t *apim_db_script(apim_db_t *db, apr_pool_t *p, const char *sql)
{
    /* apr_dbd's SQLite driver steps what follows the last statement as if it were one: leave nothing there.
     */
    apr_size_t len = strlen(sql);
    int rc;
    while (len && strchr(" \t\r\n;", sql[len - 1])) {
        len--;
    }
    if (!len) {
        return NULL;
    }
    rc = run_plain(db, apr_pstrmemdup(p, sql, len));
    return rc ? statement_error(db, "script", rc) : NULL;
}

int apim_db_is_postgresql(const apim_db_t *db)
{
    return db->c->is_postgresql;
}

void *apim_db_native(const apim_db_t *db)
{
    return apr_dbd_native_handle(db->c->driver, db->c->handle);
}

static connection_t *connection_state(apr_pool_t *conn_pool, const apr_dbd_driver_t *driver,
                                      apr_dbd_t *handle)
{
    void *data = NULL;
    connection_t *c;
    apr_pool_userdata_get(&data, CONNECTION_KEY, conn_pool);
    c = data;
    if (!c || c->handle != handle) {
        c = apr_pcalloc(conn_pool, sizeof(*c));
        c->driver = driver;
        c->handle = handle;
        c->pool = conn_pool;
        c->is_postgresql = strcmp(apr_dbd_name(driver), "pgsql") == 0;
        if (c->is_postgresql) {
            PQsetErrorVerbosity(pg(c), PQERRORS_VERBOSE);
        }
        forget_prepared(c);
        apr_pool_userdata_setn(c, CONNECTION_KEY, NULL, conn_pool);
    }
    return c;
}

static apr_status_t close_on_cleanup(void *data)
{
    apim_db_t *db = data;
    if (db->c) {
        apim_db_rollback(db);
        db->c = NULL; /* a second close finds nothing to do */
        if (db->release) {
            db->release(db->baton);
        }
    }
    return APR_SUCCESS;
}

apim_error_t *apim_db_lend(apr_pool_t *p, apr_pool_t *conn_pool, const apr_dbd_driver_t *driver,
                           apr_dbd_t *handle, void (*release)(void *), void *baton, apim_db_t **db)
{
    apim_db_t *loan = apr_pcalloc(p, sizeof(*loan));
    apim_error_t *err;
    loan->c = connection_state(conn_pool, driver, handle);
    loan->pool = p;
    loan->release = release;
    loan->baton = baton;
    err = ensure_connected(loan);
    if (err) {
        if (release) {
            release(baton);
        }
        return err;
    }
    apr_pool_cleanup_register(p, loan, close_on_cleanup, apr_pool_cleanup_null);
    *db = loan;
    return NULL;
}

void apim_db_close(apim_db_t *db)
{
    if (db) {
        apr_pool_cleanup_run(db->pool, db, close_on_cleanup);
    }
}

typedef struct own_connection_t {
    const apr_dbd_driver_t *driver;
    apr_dbd_t *handle;
} own_connection_t;

static void close_own(void *baton)
{
    own_connection_t *own = baton;
    apr_dbd_close(own->driver, own->handle);
}

apim_error_t *apim_db_connect(apr_pool_t *p, const char *driver, const char *params, apim_db_t **db)
{
    own_connection_t *own = apr_pcalloc(p, sizeof(*own));
    const char *reason = NULL;
    apr_status_t rv = apr_dbd_get_driver(p, driver, &own->driver);
    if (rv != APR_SUCCESS) {
        return apim_unavailable(
            p, "The database driver",
            "apr_dbd has no usable driver '%s' (on Debian: apt-get install libaprutil1-dbd-%s)", driver,
            driver);
    }
    rv = apr_dbd_open_ex(own->driver, p, params, &own->handle, &reason);
    if (rv != APR_SUCCESS) {
        return apim_unavailable(p, "The database", "cannot open %s: %s", driver,
                                reason ? reason : "no reason given");
    }
    return apim_db_lend(p, p, own->driver, own->handle, close_own, own, db);
}
