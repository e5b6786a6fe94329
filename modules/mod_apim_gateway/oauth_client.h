/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GW_OAUTH_CLIENT_H
#define GW_OAUTH_CLIENT_H

#include <jansson.h>

#include "apim_error.h"

/* Gets access tokens by the client credentials grant (RFC 6749, 4.4). */
typedef struct gw_oauth_client_t {
    const char *token_url;
    const char *id, *secret;
    const json_t *parameters; /* more of the form, an object of texts (scope, audience …); may be NULL */
} gw_oauth_client_t;

/** Once, in post_config. NULL or an error sentence. */
const char *gw_oauth_client_setup(void);

/**
 * Asks for a token. *token in p; *lifetime in seconds (300 if the answer says nothing). Blocks for 10 seconds
 * at most. Any thread. Errors: 503 whose cause, for the log, has neither secret nor token.
 */
apim_error_t *gw_oauth_client_token(apr_pool_t *p, const gw_oauth_client_t *client, const char **token,
                                    apr_int64_t *lifetime);

#endif
