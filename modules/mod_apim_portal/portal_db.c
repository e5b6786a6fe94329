/* SPDX-License-Identifier: Apache-2.0 */
#include "portal.h"

apim_error_t *po_open(rest_request_t *rq, apim_database_e which, apim_db_t **db)
{
    return apim_db_open(rq->pool, &po_config(rq->r)->common, which, db);
}
