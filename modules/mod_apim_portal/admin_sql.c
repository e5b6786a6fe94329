/* SPDX-License-Identifier: Apache-2.0 */
#include "admin_sql.h"

APIM_DEFINE_STATEMENTS(AD_STATEMENTS)
