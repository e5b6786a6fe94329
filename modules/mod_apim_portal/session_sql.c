/* SPDX-License-Identifier: Apache-2.0 */
#include "session_sql.h"

APIM_DEFINE_STATEMENTS(PO_SESSION_STATEMENTS)
