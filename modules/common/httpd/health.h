/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APIM_HEALTH_H
#define APIM_HEALTH_H

#include <httpd.h>
#include <jansson.h>

/*
 * What load balancers ask: the handler apim-health (SetHandler in a <Location>) answers GET and HEAD with 200
 * if every role of this httpd can serve and 503 if one cannot, and {status, roles: {<role>: {status, …}}}. It
 * opens no database: it tells what the roles know already. The roles find each other by optional functions,
 * so any of the modules may answer for all of them.
 */

/** Adds to about what the role knows of itself. Returns 1: can serve, 0: cannot, -1: the role is not switched
 * on here. Called from any request thread. */
typedef int apim_health_fn(request_rec *r, json_t *about);

/** Asks a role; about may be NULL. 1, 0, or -1 if it is not there or not switched on. */
int apim_health_ask(request_rec *r, const char *role, json_t *about);

/** For register_hooks: the role ("gateway", "keymgr", "portal") is asked from now on, and this module can
 * answer. */
void apim_health_register(const char *role, apim_health_fn *fn);

#endif
