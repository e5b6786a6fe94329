/* SPDX-License-Identifier: Apache-2.0 */
#include "feed_service.h"

#include <ap_mpm.h>
#include <apr_atomic.h>
#include <apr_strings.h>
#include <pthread.h>
#include <string.h>

#include "apim_node.h"
#include "apim_text.h"
#include "httpd/db_pool.h"
#include "keymgr_sql.h"
#include "operation_input.h"

#define MAX_WAIT_MS    30000
#define LOOK_MS        100 /* how old the heads may be that a waiting request goes by */
#define STEP           apr_time_from_msec(25)
#define CROWDED_PAUSE  500 /* ms: what a gateway should sleep that may not wait here */
#define MAX_EPOCH      128
#define MAX_PAGE_BYTES (4 * 1024 * 1024)

typedef struct head_t {
    char epoch[MAX_EPOCH];
    apr_int64_t revision;
} head_t;

typedef struct heads_t {
    head_t registry, invalidations;
} heads_t;

/* What this process saw last, and when; one thread at a time looks anew. The databases are those of `of`. */
static struct {
    pthread_mutex_t mutex;
    const km_config_t *of;
    heads_t heads;
    apr_int64_t seen_at;
    int looking;
} shared = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static apr_uint32_t stopping, waiting;
static apr_uint32_t most_waiting;

void km_feed_child_init(void)
{
    int threads = 0;
    ap_mpm_query(AP_MPMQ_MAX_THREADS, &threads);
    most_waiting = threads > 4 ? (apr_uint32_t)threads / 4 : (threads > 1);
    apr_atomic_set32(&stopping, 0);
}

void km_feed_stop(void)
{
    apr_atomic_set32(&stopping, 1);
}

/* -- the heads
 * ------------------------------------------------------------------------------------------------------- */

static apim_error_t *read_head(const km_call_t *call, apr_pool_t *p, apim_database_e which,
                               const apim_stmt_t *stmt, head_t *head)
{
    apim_rows_t *rows;
    apim_error_t *err;
    apim_db_t *db;
    APIM_TRY(apim_db_open(p, &call->conf->common, which, &db));
    err = apim_db_select(db, p, stmt, &rows, APIM_NOARGS);
    apim_db_close(db);
    if (err) {
        return err;
    }
    if (rows->count != 1 || !rows->row[0][0] || strlen(rows->row[0][0]) >= MAX_EPOCH ||
        apim_parse_i64(rows->row[0][1], &head->revision)) {
        return apim_internal(p, "%s: no head; has the database been migrated?", stmt->label);
    }
    apr_cpystrn(head->epoch, rows->row[0][0], MAX_EPOCH);
    return NULL;
}

static apim_error_t *read_heads(const km_call_t *call, apr_pool_t *p, heads_t *heads)
{
    APIM_TRY(read_head(call, p, APIM_DB_REGISTRY, &km_feed_registry_head, &heads->registry));
    return read_head(call, p, APIM_DB_API_MANAGER, &km_feed_invalidation_head, &heads->invalidations);
}

/* 1 if this thread shall look. Otherwise *heads is what another saw a moment ago. */
static int my_turn(const km_call_t *call, heads_t *heads)
{
    int mine;
    pthread_mutex_lock(&shared.mutex);
    mine = shared.of != call->conf || (!shared.looking && apim_now_ms() - shared.seen_at >= LOOK_MS);
    if (mine) {
        shared.looking = 1;
    }
    else {
        *heads = shared.heads;
    }
    pthread_mutex_unlock(&shared.mutex);
    return mine;
}

static void publish(const km_call_t *call, const apim_error_t *err, const heads_t *heads)
{
    pthread_mutex_lock(&shared.mutex);
    shared.looking = 0;
    if (!err) {
        shared.of = call->conf;
        shared.heads = *heads;
    }
    shared.seen_at = apim_now_ms();
    pthread_mutex_unlock(&shared.mutex);
}

/* p is cleared here: whoever waits asks many times. An error is in call->pool. */
static apim_error_t *look(const km_call_t *call, apr_pool_t *p, heads_t *heads)
{
    apim_error_t *err = NULL;
    if (my_turn(call, heads)) {
        err = read_heads(call, p, heads);
        publish(call, err, heads);
        if (err) {
            err = apim_unavailable(call->pool, "The feed", "%s", err->cause ? err->cause : err->description);
        }
        apr_pool_clear(p);
    }
    return err;
}

static int is_at(const head_t *head, const json_t *in, const char *name)
{
    const json_t *place = json_object_get(in, name);
    return strcmp(apim_json_str(place, "epoch", ""), head->epoch) == 0 &&
           apim_json_int(place, "revision", -1) == head->revision;
}

/* 1 if the caller has seen more than what was looked at: another Key Manager told it, or it read artefacts
 * that are younger. A head that seems to go back would make it load everything anew. */
static int is_ahead(const head_t *head, const json_t *in, const char *name)
{
    const json_t *place = json_object_get(in, name);
    return strcmp(apim_json_str(place, "epoch", ""), head->epoch) == 0 &&
           apim_json_int(place, "revision", -1) > head->revision;
}

static apim_error_t *look_past(const km_call_t *call, apr_pool_t *p, const json_t *in, heads_t *heads)
{
    APIM_TRY(look(call, p, heads));
    return is_ahead(&heads->registry, in, "registry") || is_ahead(&heads->invalidations, in, "invalidations")
               ? read_heads(call, call->pool, heads)
               : NULL;
}

