/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APIM_SESSION_SQL_H
#define APIM_SESSION_SQL_H

#include "apim_db.h"

#define PO_SESSION_STATEMENTS(X)                                                                             \
    X(po_session_insert, "INSERT INTO am_portal_session (id_hash, username, sealed_token, created_at, "      \
                         "expires_at) VALUES (%s, %s, %s, %ld, %ld)")                                        \
    X(po_session_select,                                                                                     \
      "SELECT sealed_token, expires_at FROM am_portal_session WHERE id_hash = %s AND expires_at > %ld")      \
    X(po_session_delete, "DELETE FROM am_portal_session WHERE id_hash = %s")                                 \
    X(po_session_delete_expired, "DELETE FROM am_portal_session WHERE expires_at <= %ld")

APIM_DECLARE_STATEMENTS(PO_SESSION_STATEMENTS)

#endif
