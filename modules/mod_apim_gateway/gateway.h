/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GW_GATEWAY_H
#define GW_GATEWAY_H

#include <httpd.h>

#include "apim_error.h"
#include "cors_rules.h"
#include "httpd/common_config.h"

/*
 * What the objects of the gateway share: its configuration, the state of one call, and the seams between
 * finding the route (route_table, replica), authorizing the call (authorize and what is behind it) and
 * carrying it to the back end (upstream).
 */
APIM_EXPORT_MODULE(apim_gateway);

/* -- configuration
 * ------------------------------------------------------------------------------------------------ */

typedef struct gw_server_config_t {
    apim_common_config_t common;         /* first: see common_config.h */
    const char *replica_dir;             /* ApimReplica; NULL: <DefaultRuntimeDir>/apim-replica */
    const char *environment;             /* ApimEnvironment, default "Default" */
    apr_interval_time_t sync_interval;   /* ApimSyncInterval, default 250 ms */
    apr_interval_time_t backend_timeout; /* ApimBackendTimeout, default 60 s */
    apr_interval_time_t connect_timeout; /* ApimBackendConnectTimeout, default 5 s */
    int backend_keepalive;  /* ApimBackendIdleConnections per child and back end kept open, default 16 */
    apr_int64_t cache_size; /* ApimCacheSize, bytes, default 16 MiB */
    apr_interval_time_t cache_ttl;          /* ApimCacheTTL, default 15 min */
    apr_interval_time_t negative_cache_ttl; /* ApimNegativeCacheTTL, default 10 s */
    int keymgr_connections;                 /* ApimKeyManagerConnections per child, default threads/2 */
    apr_int64_t rate_limit_size;            /* ApimRateLimitSize, bytes, default 16 MiB */
    int rate_limit_headers;                 /* ApimRateLimitHeaders, default on */
    apr_array_header_t *feed_urls; /* ApimFeed: addresses without trailing slash; NULL: the databases */
    const char *feed_ca;           /* ApimFeedCA; NULL: the system's */
    const char *feed_certificate, *feed_key; /* ApimFeedCertificate; NULL: none */
    int usage;                               /* ApimUsage, default on */
    apr_int64_t usage_buffer;                /* ApimUsageBuffer, bytes, default 8 MiB */
    apr_int64_t usage_spool;                 /* ApimUsageSpool, bytes, default 256 MiB */
    apr_interval_time_t usage_interval;      /* ApimUsageInterval, default 5 s */
    int assertion;                           /* ApimBackendAssertion, default off */
    const char *assertion_header;            /* ApimBackendAssertionHeader, default X-JWT-Assertion */
    gw_cors_t *cors;                  /* ApimCorsOrigins, for APIs without rules of their own; NULL: none */
    apr_interval_time_t cors_max_age; /* ApimCorsMaxAge, default 10 min; 0: not sent */
} gw_server_config_t;

/* The configuration of the server that took the request, with all defaults filled in. */
gw_server_config_t *gw_server_config(server_rec *s);

/* -- one call
 * ------------------------------------------------------------------------------------------------------ */

typedef enum { GW_AUTH_NONE, GW_AUTH_APPLICATION, GW_AUTH_USER, GW_AUTH_ANY } gw_auth_type_e;
typedef enum { GW_PUBLISHED, GW_PROTOTYPED, GW_BLOCKED, GW_DEPRECATED } gw_api_status_e;

/* Where calls with keys of one kind go. */
typedef struct gw_endpoint_t {
    const char *url;  /* of the first member; NULL: there is none */
    const char *urls; /* of a group or an endpoint with a circuit breaker: all, a line each; NULL: just url */
    int timeout_ms;   /* 0: the server's */
    int failover;     /* the first member that is healthy; else in turn */
    int suspend_ms;   /* the first suspension of a member that failed, and the longest */
    int suspend_max_ms;
    int suspend_factor;    /* percent */
    apr_int64_t max_calls; /* what the back end is spared: calls in so many seconds; 0: no limit */
    int max_window;
    const char *security; /* credentials for the back end: JSON of the artefact, secrets sealed; NULL: none */
} gw_endpoint_t;

/* The deployed API that a call matched, copied out of the replica into r->pool. Strings are never NULL unless
 * said. */
typedef struct gw_api_t {
    const char *id;
    const char *name;
    const char *provider;
    const char *context; /* with version: "/pizzashack/1.0.0" */
    const char *version;
    const char *authorization_header; /* "Authorization" */
    const char *api_key_header;       /* "apikey" */
    const char *api_policy; /* advanced policy of the whole API; NULL: its resources have their own */
    gw_endpoint_t production, sandbox;
    const gw_cors_t *cors; /* NULL: none of its own */
    gw_api_status_e status;
    unsigned int allows_oauth2 : 1;
    unsigned int allows_api_key : 1;
    unsigned int transport_http : 1;
    unsigned int transport_https : 1;
    unsigned int pass_credentials : 1;
    unsigned int is_default_version : 1;
    apr_int64_t revision; /* revision number of the deployment */
} gw_api_t;

