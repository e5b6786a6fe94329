/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KEYMGR_CONFIG_H
#define KEYMGR_CONFIG_H

#include "httpd/common_config.h"
#include "jose/jwk.h"

struct km_keys_t;

/* Per server. Durations are microseconds, -1 while unset; read them through the functions below. */
typedef struct km_config_t {
    apim_common_config_t common;   /* first: see common_config.h */
    int enabled;                   /* ApimKeymgr On stands here or in a Location of this server */
    const char *issuer;            /* ApimIssuer */
    const char *audience;          /* ApimTokenAudience */
    apr_array_header_t *resources; /* ApimTokenResource; NULL: none */
    int older_grants;              /* ApimOlderGrants: KM_OLDER_*, -1 unset */
    apim_alg_e algorithm;          /* ApimSigningAlgorithm */
    apr_interval_time_t key_rotation;
    apr_interval_time_t access_lifetime;
    apr_interval_time_t refresh_lifetime;
    apr_interval_time_t secret_overlap;     /* ApimSecretOverlap */
    apr_interval_time_t login_lifetime;     /* ApimLoginLifetime */
    apr_interval_time_t usage_retention[3]; /* ApimUsageRetention: minutes, hours, days; as clean_interval */
    apr_interval_time_t clean_interval;     /* ApimCleanInterval: read in the main server only */
    struct km_keys_t *keys; /* made in child_init; shared by servers with the same database and secret */
} km_config_t;

/* Per directory: where the endpoints answer. */
typedef struct km_dir_config_t {
    int on; /* -1 unset */
} km_dir_config_t;

#define KM_DEFAULT_ROTATION         apr_time_from_sec(90 * 86400)
#define KM_DEFAULT_ACCESS_LIFETIME  apr_time_from_sec(3600)
#define KM_DEFAULT_REFRESH_LIFETIME apr_time_from_sec(86400)
#define KM_DEFAULT_LOGIN_LIFETIME   apr_time_from_sec(8 * 3600)
#define KM_DEFAULT_CLEAN_INTERVAL   apr_time_from_sec(60)

/* Grants that RFC 9700 advises against; see docs/oauth.md. */
#define KM_OLDER_PASSWORD 1
#define KM_OLDER_IMPLICIT 2

/** 1 if an administrator has turned that older grant on. */
int km_offers(const km_config_t *conf, int older_grant);

apim_alg_e km_algorithm(const km_config_t *conf);
apr_int64_t km_rotation_ms(const km_config_t *conf);
/** Seconds. No access token lives longer than a signing key is in use, so that each can be verified to its
 * end. */
apr_int64_t km_max_lifetime(const km_config_t *conf);
apr_int64_t km_access_lifetime(const km_config_t *conf);
apr_int64_t km_refresh_lifetime(const km_config_t *conf);
/** Seconds that a client's secret stays good beside a new one. */
apr_int64_t km_secret_overlap(const km_config_t *conf);
/** Seconds until a person has to log in again. */
apr_int64_t km_login_lifetime(const km_config_t *conf);
/** Microseconds between two clean-ups. */
apr_interval_time_t km_clean_interval(const km_config_t *conf);

#define KM_DAY apr_time_from_sec(86400)

/** How long usage added up by minute (0), hour (1), day (2) is kept. */
apr_interval_time_t km_usage_retention(const km_config_t *conf, int period);

/* One request's work for the Key Manager: what every service needs. */
typedef struct km_call_t {
    request_rec *r;
    apr_pool_t *pool; /* r->pool */
    const km_config_t *conf;
    apr_int64_t now; /* ms since the epoch, the same for the whole call */
} km_call_t;

/** The issuer as tokens and metadata name it. */
const char *km_issuer(const km_call_t *call);
/** The audience of access tokens: ApimTokenAudience, else the issuer. */
const char *km_audience(const km_call_t *call);

#endif
