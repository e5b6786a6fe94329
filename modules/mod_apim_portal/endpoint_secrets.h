/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APIM_PORTAL_ENDPOINT_SECRETS_H
#define APIM_PORTAL_ENDPOINT_SECRETS_H

#include <jansson.h>

#include "apim_error.h"

/*
 * The secrets in endpointConfig.endpoint_security: password and clientSecret. In databases and artefacts they
 * are sealed under the cluster secret (apim_seal.h); the REST API takes them and never gives them back. Pure.
 */
#define PO_ENDPOINT_SEAL_PURPOSE "endpoint-security"
#define PO_ENDPOINT_SEAL_CONTEXT "endpointConfig"

/**
 * Seals the secrets that a body brought into document (endpointConfig is replaced by a copy). An empty or
 * absent secret keeps the one of previous (NULL: there is none). Nothing happens if the body has no
 * endpointConfig. Errors: 400 if a secret is missing where security is enabled, or if there is no cluster
 * secret.
 */
apim_error_t *po_endpoint_secrets_seal(apr_pool_t *p, const char *cluster_secret, const json_t *body,
                                       const json_t *previous, json_t *document);

/** Blanks the secrets in what a caller is shown; what it shares with a document is copied first. */
void po_endpoint_secrets_hide(json_t *shown);

#endif
