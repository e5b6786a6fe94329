/* SPDX-License-Identifier: Apache-2.0 */
#include "workflow_sql.h"

APIM_DEFINE_STATEMENTS(PO_WORKFLOW_STATEMENTS)
