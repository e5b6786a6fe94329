/* SPDX-License-Identifier: Apache-2.0 */
#include "userinfo.h"

#include <apr_strings.h>

#include "apim_text.h"
#include "httpd/audit.h"
#include "httpd/db_pool.h"
#include "keymgr_sql.h"
#include "oauth_endpoints.h"
#include "oauth_error.h"
#include "registrant.h"
#include "resource_target.h"
#include "token_lookup.h"

/* RFC 6750 section 3 */
static apim_error_t *refused(const km_call_t *call, int status, const char *word, const char *text)
{
    apr_table_setn(call->r->err_headers_out, "WWW-Authenticate",
                   apr_psprintf(call->pool, "Bearer realm=\"API Manager\", error=\"%s\"", word));
    return km_oauth_error(call->pool, status, word, "%s", text);
}

static apim_error_t *find_profile(const km_call_t *call, const char *username, apim_rows_t **rows)
{
    apim_error_t *err;
    apim_db_t *db;
    APIM_TRY(apim_db_open(call->pool, &call->conf->common, APIM_DB_USER_MANAGER, &db));
    err = apim_db_select(db, call->pool, &km_user_profile, rows, APIM_ARGS(username));
    apim_db_close(db);
    return err;
}

static void add(json_t *to, const char *claim, const char *value)
{
    if (value && *value) {
        apim_json_set_str(to, claim, value);
    }
}

/* given_name, family_name, updated_at */
static void add_profile(apr_pool_t *p, json_t *to, const char *username, const char *const *row)
{
    const char *given = row[0] ? row[0] : "", *family = row[1] ? row[1] : "";
    apr_int64_t updated = 0;
    add(to, "preferred_username", username);
    add(to, "given_name", given);
    add(to, "family_name", family);
    add(to, "name", apr_pstrcat(p, given, *given && *family ? " " : "", family, NULL));
    if (row[3] && apim_parse_i64(row[3], &updated) == 0) {
        json_object_set_new(to, "updated_at", json_integer(updated / 1000));
    }
}

apim_error_t *km_userinfo_claims(const km_call_t *call, const char *username, const char *scopes,
                                 json_t **out)
{
    apim_rows_t *rows;
    *out = NULL;
    APIM_TRY(find_profile(call, username, &rows));
    if (!rows->count) {
        return NULL;
    }
    *out = json_pack("{s:s}", "sub", username);
    if (apim_word_in_list("profile", scopes)) {
        add_profile(call->pool, *out, username, rows->row[0]);
    }
    if (apim_word_in_list("email", scopes) && rows->row[0][2] && *rows->row[0][2]) {
        add(*out, "email", rows->row[0][2]);
        json_object_set_new(*out, "email_verified", json_false()); /* nobody has looked */
    }
    return NULL;
}

static apim_error_t *answer(const km_call_t *call, json_t **out)
{
    const char *token = km_bearer(call->r);
    km_token_info_t *info;
    APIM_TRY(km_check_method(call, "GET POST"));
    if (!token) {
        apr_table_setn(call->r->err_headers_out, "WWW-Authenticate", "Bearer realm=\"API Manager\"");
        return km_oauth_error(call->pool, HTTP_UNAUTHORIZED, "invalid_token",
                              "Show the access token in an Authorization: Bearer header.");
    }
    APIM_TRY(km_lookup_token(call, token, NULL, NULL, &info));
    if (info->state != KM_ACTIVE || !info->username || !km_audience_is_ours(call, info->audience)) {
        return refused(call, HTTP_UNAUTHORIZED, "invalid_token",
                       "The access token is not a valid one of a user.");
    }
    if (!apim_word_in_list("openid", info->scopes)) {
        return refused(call, HTTP_FORBIDDEN, "insufficient_scope",
                       "The access token has not the scope openid.");
    }
    APIM_TRY(km_userinfo_claims(call, info->username, info->scopes, out));
    return *out ? NULL : refused(call, HTTP_UNAUTHORIZED, "invalid_token", "The user is not active.");
}

int km_endpoint_userinfo(const km_call_t *call)
{
    json_t *j = NULL;
    apim_error_t *err = answer(call, &j);
    if (err) {
        apim_audit(call->r, &call->conf->common, "userinfo", err);
    }
    return err ? km_oauth_reply_error(call->r, err) : km_oauth_reply(call->r, HTTP_OK, j);
}
