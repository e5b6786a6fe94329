/* SPDX-License-Identifier: Apache-2.0 */
#include "keymgr_directives.h"

#include <apr_strings.h>
#include <apr_uri.h>
#include <string.h>

#include "apim_text.h"
#include "keymgr_log.h"

#define UNSET   (-1)
#define DAY     apr_time_from_sec(86400)
#define LONGEST (3650 * DAY)

void *km_create_server_config(apr_pool_t *p, server_rec *s)
{
    km_config_t *conf = apr_pcalloc(p, sizeof(*conf));
    apim_common_config_init(&conf->common);
    conf->older_grants = UNSET;
    conf->key_rotation = UNSET;
    conf->access_lifetime = UNSET;
    conf->refresh_lifetime = UNSET;
    conf->secret_overlap = UNSET;
    conf->login_lifetime = UNSET;
    conf->clean_interval = UNSET;
    conf->usage_retention[0] = conf->usage_retention[1] = conf->usage_retention[2] = UNSET;
    return conf;
}

static apr_interval_time_t either(apr_interval_time_t base, apr_interval_time_t add)
{
    return add != UNSET ? add : base;
}

void *km_merge_server_config(apr_pool_t *p, void *basev, void *addv)
{
    km_config_t *base = basev, *add = addv, *conf = apr_pcalloc(p, sizeof(*conf));
    int i;
    apim_common_config_merge(&conf->common, &base->common, &add->common);
    conf->enabled = base->enabled || add->enabled;
    conf->issuer = add->issuer ? add->issuer : base->issuer;
    conf->audience = add->audience ? add->audience : base->audience;
    conf->resources = add->resources ? add->resources : base->resources;
    conf->older_grants = add->older_grants != UNSET ? add->older_grants : base->older_grants;
    conf->algorithm = add->algorithm != APIM_ALG_NONE ? add->algorithm : base->algorithm;
    conf->key_rotation = either(base->key_rotation, add->key_rotation);
    conf->access_lifetime = either(base->access_lifetime, add->access_lifetime);
    conf->refresh_lifetime = either(base->refresh_lifetime, add->refresh_lifetime);
    conf->secret_overlap = either(base->secret_overlap, add->secret_overlap);
    conf->login_lifetime = either(base->login_lifetime, add->login_lifetime);
    conf->clean_interval = either(base->clean_interval, add->clean_interval);
    for (i = 0; i < 3; i++) {
        conf->usage_retention[i] = either(base->usage_retention[i], add->usage_retention[i]);
    }
    return conf;
}

void *km_create_dir_config(apr_pool_t *p, char *path)
{
    km_dir_config_t *conf = apr_pcalloc(p, sizeof(*conf));
    conf->on = UNSET;
    return conf;
}

void *km_merge_dir_config(apr_pool_t *p, void *basev, void *addv)
{
    km_dir_config_t *base = basev, *add = addv, *conf = apr_pcalloc(p, sizeof(*conf));
    conf->on = add->on != UNSET ? add->on : base->on;
    return conf;
}

static km_config_t *config_of(cmd_parms *cmd)
{
    return ap_get_module_config(cmd->server->module_config, &apim_keymgr_module);
}

static const char *set_enabled(cmd_parms *cmd, void *dirv, int on)
{
    km_dir_config_t *dir = dirv;
    dir->on = on;
    if (on) {
        config_of(cmd)->enabled = 1;
    }
    return NULL;
}

static const char *set_issuer(cmd_parms *cmd, void *dummy, const char *arg)
{
    apr_uri_t uri;
    apr_size_t n = strlen(arg);
    if (apr_uri_parse(cmd->temp_pool, arg, &uri) != APR_SUCCESS || !uri.scheme || !uri.hostname ||
        uri.query || uri.fragment || (strcmp(uri.scheme, "https") != 0 && strcmp(uri.scheme, "http") != 0) ||
        arg[n - 1] == '/' || !apim_utf8_valid(arg, n)) {
        return apr_psprintf(cmd->pool,
                            "%s: '%s' is not usable; write the URL that clients know this server by, such as "
                            "https://keys.example.com, without query, fragment or closing slash",
                            cmd->cmd->name, arg);
    }
    config_of(cmd)->issuer = arg;
    return NULL;
}

