/* SPDX-License-Identifier: Apache-2.0 */
#include "assertion.h"

#include <apr_strings.h>

#include "jose/jws.h"
#include "signing_keys.h"
#include "verify_service.h"

#define LIFETIME 900 /* seconds, as in WSO2 */
#define TYPE     "JWT"
#define DIALECT  "http://wso2.org/claims/"

/* Claims whose values stand in the answer of verify, or in its input. */
static const struct {
    const char *claim, *member;
    int of_input;
} claims_of[] = {{"subscriber", "applicationOwner", 0},
                 {"applicationid", "applicationId", 0},
                 {"applicationUUId", "applicationId", 0},
                 {"applicationname", "applicationName", 0},
                 {"applicationtier", "applicationTier", 0},
                 {"apiname", "apiName", 1},
                 {"apicontext", "context", 1},
                 {"version", "version", 1},
                 {"tier", "subscriptionTier", 0},
                 {"keytype", "keyType", 0},
                 {"usertype", "userType", 0},
                 {"enduser", "username", 0}};

static json_t *make_claims(const km_call_t *call, const json_t *in, const json_t *verified)
{
    json_int_t now = call->now / 1000;
    json_t *claims = json_pack("{s:s, s:I, s:I}", "iss", km_issuer(call), "iat", now, "exp", now + LIFETIME);
    size_t i;
    for (i = 0; claims && i < sizeof(claims_of) / sizeof(claims_of[0]); i++) {
        const json_t *from = claims_of[i].of_input ? in : verified;
        const char *value = apim_json_str(from, claims_of[i].member, NULL);
        if (value) {
            apim_json_set_str(claims, apr_pstrcat(call->pool, DIALECT, claims_of[i].claim, NULL), value);
        }
    }
    return apim_json_own(call->pool, claims);
}

apim_error_t *km_assertion(const km_call_t *call, const json_t *in, json_t **out)
{
    const char *assertion;
    apim_jwk_t *key;
    json_t *claims;
    APIM_TRY(km_verify(call, in, out));
    if (!apim_json_bool(*out, "authorized", 0)) {
        return NULL;
    }
    APIM_TRY(km_keys_active(call, &key));
    claims = make_claims(call, in, *out);
    if (!claims) {
        return apim_internal(call->pool, "the claims of an assertion could not be made");
    }
    APIM_TRY(apim_jws_sign(call->pool, key, TYPE, claims, &assertion));
    apim_json_set_str(*out, "assertion", assertion);
    json_object_set_new(*out, "assertionExpiresAt",
                        json_integer((apim_json_int(claims, "exp", 0)) * (json_int_t)1000));
    return NULL;
}
