/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APIM_PORTAL_WORKFLOW_TYPES_H
#define APIM_PORTAL_WORKFLOW_TYPES_H

#include "workflow_store.h"

/*
 * What approval and refusal do, by type of workflow. A decision goes: before (no database open; may be
 * repeated, because what follows may fail), then in one transaction the decision and its effect, then after.
 */
typedef apim_error_t *(po_workflow_step_fn)(rest_request_t *rq, const po_workflow_t *workflow);
typedef apim_error_t *(po_workflow_effect_fn)(rest_request_t *rq, apim_db_t *db,
                                              const po_workflow_t *workflow);

typedef struct po_workflow_steps_t {
    po_workflow_step_fn *before;   /* NULL: nothing */
    po_workflow_effect_fn *effect; /* NULL: nothing */
    po_workflow_step_fn *after;    /* NULL: nothing */
} po_workflow_steps_t;

typedef struct po_workflow_type_t {
    const char *name;
    po_workflow_steps_t approve, reject;
} po_workflow_type_t;

/** Ends with a NULL name. */
extern const po_workflow_type_t po_workflow_types[];

/** NULL if there is no such type. */
const po_workflow_type_t *po_workflow_type(const char *name);

/* The steps, by the file that knows the thing. */
po_workflow_step_fn st_application_removal_begin; /* store_applications.c */
po_workflow_effect_fn st_application_granted, st_application_refused, st_application_removal_granted,
    st_application_removal_refused;
po_workflow_step_fn st_keys_granted; /* store_keys.c */
po_workflow_effect_fn st_subscription_granted, st_subscription_refused, st_tier_granted, st_tier_refused,
    st_unsubscription_granted, st_unsubscription_refused; /* store_subscriptions.c */
po_workflow_effect_fn po_lifecycle_granted;               /* lifecycle_resource.c */
po_workflow_step_fn po_lifecycle_publish;
po_workflow_step_fn po_sign_up_granted, po_sign_up_refused; /* signup_resource.c */

#endif
