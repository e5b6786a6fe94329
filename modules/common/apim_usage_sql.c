/* SPDX-License-Identifier: Apache-2.0 */
#include "apim_usage_sql.h"

APIM_DEFINE_STATEMENTS(APIM_USAGE_STATEMENTS)