/* Waits until a head is not where the caller is. */
static apim_error_t *wait_for_change(const km_call_t *call, const json_t *in, apr_int64_t wait_ms,
                                     heads_t *heads)
{
    apr_int64_t until = apim_now_ms() + wait_ms;
    apim_error_t *err;
    apr_pool_t *p;
    apr_pool_create(&p, call->pool);
    do {
        err = look_past(call, p, in, heads);
        if (err || !is_at(&heads->registry, in, "registry") ||
            !is_at(&heads->invalidations, in, "invalidations")) {
            break;
        }
        apr_sleep(wait_ms ? STEP : 0);
    } while (apim_now_ms() < until && !apr_atomic_read32(&stopping));
    apr_pool_destroy(p);
    return err;
}

static apim_error_t *note_node(const km_call_t *call, const json_t *in)
{
    const json_t *node = json_object_get(in, "node");
    apim_node_t said = {.role = "gateway"};
    apim_error_t *err;
    const char *text;
    apim_db_t *db;
    if (!json_is_object(node)) {
        return NULL;
    }
    APIM_TRY(km_in_needed(call->pool, node, "name", 255, &said.name));
    APIM_TRY(km_in_needed(call->pool, node, "environment", 255, &said.environment));
    APIM_TRY(km_in_needed(call->pool, node, "version", 64, &said.version));
    APIM_TRY(km_in_text(call->pool, node, "epoch", MAX_EPOCH, &text));
    said.epoch = text ? text : "";
    APIM_TRY(km_in_needed(call->pool, node, "detail", 32768, &said.detail));
    APIM_TRY(km_in_integer(call->pool, node, "revision", 0, &said.revision));
    APIM_TRY(km_in_integer(call->pool, node, "startedAt", 0, &said.started_at));
    if (!apim_node_name_ok(said.name)) {
        return apim_bad_request(call->pool, "node.name is not the name of a node.");
    }
    APIM_TRY(apim_db_open(call->pool, &call->conf->common, APIM_DB_REGISTRY, &db));
    err = apim_node_report(db, call->pool, &said);
    apim_db_close(db);
    return err;
}

static json_t *head_json(const head_t *head)
{
    return json_pack("{s:s, s:I}", "epoch", head->epoch, "revision", (json_int_t)head->revision);
}

apim_error_t *km_feed_heads(const km_call_t *call, const json_t *in, json_t **out)
{
    apr_int64_t wait_ms, asked;
    heads_t heads = {{"", 0}, {"", 0}};
    apim_error_t *err;
    int crowded;
    APIM_TRY(km_in_integer(call->pool, in, "waitMs", 0, &asked));
    APIM_TRY(note_node(call, in));
    crowded = apr_atomic_inc32(&waiting) >= apr_atomic_read32(&most_waiting);
    wait_ms = crowded || asked < 0 ? 0 : asked > MAX_WAIT_MS ? MAX_WAIT_MS : asked;
    err = wait_for_change(call, in, wait_ms, &heads);
    apr_atomic_dec32(&waiting);
    if (err) {
        return err;
    }
    *out = apim_json_own(call->pool, json_pack("{s:o, s:o, s:i}", "registry", head_json(&heads.registry),
                                               "invalidations", head_json(&heads.invalidations), "pauseMs",
                                               crowded && asked > 0 ? CROWDED_PAUSE : 0));
    return NULL;
}

/* -- rows
 * ------------------------------------------------------------------------------------------------------------
 */

/* As many rows as fit into a page, and at least one. */
static json_t *page_of(const apim_rows_t *rows)
{
    json_t *list = json_array();
    apr_size_t bytes = 0;
    int i, c;
    for (i = 0; i < rows->count && bytes < MAX_PAGE_BYTES; i++) {
        json_t *row = json_array();
        for (c = 0; c < rows->columns; c++) {
            const char *text = rows->row[i][c] ? rows->row[i][c] : "";
            bytes += strlen(text);
            json_array_append_new(row, json_string(text));
        }
        json_array_append_new(list, row);
    }
    return json_pack("{s:o}", "rows", list);
}

static apim_error_t *answer_rows(const km_call_t *call, apim_database_e which, const apim_stmt_t *stmt,
                                 const char *const *args, int nargs, json_t **out)
{
    apim_rows_t *rows;
    apim_error_t *err;
    apim_db_t *db;
    APIM_TRY(apim_db_open(call->pool, &call->conf->common, which, &db));
    err = apim_db_select(db, call->pool, stmt, &rows, args, nargs);
    apim_db_close(db);
    *out = err ? NULL : apim_json_own(call->pool, page_of(rows));
    return err;
}

apim_error_t *km_feed_artifacts(const km_call_t *call, const json_t *in, json_t **out)
{
    const char *environment, *args[2];
    apr_int64_t after;
    APIM_TRY(km_in_needed(call->pool, in, "environment", 255, &environment));
    APIM_TRY(km_in_integer(call->pool, in, "after", 0, &after));
    args[0] = apim_i64(call->pool, after);
    args[1] = environment;
    return answer_rows(call, APIM_DB_REGISTRY, &km_feed_artifacts_after, args, 2, out);
}

apim_error_t *km_feed_invalidations(const km_call_t *call, const json_t *in, json_t **out)
{
    const char *args[1];
    apr_int64_t after;
    APIM_TRY(km_in_integer(call->pool, in, "after", 0, &after));
    args[0] = apim_i64(call->pool, after);
    return answer_rows(call, APIM_DB_API_MANAGER, &km_feed_invalidations_after, args, 1, out);
}
