/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APIM_KEYMGR_CALL_H
#define APIM_KEYMGR_CALL_H

#include <apr_optional.h>
#include <httpd.h>

#include "apim_json.h"
#include "common_config.h"

/*
 * How a gateway or a portal asks the Key Manager. One operation is one JSON object in and one out; the
 * operations and their members are listed in docs/architecture.md ("Between the roles"). The same operations
 * are reachable in two ways:
 *
 * - in process, when the Key Manager role is loaded into the same httpd and ApimKeyManager is not set (or
 * "in-process"): a direct call through the optional function below, no connection, no thread of its own;
 * - over HTTP, POST {ApimKeyManager}/internal/keymgr/v1/{operation} with the cluster secret in
 * X-Apim-Cluster-Secret, through mod_proxy (and so through a balancer:// with its health checks and
 * fail-over).
 */
#define APIM_KEYMGR_INTERNAL_PATH  "/internal/keymgr/v1/"
#define APIM_CLUSTER_SECRET_HEADER "X-Apim-Cluster-Secret"

/* Exported by mod_apim_keymgr. NULL and *out on success. */
APR_DECLARE_OPTIONAL_FN(apim_error_t *, apim_keymgr_operation,
                        (request_rec * r, const char *operation, json_t *in, json_t **out));

/** Finds the in-process Key Manager, if any; call from post_config. */
void apim_keymgr_call_setup(void);

/** The same, and prepares the pool of connections to a remote Key Manager. Call it instead from post_config,
 * once for the configuration of each server; returns NULL or a sentence about what is missing. */
const char *apim_keymgr_call_prepare(apr_pool_t *pconf, server_rec *s, apim_common_config_t *conf);

/** 1 if this configuration can reach a Key Manager at all (for configuration checks). */
int apim_keymgr_call_possible(const apim_common_config_t *conf);

/**
 * Runs one operation. in is borrowed. *out lives with r->pool. Errors: what the operation answers; 503 with
 * retry_after when no Key Manager could be asked in time.
 */
apim_error_t *apim_keymgr_call(request_rec *r, const apim_common_config_t *conf, const char *operation,
                               json_t *in, json_t **out);

#endif
