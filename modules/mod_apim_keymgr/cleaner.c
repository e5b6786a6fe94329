/* SPDX-License-Identifier: Apache-2.0 */
#include "cleaner.h"

#include <apr_atomic.h>
#include <apr_strings.h>
#include <mod_watchdog.h>

#include "apim_text.h"
#include "httpd/db_pool.h"
#include "keymgr_config.h"
#include "keymgr_log.h"
#include "keymgr_sql.h"
#include "keymgr_stats.h"

#define WATCHDOG    "_apim_keymgr_clean_"
#define MAX_BATCHES 100
#define BATCH       500
#define MINUTE      60000
#define DAY         APR_INT64_C(86400000)

static const struct {
    const apim_stmt_t *stmt;
    apr_int64_t keep; /* ms that a row is kept past its end */
} chores[] = {
    {&km_clean_tokens, MINUTE},     {&km_clean_revocations, 0},       {&km_clean_invalidations, DAY},
    {&km_clean_api_keys, DAY},      {&km_clean_sessions, 0},          {&km_clean_used_once, 0},
    {&km_clean_codes, 10 * MINUTE}, {&km_clean_devices, 10 * MINUTE}, {&km_clean_usage_batches, 30 * DAY},
    {&km_clean_usage_minutes, 0},   {&km_clean_usage_hours, 0},       {&km_clean_usage_days, 0}};
#define CHORES (sizeof(chores) / sizeof(chores[0]))

/* A run in progress, and whether it should end. The watchdog's thread outlives the child's pools, so the
 * child waits for it. */
static apr_uint32_t running, stopping;

/* How long the rows of a chore are kept past their end. */
static apr_int64_t kept(const km_config_t *conf, apr_size_t i)
{
    return chores[i].stmt == &km_clean_usage_minutes ? apr_time_as_msec(km_usage_retention(conf, 0))
           : chores[i].stmt == &km_clean_usage_hours ? apr_time_as_msec(km_usage_retention(conf, 1))
           : chores[i].stmt == &km_clean_usage_days  ? apr_time_as_msec(km_usage_retention(conf, 2))
                                                     : chores[i].keep;
}

static apim_error_t *do_chore(apr_pool_t *p, apim_db_t *db, const km_config_t *conf, apr_size_t i)
{
    int batch, removed;
    for (batch = 0; batch < MAX_BATCHES && !apr_atomic_read32(&stopping); batch++) {
        const char *bound = apim_i64(p, apim_now_ms() - kept(conf, i));
        APIM_TRY(apim_db_query(db, chores[i].stmt, &removed, APIM_ARGS(bound)));
        km_count_n(KM_ROWS_CLEANED, (apr_uint64_t)removed);
        if (removed < BATCH) {
            break;
        }
    }
    return NULL;
}

static apim_error_t *clean(apr_pool_t *p, const km_config_t *conf)
{
    apr_size_t i;
    for (i = 0; i < CHORES && !apr_atomic_read32(&stopping); i++) {
        apim_db_t *db;
        apim_error_t *err;
        APIM_TRY(apim_db_open(p, &conf->common, APIM_DB_API_MANAGER, &db));
        err = do_chore(p, db, conf, i);
        apim_db_close(db);
        if (err) {
            return err;
        }
    }
    return NULL;
}

static void clean_all(apr_pool_t *p, server_rec *main_server)
{
    const struct km_keys_t *done = NULL;
    server_rec *s;
    for (s = main_server; s; s = s->next) {
        const km_config_t *conf = ap_get_module_config(s->module_config, &apim_keymgr_module);
        apim_error_t *err;
        if (!conf->enabled || !conf->keys || conf->keys == done) {
            continue;
        }
        done = conf->keys;
        err = clean(p, conf);
        if (err) {
            ap_log_error(APLOG_MARK, APLOG_WARNING, 0, s,
                         "APIM-KM0040: expired rows could not be removed: %s",
                         err->cause ? err->cause : err->description);
        }
    }
}

static apr_status_t on_tick(int state, void *data, apr_pool_t *p)
{
    if (state == AP_WATCHDOG_STATE_RUNNING) {
        apr_atomic_set32(&running, 1); /* before the look at stopping: whoever sets that looks here next */
        if (!apr_atomic_read32(&stopping)) {
            clean_all(p, data);
        }
        apr_atomic_set32(&running, 0);
    }
    return APR_SUCCESS; /* anything else would end the watchdog for good */
}

const char *km_cleaner_setup(apr_pool_t *pconf, server_rec *main_server, apr_interval_time_t interval)
{
    APR_OPTIONAL_FN_TYPE(ap_watchdog_get_instance) *get = APR_RETRIEVE_OPTIONAL_FN(ap_watchdog_get_instance);
    APR_OPTIONAL_FN_TYPE(ap_watchdog_register_callback) *add =
        APR_RETRIEVE_OPTIONAL_FN(ap_watchdog_register_callback);
    ap_watchdog_t *watchdog;
    if (!get || !add) {
        return "mod_watchdog is not loaded; add LoadModule watchdog_module modules/mod_watchdog.so";
    }
    apr_atomic_set32(&stopping, 0);
    apr_atomic_set32(&running, 0);
    if (get(&watchdog, WATCHDOG, 0, 1, pconf) != APR_SUCCESS ||
        add(watchdog, interval, main_server, on_tick) != APR_SUCCESS) {
        return "the watchdog that removes expired rows cannot be registered";
    }
    return NULL;
}

/* Bounded: a database that hangs must not keep the child from ending. */
static apr_status_t wait_for_run(void *dummy)
{
    int i;
    apr_atomic_set32(&stopping, 1);
    for (i = 0; i < 1000 && apr_atomic_read32(&running); i++) {
        apr_sleep(apr_time_from_msec(5));
    }
    return APR_SUCCESS;
}

void km_cleaner_child_init(apr_pool_t *pchild)
{
    apr_pool_pre_cleanup_register(pchild, NULL, wait_for_run);
}

void km_cleaner_stop(void)
{
    apr_atomic_set32(&stopping, 1);
}
