/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APIM_PORTAL_LIFECYCLE_H
#define APIM_PORTAL_LIFECYCLE_H

/*
 * The life cycle of an API: WSO2 API Manager's states, actions and transitions. Pure: any thread.
 */
typedef struct po_transition_t {
    const char *from;
    const char *action; /* as written in change-lifecycle?action= */
    const char *to;
} po_transition_t;

/* All transitions; the last has from == NULL. */
extern const po_transition_t po_transitions[];

/** The state that an action leads to; NULL if the state does not allow it or there is no such action. */
const char *po_lifecycle_next(const char *from, const char *action);

/** 1 if gateways have the API in this state (PROTOTYPED, PUBLISHED, BLOCKED, DEPRECATED). */
int po_lifecycle_is_deployed(const char *state);

/** 1 if the state offers the items "Deprecate old versions…" and "Requires re-subscription…". */
int po_lifecycle_has_checklist(const char *state);

#define PO_CHECK_DEPRECATE   "Deprecate old versions after publishing the API"
#define PO_CHECK_RESUBSCRIBE "Requires re-subscription when publishing the API"

/** 1 if the lifecycleChecklist ("Item:true,Other item:false") has the item with true; NULL list is 0. */
int po_lifecycle_checked(const char *checklist, const char *item);

#endif
