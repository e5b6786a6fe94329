/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KM_DIRECTIVES_H
#define KM_DIRECTIVES_H

#include "keymgr_config.h"

/* The module's own directives and its configurations; see docs/directives-keymgr.md. */

extern const command_rec km_commands[];

void *km_create_server_config(apr_pool_t *p, server_rec *s);
void *km_merge_server_config(apr_pool_t *p, void *basev, void *addv);
void *km_create_dir_config(apr_pool_t *p, char *path);
void *km_merge_dir_config(apr_pool_t *p, void *basev, void *addv);

/** What is wrong with a server's configuration, as a sentence that says what to write; NULL if nothing is. */
const char *km_check_server_config(apr_pool_t *p, server_rec *main_server, km_config_t *conf);

#endif
