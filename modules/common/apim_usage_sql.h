/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APIM_USAGE_SQL_H
#define APIM_USAGE_SQL_H

#include "apim_db.h"

/* Statements of whoever writes usage: gateways with a database, Key Managers for those without. */
#define APIM_USAGE_STATEMENTS(X)                                                                             \
    X(apim_usage_batch_put,                                                                                  \
      "INSERT INTO am_usage_batch (id, added_at) VALUES (%s, %ld) ON CONFLICT (id) DO NOTHING")              \
    X(apim_usage_put,                                                                                        \
      "INSERT INTO am_usage (period, since, series, node, api_id, api_name, api_version, resource, verb,"    \
      " application_id, username, tier, key_type, status_class, code, calls, total_us, backend_us, max_us,"  \
      " bytes_in, bytes_out, b0, b1, b2, b3, b4, b5, b6, b7, b8, b9, b10, b11)"                              \
      " VALUES (%s, %ld, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %ld, %ld, %ld, %ld, %ld, %ld, %ld,"     \
      " %ld, %ld, %ld, %ld, %ld, %ld, %ld, %ld, %ld, %ld, %ld, %ld, %ld)"                                    \
      " ON CONFLICT (period, since, series) DO UPDATE SET calls = am_usage.calls + excluded.calls,"          \
      " total_us = am_usage.total_us + excluded.total_us,"                                                   \
      " backend_us = am_usage.backend_us + excluded.backend_us,"                                             \
      " max_us = CASE WHEN excluded.max_us > am_usage.max_us THEN excluded.max_us ELSE am_usage.max_us END," \
      " bytes_in = am_usage.bytes_in + excluded.bytes_in,"                                                   \
      " bytes_out = am_usage.bytes_out + excluded.bytes_out, b0 = am_usage.b0 + excluded.b0,"                \
      " b1 = am_usage.b1 + excluded.b1, b2 = am_usage.b2 + excluded.b2, b3 = am_usage.b3 + excluded.b3,"     \
      " b4 = am_usage.b4 + excluded.b4, b5 = am_usage.b5 + excluded.b5, b6 = am_usage.b6 + excluded.b6,"     \
      " b7 = am_usage.b7 + excluded.b7, b8 = am_usage.b8 + excluded.b8, b9 = am_usage.b9 + excluded.b9,"     \
      " b10 = am_usage.b10 + excluded.b10, b11 = am_usage.b11 + excluded.b11")

APIM_DECLARE_STATEMENTS(APIM_USAGE_STATEMENTS)

#endif
