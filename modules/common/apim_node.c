/* SPDX-License-Identifier: Apache-2.0 */
#include "apim_node.h"

#include <string.h>

#include "apim_node_sql.h"
#include "apim_text.h"

#define MAX_NAME 255

int apim_node_name_ok(const char *name)
{
    apr_size_t len = strlen(name);
    return len >= 1 && len <= MAX_NAME &&
           strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:-") == len;
}

apim_error_t *apim_node_report(apim_db_t *db, apr_pool_t *p, const apim_node_t *node)
{
    return apim_db_query(db, &apim_node_put, NULL,
                         APIM_ARGS(node->name, node->role, node->environment, node->version, node->epoch,
                                   apim_i64(p, node->revision), apim_i64(p, node->started_at),
                                   apim_i64(p, apim_now_ms()), node->detail));
}

apim_error_t *apim_node_ping_database(apim_db_t *db, apr_pool_t *p)
{
    apim_rows_t *rows;
    return apim_db_select(db, p, &apim_node_ping, &rows, APIM_NOARGS);
}
