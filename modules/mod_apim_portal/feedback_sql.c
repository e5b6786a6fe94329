/* SPDX-License-Identifier: Apache-2.0 */
#include "feedback_sql.h"

APIM_DEFINE_STATEMENTS(PO_FEEDBACK_STATEMENTS)
