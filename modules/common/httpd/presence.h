/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APIM_PRESENCE_H
#define APIM_PRESENCE_H

#include <jansson.h>

#include "common_config.h"

/*
 * A watchdog that writes the row of this node and role in reg_node every few seconds (Key Manager, portal;
 * the gateway's sync writes its own, with what it serves), after a look at the three databases. One of the
 * children does it. A row that cannot be written keeps nothing up and is logged once. Each role's module has
 * a copy of this object for itself.
 */

/** Registers the watchdog; second pass of post_config, for one server of the role. role: a literal. conf must
 * live as long as the configuration. An error sentence or NULL. */
const char *apim_presence_setup(apr_pool_t *pconf, server_rec *s, const char *role,
                                const apim_common_config_t *conf);

/** Adds {databases: {<name>: UP|DOWN}} to about. 0 if one of them has not answered for some seconds, so that
 * another node should be asked; 1 otherwise. Any thread. */
int apim_presence_health(json_t *about);

/** For child_init. */
void apim_presence_child_init(apr_pool_t *pchild);
/** For child_stopping. */
void apim_presence_stop(void);

#endif
