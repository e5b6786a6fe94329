/* SPDX-License-Identifier: Apache-2.0 */
#include "apim_listener.h"

#include <libpq-fe.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_PAUSE     apr_time_from_sec(1)
#define LONGEST_PAUSE   apr_time_from_sec(30)
#define CONNECT_TIMEOUT apr_time_from_sec(10)
#define MAX_PARAMETERS  64
#define NEVER           APR_INT64_MAX

typedef enum { ABSENT, CONNECTING, ASKING, LISTENING } state_e;

struct apim_listener_t {
    PGconn *conn;
    state_e state;
    short events;            /* while CONNECTING */
    apr_time_t since;        /* when connecting began */
    apr_time_t next_attempt; /* when ABSENT */
    apr_interval_time_t pause;
    const char *listen, *name;
};

apim_listener_t *apim_listener_create(const char *listen, const char *name)
{
    apim_listener_t *listener = calloc(1, sizeof(*listener));
    if (listener) {
        listener->pause = FIRST_PAUSE;
        listener->listen = listen;
        listener->name = name;
    }
    return listener;
}

static void give_up(apim_listener_t *l)
{
    PQfinish(l->conn);
    l->conn = NULL;
    l->state = ABSENT;
    l->next_attempt = apr_time_now() + l->pause;
    l->pause = l->pause * 2 > LONGEST_PAUSE ? LONGEST_PAUSE : l->pause * 2;
}

void apim_listener_postpone(apim_listener_t *l)
{
    give_up(l);
}

void apim_listener_close(apim_listener_t *l)
{
    if (l) {
        PQfinish(l->conn);
        free(l);
    }
}

int apim_listener_wants_connection(apim_listener_t *l)
{
    if ((l->state == CONNECTING || l->state == ASKING) && apr_time_now() - l->since > CONNECT_TIMEOUT) {
        give_up(l);
    }
    return l->state == ABSENT && apr_time_now() >= l->next_attempt;
}

/* The notifier of libpq would write to stderr; what a server says here, the pool's connections hear too. */
static void say_nothing(void *dummy, const PGresult *result)
{
}

void apim_listener_connect(apim_listener_t *l, const apim_db_t *db)
{
    const char *keywords[MAX_PARAMETERS + 1], *values[MAX_PARAMETERS + 1];
    PQconninfoOption *options, *o;
    int n = 0;
    if (!apim_db_is_postgresql(db)) {
        l->next_attempt = NEVER;
        return;
    }
    options = PQconninfo(apim_db_native(db));
    for (o = options; o && o->keyword && n < MAX_PARAMETERS - 1; o++) {
        if (o->val && strcmp(o->keyword, "application_name") != 0) {
            keywords[n] = o->keyword;
            values[n++] = o->val;
        }
    }
    keywords[n] = "application_name";
    values[n++] = l->name;
    keywords[n] = values[n] = NULL;
    l->conn = PQconnectStartParams(keywords, values, 0);
    PQconninfoFree(options);
    l->since = apr_time_now();
    l->state = CONNECTING;
    l->events = POLLOUT; /* as PQconnectPoll's documentation says for the first time */
    if (!l->conn || PQstatus(l->conn) == CONNECTION_BAD) {
        give_up(l);
        return;
    }
    PQsetNoticeReceiver(l->conn, say_nothing, NULL);
}

int apim_listener_socket(const apim_listener_t *l, short *events)
{
    *events = l->state == CONNECTING ? l->events : POLLIN;
    return l->state == ABSENT ? -1 : PQsocket(l->conn);
}

static void go_on_connecting(apim_listener_t *l)
{
    switch (PQconnectPoll(l->conn)) {
    case PGRES_POLLING_READING:
        l->events = POLLIN;
        break;
    case PGRES_POLLING_WRITING:
        l->events = POLLOUT;
        break;
    case PGRES_POLLING_OK:
        l->state = ASKING;
        if (!PQsendQuery(l->conn, l->listen)) {
            give_up(l);
        }
        break;
    default:
        give_up(l);
    }
}

/* The answer to LISTEN. Returns 1 once notifications arrive. */
static int take_answer(apim_listener_t *l)
{
    PGresult *result;
    int ok = 1;
    while (!PQisBusy(l->conn) && (result = PQgetResult(l->conn)) != NULL) {
        ok = ok && PQresultStatus(result) == PGRES_COMMAND_OK;
        PQclear(result);
    }
    if (!ok) {
        give_up(l);
        return 0;
    }
    if (PQisBusy(l->conn)) {
        return 0;
    }
    l->state = LISTENING;
    l->pause = FIRST_PAUSE;
    return 1;
}

static int take_notifications(apim_listener_t *l)
{
    PGnotify *notify;
    int news = 0;
    while ((notify = PQnotifies(l->conn)) != NULL) {
        PQfreemem(notify);
        news = 1;
    }
    return news;
}

int apim_listener_step(apim_listener_t *l)
{
    if (l->state == CONNECTING) {
        go_on_connecting(l);
        return 0;
    }
    if (l->state == ABSENT) {
        return 0;
    }
    if (!PQconsumeInput(l->conn) || PQstatus(l->conn) != CONNECTION_OK) {
        give_up(l);
        return 0;
    }
    return l->state == ASKING ? take_answer(l) : take_notifications(l);
}

int apim_listener_possible(const apim_listener_t *l)
{
    return l->next_attempt != NEVER;
}

int apim_listener_active(const apim_listener_t *l)
{
    return l->state == LISTENING;
}
