/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KM_OAUTH_ERROR_H
#define KM_OAUTH_ERROR_H

#include "keymgr_config.h"
#include "httpd/rest.h"

/*
 * Errors of the OAuth endpoints (RFC 6749 section 5.2, RFC 7009, RFC 7591): an apim_error_t whose message is
 * the error word. Errors made elsewhere (a database that is away, a form that cannot be read) are translated
 * when they are answered.
 */

/** status and word ("invalid_grant") with a description of printable ASCII without quotes and backslashes. */
apim_error_t *km_oauth_error(apr_pool_t *p, int status, const char *word, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/** 401 invalid_client. One text for every reason, so that nothing tells an unknown client from a wrong
 * secret. */
apim_error_t *km_invalid_client(apr_pool_t *p);

/** The error word and description of an error, whoever made it, in the characters that they may have. */
const char *km_oauth_word(const apim_error_t *err);
const char *km_oauth_description(apr_pool_t *p, const apim_error_t *err);

/** Writes the error as {"error":…,"error_description":…} with Cache-Control: no-store and Pragma: no-cache; a
 * 401 gets a WWW-Authenticate, a 503 its Retry-After. Logs it once. Returns OK. */
int km_oauth_reply_error(request_rec *r, const apim_error_t *err);

/** Writes j (stolen) with the headers of RFC 6749 section 5.1. Returns OK. */
int km_oauth_reply(request_rec *r, int status, json_t *j);

/* For clang's analyzer, as in apim_error.h. */
#if defined(__clang_analyzer__) && !defined(KM_OAUTH_ERROR_IMPLEMENTATION)
#define km_oauth_error(...)    apim_not_null_(km_oauth_error(__VA_ARGS__))
#define km_invalid_client(...) apim_not_null_(km_invalid_client(__VA_ARGS__))
#endif

#endif
