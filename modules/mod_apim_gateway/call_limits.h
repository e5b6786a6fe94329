/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GW_CALL_LIMITS_H
#define GW_CALL_LIMITS_H

#include "verification.h"

/*
 * Which limits a call is under, and what the caller is told about them.
 *
 * | level | counts | policy | refusal |
 * |---|---|---|---|
 * | API | all calls to the API | advanced policy of the API; switches the resources' policies off | 900800 |
 * | resource | all calls to the API's resource and verb | advanced policy of the resource | 900802 |
 * | subscription | the application's calls to the API | tier of the subscription | 900804 |
 * | burst | the same in a shorter time | rate limit of that tier | 900807 |
 * | application | the calls of one user of the application, to all APIs | tier of the application | 900803 |
 * | backend | all calls to the production or the sandbox endpoint | maxTps of the API | 900801 (503) |
 * | unauthenticated | calls of an address to the API, where no credentials are needed | subscription policy
 * "Unauthenticated" | 900804 |
 *
 * An IPv6 caller is counted by its /64. A policy that this node's replica does not have (yet) has the values
 * that WSO2 ships under that name; one of another name lets 60 calls a minute pass; either is logged once.
 * "Unlimited" and counts below 0 are no limit.
 */

/**
 * Counts the call against all its limits or, if one of them is used up, against none. answer: NULL for a call
 * without credentials. Sets the headers of the answer (RateLimit, RateLimit-Policy, X-RateLimit-*) in
 * r->err_headers_out, for success and refusal alike, unless ApimRateLimitHeaders is Off. NULL, 429 or
 * 503 with retry_after. A limit that does not stop calls (stopOnQuotaReach false) sets the variable
 * apim_over_limit to its policy's name.
 */
apim_error_t *gw_limits_charge(request_rec *r, gw_rate_limiter_t *limiter, const gw_call_t *call,
                               const gw_answer_t *answer);

#endif
