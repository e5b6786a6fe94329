/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway_sql.h"

APIM_DEFINE_STATEMENTS(GW_STATEMENTS)
