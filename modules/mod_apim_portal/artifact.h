/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APIM_PORTAL_ARTIFACT_H
#define APIM_PORTAL_ARTIFACT_H

#include "api_store.h"

/*
 * What publication writes: the artefact that gateways deploy (docs/architecture.md, "Artefact api") and the
 * document that the Store shows (DevPortal v3's APIDTO). Pure: any thread.
 */

/** The artefact of an API with the document of its deployed revision. Owned by the pool. */
json_t *po_artifact_make(apr_pool_t *p, const po_api_t *api, const json_t *document, apr_int64_t revision,
                         const char *revision_id);

/** Where an API is deployed. */
typedef struct po_deployed_t {
    const char *environment, *display_name, *type, *vhost;
    const char *gateway_url; /* "" if the environment has none of its own */
    int on_devportal;        /* shown in the Store */
} po_deployed_t;

/**
 * The document for the Store: working copy's description, tags, visibility, tiers; operations and scopes of
 * what is deployed. It has `environments` [{"name", "displayName", "type", "vhost", "gatewayUrl"}] in place
 * of endpointURLs, which depend on who asks: po_store_set_urls. deployed: array of po_deployed_t. Owned by
 * the pool.
 */
json_t *po_store_document(apr_pool_t *p, const po_api_t *api, const json_t *deployed_document,
                          const apr_array_header_t *deployed);

/** Replaces `environments` of a Store document by endpointURLs and environmentList. base: gateway URL of
 * environments that have none of their own. */
void po_store_set_urls(apr_pool_t *p, json_t *document, const char *base);

#endif
