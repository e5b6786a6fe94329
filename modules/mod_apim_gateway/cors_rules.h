/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GW_CORS_RULES_H
#define GW_CORS_RULES_H

#include <apr_pools.h>

/*
 * What a page of another origin may do with an API (the CORS protocol of the Fetch standard). Pure: no httpd,
 * any thread; results are in the pool that is given.
 */
typedef struct gw_cors_t {
    const char *origins; /* blank-separated: any ("*") or some; see gw_cors_origin_usable */
    const char *headers; /* blank-separated names that a page may send; "*": any */
    const char *methods; /* blank-separated, in capitals */
    int credentials;     /* pages may send cookies and log-ins; never together with the origin "*" */
} gw_cors_t;

/* What WSO2 allows where nothing is said. */
#define GW_CORS_DEFAULT_HEADERS "authorization Access-Control-Allow-Origin Content-Type SOAPAction apikey"
#define GW_CORS_DEFAULT_METHODS "GET PUT POST DELETE PATCH OPTIONS"

/** 1 if text may stand in a list of origins: "*", or scheme://host[:port] where the host may begin with "*.".
 */
int gw_cors_origin_usable(const char *text);

/** 1 if every origin may: the answer does not depend on who asks. */
int gw_cors_any_origin(const gw_cors_t *cors);

/** The value of Access-Control-Allow-Origin for a request of that origin: "*", the origin itself, or NULL. */
const char *gw_cors_allow_origin(const gw_cors_t *cors, const char *origin);

/** Access-Control-Allow-Methods: those of the resource ("GET, POST") that the rules allow. "" for none. */
const char *gw_cors_allow_methods(apr_pool_t *p, const gw_cors_t *cors, const char *resource);

/** Access-Control-Allow-Headers: those of the rules and the blank-separated more that are not among them;
 * where the rules allow any, those that were asked for (Access-Control-Request-Headers, may be NULL). */
const char *gw_cors_allow_headers(apr_pool_t *p, const gw_cors_t *cors, const char *more, const char *asked);

#endif
