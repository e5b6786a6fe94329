/* SPDX-License-Identifier: Apache-2.0 */
#include "token_store.h"

#include <apr_strings.h>
#include <string.h>

#include "apim_text.h"
#include "keymgr_sql.h"
#include "recall.h"

static apr_int64_t number(const char *text)
{
    apr_int64_t value = 0;
    return text && apim_parse_i64(text, &value) == 0 ? value : 0;
}

apim_error_t *km_token_insert(apr_pool_t *p, apim_db_t *db, const km_token_row_t *t)
{
    return apim_db_query(db, &km_token_insert_row, NULL,
                         APIM_ARGS(t->id, t->token_hash, t->refresh_hash, t->family, t->consumer_key,
                                   t->username, t->scopes, t->refresh_scopes, t->grant_type,
                                   apim_i64(p, t->issued_at), apim_i64(p, t->expires_at),
                                   t->refresh_expires_at ? apim_i64(p, t->refresh_expires_at) : NULL,
                                   t->audience, t->refresh_audience, t->act, t->derived_from));
}

static apim_error_t *find(apr_pool_t *p, apim_db_t *db, const apim_stmt_t *stmt, const char *hash,
                          km_token_row_t **out)
{
    apim_rows_t *rows;
    km_token_row_t *t;
    const char *const *row;
    *out = NULL;
    APIM_TRY(apim_db_select(db, p, stmt, &rows, APIM_ARGS(hash)));
    if (!rows->count) {
        return NULL;
    }
    row = rows->row[0];
    t = apr_pcalloc(p, sizeof(*t));
    t->id = row[0];
    t->family = row[1];
    t->consumer_key = row[2];
    t->username = row[3];
    t->scopes = row[4];
    t->status = row[5];
    t->issued_at = number(row[6]);
    t->expires_at = number(row[7]);
    t->refresh_expires_at = number(row[8]);
    t->audience = row[9] && *row[9] ? row[9] : NULL;
    *out = t;
    return NULL;
}

apim_error_t *km_token_find_refresh(apr_pool_t *p, apim_db_t *db, const char *hash, km_token_row_t **out)
{
    return find(p, db, &km_token_by_refresh, hash, out);
}

apim_error_t *km_token_find(apr_pool_t *p, apim_db_t *db, const char *hash, km_token_row_t **out)
{
    return find(p, db, &km_token_by_hash, hash, out);
}

apim_error_t *km_token_family_lock(apim_db_t *db, const char *family)
{
    /* The first row of a family bears its name and is kept as long as any of it (see km_clean_tokens). */
    return apim_db_query(db, &km_token_lock_family, NULL, APIM_ARGS(family));
}

apim_error_t *km_token_family_keep(apr_pool_t *p, apim_db_t *db, const char *family, apr_int64_t until)
{
    return apim_db_query(db, &km_token_keep_family, NULL, APIM_ARGS(apim_i64(p, until), family));
}

apim_error_t *km_token_family_successors(apr_pool_t *p, apim_db_t *db, const km_token_row_t *row,
                                         km_successors_t *out)
{
    apim_rows_t *rows;
    APIM_TRY(apim_db_select(db, p, &km_token_successors, &rows,
                            APIM_ARGS(row->id, row->family, apim_i64(p, row->issued_at))));
    out->count = (int)number(rows->row[0][0]);
    out->first_at = number(rows->row[0][1]);
    out->used = (int)number(rows->row[0][2]);
    out->live = (int)number(rows->row[0][3]);
    out->after_rotation = rows->row[0][4] && strcmp(rows->row[0][4], "ROTATED") == 0;
    return NULL;
}

apim_error_t *km_invalidate(const km_call_t *call, apim_db_t *db, const char *kind, const char *subject)
{
    apim_rows_t *rows;
    APIM_TRY(apim_db_select(db, call->pool, &km_feed_next, &rows, APIM_NOARGS));
    if (!rows->count) {
        return apim_internal(call->pool, "am_feed_head has no row");
    }
    km_recall_note(call->r, kind, subject);
    return apim_db_query(db, &km_invalidation_insert, NULL,
                         APIM_ARGS(rows->row[0][0], kind, subject, apim_i64(call->pool, call->now)));
}

