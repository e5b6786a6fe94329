/* SPDX-License-Identifier: Apache-2.0 */
#include "keymgr_config.h"

#include "httpd/rest.h"

apim_alg_e km_algorithm(const km_config_t *conf)
{
    return conf->algorithm != APIM_ALG_NONE ? conf->algorithm : APIM_ALG_ES256;
}

int km_offers(const km_config_t *conf, int older_grant)
{
    return conf->older_grants > 0 && (conf->older_grants & older_grant) != 0;
}

static apr_interval_time_t or_default(apr_interval_time_t value, apr_interval_time_t fallback)
{
    return value >= 0 ? value : fallback;
}

apr_int64_t km_rotation_ms(const km_config_t *conf)
{
    return apr_time_as_msec(or_default(conf->key_rotation, KM_DEFAULT_ROTATION));
}

apr_int64_t km_max_lifetime(const km_config_t *conf)
{
    return km_rotation_ms(conf) / 1000;
}

apr_int64_t km_access_lifetime(const km_config_t *conf)
{
    return apr_time_sec(or_default(conf->access_lifetime, KM_DEFAULT_ACCESS_LIFETIME));
}

apr_int64_t km_refresh_lifetime(const km_config_t *conf)
{
    return apr_time_sec(or_default(conf->refresh_lifetime, KM_DEFAULT_REFRESH_LIFETIME));
}

apr_int64_t km_secret_overlap(const km_config_t *conf)
{
    return apr_time_sec(or_default(conf->secret_overlap, 0));
}

apr_int64_t km_login_lifetime(const km_config_t *conf)
{
    return apr_time_sec(or_default(conf->login_lifetime, KM_DEFAULT_LOGIN_LIFETIME));
}

apr_interval_time_t km_usage_retention(const km_config_t *conf, int period)
{
    static const apr_interval_time_t defaults[] = {2 * KM_DAY, 60 * KM_DAY, 730 * KM_DAY};
    return or_default(conf->usage_retention[period], defaults[period]);
}

apr_interval_time_t km_clean_interval(const km_config_t *conf)
{
    return or_default(conf->clean_interval, KM_DEFAULT_CLEAN_INTERVAL);
}

const char *km_issuer(const km_call_t *call)
{
    return call->conf->issuer ? call->conf->issuer : rest_self_url(call->r);
}

const char *km_audience(const km_call_t *call)
{
    return call->conf->audience ? call->conf->audience : km_issuer(call);
}
