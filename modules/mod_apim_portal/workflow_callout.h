/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APIM_PORTAL_WORKFLOW_CALLOUT_H
#define APIM_PORTAL_WORKFLOW_CALLOUT_H

#include <apr_atomic.h>

#include "workflow_store.h"

/*
 * Calls to a workflow engine: each wish of a type that has an engine is told to it by POST, until it answers
 * with 2xx; then the engine decides, some time later, by its call-back. The credential of the call-back is
 * derived from the cluster secret and the reference: it is not stored, and good for this one workflow.
 */
#define PO_WF_SEAL_PURPOSE "workflow-engine"

/** What the engine has to show; NULL without a cluster secret. */
const char *po_workflow_token(apr_pool_t *p, const apim_common_config_t *common, const char *id);

/** Tells engines what is due; stops early once *stopping is not 0. Also forgets what was decided long ago.
 * Blocks for some seconds where an engine does not answer: for a watchdog of its own. */
void po_workflow_call_engines(apr_pool_t *p, server_rec *s, volatile apr_uint32_t *stopping);

#endif
