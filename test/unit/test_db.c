/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include "apim_db.h"
#include "apim_text.h"

#define STATEMENTS(X)                                                                                        \
    X(t_insert, "INSERT INTO t (id, name) VALUES (%ld, %s) ON CONFLICT DO NOTHING")                          \
    X(t_select, "SELECT id, name FROM t WHERE id >= %ld ORDER BY id")                                        \
    X(t_broken, "SELECT id FROM nowhere")
APIM_DEFINE_STATEMENTS(STATEMENTS)

static apim_db_t *open_db(apr_pool_t *p)
{
    apim_db_t *db;
    apr_dbd_init(p);
    assert_null(apim_db_connect(p, "sqlite3", ":memory:", &db));
    assert_null(apim_db_script(db, p, "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT);\n\n"));
    return db;
}

static void test_rows_and_nulls(void **state)
{
    apr_pool_t *p = *state;
    apim_db_t *db = open_db(p);
    apim_rows_t *rows;
    int n;
    assert_null(apim_db_query(db, &t_insert, &n, APIM_ARGS("1", "one")));
    assert_int_equal(n, 1);
    assert_null(apim_db_query(db, &t_insert, &n, APIM_ARGS(apim_i64(p, 2), NULL)));
    assert_null(apim_db_select(db, p, &t_select, &rows, APIM_ARGS("1")));
    assert_int_equal(rows->count, 2);
    assert_string_equal(rows->row[0][1], "one");
    assert_null(rows->row[1][1]);
    assert_null(apim_db_select(db, p, &t_select, &rows, APIM_ARGS("3")));
    assert_int_equal(rows->count, 0);
    apim_db_close(db);
}

static void test_rollback_on_close(void **state)
{
    apr_pool_t *p = *state;
    apim_db_t *db = open_db(p);
    apim_rows_t *rows;
    assert_null(apim_db_begin(db));
    assert_null(apim_db_query(db, &t_insert, NULL, APIM_ARGS("1", "x")));
    apim_db_rollback(db);
    assert_null(apim_db_select(db, p, &t_select, &rows, APIM_ARGS("0")));
    assert_int_equal(rows->count, 0);
    apim_db_close(db);
    apim_db_close(db);
}

static void test_errors(void **state)
{
    apr_pool_t *p = *state;
    apim_db_t *db = open_db(p);
    apim_rows_t *rows;
    apim_error_t *err = apim_db_select(db, p, &t_broken, &rows, APIM_NOARGS);
    assert_non_null(err);
    assert_int_equal(err->status, 500);
    assert_non_null(strstr(err->cause, "nowhere"));
    apim_db_close(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {unit_case(test_rows_and_nulls), unit_case(test_rollback_on_close),
                                       unit_case(test_errors)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