static apim_error_t *put_revocation(const km_call_t *call, apim_db_t *db, const char *kind,
                                    const char *subject, apr_int64_t expires_at)
{
    return apim_db_query(
        db, &km_revocation_put, NULL,
        APIM_ARGS(kind, subject, apim_i64(call->pool, call->now), apim_i64(call->pool, expires_at)));
}

apim_error_t *km_revoke_jti(const km_call_t *call, apim_db_t *db, const char *jti, apr_int64_t expires_at)
{
    APIM_TRY(put_revocation(call, db, "jti", jti, expires_at + 60000));
    return km_invalidate(call, db, "token", jti);
}

/* An access token that has a row: gateways know an opaque one by its hash, a JWT by its jti, which is the
 * row's id. Which of the two it was the row does not say; both are told. */
static apim_error_t *kill_access_token(const km_call_t *call, apim_db_t *db, const char *id, const char *hash,
                                       apr_int64_t expires_at)
{
    if (expires_at <= call->now) {
        return NULL;
    }
    APIM_TRY(km_revoke_jti(call, db, id, expires_at));
    return km_invalidate(call, db, "token", hash);
}

apim_error_t *km_token_rotated(const km_call_t *call, apim_db_t *db, const km_token_row_t *row, int *rotated)
{
    apim_rows_t *rows;
    APIM_TRY(apim_db_select(db, call->pool, &km_token_rotate, &rows, APIM_ARGS(row->id)));
    *rotated = rows->count;
    return rows->count ? kill_access_token(call, db, row->id, rows->row[0][0], number(rows->row[0][1]))
                       : NULL;
}

apim_error_t *km_token_derived_kill(const km_call_t *call, apim_db_t *db, const char *origin)
{
    apr_array_header_t *origins = apr_array_make(call->pool, 4, sizeof(const char *));
    int done, i;
    APR_ARRAY_PUSH(origins, const char *) = origin;
    for (done = 0; done < origins->nelts; done++) { /* a list, as chains may be as long as clients like */
        const char *from = APR_ARRAY_IDX(origins, done, const char *);
        apim_rows_t *rows;
        APIM_TRY(apim_db_select(db, call->pool, &km_token_derived_revoke, &rows, APIM_ARGS(from)));
        for (i = 0; i < rows->count; i++) {
            const char *const *row = rows->row[i];
            APIM_TRY(kill_access_token(call, db, row[0], row[1], number(row[2])));
            APR_ARRAY_PUSH(origins, const char *) = row[3];
        }
    }
    return NULL;
}

apim_error_t *km_token_family_kill(const km_call_t *call, apim_db_t *db, const char *family, int only_live)
{
    const apim_stmt_t *stmt = only_live ? &km_token_family_supersede : &km_token_family_revoke;
    apim_rows_t *rows;
    int i;
    APIM_TRY(apim_db_select(db, call->pool, stmt, &rows, APIM_ARGS(family)));
    for (i = 0; i < rows->count; i++) {
        APIM_TRY(kill_access_token(call, db, rows->row[i][0], rows->row[i][1], number(rows->row[i][2])));
    }
    return only_live ? NULL : km_token_derived_kill(call, db, family);
}

apim_error_t *km_revoke_client(const km_call_t *call, apim_db_t *db, const char *consumer_key)
{
    APIM_TRY(apim_db_query(db, &km_token_client_revoke, NULL, APIM_ARGS(consumer_key)));
    APIM_TRY(
        put_revocation(call, db, "client", consumer_key, call->now + km_max_lifetime(call->conf) * 1000));
    return km_invalidate(call, db, "client", consumer_key);
}

apim_error_t *km_revoke_user(const km_call_t *call, apim_db_t *db, const char *username)
{
    APIM_TRY(apim_db_query(db, &km_token_user_revoke, NULL, APIM_ARGS(username)));
    APIM_TRY(put_revocation(call, db, "user", username, call->now + km_max_lifetime(call->conf) * 1000));
    return km_invalidate(call, db, "user", username);
}
