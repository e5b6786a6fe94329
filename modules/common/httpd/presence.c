/* SPDX-License-Identifier: Apache-2.0 */
#include "presence.h"

#include <apr_atomic.h>
#include <apr_strings.h>
#include <http_log.h>
#include <mod_watchdog.h>

#include "apim_node.h"
#include "apim_text.h"
#include "db_pool.h"

#define STOP_WAIT apr_time_from_sec(5)
#define TICK      apr_time_from_msec(200) /* a node that starts is seen at once */

/* Of this role in this process; the watchdog's thread may look at it until the process is gone. */
static struct {
    server_rec *server;
    const char *role;
    const apim_common_config_t *conf;
    apr_int64_t started_at;
    apr_time_t due;
    apr_uint32_t running, stopping;
    int failed;
} here;

static apim_error_t *report(apr_pool_t *p)
{
    apim_node_t node = {apim_node_name(here.conf), here.role, "", APIM_VERSION, "", 0, here.started_at, "{}"};
    apim_error_t *err;
    apim_db_t *db;
    APIM_TRY(apim_db_open(p, here.conf, APIM_DB_REGISTRY, &db));
    err = apim_node_report(db, p, &node);
    apim_db_close(db);
    return err;
}

static void report_and_log(apr_pool_t *p)
{
    apim_error_t *err = report(p);
    if (err && !here.failed) {
        ap_log_error(
            APLOG_MARK, APLOG_WARNING, 0, here.server,
            "APIM-DB0010: this node (%s) cannot be written to reg_node and will be shown as away: %s",
            here.role, err->cause ? err->cause : err->description);
    }
    here.failed = err != NULL;
}

static apr_status_t on_tick(int state, void *dummy, apr_pool_t *p)
{
    if (state == AP_WATCHDOG_STATE_RUNNING) {
        apr_atomic_set32(&here.running,
                         1); /* before the look at stopping: whoever sets that looks here next */
        if (!apr_atomic_read32(&here.stopping) && apr_time_now() >= here.due) {
            here.due = apr_time_now() + apr_time_from_msec(APIM_NODE_INTERVAL);
            report_and_log(p);
        }
        apr_atomic_set32(&here.running, 0);
    }
    return APR_SUCCESS; /* anything else would end the watchdog for good */
}

const char *apim_presence_setup(apr_pool_t *pconf, server_rec *s, const char *role,
                                const apim_common_config_t *conf)
{
    APR_OPTIONAL_FN_TYPE(ap_watchdog_get_instance) *get = APR_RETRIEVE_OPTIONAL_FN(ap_watchdog_get_instance);
    APR_OPTIONAL_FN_TYPE(ap_watchdog_register_callback) *add =
        APR_RETRIEVE_OPTIONAL_FN(ap_watchdog_register_callback);
    ap_watchdog_t *watchdog;
    here.server = s;
    here.role = role;
    here.conf = conf;
    here.started_at = apim_now_ms();
    if (!get || !add) {
        return "mod_watchdog is not loaded; add LoadModule watchdog_module modules/mod_watchdog.so";
    }
    if (get(&watchdog, apr_pstrcat(pconf, "_apim_node_", role, "_", NULL), 0, 1, pconf) != APR_SUCCESS ||
        add(watchdog, TICK, NULL, on_tick) != APR_SUCCESS) {
        return "the watchdog that reports this node cannot be registered";
    }
    return NULL;
}

static apr_status_t wait_for_tick(void *dummy)
{
    apr_time_t deadline = apr_time_now() + STOP_WAIT;
    apim_presence_stop();
    while (apr_atomic_read32(&here.running) && apr_time_now() < deadline) {
        apr_sleep(apr_time_from_msec(5));
    }
    return APR_SUCCESS;
}

void apim_presence_child_init(apr_pool_t *pchild)
{
    apr_pool_pre_cleanup_register(pchild, NULL, wait_for_tick);
}

void apim_presence_stop(void)
{
    apr_atomic_set32(&here.stopping, 1);
}
