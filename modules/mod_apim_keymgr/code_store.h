/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KM_CODE_STORE_H
#define KM_CODE_STORE_H

#include "apim_db.h"
#include "keymgr_config.h"

/*
 * Authorization codes (am_auth_code, hashed) and what people have consented to (am_consent). A code lives for
 * KM_CODE_LIFETIME and is redeemed once; its row stays a while longer, to know it again.
 */
#define KM_CODE_LIFETIME 60000 /* ms */

typedef struct km_code_t {
    const char *hash;
    const char *consumer_key;
    const char *username;
    const char *redirect_uri;
    const char *challenge; /* NULL: no PKCE */
    const char *scopes;
    const char *nonce;     /* NULL: none */
    const char *audience;  /* blank-separated; NULL: the default */
    const char *family;    /* of the tokens it was redeemed for; NULL: not used yet */
    apr_int64_t auth_time; /* ms */
    apr_int64_t expires_at;
} km_code_t;

/** Makes a code and stores what it stands for (hash, family and expires_at are filled in). */
apim_error_t *km_code_make(const km_call_t *call, km_code_t *code, const char **text);

/** The row of a code; *out NULL if there is none. */
apim_error_t *km_code_find(const km_call_t *call, const char *text, km_code_t **out);

/** Ties the code to the tokens of that family, once: *before is NULL, or the family it was used for. Holds
 * the code until the end of the caller's transaction. */
apim_error_t *km_code_use(const km_call_t *call, apim_db_t *db, const km_code_t *code, const char *family,
                          const char **before);

/** 1 if the user has let the client have all these scopes before. */
apim_error_t *km_consent_covers(const km_call_t *call, const char *username, const char *consumer_key,
                                const char *scopes, int *covers);

/** What the user has let the client have until now; "" for nothing. */
apim_error_t *km_consent_scopes(const km_call_t *call, const char *username, const char *consumer_key,
                                const char **scopes);

/** Remembers what the user let the client have, besides what was remembered before. */
apim_error_t *km_consent_add(const km_call_t *call, const char *username, const char *consumer_key,
                             const char *scopes);

/** What a scope of an API means, in its publisher's words; NULL if no one said. */
apim_error_t *km_scope_explained(const km_call_t *call, const char *scope, const char **text);

#endif
