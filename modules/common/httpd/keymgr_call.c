/* SPDX-License-Identifier: Apache-2.0 */
#include "keymgr_call.h"

static APR_OPTIONAL_FN_TYPE(apim_keymgr_operation) * in_process;

void apim_keymgr_call_setup(void)
{
    in_process = APR_RETRIEVE_OPTIONAL_FN(apim_keymgr_operation);
}

static int is_remote(const apim_common_config_t *conf)
{
    return conf->keymgr_url && *conf->keymgr_url;
}

int apim_keymgr_call_possible(const apim_common_config_t *conf)
{
    return is_remote(conf) || in_process != NULL;
}

apim_error_t *apim_keymgr_call(request_rec *r, const apim_common_config_t *conf, const char *operation,
                               json_t *in, json_t **out)
{
    if (!is_remote(conf) && in_process) {
        return in_process(r, operation, in, out);
    }
    return apim_unavailable(r->pool, "The Key Manager",
                            "ApimKeyManager is not set and no Key Manager is in this process");
}
