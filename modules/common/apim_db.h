/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APIM_DB_H
#define APIM_DB_H

#include <apr_dbd.h>

#include "apim_error.h"

/*
 * The only file pair that calls apr_dbd. It hides what apr_dbd's drivers do differently (NULL values, lost
 * prepared statements after a reconnect, 100 ms sleeps on empty non-seekable results, a crash when a
 * transaction starts on a dead connection), so that callers see: statements, rows, transactions, one kind of
 * error.
 *
 * A statement is a constant, declared in the one *_sql.h of its module through an X-macro:
 *
 *   #define KM_STATEMENTS(X)                                                                  \
 *       X(km_token_by_hash, "SELECT client_id, expires_at FROM am_token WHERE token_hash = %s")
 *   extern: APIM_DECLARE_STATEMENTS(KM_STATEMENTS)   in keymgr_sql.h
 *   define: APIM_DEFINE_STATEMENTS(KM_STATEMENTS)    in keymgr_sql.c
 *
 * SQL is written once for PostgreSQL and SQLite. Parameters: %s text, %ld 64-bit integer; a literal % is %%.
 * All values travel as text; NULL is SQL NULL. Labels are lower_snake (PostgreSQL folds them) and unique in
 * the family.
 *
 * Thread rule: an apim_db_t belongs to the thread that opened it until it is closed. Never keep one open
 * while waiting for anything but the database.
 */
typedef struct apim_stmt_t {
    const char *label;
    const char *sql;
} apim_stmt_t;

#define APIM_DECLARE_STATEMENT_(label, sql) extern const apim_stmt_t label;
#define APIM_DEFINE_STATEMENT_(label, sql)  const apim_stmt_t label = {#label, sql};
#define APIM_DECLARE_STATEMENTS(LIST)       LIST(APIM_DECLARE_STATEMENT_)
#define APIM_DEFINE_STATEMENTS(LIST)        LIST(APIM_DEFINE_STATEMENT_)

typedef struct apim_db_t apim_db_t;

/* A whole result, copied into the caller's pool. row[i][c] is NULL for SQL NULL. */
typedef struct apim_rows_t {
    int count;
    int columns;
    const char ***row;
} apim_rows_t;

/* Parameters: apim_db_query(db, &stmt, &n, APIM_ARGS(id, apim_i64(p, now))); APIM_NOARGS for none. */
#define APIM_ARGS(...)                                                                                       \
    (const char *const[]){__VA_ARGS__},                                                                      \
        (int)(sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))
#define APIM_NOARGS NULL, 0

/** Runs an INSERT, UPDATE or DELETE. affected may be NULL. Errors: 503 if the database is away, else 500. */
apim_error_t *apim_db_query(apim_db_t *db, const apim_stmt_t *stmt, int *affected, const char *const *args,
                            int nargs);

/** Runs a SELECT (or ... RETURNING) and copies all rows into p. An empty result is success with count 0. */
apim_error_t *apim_db_select(apim_db_t *db, apr_pool_t *p, const apim_stmt_t *stmt, apim_rows_t **rows,
                             const char *const *args, int nargs);

/** Called for each row; the values live until it returns. A non-NULL result stops and is passed on. */
typedef apim_error_t *(apim_row_fn)(void *baton, apr_pool_t *row_pool, const char *const *values,
                                    int columns);

/** Runs a SELECT and hands over row by row: for results too large to keep. */
apim_error_t *apim_db_each(apim_db_t *db, apr_pool_t *p, const apim_stmt_t *stmt, apim_row_fn *fn,
                           void *baton, const char *const *args, int nargs);

/** Transaction. On SQLite it takes the write lock at once. Closing a database with a transaction open rolls
 * it back. */
apim_error_t *apim_db_begin(apim_db_t *db);
apim_error_t *apim_db_commit(apim_db_t *db);
void apim_db_rollback(apim_db_t *db);

/** Runs a script of several statements without parameters (migrations, tools; never on input). */
apim_error_t *apim_db_script(apim_db_t *db, apr_pool_t *p, const char *sql);

/** 1 on PostgreSQL, 0 on SQLite. */
int apim_db_is_postgresql(const apim_db_t *db);

/** The driver's own connection (PGconn, sqlite3) for the few things apr_dbd has no call for, such as LISTEN.
 */
void *apim_db_native(const apim_db_t *db);

/** A connection of one's own, outside any pool: for tools, tests and watchdogs. driver: "pgsql" or "sqlite3";
 * params as in DBDParams. The caller must have called apr_dbd_init once. Closed with p or by apim_db_close.
 */
apim_error_t *apim_db_connect(apr_pool_t *p, const char *driver, const char *params, apim_db_t **db);

/** Gives a connection back (rolls back what is open). Safe on NULL. */
void apim_db_close(apim_db_t *db);

/* -- for the pool glue only
 * ----------------------------------------------------------------------------------- */

/** Wraps a connection lent by a pool. State that belongs to the connection (its prepared statements) is kept
 * in conn_pool and found again at the next loan. p is where errors of this loan are made. release is called
 * by apim_db_close. */
apim_error_t *apim_db_lend(apr_pool_t *p, apr_pool_t *conn_pool, const apr_dbd_driver_t *driver,
                           apr_dbd_t *handle, void (*release)(void *), void *baton, apim_db_t **db);

#endif
