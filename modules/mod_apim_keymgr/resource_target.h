/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KM_RESOURCE_TARGET_H
#define KM_RESOURCE_TARGET_H

#include <apr_tables.h>

#include "apim_json.h"
#include "keymgr_config.h"

/*
 * Whom a token is meant for, where the client says so: resource indicators (RFC 8707) and the audience of a
 * token exchange (RFC 8693). An audience is a blank-separated list; NULL is the default, km_audience. Its
 * words are
 *   - the default itself or the issuer,
 *   - the URL of a gateway (ApimTokenResource, the default or the issuer), or one below it that lies in the
 *     context of an API: the token is good for that API only,
 *   - the consumer key of a client, which introspects or exchanges the token (token exchange only).
 */
typedef enum { KM_TARGET_RESOURCE, KM_TARGET_ANY /* "audience" too */ } km_target_e;

/** What the parameters of a request ask for, all of it known here; *out NULL if they say nothing. 400
 * invalid_target if one is malformed, unknown, or there are more than 16. */
apim_error_t *km_targets_read(const km_call_t *call, const apr_table_t *params, km_target_e kind,
                              const char **out);

/** The audience of a new token: what is wanted (NULL: not said, everything) of what was granted (NULL: the
 * default). 400 invalid_target if it is more. The default alone comes out as NULL. */
apim_error_t *km_targets_narrow(const km_call_t *call, const char *granted, const char *wanted,
                                const char **out);

/** 1 if a token for that audience is good for calls to the API of that context (may be NULL). */
int km_audience_covers(const km_call_t *call, const char *audience, const char *context);

/** 1 if a token for that audience is good here: the REST APIs of the portal, userinfo, registration. */
int km_audience_is_ours(const km_call_t *call, const char *audience);

/** The claim aud: a text, or an array where there are several. The caller owns it. */
json_t *km_audience_json(const km_call_t *call, const char *audience);

/** The audience that the claims of an access token of ours name. */
const char *km_audience_of(const km_call_t *call, const json_t *claims);

#endif
