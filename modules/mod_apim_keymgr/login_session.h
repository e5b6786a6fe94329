/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KM_LOGIN_SESSION_H
#define KM_LOGIN_SESSION_H

#include "user_store.h"

/*
 * Single sign-on: who has logged in with this browser. The session lies in am_login_session, so every Key
 * Manager knows it; the browser holds its id (256 random bits) in a cookie that scripts cannot read and that
 * other sites' forms do not send (HttpOnly, SameSite=Lax; with an https issuer also Secure under the prefix
 * __Host-).
 *
 * A second cookie tells one browser from another before anyone has logged in; what our forms carry is bound
 * to it.
 */
typedef struct km_session_t {
    const char *id_hash;
    const char *username;
    apr_int64_t auth_time; /* ms */
} km_session_t;

/** The browser's session; *out NULL if there is none, it is over, or its user's tokens were revoked since (a
 * new password, a locked user). 503 if the database is away. */
apim_error_t *km_session_find(const km_call_t *call, km_session_t **out);

/** Begins a session for a user who has just shown the password, under a new id; a session the browser had is
 * gone. Sets the cookie. */
apim_error_t *km_session_start(const km_call_t *call, const km_user_t *user, km_session_t **out);

/** Ends the browser's session, in the database and in the browser. */
apim_error_t *km_session_end(const km_call_t *call);

/** Seals a form for this browser: covers its step, the session ("" if it has none), when it expires, and the
 * request it is about. Sets the browser's cookie where there is none. NULL if there are no random bytes. */
const char *km_form_seal(const km_call_t *call, const char *step, const km_session_t *session,
                         const char *expires, const char *request);

/** 403 unless the form was sealed for this browser, is not over, and was sent by our own page. */
apim_error_t *km_form_check(const km_call_t *call, const char *step, const km_session_t *session,
                            const char *expires, const char *request, const char *seal);

#endif
