/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KM_CLIENT_AUTH_H
#define KM_CLIENT_AUTH_H

#include "client_store.h"

/** Name and password of an Authorization: Basic header; both NULL if there is no such header. Other schemes
 * and broken encodings give 401. decode_form: the parts are form-encoded (RFC 6749 section 2.3.1). */
apim_error_t *km_basic_credentials(request_rec *r, int decode_form, const char **name, const char **password);

/**
 * The client that calls: HTTP Basic, client_id and client_secret in the form, or a client_assertion (RFC
 * 7523), one of them (RFC 6749 section 2.3); a public client says its client_id alone, which proves nothing.
 * 401 invalid_client otherwise; an unknown client takes the same work as a wrong secret.
 */
apim_error_t *km_client_authenticate(const km_call_t *call, const apr_table_t *form, km_client_t **out);

#endif
