/* SPDX-License-Identifier: Apache-2.0 */
#include "scope_service.h"

#include <apr_strings.h>
#include <string.h>

#include "apim_text.h"
#include "httpd/db_pool.h"
#include "keymgr_sql.h"
#include "oauth_error.h"

#define MAX_SCOPES     200
#define MAX_SCOPE_TEXT 4096

/* One request for scopes; the user and the database are fetched when first needed. */
typedef struct asking_t {
    const km_call_t *call;
    const char *username;
    const km_user_t *user;
    int user_known;
    apim_db_t *db; /* API Manager; closed before the user is read */
    int is_application_token;
} asking_t;

apim_error_t *km_scope_check(apr_pool_t *p, const char *requested)
{
    const unsigned char *s = (const unsigned char *)requested;
    int words = 0;
    if (!requested) {
        return NULL;
    }
    for (; *s; s++) {
        if (*s < 0x20 || *s > 0x7e || *s == '"' || *s == '\\') {
            return km_oauth_error(p, HTTP_BAD_REQUEST, "invalid_scope",
                                  "The scope parameter holds a character that scopes "
                                  "must not have.");
        }
        words += *s != ' ' && (s[1] == ' ' || !s[1]);
    }
    if (words > MAX_SCOPES || s - (const unsigned char *)requested > MAX_SCOPE_TEXT) {
        return km_oauth_error(p, HTTP_BAD_REQUEST, "invalid_scope",
                              "More than %d scopes or %d bytes of them were asked for.", MAX_SCOPES,
                              MAX_SCOPE_TEXT);
    }
    return NULL;
}

/* The words of a list, as an array. */
static apr_array_header_t *words_of(apr_pool_t *p, const char *list)
{
    apr_array_header_t *words = apr_array_make(p, 8, sizeof(const char *));
    char *state, *word, *copy = apr_pstrdup(p, list ? list : "");
    for (word = apr_strtok(copy, " ", &state); word; word = apr_strtok(NULL, " ", &state)) {
        APR_ARRAY_PUSH(words, const char *) = word;
    }
    return words;
}

int km_scope_subset(apr_pool_t *p, const char *a, const char *b)
{
    apr_array_header_t *words = words_of(p, a);
    int i;
    for (i = 0; i < words->nelts; i++) {
        if (!apim_word_in_list(APR_ARRAY_IDX(words, i, const char *), b)) {
            return 0;
        }
    }
    return 1;
}

static apim_error_t *know_user(asking_t *q)
{
    km_user_t *user = NULL;
    if (q->user_known) {
        return NULL;
    }
    q->user_known = 1;
    /* Never two databases open at once. */
    apim_db_close(q->db);
    q->db = NULL;
    if (q->username) {
        APIM_TRY(km_user_find(q->call, q->username, &user));
    }
    q->user = user;
    return NULL;
}

static apim_error_t *allowed_by_table(asking_t *q, unsigned int bound, int *allowed)
{
    int i;
    APIM_TRY(know_user(q));
    for (i = 0; q->user && i < q->user->roles->nelts && !*allowed; i++) {
        *allowed = (km_scope_table_role(APR_ARRAY_IDX(q->user->roles, i, const char *)) & bound) != 0;
    }
    return NULL;
}

/* A scope of an API: one name may stand for several APIs, with roles of their own. */
static apim_error_t *allowed_by_api(asking_t *q, const char *scope, int *allowed)
{
    apim_rows_t *rows;
    int i, j;
    if (!q->db) {
        APIM_TRY(apim_db_open(q->call->pool, &q->call->conf->common, APIM_DB_API_MANAGER, &q->db));
    }
    APIM_TRY(apim_db_select(q->db, q->call->pool, &km_scope_roles, &rows, APIM_ARGS(scope)));
    for (i = 0; i < rows->count && !*allowed; i++) {
        const char *roles = rows->row[i][0];
        if (!*roles) {
            *allowed = 1;
            break;
        }
        APIM_TRY(know_user(q));
        for (j = 0; q->user && j < q->user->roles->nelts && !*allowed; j++) {
            *allowed = apim_word_in_list(APR_ARRAY_IDX(q->user->roles, j, const char *), roles);
        }
    }
    return NULL;
}

int km_scope_is_identity(const char *scope)
{
    return apim_word_in_list(scope, "openid profile email");
}

static apim_error_t *is_allowed(asking_t *q, const km_client_t *client, const char *scope, int *allowed)
{
    unsigned int bound;
    *allowed = 0;
    if (strcmp(scope, KM_DEFAULT_SCOPE) == 0 ||
        (client->scopes && !apim_word_in_list(scope, client->scopes))) {
        return NULL;
    }
    if (km_scope_is_identity(scope)) {
        *allowed = !q->is_application_token;
        return NULL;
    }
    bound = km_scope_table_roles(scope);
    if (bound && q->is_application_token && client->application_id) {
        return NULL; /* a program's keys are no log-in to its owner's account */
    }
    return bound ? allowed_by_table(q, bound, allowed) : allowed_by_api(q, scope, allowed);
}

static apim_error_t *grant(asking_t *q, const km_client_t *client, const char *requested,
                           const char **granted)
{
    apr_pool_t *p = q->call->pool;
    apr_array_header_t *words = words_of(p, requested),
                       *kept = apr_array_make(p, words->nelts, sizeof(const char *));
    const char *text = "";
    int i, j;
    for (i = 0; i < words->nelts; i++) {
        const char *scope = APR_ARRAY_IDX(words, i, const char *);
        int allowed, repeated = 0;
        for (j = 0; j < kept->nelts && !repeated; j++) {
            repeated = strcmp(APR_ARRAY_IDX(kept, j, const char *), scope) == 0;
        }
        if (repeated) {
            continue;
        }
        APIM_TRY(is_allowed(q, client, scope, &allowed));
        if (allowed) {
            APR_ARRAY_PUSH(kept, const char *) = scope;
        }
    }
    if (kept->nelts) {
        text = apr_array_pstrcat(p, kept, ' ');
    }
    *granted = *text ? text : KM_DEFAULT_SCOPE;
    return NULL;
}

apim_error_t *km_scope_grant(const km_call_t *call, const km_client_t *client, const char *username,
                             const km_user_t *user, const char *requested, const char **granted)
{
    asking_t q = {call, username ? username : client->owner, user, user != NULL, NULL, username == NULL};
    apim_error_t *err;
    APIM_TRY(km_scope_check(call->pool, requested));
    err = grant(&q, client, requested, granted);
    apim_db_close(q.db);
    return err;
}
