/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GW_GATEWAY_CONFIG_H
#define GW_GATEWAY_CONFIG_H

#include "gateway.h"

/* Per location: whether the gateway answers here, and the path in front of the contexts. */
typedef struct gw_dir_config_t {
    int enabled;        /* ApimGateway: 1, 0, -1 unset */
    int retry;          /* ApimRetryIdempotent: 1, 0, -1 unset */
    const char *prefix; /* of the <Location> that switched it on, without trailing slash; "" at the root */
} gw_dir_config_t;

void *gw_create_server_config(apr_pool_t *p, server_rec *s);
void *gw_merge_server_config(apr_pool_t *p, void *base, void *add);
void *gw_create_dir_config(apr_pool_t *p, char *path);
void *gw_merge_dir_config(apr_pool_t *p, void *base, void *add);

extern const command_rec gw_commands[];

/** For check_config: an error sentence, or NULL. Runs for `apachectl configtest` too. */
const char *gw_config_check(apr_pool_t *p, server_rec *main_server);

/** 1 if any location or virtual host has ApimGateway On. */
int gw_config_used(void);

/** Call in pre_config: the configuration is read anew. */
void gw_config_reset(void);

/** The replica's directory. */
const char *gw_config_replica_dir(apr_pool_t *p, server_rec *main_server);

#endif
