/* SPDX-License-Identifier: Apache-2.0 */
#include "code_store.h"

#include <apr_strings.h>

#include "apim_crypto.h"
#include "apim_text.h"
#include "httpd/db_pool.h"
#include "keymgr_sql.h"
#include "scope_service.h"

#define CODE_PREFIX "apim_ac_"
#define CODE_BYTES  32

static apr_int64_t number(const char *text)
{
    apr_int64_t value = 0;
    return text && apim_parse_i64(text, &value) == 0 ? value : 0;
}

/* One statement on a connection of its own. rows NULL: nothing is read. */
static apim_error_t *run(const km_call_t *call, const apim_stmt_t *stmt, apim_rows_t **rows,
                         const char *const *args, int nargs)
{
    apim_error_t *err;
    apim_db_t *db;
    APIM_TRY(apim_db_open(call->pool, &call->conf->common, APIM_DB_API_MANAGER, &db));
    err = rows ? apim_db_select(db, call->pool, stmt, rows, args, nargs)
               : apim_db_query(db, stmt, NULL, args, nargs);
    apim_db_close(db);
    return err;
}

/* -- codes
 * -----------------------------------------------------------------------------------------------------------
 */

apim_error_t *km_code_make(const km_call_t *call, km_code_t *c, const char **text)
{
    apr_pool_t *p = call->pool;
    const char *random = apim_random_token(p, CODE_BYTES);
    if (!random) {
        return apim_internal(p, "no random bytes");
    }
    *text = apr_pstrcat(p, CODE_PREFIX, random, NULL);
    c->hash = apim_sha256_hex(p, *text);
    c->expires_at = call->now + KM_CODE_LIFETIME;
    return run(call, &km_code_insert, NULL,
               APIM_ARGS(c->hash, c->consumer_key, c->username, c->redirect_uri, c->challenge, c->scopes,
                         c->nonce, apim_i64(p, c->auth_time), apim_i64(p, c->expires_at), c->audience));
}

apim_error_t *km_code_find(const km_call_t *call, const char *text, km_code_t **out)
{
    const char *hash = apim_sha256_hex(call->pool, text);
    apim_rows_t *rows = NULL;
    const char *const *row;
    km_code_t *c;
    *out = NULL;
    APIM_TRY(run(call, &km_code_by_hash, &rows, APIM_ARGS(hash)));
    if (!rows->count) {
        return NULL;
    }
    row = rows->row[0];
    c = apr_pcalloc(call->pool, sizeof(*c));
    c->hash = hash;
    c->consumer_key = row[0];
    c->username = row[1];
    c->redirect_uri = row[2];
    c->challenge = row[3];
    c->scopes = row[4];
    c->nonce = row[5];
    c->auth_time = number(row[6]);
    c->expires_at = number(row[7]);
    c->family = row[8];
    c->audience = row[9];
    *out = c;
    return NULL;
}

apim_error_t *km_code_use(const km_call_t *call, apim_db_t *db, const km_code_t *code, const char *family,
                          const char **before)
{
    apim_rows_t *rows;
    int changed;
    *before = NULL;
    APIM_TRY(apim_db_query(db, &km_code_take, &changed, APIM_ARGS(family, code->hash)));
    if (changed) {
        return NULL;
    }
    APIM_TRY(apim_db_select(db, call->pool, &km_code_by_hash, &rows, APIM_ARGS(code->hash)));
    *before = rows->count && rows->row[0][8] ? rows->row[0][8] : "";
    return NULL;
}

/* -- consent
 * ---------------------------------------------------------------------------------------------------------
 */

static apim_error_t *consented(const km_call_t *call, const char *username, const char *consumer_key,
                               const char **scopes)
{
    apim_rows_t *rows = NULL;
    APIM_TRY(run(call, &km_consent_get, &rows, APIM_ARGS(username, consumer_key)));
    *scopes = rows->count ? rows->row[0][0] : NULL;
    return NULL;
}

apim_error_t *km_consent_scopes(const km_call_t *call, const char *username, const char *consumer_key,
                                const char **scopes)
{
    APIM_TRY(consented(call, username, consumer_key, scopes));
    *scopes = *scopes ? *scopes : "";
    return NULL;
}

apim_error_t *km_consent_covers(const km_call_t *call, const char *username, const char *consumer_key,
                                const char *scopes, int *covers)
{
    const char *had;
    APIM_TRY(consented(call, username, consumer_key, &had));
    *covers = had && km_scope_subset(call->pool, scopes, had);
    return NULL;
}

apim_error_t *km_consent_add(const km_call_t *call, const char *username, const char *consumer_key,
                             const char *scopes)
{
    apr_pool_t *p = call->pool;
    const char *had;
    APIM_TRY(consented(call, username, consumer_key, &had));
    if (had && km_scope_subset(p, had, scopes)) {
        had = NULL;
    }
    if (had) {
        char *state, *word, *copy = apr_pstrdup(p, scopes);
        for (word = apr_strtok(copy, " ", &state); word; word = apr_strtok(NULL, " ", &state)) {
            had = apim_word_in_list(word, had) ? had : apr_pstrcat(p, had, " ", word, NULL);
        }
    }
    return run(call, &km_consent_put, NULL,
               APIM_ARGS(username, consumer_key, had ? had : scopes, apim_i64(p, call->now)));
}

apim_error_t *km_scope_explained(const km_call_t *call, const char *scope, const char **text)
{
    apim_rows_t *rows = NULL;
    APIM_TRY(run(call, &km_scope_text, &rows, APIM_ARGS(scope)));
    *text = rows->count ? rows->row[0][0] : NULL;
    return NULL;
}
