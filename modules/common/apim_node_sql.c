/* SPDX-License-Identifier: Apache-2.0 */
#include "apim_node_sql.h"

APIM_DEFINE_STATEMENTS(APIM_NODE_STATEMENTS)
