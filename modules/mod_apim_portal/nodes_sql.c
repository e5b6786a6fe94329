/* SPDX-License-Identifier: Apache-2.0 */
#include "nodes_sql.h"

APIM_DEFINE_STATEMENTS(PO_NODE_STATEMENTS)
