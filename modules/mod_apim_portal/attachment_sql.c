/* SPDX-License-Identifier: Apache-2.0 */
#include "attachment_sql.h"

APIM_DEFINE_STATEMENTS(PO_ATTACHMENT_STATEMENTS)
