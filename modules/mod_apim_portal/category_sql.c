/* SPDX-License-Identifier: Apache-2.0 */
#include "category_sql.h"

APIM_DEFINE_STATEMENTS(PO_CATEGORY_STATEMENTS)
