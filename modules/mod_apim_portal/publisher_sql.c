/* SPDX-License-Identifier: Apache-2.0 */
#include "publisher_sql.h"

APIM_DEFINE_STATEMENTS(PO_PUBLISHER_STATEMENTS)
