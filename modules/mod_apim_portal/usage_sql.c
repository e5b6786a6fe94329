/* SPDX-License-Identifier: Apache-2.0 */
#include "usage_sql.h"

APIM_DEFINE_STATEMENTS(PO_USAGE_STATEMENTS)