static const char *set_audience(cmd_parms *cmd, void *dummy, const char *arg)
{
    if (!*arg || !apim_utf8_valid(arg, strlen(arg)) || apim_has_control(arg, NULL) || strchr(arg, ' ')) {
        return apr_psprintf(
            cmd->pool, "%s: write a name or URL, without blanks, of the gateways that tokens are meant for",
            cmd->cmd->name);
    }
    config_of(cmd)->audience = arg;
    return NULL;
}

static const char *set_resource(cmd_parms *cmd, void *dummy, const char *arg)
{
    km_config_t *conf = config_of(cmd);
    apr_uri_t uri;
    if (apr_uri_parse(cmd->temp_pool, arg, &uri) != APR_SUCCESS || !uri.scheme || !uri.hostname ||
        uri.query || uri.fragment || (strcmp(uri.scheme, "https") != 0 && strcmp(uri.scheme, "http") != 0) ||
        strchr(arg, ' ') || !apim_utf8_valid(arg, strlen(arg))) {
        return apr_psprintf(cmd->pool,
                            "%s: '%s' is not usable; write the URLs that gateways are reached by, such as "
                            "https://api.example.com",
                            cmd->cmd->name, arg);
    }
    conf->resources = conf->resources ? conf->resources : apr_array_make(cmd->pool, 2, sizeof(const char *));
    APR_ARRAY_PUSH(conf->resources, const char *) = arg;
    return NULL;
}

static const char *set_older_grants(cmd_parms *cmd, void *dummy, const char *arg)
{
    int *grants = &config_of(cmd)->older_grants;
    int bit = strcasecmp(arg, "password") == 0   ? KM_OLDER_PASSWORD
              : strcasecmp(arg, "implicit") == 0 ? KM_OLDER_IMPLICIT
                                                 : 0;
    if (!bit && strcasecmp(arg, "None") != 0) {
        return apr_psprintf(cmd->pool, "%s: '%s' is not one of them; write password, implicit, both, or None",
                            cmd->cmd->name, arg);
    }
    *grants = bit ? (*grants == UNSET ? 0 : *grants) | bit : 0;
    return NULL;
}

static const char *set_algorithm(cmd_parms *cmd, void *dummy, const char *arg)
{
    config_of(cmd)->algorithm = apim_alg_parse(arg);
    if (config_of(cmd)->algorithm == APIM_ALG_NONE) {
        return apr_psprintf(cmd->pool, "%s: '%s' is not an algorithm; write ES256, RS256, PS256 or EdDSA",
                            cmd->cmd->name, arg);
    }
    return NULL;
}

/* Durations here are long: days are understood as well ("90d"). */
static const char *set_duration(cmd_parms *cmd, const char *arg, apr_interval_time_t *out)
{
    apr_size_t n = strlen(arg);
    apr_int64_t days;
    if (n > 1 && arg[n - 1] == 'd' &&
        apim_parse_i64(apr_pstrmemdup(cmd->temp_pool, arg, n - 1), &days) == 0 && days > 0 &&
        days <= LONGEST / DAY) {
        *out = days * DAY;
        return NULL;
    }
    if (ap_timeout_parameter_parse(arg, out, "s") != APR_SUCCESS || *out < apr_time_from_sec(1) ||
        *out > LONGEST) {
        return apr_psprintf(
            cmd->pool,
            "%s: '%s' is not usable; write a duration from 1s to 3650d, such as 3600, 30min, 12h or 90d",
            cmd->cmd->name, arg);
    }
    return NULL;
}

static const char *set_rotation(cmd_parms *cmd, void *dummy, const char *arg)
{
    return set_duration(cmd, arg, &config_of(cmd)->key_rotation);
}

static const char *set_access_lifetime(cmd_parms *cmd, void *dummy, const char *arg)
{
    return set_duration(cmd, arg, &config_of(cmd)->access_lifetime);
}

static const char *set_refresh_lifetime(cmd_parms *cmd, void *dummy, const char *arg)
{
    return set_duration(cmd, arg, &config_of(cmd)->refresh_lifetime);
}

static const char *set_secret_overlap(cmd_parms *cmd, void *dummy, const char *arg)
{
    if (strcmp(arg, "0") == 0) {
        config_of(cmd)->secret_overlap = 0;
        return NULL;
    }
    return set_duration(cmd, arg, &config_of(cmd)->secret_overlap);
}

