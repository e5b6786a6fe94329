/* SPDX-License-Identifier: Apache-2.0 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apim_text.h"
#include "apimctl_sql.h"
#include "ctl.h"

/* A node not heard of for this long counts as away; the portal's REST API says the same. */
#define AWAY_MS 10000

/* Columns of ctl_node_list. */
enum { C_NAME, C_ROLE, C_ENVIRONMENT, C_VERSION, C_REVISION, C_EPOCH, C_SEEN };

typedef struct head_t {
    const char *epoch;
    apr_int64_t revision;
} head_t;

static apr_int64_t number(const char *text)
{
    apr_int64_t n = 0;
    return text && !apim_parse_i64(text, &n) ? n : 0;
}

/* AWAY, BEHIND (a gateway that does not serve the newest change) or UP. */
static const char *state_of(const char *const *node, const head_t *head, apr_int64_t now)
{
    if (now - number(node[C_SEEN]) > AWAY_MS) {
        return "AWAY";
    }
    if (strcmp(node[C_ROLE], "gateway") == 0 &&
        (strcmp(node[C_EPOCH], head->epoch) != 0 || number(node[C_REVISION]) < head->revision)) {
        return "BEHIND";
    }
    return "UP";
}

static void print_table(const apim_rows_t *nodes, const head_t *head, apr_int64_t now)
{
    int i;
    printf("%-20s %-8s %-14s %-10s %10s  %-6s %s\n", "NODE", "ROLE", "ENVIRONMENT", "VERSION", "REVISION",
           "STATE", "SEEN");
    for (i = 0; i < nodes->count; i++) {
        const char *const *node = nodes->row[i];
        int gateway = strcmp(node[C_ROLE], "gateway") == 0;
        printf("%-20s %-8s %-14s %-10s %10s  %-6s %.1f s ago\n", node[C_NAME], node[C_ROLE],
               gateway ? node[C_ENVIRONMENT] : "-", node[C_VERSION], gateway ? node[C_REVISION] : "-",
               state_of(node, head, now), (double)(now - number(node[C_SEEN])) / 1000.0);
    }
    printf("\nrevision of the registry: %" APR_INT64_T_FMT "\n", head->revision);
}

static apim_error_t *print_json(apr_pool_t *p, const apim_rows_t *nodes, const head_t *head, apr_int64_t now)
{
    json_t *list = json_array();
    json_t *all = json_pack("{s:s, s:I, s:o}", "epoch", head->epoch, "revision", (json_int_t)head->revision,
                            "list", list);
    char *text;
    int i;
    for (i = 0; i < nodes->count; i++) {
        const char *const *node = nodes->row[i];
        json_array_append_new(
            list, json_pack("{s:s, s:s, s:s, s:s, s:I, s:s, s:s}", "name", node[C_NAME], "role", node[C_ROLE],
                            "environment", node[C_ENVIRONMENT], "version", node[C_VERSION], "revision",
                            (json_int_t)number(node[C_REVISION]), "state", state_of(node, head, now),
                            "seenAt", apim_iso_time(p, number(node[C_SEEN]))));
    }
    text = json_dumps(all, JSON_INDENT(2));
    json_decref(all);
    if (!text) {
        return apim_internal(p, "out of memory");
    }
    puts(text);
    free(text);
    return NULL;
}

apim_error_t *ctl_nodes(const ctl_options_t *o)
{
    apr_pool_t *p = o->pool;
    apr_int64_t version, now;
    apim_db_t *db;
    apim_rows_t *nodes, *rows;
    head_t head = {"", 0};
    APIM_TRY(ctl_schema_version(o, o->params, "registry", &version));
    if (!version) {
        return apim_bad_request(p, "this database does not hold the registry");
    }
    APIM_TRY(ctl_open(o, p, o->params, 1, &db));
    APIM_TRY(apim_db_select(db, p, &ctl_reg_head, &rows, APIM_NOARGS));
    APIM_TRY(apim_db_select(db, p, &ctl_node_list, &nodes, APIM_NOARGS));
    apim_db_close(db);
    if (rows->count) {
        head.epoch = rows->row[0][0];
        head.revision = number(rows->row[0][1]);
    }
    now = apim_now_ms();
    if (o->json) {
        return print_json(p, nodes, &head, now);
    }
    print_table(nodes, &head, now);
    return NULL;
}
