/* SPDX-License-Identifier: Apache-2.0 */
#include "store_sql.h"

APIM_DEFINE_STATEMENTS(ST_STATEMENTS)
