/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APIM_WORKFLOW_SQL_H
#define APIM_WORKFLOW_SQL_H

#include "apim_db.h"

/* Columns of a workflow, in the order of workflow_store.c's row reader. */
#define PO_WORKFLOW                                                                                          \
    "SELECT id, type, subject, parent, status, description, properties, request, created_by, created_at, "   \
    "updated_at, decided_by, comment, callout, attempts, callout_error FROM am_workflow"
#define PO_WORKFLOW_FILTER " WHERE status = %s AND (%s = '' OR type = %s)"

#define PO_WORKFLOW_STATEMENTS(X)                                                                            \
    X(wf_type_get, "SELECT enabled, url FROM am_workflow_type WHERE type = %s")                              \
    X(wf_type_read, "SELECT enabled, url, auth_type, username, secret, callback_url FROM am_workflow_type "  \
                    "WHERE type = %s")                                                                       \
    X(wf_type_put,                                                                                           \
      "INSERT INTO am_workflow_type (type, enabled, url, auth_type, username, secret, callback_url) "        \
      "VALUES (%s, %ld, %s, %s, %s, %s, %s) ON CONFLICT (type) DO UPDATE SET enabled = excluded.enabled, "   \
      "url = excluded.url, auth_type = excluded.auth_type, username = excluded.username, "                   \
      "secret = excluded.secret, callback_url = excluded.callback_url")                                      \
    X(wf_insert,                                                                                             \
      "INSERT INTO am_workflow (id, type, subject, parent, description, properties, request, created_by, "   \
      "created_at, updated_at, callout, callout_at) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %ld, %ld, %s, "  \
      "%ld) ON CONFLICT DO NOTHING")                                                                         \
    X(wf_get, PO_WORKFLOW " WHERE id = %s")                                                                  \
    X(wf_count, "SELECT COUNT(*) FROM am_workflow" PO_WORKFLOW_FILTER)                                       \
    X(wf_list, PO_WORKFLOW PO_WORKFLOW_FILTER " ORDER BY created_at, id LIMIT %ld OFFSET %ld")               \
    X(wf_decide, "UPDATE am_workflow SET status = %s, decided_by = %s, comment = %s, updated_at = %ld, "     \
                 "callout = CASE WHEN callout = 'DUE' THEN 'NONE' ELSE callout END "                         \
                 "WHERE id = %s AND status = 'CREATED'")                                                     \
    X(wf_pending, "SELECT id FROM am_workflow WHERE type = %s AND subject = %s AND status = 'CREATED'")      \
    X(wf_withdraw, "DELETE FROM am_workflow WHERE subject = %s AND status <> 'APPROVED'")                    \
    X(wf_withdraw_parent, "DELETE FROM am_workflow WHERE parent = %s AND status <> 'APPROVED'")              \
    X(wf_withdraw_one,                                                                                       \
      "DELETE FROM am_workflow WHERE id = %s AND parent = %s AND status <> 'APPROVED' AND type IN "          \
      "('AM_APPLICATION_REGISTRATION_PRODUCTION', 'AM_APPLICATION_REGISTRATION_SANDBOX')")                   \
    X(wf_withdraw_rejected,                                                                                  \
      "DELETE FROM am_workflow WHERE type = %s AND subject = %s AND status = 'REJECTED'")                    \
    X(wf_of_parent, PO_WORKFLOW " WHERE parent = %s AND status <> 'APPROVED' ORDER BY created_at, id")       \
    X(wf_forget, "DELETE FROM am_workflow WHERE status <> 'CREATED' AND updated_at < %ld")                   \
    /* calls to the engine: a portal claims one by moving the time on */                                     \
    X(wf_due,                                                                                                \
      "SELECT w.id, w.callout_at, w.attempts, t.url, t.auth_type, t.username, t.secret, "                    \
      "t.callback_url FROM am_workflow w JOIN am_workflow_type t ON t.type = w.type "                        \
      "WHERE w.callout = 'DUE' AND t.url <> '' AND w.callout_at <= %ld ORDER BY w.callout_at LIMIT 10")      \
    X(wf_claim, "UPDATE am_workflow SET callout_at = %ld, attempts = attempts + 1 WHERE id = %s AND "        \
                "callout = 'DUE' AND callout_at = %ld")                                                      \
    X(wf_called,                                                                                             \
      "UPDATE am_workflow SET callout = %s, callout_at = %ld, callout_error = %s WHERE id = %s AND "         \
      "callout = 'DUE'")                                                                                     \
    /* what approval changes */                                                                              \
    X(wf_application_status, "UPDATE am_application SET status = %s, updated_at = %ld WHERE id = %s")        \
    X(wf_application_deletion,                                                                               \
      "UPDATE am_application SET deletion_pending = %ld, updated_at = %ld WHERE id = %s")                    \
    X(wf_subscription_status, "UPDATE am_subscription SET status = %s, updated_at = %ld WHERE id = %s")      \
    X(wf_subscription_wish, "UPDATE am_subscription SET requested_tier = %s, updated_at = %ld WHERE id = "   \
                            "%s")                                                                            \
    X(wf_subscription_granted, "UPDATE am_subscription SET tier = requested_tier, requested_tier = NULL, "   \
                               "updated_at = %ld WHERE id = %s AND requested_tier IS NOT NULL")              \
    X(wf_subscription_deletion,                                                                              \
      "UPDATE am_subscription SET deletion_pending = %ld, updated_at = %ld WHERE id = %s")                   \
    X(wf_user_activate, "UPDATE um_user SET status = 'ACTIVE', updated_at = %ld WHERE username = %s AND "    \
                        "status = 'PENDING'")                                                                \
    X(wf_user_roles_delete, "DELETE FROM um_user_role WHERE user_id IN (SELECT id FROM um_user WHERE "       \
                            "username = %s AND status = 'PENDING')")                                         \
    X(wf_user_delete, "DELETE FROM um_user WHERE username = %s AND status = 'PENDING'")

APIM_DECLARE_STATEMENTS(PO_WORKFLOW_STATEMENTS)

#endif
