/* SPDX-License-Identifier: Apache-2.0 */
#include "presence.h"

#include <apr_atomic.h>
#include <apr_strings.h>
#include <http_log.h>
#include <mod_watchdog.h>
#include <string.h>
#include <sys/mman.h>

#include "apim_node.h"
#include "apim_text.h"
#include "db_pool.h"

#define STOP_WAIT apr_time_from_sec(5)
#define TICK      apr_time_from_msec(200) /* a node that starts is seen at once */

#define AWAY_AFTER   apr_time_from_sec(5)  /* databases that fail for so long make the node unfit to serve */
#define SILENT_AFTER apr_time_from_sec(20) /* likewise if the watchdog waits for one */

static const char *const databases[APIM_DB_COUNT] = {"user_manager", "api_manager", "registry"};

/* What the child that runs the watchdog found out, for all children. */
typedef struct found_t {
    apr_time_t looked_at;                    /* 0: not yet */
    apr_time_t failing_since[APIM_DB_COUNT]; /* 0: answers */
} found_t;

/* Of this role in this process; the watchdog's thread may look at it until the process is gone. */
static struct {
    server_rec *server;
    const char *role;
    const apim_common_config_t *conf;
    apr_int64_t started_at;
    apr_time_t due;
    apr_uint32_t running, stopping;
    found_t *found;
    int failed;
} here;

/* -- looking ----------------------------------------------------------------------------------------------
 */

static int look_at(apr_pool_t *p, apim_database_e which)
{
    apim_error_t *err;
    apim_db_t *db;
    err = apim_db_open(p, here.conf, which, &db);
    if (!err) {
        err = apim_node_ping_database(db, p);
        apim_db_close(db);
    }
    if (!err) {
        here.found->failing_since[which] = 0;
    }
    else if (!here.found->failing_since[which]) {
        here.found->failing_since[which] = apr_time_now();
    }
    return err == NULL;
}

static const char *detail(apr_pool_t *p)
{
    const apr_time_t *failing = here.found->failing_since;
    return apr_psprintf(p, "{\"databases\": {\"%s\": \"%s\", \"%s\": \"%s\", \"%s\": \"%s\"}}", databases[0],
                        failing[0] ? "DOWN" : "UP", databases[1], failing[1] ? "DOWN" : "UP", databases[2],
                        failing[2] ? "DOWN" : "UP");
}

static void look(apr_pool_t *p)
{
    int i;
    for (i = 0; i < APIM_DB_COUNT && !apr_atomic_read32(&here.stopping); i++) {
        look_at(p, (apim_database_e)i);
    }
    here.found->looked_at = apr_time_now();
}

int apim_presence_health(json_t *about)
{
    const found_t *found = here.found;
    apr_time_t now = apr_time_now();
    json_t *states = json_object();
    int i, can = 1;
    json_object_set_new(about, "databases", states);
    if (!found || !found->looked_at) {
        return 1; /* just started: nothing speaks against it */
    }
    for (i = 0; i < APIM_DB_COUNT; i++) {
        apr_time_t since = found->failing_since[i];
        json_object_set_new(states, databases[i], json_string(since ? "DOWN" : "UP"));
        can = can && (!since || now - since < AWAY_AFTER);
    }
    return can && now - found->looked_at < SILENT_AFTER;
}

/* -- reporting --------------------------------------------------------------------------------------------
 */

static apim_error_t *report(apr_pool_t *p)
{
    apim_node_t node = {apim_node_name(here.conf), here.role, "", APIM_VERSION, "", 0,
                        here.started_at,           detail(p)};
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
            look(p);
            report_and_log(p);
        }
        apr_atomic_set32(&here.running, 0);
    }
    return APR_SUCCESS; /* anything else would end the watchdog for good */
}

/* Mapped once in the life of the parent and never unmapped: a thread that waits for a database when its child
 * ends may look at it for as long as there is a process. */
static found_t *found_of(apr_pool_t *pconf, server_rec *s, const char *role)
{
    const char *key = apr_pstrcat(pconf, "apim_presence_", role, NULL);
    void *found = NULL;
    apr_pool_userdata_get(&found, key, s->process->pool);
    if (!found) {
        found = mmap(NULL, sizeof(found_t), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        found = found == MAP_FAILED ? NULL : found;
        apr_pool_userdata_set(found, key, apr_pool_cleanup_null, s->process->pool);
    }
    return found ? memset(found, 0, sizeof(found_t)) : NULL;
}

const char *apim_presence_setup(apr_pool_t *pconf, server_rec *s, const char *role,
                                const apim_common_config_t *conf)
{
    APR_OPTIONAL_FN_TYPE(ap_watchdog_get_instance) *get = APR_RETRIEVE_OPTIONAL_FN(ap_watchdog_get_instance);
    APR_OPTIONAL_FN_TYPE(ap_watchdog_register_callback) *add =
        APR_RETRIEVE_OPTIONAL_FN(ap_watchdog_register_callback);
    ap_watchdog_t *watchdog;
    here.found = found_of(pconf, s, role);
    if (!here.found) {
        return "there is no shared memory for what the node finds out about its databases";
    }
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
