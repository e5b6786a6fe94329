/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APIM_PORTAL_USAGE_SQL_H
#define APIM_PORTAL_USAGE_SQL_H

#include "publisher_sql.h"

/* Usage added up over one of its columns. Parameters: period, from, to (ms), API id twice, application id
 * twice ("": all); 1 for all APIs, and those of PO_ACCESSIBLE. At most 1000 rows: the most called, or, of
 * times, the first. */
#define PO_USAGE_SUMS                                                                                        \
    "SUM(calls), SUM(CASE WHEN status_class = 5 THEN calls ELSE 0 END),"                                     \
    " SUM(CASE WHEN code <> 0 THEN calls ELSE 0 END),"                                                       \
    " SUM(CASE WHEN code BETWEEN 900800 AND 900804 THEN calls ELSE 0 END), SUM(total_us), SUM(backend_us),"  \
    " MAX(max_us), SUM(bytes_in), SUM(bytes_out), SUM(b0), SUM(b1), SUM(b2), SUM(b3), SUM(b4), SUM(b5),"     \
    " SUM(b6), SUM(b7), SUM(b8), SUM(b9), SUM(b10), SUM(b11)"
#define PO_USAGE_SEEN(ID) " AND (%s = '1' OR " ID " NOT IN (" PO_HIDDEN "))"
#define PO_USAGE_WHERE                                                                                       \
    " FROM am_usage WHERE period = %s AND since >= %ld AND since < %ld"                                      \
    " AND (CAST(%s AS TEXT) = '' OR api_id = %s) AND (CAST(%s AS TEXT) = '' OR application_id = "            \
    "%s)" PO_USAGE_SEEN("am_usage.api_id")
#define PO_USAGE_BY(column, label)                                                                           \
    "SELECT " column ", " label ", " PO_USAGE_SUMS PO_USAGE_WHERE " GROUP BY " column                        \
    " ORDER BY SUM(calls) DESC, " column " LIMIT 1000"

#define PO_USAGE_STATEMENTS(X)                                                                               \
    X(po_usage_total, "SELECT '', '', " PO_USAGE_SUMS PO_USAGE_WHERE)                                        \
    X(po_usage_by_time,                                                                                      \
      "SELECT since, '', " PO_USAGE_SUMS PO_USAGE_WHERE " GROUP BY since ORDER BY since LIMIT 1000")         \
    X(po_usage_by_api, "SELECT api_id, MAX(api_name || ' ' || api_version), " PO_USAGE_SUMS PO_USAGE_WHERE   \
                       " GROUP BY api_id ORDER BY SUM(calls) DESC, api_id LIMIT 1000")                       \
    X(po_usage_by_resource,                                                                                  \
      "SELECT verb || ' ' || resource, MAX(api_id), " PO_USAGE_SUMS PO_USAGE_WHERE                           \
      " GROUP BY verb || ' ' || resource ORDER BY SUM(calls) DESC, verb || ' ' || resource LIMIT 1000")      \
    X(po_usage_by_application,                                                                               \
      "SELECT u.application_id, COALESCE(MAX(a.name), ''), " PO_USAGE_SUMS                                   \
      " FROM am_usage u LEFT JOIN am_application a ON a.id = u.application_id"                               \
      " WHERE u.period = %s AND u.since >= %ld AND u.since < %ld AND (CAST(%s AS TEXT) = '' OR u.api_id = "  \
      "%s)"                                                                                                  \
      " AND (CAST(%s AS TEXT) = '' OR u.application_id = %s)" PO_USAGE_SEEN(                                 \
          "u.api_id") " GROUP BY u.application_id ORDER BY SUM(calls) DESC, u.application_id LIMIT 1000")    \
    X(po_usage_by_user, PO_USAGE_BY("username", "''"))                                                       \
    X(po_usage_by_tier, PO_USAGE_BY("tier", "''"))                                                           \
    X(po_usage_by_status, PO_USAGE_BY("status_class", "''"))                                                 \
    X(po_usage_by_code, PO_USAGE_BY("code", "''"))                                                           \
    X(po_usage_by_node, PO_USAGE_BY("node", "''"))

APIM_DECLARE_STATEMENTS(PO_USAGE_STATEMENTS)

#endif
