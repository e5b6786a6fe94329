/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GW_PG_LISTENER_H
#define GW_PG_LISTENER_H

#include "apim_db.h"

/*
 * A connection of its own to a PostgreSQL that LISTENs to the change feeds (PostgreSQL documentation,
 * "Asynchronous Notification" of libpq). Where there is none, or while it is away, the sync's polling finds
 * the changes; a listener only makes it quicker.
 *
 * All functions are for one thread, the sync's. None of them blocks: connecting goes on in steps whenever the
 * socket is ready.
 */
typedef struct gw_listener_t gw_listener_t;

/** Makes a listener that is not connected yet. It lives in a pool of its own until gw_listener_close. */
gw_listener_t *gw_listener_create(void);

/** 1 if gw_listener_connect should be called: there is no connection, and its pause has passed. An attempt
 * that takes too long is given up here. */
int gw_listener_wants_connection(gw_listener_t *listener);

/** Begins to connect with the parameters of db, a PostgreSQL connection lent from the pool. */
void gw_listener_connect(gw_listener_t *listener, const apim_db_t *db);

/** There was no connection to take the parameters from: the next attempt is after a pause. */
void gw_listener_postpone(gw_listener_t *listener);

/** The socket to wait for, -1 if there is none; *events: what poll(2) should look for. */
int gw_listener_socket(const gw_listener_t *listener, short *events);

/** To be called when the socket is ready. Returns 1 if something may have changed (a notification came, or
 * the connection has just been made and some may have been missed), else 0. */
int gw_listener_step(gw_listener_t *listener);

/** 1 while notifications arrive. */
int gw_listener_active(const gw_listener_t *listener);

void gw_listener_close(gw_listener_t *listener);

#endif