static const char *set_login_lifetime(cmd_parms *cmd, void *dummy, const char *arg)
{
    return set_duration(cmd, arg, &config_of(cmd)->login_lifetime);
}

static const char *set_usage_retention(cmd_parms *cmd, void *dummy, const char *minutes, const char *hours,
                                       const char *days)
{
    apr_interval_time_t *keep = config_of(cmd)->usage_retention;
    const char *wrong = set_duration(cmd, minutes, &keep[0]);
    wrong = wrong ? wrong : set_duration(cmd, hours, &keep[1]);
    return wrong ? wrong : set_duration(cmd, days, &keep[2]);
}

static const char *set_clean_interval(cmd_parms *cmd, void *dummy, const char *arg)
{
    return set_duration(cmd, arg, &config_of(cmd)->clean_interval);
}

const char *km_check_server_config(apr_pool_t *p, server_rec *main_server, km_config_t *conf)
{
    const char *wrong;
    if (!conf->enabled) {
        return NULL;
    }
    wrong = apim_common_config_resolve(p, main_server, &conf->common);
    if (wrong) {
        return wrong;
    }
    if (!conf->common.cluster_secret) {
        return "ApimKeymgr On needs ApimClusterSecret file:<path>: signing keys are stored encrypted under "
               "that secret; write one "
               "line of random text into a file that only root can read (openssl rand -hex 32 makes one)";
    }
    if (km_access_lifetime(conf) > km_max_lifetime(conf)) {
        return "ApimAccessTokenLifetime is longer than ApimKeyRotation; no token may outlive its signing "
               "key: shorten the one or "
               "lengthen the other";
    }
    return NULL;
}

const command_rec km_commands[] = {
    APIM_COMMON_COMMANDS(&apim_keymgr_module),
    AP_INIT_FLAG("ApimKeymgr", set_enabled, NULL, RSRC_CONF | ACCESS_CONF,
                 "On: the Key Manager's endpoints answer in this server or Location"),
    AP_INIT_TAKE1("ApimIssuer", set_issuer, NULL, RSRC_CONF,
                  "the URL that tokens and metadata name as their issuer (default: the URL of the request)"),
    AP_INIT_TAKE1("ApimTokenAudience", set_audience, NULL, RSRC_CONF,
                  "the audience of access tokens (default: the issuer)"),
    AP_INIT_ITERATE("ApimTokenResource", set_resource, NULL, RSRC_CONF,
                    "URLs of gateways, or of paths on them, that clients may name as resource (default: the "
                    "audience and the issuer)"),
    AP_INIT_ITERATE("ApimOlderGrants", set_older_grants, NULL, RSRC_CONF,
                    "password, implicit or None: grants that are off unless they stand here"),
    AP_INIT_TAKE1("ApimSigningAlgorithm", set_algorithm, NULL, RSRC_CONF,
                  "ES256, RS256, PS256 or EdDSA: how tokens are signed (default ES256)"),
    AP_INIT_TAKE1("ApimKeyRotation", set_rotation, NULL, RSRC_CONF,
                  "how long a signing key is in use (default 90d)"),
    AP_INIT_TAKE1("ApimAccessTokenLifetime", set_access_lifetime, NULL, RSRC_CONF,
                  "how long access tokens live (default 3600s)"),
    AP_INIT_TAKE1("ApimRefreshTokenLifetime", set_refresh_lifetime, NULL, RSRC_CONF,
                  "how long refresh tokens live (default 86400s)"),
    AP_INIT_TAKE1(
        "ApimSecretOverlap", set_secret_overlap, NULL, RSRC_CONF,
        "how long a client's secret stays good beside a new one (default 0: it and all tokens end at once)"),
    AP_INIT_TAKE1("ApimLoginLifetime", set_login_lifetime, NULL, RSRC_CONF,
                  "how long a person stays logged in at the Key Manager (default 8h)"),
    AP_INIT_TAKE3("ApimUsageRetention", set_usage_retention, NULL, RSRC_CONF,
                  "how long usage is kept by the minute, by the hour and by the day (default 2d 60d 730d)"),
    AP_INIT_TAKE1("ApimCleanInterval", set_clean_interval, NULL, RSRC_CONF,
                  "how often expired tokens are removed from the database (default 60s)"),
    {NULL}};
