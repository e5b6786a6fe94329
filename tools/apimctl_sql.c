/* SPDX-License-Identifier: Apache-2.0 */
#include "apimctl_sql.h"

APIM_DEFINE_STATEMENTS(CTL_STATEMENTS)
