/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KM_ID_TOKEN_H
#define KM_ID_TOKEN_H

#include "apim_json.h"
#include "keymgr_config.h"

/* ID tokens (OpenID Connect Core section 2): who logged in, for one client. Their header typ is JWT, so that
 * none passes for an access token. */

typedef struct km_id_token_t {
    const char *consumer_key;
    const char *username;
    const char *nonce;        /* NULL: none */
    apr_int64_t auth_time;    /* ms */
    apr_int64_t lifetime;     /* seconds */
    const char *access_token; /* at_hash; NULL: none */
    const char *code;         /* c_hash; NULL: none */
    const json_t *claims;     /* more of them; NULL: none */
} km_id_token_t;

/** Makes one. */
apim_error_t *km_id_token_make(const km_call_t *call, const km_id_token_t *id, const char **out);

/** The claims of an ID token of ours, whenever it was issued (exp is not looked at); *claims NULL if it is
 * none. */
apim_error_t *km_id_token_claims(const km_call_t *call, const char *token, const json_t **claims);

/** Whom an ID token of ours (id_token_hint) was issued about, and to which client. It may have expired.
 * *username NULL if it is none of ours. 503 if the keys cannot be read. */
apim_error_t *km_id_token_read(const km_call_t *call, const char *token, const char **username,
                               const char **consumer_key);

#endif
