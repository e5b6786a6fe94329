/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APIM_PORTAL_WORKFLOW_STORE_H
#define APIM_PORTAL_WORKFLOW_STORE_H

#include "portal.h"

/*
 * Approvals. Where the administrator has switched one on, what somebody wants is noted and waits; what is
 * there already goes on as it is. Whoever decides, in the pages, over REST or a workflow engine by its
 * call-back, runs the same steps (po_workflow_types). Functions with a database need the caller's
 * transaction: a wish and the state that shows it become visible together.
 */
#define PO_WF_APPLICATION_CREATION  "AM_APPLICATION_CREATION"
#define PO_WF_APPLICATION_DELETION  "AM_APPLICATION_DELETION"
#define PO_WF_PRODUCTION_KEYS       "AM_APPLICATION_REGISTRATION_PRODUCTION"
#define PO_WF_SANDBOX_KEYS          "AM_APPLICATION_REGISTRATION_SANDBOX"
#define PO_WF_SUBSCRIPTION_CREATION "AM_SUBSCRIPTION_CREATION"
#define PO_WF_SUBSCRIPTION_UPDATE   "AM_SUBSCRIPTION_UPDATE"
#define PO_WF_SUBSCRIPTION_DELETION "AM_SUBSCRIPTION_DELETION"
#define PO_WF_API_STATE             "AM_API_STATE"
#define PO_WF_USER_SIGNUP           "AM_USER_SIGNUP"

typedef struct po_workflow_t {
    const char *id;
    const char *type, *subject;
    const char *parent;      /* the application that the subject belongs to; "": none */
    const char *status;      /* CREATED, APPROVED, REJECTED */
    const char *description; /* a sentence for the one who decides */
    json_t *properties;      /* for the same; the pool's */
    json_t *request;         /* what the steps need; the pool's */
    const char *created_by;
    apr_int64_t created_at, updated_at;
    const char *decided_by; /* NULL: nobody yet */
    const char *comment;
    const char *callout; /* NONE, DUE, DELIVERED, FAILED */
    apr_int64_t attempts;
    const char *callout_error;
} po_workflow_t;

/**
 * Notes a wish if its type is switched on: *waits is 1 then, and wish->id its reference. The caller has set
 * type, subject, parent, description, created_by, properties and request (NULL: none). 409 if the same waits
 * already.
 */
apim_error_t *po_workflow_ask(apim_db_t *db, apr_pool_t *p, po_workflow_t *wish, int *waits);

/** 409 while a wish of that type waits for the subject. */
apim_error_t *po_workflow_none_waits(apim_db_t *db, apr_pool_t *p, const char *type, const char *subject);

/** Reads one; 404 if there is none. */
apim_error_t *po_workflow_get(apim_db_t *db, apr_pool_t *p, const char *id, po_workflow_t *out);

/** Those of an application that were not approved, the oldest first: an array of po_workflow_t. */
apim_error_t *po_workflow_of_parent(apim_db_t *db, apr_pool_t *p, const char *parent,
                                    apr_array_header_t **out);

/** Notes the decision; 409 if somebody was faster. */
apim_error_t *po_workflow_decide(apim_db_t *db, apr_pool_t *p, const po_workflow_t *workflow,
                                 const char *status, const char *decided_by, const char *comment);

/** Forgets what waits for a subject, or was refused: it is gone, or its owner has thought better of it. */
apim_error_t *po_workflow_withdraw(apim_db_t *db, const char *subject);

/** Takes a row of PO_WORKFLOW. */
void po_workflow_from_row(apr_pool_t *p, const char *const *row, po_workflow_t *out);

#endif