/* The operation that matched. */
typedef struct gw_operation_t {
    const char *target; /* "/menu/{id}" */
    const char *verb;   /* "GET" */
    const char *policy; /* advanced policy of the resource, "Unlimited" for none */
    const char *scopes; /* blank-separated, "" for none: a caller needs any one of them */
    gw_auth_type_e auth_type;
} gw_operation_t;

/* A policy artefact. request_count < 0: no limit. */
typedef struct gw_policy_t {
    const char *name;
    apr_int64_t request_count;
    apr_int64_t window;       /* seconds: unitTime times its unit (a month has 30 days, a year 365) */
    int stop_on_quota;        /* 0: let the call pass, marked */
    apr_int64_t burst_count;  /* rateLimitCount, 0: none */
    apr_int64_t burst_window; /* seconds */
    const char *groups;       /* conditional groups (policy_groups.h); NULL: none */
} gw_policy_t;

typedef struct gw_call_t {
    const gw_api_t *api;
    const gw_operation_t *operation;
    const char *rest; /* the decoded path behind the context, "/menu/5"; what was matched and is sent on */
    const char
        *public_base; /* location prefix and context as the client wrote them: "/gw/pizzashack/1.0.0" */
    const char *correlation_id;
    const struct gw_answer_t
        *answer;               /* what the Key Manager said; NULL when the resource needs no credentials */
    int sandbox;               /* the key is a SANDBOX key: goes to the sandbox endpoint */
    const apim_error_t *fault; /* set: the content handler answers with it */
    const char *challenge;     /* error="…" parameters for WWW-Authenticate of a 401, NULL for none */
    struct gw_upstream_t *upstream;
    const char *endpoint_url; /* the URL that upstream is of */
    struct gw_group_t *group; /* the members to choose from; NULL: there is only one */
    const char *args;         /* query string for the back end, without credentials */
    const gw_cors_t *cors;    /* the rules that apply, NULL for none */
    int denials;              /* there are deny policies to be asked */
    apr_time_t sent_at;       /* to the back end; 0: not yet */
    apr_time_t answered_at;   /* its first byte came */
    int preflight;            /* a CORS preflight that the gateway answers */
} gw_call_t;

/** The endpoint for the kind of key; without a key, whatever there is. */
const gw_endpoint_t *gw_call_endpoint(const gw_call_t *call);

/* The call of this request, NULL if the request is not one (outside a gateway location, a sub-request). */
gw_call_t *gw_call_of(request_rec *r);

/* -- seam to the replica
 * -------------------------------------------------------------------------------------------- */

/** Finds the policy level ("subscription", "application", "advanced") / name in this node's replica; strings
 * in p. NULL if it is not there. Reads shared pages only; no lock, no I/O beyond a page fault. */
const gw_policy_t *gw_policy_find(apr_pool_t *p, const char *level, const char *name);

/** 403 with code 900805 if a deny policy turns the call away: by API and address while answer is NULL, else
 * by application and user. Costs nothing where there are no such policies. */
apim_error_t *gw_deny_check(request_rec *r, const gw_call_t *call, const struct gw_answer_t *answer);

/* -- seam to authorization (authorize.c)
 * ---------------------------------------------------------------------------- */

/** Allocates shared memory; call in the second pass of post_config. Returns an error sentence or NULL. */
const char *gw_authorize_post_config(apr_pool_t *pconf, server_rec *main_server);

/** Attaches a child. */
void gw_authorize_child_init(apr_pool_t *pchild, server_rec *main_server);

/**
 * Takes the credentials of the request, has them verified, enforces subscription, token type, scopes and
 * limits. Fills call->answer, call->sandbox, call->args; removes the credentials from the request unless the
 * API passes them on; sets the RateLimit headers. NULL: the call may go on. Else a fault with WSO2's code:
 * 401 (call->challenge set), 403, 429, 503.
 */
apim_error_t *gw_authorize(request_rec *r, gw_call_t *call);

/** Facts for mod_status: "Key: value" lines if flags has AP_STATUS_SHORT, else table rows
 * <tr><th>…</th><td>…</td></tr>. */
void gw_authorize_status(request_rec *r, int flags);

/** Makes cached verifications that concern the subject ("token", "client", "application", "api", "user" and
 * its id) stale, in all children. Called by the sync watchdog. gw_mark_all_stale() does it for everything. */
void gw_mark_stale(const char *kind, const char *subject);
void gw_mark_all_stale(void);

#endif
