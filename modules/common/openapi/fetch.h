/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APIM_FETCH_H
#define APIM_FETCH_H

#include "apim_error.h"

/* What may be fetched. Zero or NULL means the default in brackets. */
typedef struct apim_fetch_options_t {
    int allow_internal; /* 1: any address. [0]: public addresses only */
    const char
        *allow_cidrs; /* addresses allowed besides, separated by blanks or commas: "10.1.0.0/16 ::1" [none] */
    apr_size_t max_bytes;      /* [20 MiB] */
    int timeout_ms;            /* for everything: look-up, redirects, body [10,000] */
    int max_redirects;         /* [3]; -1 for none */
    const char *ca_file;       /* PEM bundle of trusted certificates [the system's] */
    const char *post_json;     /* sent by POST as application/json; every 2xx is an answer then [GET] */
    int probe;                 /* 1: asked by HEAD, and every status is an answer [0] */
    const char *authorization; /* value of that header; not sent on to where a redirect leads [none] */
} apim_fetch_options_t;

typedef struct apim_fetched_t {
    const char *body; /* NUL-terminated after len bytes */
    apr_size_t len;
    const char *content_type; /* NULL if none was sent */
    const char *url;          /* after redirects */
    int status;
} apim_fetched_t;

/**
 * Fetches a document that a user named by URL, without letting the user reach what only this machine can
 * reach: http and https only, no credentials in the URL; every address is checked when the socket is made,
 * after the look-up, so that neither DNS rebinding nor a redirect gets round it. Refused unless allowed:
 * loopback, link-local (and with it the clouds' metadata services), private (RFC 1918, fc00::/7), shared
 * (100.64.0.0/10), multicast, reserved, unspecified, and IPv6 that embeds such an IPv4 address (mapped,
 * compatible, NAT64, 6to4, Teredo). No proxy from the environment, no .netrc, no cookies.
 *
 * Errors: 400 with 900756 (a URL that cannot be used, refused or not answering) or 900757 (an answer other
 * than 200). Blocks up to timeout_ms: not for the gateway's request path. Any thread; apim_fetch_init once
 * per process before.
 */
apim_error_t *apim_fetch(apr_pool_t *p, const char *url, const apim_fetch_options_t *options,
                         apim_fetched_t **out);

/** 1 if the URL may be stored as a link or an endpoint: http or https, a host, no credentials. Makes no
 * connection. */
int apim_fetch_url_valid(const char *url);

/** NULL if the list can be used, else a sentence that says what is wrong: for a directive's check. */
const char *apim_fetch_check_cidrs(apr_pool_t *p, const char *cidrs);

/** Readies libcurl. Not thread-safe: call from post_config (or main) while there is one thread; again is
 * harmless. Never undone: other modules of the process may use libcurl too. */
void apim_fetch_init(void);

#endif
