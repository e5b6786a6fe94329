/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APIM_SESSION_STORE_H
#define APIM_SESSION_STORE_H

#include "portal.h"

/*
 * Log-ins of the web pages. The access token stays on the server; the browser holds a random id in a cookie
 * that scripts cannot read. The row in am_portal_session has the id's hash, and the token sealed under a key
 * derived from the id: any portal on that database serves any user, and the database alone gives nobody away.
 *
 * A cookie alone is nothing: browsers add it to what other sites make them send. So it counts only together
 * with the header X-Apim-Session, which a page of another origin cannot send without being asked (CORS), and
 * never if Sec-Fetch-Site says that the request comes from elsewhere.
 */
#define PO_SESSION_HEADER "X-Apim-Session"

/* What a log-in gave (login_resource.h). */
typedef struct po_grant_t {
    const char *username;
    const char *token;      /* access token */
    const char *scopes;     /* blank-separated */
    apr_int64_t expires_at; /* ms */
} po_grant_t;

/** A cookie of that name as it is kept here (__Host- before it, where TLS is spoken), if it holds an id of
 * 256 random bits; NULL if there is none, or more than one. */
const char *po_cookie_read(rest_request_t *rq, const char *name);

/** Sets it, for so many seconds; 0 takes it back. same_site: "Strict" or "Lax". */
void po_cookie_set(rest_request_t *rq, const char *name, const char *id, apr_int64_t seconds,
                   const char *same_site);

/** 403 unless the request comes from a page of ours: see above. */
apim_error_t *po_session_check_origin(rest_request_t *rq);

/** Stores a log-in under a new id and sets the cookie. A session that the browser had before is ended. */
apim_error_t *po_session_begin(rest_request_t *rq, const po_grant_t *grant);

/** The access token of the request's session. NULL if there is no cookie, or it does not count; 401 if the
 * session has ended (the cookie is taken back). expires_at may be NULL. */
apim_error_t *po_session_token(rest_request_t *rq, const char **token, apr_int64_t *expires_at);

/** Ends the request's session, if there is one: the row goes, the token dies, the cookie is taken back. */
apim_error_t *po_session_end(rest_request_t *rq);

#endif
