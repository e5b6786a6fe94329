/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GW_ENDPOINT_GROUP_H
#define GW_ENDPOINT_GROUP_H

#include "endpoint_health.h"
#include "gateway.h"

/*
 * Calls to endpoints with several members (round robin or fail-over) or with a circuit breaker. A member that
 * fails is suspended for a while; a call that may be repeated goes on to the next member, unless part of an
 * answer has reached the client. What may be repeated: a call without a body whose method is idempotent (GET,
 * HEAD, OPTIONS, PUT, DELETE); any call without a body if the member could not be connected to.
 *
 * What a back end answers, also a 5xx, is an answer: it is passed on and counts as health.
 */
typedef struct gw_group_t gw_group_t;

/** A child's view of the shared health. */
void gw_group_child_init(gw_health_t *health);

/**
 * Chooses the member for the first try, held in r->pool; *url is its URL. endpoint->urls is not NULL. Error:
 * 503 with code 303001 and retry_after while all members are suspended.
 */
apim_error_t *gw_group_choose(request_rec *r, const gw_endpoint_t *endpoint, gw_group_t **group,
                              const char **url);

/** How the call is sent to another member: sets filename, upstream and so on. */
typedef apim_error_t *(gw_group_aim_fn)(request_rec *r, gw_call_t *call, const char *url);

/**
 * Has mod_proxy carry the call, with other members if need be, and notes how they do. Returns what mod_proxy
 * returned last: OK, or the status of a failure of which nothing has reached the client.
 */
int gw_group_run(request_rec *r, gw_call_t *call, gw_group_aim_fn *aim);

/** Members suspended now, as far as this node knows. */
int gw_group_suspended(void);

#endif
