/* SPDX-License-Identifier: Apache-2.0 */
#include "keymgr_sql.h"

APIM_DEFINE_STATEMENTS(KM_STATEMENTS)
