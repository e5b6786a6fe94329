/* SPDX-License-Identifier: Apache-2.0 */
#include "workflow_types.h"

#include <string.h>

const po_workflow_type_t po_workflow_types[] = {
    {PO_WF_USER_SIGNUP, {po_sign_up_granted, NULL, NULL}, {po_sign_up_refused, NULL, NULL}},
    {PO_WF_APPLICATION_CREATION, {NULL, st_application_granted, NULL}, {NULL, st_application_refused, NULL}},
    {PO_WF_APPLICATION_DELETION,
     {st_application_removal_begin, st_application_removal_granted, NULL},
     {NULL, st_application_removal_refused, NULL}},
    {PO_WF_PRODUCTION_KEYS, {st_keys_granted, NULL, NULL}, {NULL, NULL, NULL}},
    {PO_WF_SANDBOX_KEYS, {st_keys_granted, NULL, NULL}, {NULL, NULL, NULL}},
    {PO_WF_SUBSCRIPTION_CREATION,
     {NULL, st_subscription_granted, NULL},
     {NULL, st_subscription_refused, NULL}},
    {PO_WF_SUBSCRIPTION_UPDATE, {NULL, st_tier_granted, NULL}, {NULL, st_tier_refused, NULL}},
    {PO_WF_SUBSCRIPTION_DELETION,
     {NULL, st_unsubscription_granted, NULL},
     {NULL, st_unsubscription_refused, NULL}},
    {PO_WF_API_STATE, {NULL, po_lifecycle_granted, po_lifecycle_publish}, {NULL, NULL, NULL}},
    {NULL, {NULL, NULL, NULL}, {NULL, NULL, NULL}}};

const po_workflow_type_t *po_workflow_type(const char *name)
{
    const po_workflow_type_t *type = po_workflow_types;
    while (type->name && strcmp(type->name, name) != 0) {
        type++;
    }
    return type->name ? type : NULL;
}
