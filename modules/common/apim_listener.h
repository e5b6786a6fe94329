/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APIM_LISTENER_H
#define APIM_LISTENER_H

#include "apim_db.h"

/*
 * A connection of its own to a PostgreSQL that LISTENs to the change feeds (PostgreSQL documentation,
 * "Asynchronous Notification" of libpq). Where there is none, or while it is away, whoever follows a feed
 * asks; a listener only makes it quicker.
 *
 * All functions are for one thread. None of them blocks: connecting goes on in steps whenever the socket is
 * ready.
 */
typedef struct apim_listener_t apim_listener_t;

/** Makes a listener that is not connected yet. It lives until apim_listener_close. listen: the LISTEN
 * statement; name: what pg_stat_activity shows (application_name). Both constants. NULL if there is no
 * memory. */
apim_listener_t *apim_listener_create(const char *listen, const char *name);

/** 1 if apim_listener_connect should be called: there is no connection, and its pause has passed. An attempt
 * that takes too long is given up here. */
int apim_listener_wants_connection(apim_listener_t *listener);

/** Begins to connect with the parameters of db, a PostgreSQL connection lent from the pool. */
void apim_listener_connect(apim_listener_t *listener, const apim_db_t *db);

/** There was no connection to take the parameters from: the next attempt is after a pause. */
void apim_listener_postpone(apim_listener_t *listener);

/** The socket to wait for, -1 if there is none; *events: what poll(2) should look for. */
int apim_listener_socket(const apim_listener_t *listener, short *events);

/** To be called when the socket is ready. Returns 1 if something may have changed (a notification came, or
 * the connection has just been made and some may have been missed), else 0. */
int apim_listener_step(apim_listener_t *listener);

/** 0 once the database has turned out to be none that can be listened to. */
int apim_listener_possible(const apim_listener_t *listener);

/** 1 while notifications arrive. */
int apim_listener_active(const apim_listener_t *listener);

void apim_listener_close(apim_listener_t *listener);

#endif
