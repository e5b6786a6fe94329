/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GW_HELD_ANSWER_H
#define GW_HELD_ANSWER_H

#include <httpd.h>

/*
 * The answer of a member of a balancer, held back until it is whole, so that one that breaks off can be
 * thrown away and another member be asked. Only answers that say that they are short (Content-Length up to
 * 64 KiB) are held; longer ones, chunked ones and streams go on to the client as they come.
 *
 * Everything lives with the request's pool; used by the request's thread.
 */
typedef struct gw_held_answer_t gw_held_answer_t;

/** Once, from register_hooks. */
void gw_held_answer_register(void);

/** From now on the answer to r comes here first. keepalives is put into the connection when the answer goes
 * on. */
gw_held_answer_t *gw_held_answer_begin(request_rec *r, int keepalives);

/** 1 if something has gone to the client: it is too late for another try. */
int gw_held_answer_passed(const gw_held_answer_t *held);

/** 1 if an answer began and broke off, and nothing of it has gone to the client. */
int gw_held_answer_broke(const gw_held_answer_t *held);

/** Forgets what came, and puts the request into the state it had at gw_held_answer_begin(). */
void gw_held_answer_again(gw_held_answer_t *held);

/** Of the last try; whatever comes now goes to the client. */
void gw_held_answer_end(gw_held_answer_t *held);

#endif
