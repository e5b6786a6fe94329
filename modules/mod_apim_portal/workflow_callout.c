/* SPDX-License-Identifier: Apache-2.0 */
#include "workflow_callout.h"

#include <apr_base64.h>
#include <apr_strings.h>
#include <string.h>

#include "apim_seal.h"
#include "openapi/fetch.h"
#include "workflow_sql.h"

#define TIMEOUT_MS 5000
#define CLAIM_MS   60000 /* another portal may try again after this */
#define FIRST_MS   5000  /* the pause after the first failure; then twice as long each time */
#define LONGEST_MS 3600000
#define MOST       50 /* attempts, in two days */
#define FORGET_MS  3600000
#define KEPT_MS    (APR_INT64_C(90) * 24 * 3600 * 1000)
#define MAX_ANSWER 65536
#define MAX_ERROR  500

/* Columns of wf_due. */
enum { D_ID, D_AT, D_ATTEMPTS, D_URL, D_AUTH, D_USERNAME, D_SECRET, D_CALLBACK };

static apr_int64_t number(const char *text)
{
    apr_int64_t n = 0;
    return text && !apim_parse_i64(text, &n) ? n : 0;
}

const char *po_workflow_token(apr_pool_t *p, const apim_common_config_t *common, const char *id)
{
    return common->cluster_secret ? apim_derive(p, common->cluster_secret, "workflow-callback", id) : NULL;
}

/* -- one call ----------------------------------------------------------------------------------------------
 */

static const char *basic(apr_pool_t *p, const char *username, const char *password)
{
    const char *both = apr_pstrcat(p, username, ":", password, NULL);
    char *out = apr_palloc(p, (apr_size_t)apr_base64_encode_len((int)strlen(both)));
    apr_base64_encode(out, both, (int)strlen(both));
    return apr_pstrcat(p, "Basic ", out, NULL);
}

static apim_error_t *authorization(apr_pool_t *p, const apim_common_config_t *common, const char *const *row,
                                   const char **out)
{
    const char *secret;
    *out = NULL;
    if (strcmp(row[D_AUTH], "NONE") == 0) {
        return NULL;
    }
    if (!common->cluster_secret) {
        return apim_internal(p, "this portal has no ApimClusterSecret");
    }
    APIM_TRY(apim_unseal(p, common->cluster_secret, PO_WF_SEAL_PURPOSE, row[D_URL], row[D_SECRET], &secret));
    *out = strcmp(row[D_AUTH], "BASIC") == 0 ? basic(p, row[D_USERNAME], secret)
                                             : apr_pstrcat(p, "Bearer ", secret, NULL);
    return NULL;
}

static const char *body_of(apr_pool_t *p, const po_workflow_t *workflow, const char *callback_url,
                           const char *token)
{
    json_t *body = apim_json_own(
        p, json_pack("{s:s, s:s, s:s, s:s, s:s, s:O, s:s, s:s?}", "workflowReferenceId", workflow->id,
                     "workflowType", workflow->type, "description", workflow->description, "createdBy",
                     workflow->created_by, "createdTime", apim_iso_time(p, workflow->created_at),
                     "properties", workflow->properties, "callbackUrl",
                     apr_pstrcat(p, callback_url,
                                 PO_ADMIN_BASE "/workflow-callback?workflowReferenceId=", workflow->id, NULL),
                     "callbackToken", token));
    return body ? apim_json_text(p, body) : NULL;
}

static apim_error_t *call(apr_pool_t *p, const portal_config_t *conf, const po_workflow_t *workflow,
                          const char *const *row)
{
    apim_fetch_options_t options = {.allow_cidrs = conf->import_allow,
                                    .max_bytes = MAX_ANSWER,
                                    .timeout_ms = TIMEOUT_MS,
                                    .max_redirects = -1};
    const char *token = po_workflow_token(p, &conf->common, workflow->id);
    apim_fetched_t *answer;
    APIM_TRY(authorization(p, &conf->common, row, &options.authorization));
    options.post_json = body_of(p, workflow, row[D_CALLBACK], token);
    if (!options.post_json) {
        return apim_internal(p, "a call to a workflow engine cannot be written");
    }
    return apim_fetch(p, row[D_URL], &options, &answer);
}

/* -- the queue ---------------------------------------------------------------------------------------------
 */

static apr_int64_t pause_after(apr_int64_t attempts)
{
    apr_int64_t pause = FIRST_MS;
    for (; attempts > 0 && pause < LONGEST_MS; attempts--) {
        pause *= 2;
    }
    return pause < LONGEST_MS ? pause : LONGEST_MS;
}

static apim_error_t *with_database(apr_pool_t *p, server_rec *s, apim_db_t **db)
{
    return apim_db_open(p, &po_server_config(s)->common, APIM_DB_API_MANAGER, db);
}

static apim_error_t *note(apr_pool_t *p, server_rec *s, const char *const *row, const apim_error_t *failure)
{
    const apr_int64_t attempts = number(row[D_ATTEMPTS]);
    const char *state = !failure ? "DELIVERED" : attempts + 1 >= MOST ? "FAILED" : "DUE";
    const char *problem = failure ? failure->description : "";
    apim_error_t *err;
    apim_db_t *db;
    APIM_TRY(with_database(p, s, &db));
    err = apim_db_query(db, &wf_called, NULL,
                        APIM_ARGS(state, apim_i64(p, apim_now_ms() + pause_after(attempts)),
                                  apr_pstrndup(p, problem, MAX_ERROR), row[D_ID]));
    apim_db_close(db);
    return err;
}

/* Claims one: *workflow->id is NULL if another portal was faster. */
static apim_error_t *claim(apr_pool_t *p, apim_db_t *db, const char *const *row, po_workflow_t *workflow)
{
    int claimed = 0;
    APIM_TRY(apim_db_query(db, &wf_claim, &claimed,
                           APIM_ARGS(apim_i64(p, apim_now_ms() + CLAIM_MS), row[D_ID], row[D_AT])));
    return claimed ? po_workflow_get(db, p, row[D_ID], workflow) : NULL;
}

static apim_error_t *deliver(apr_pool_t *p, server_rec *s, const char *const *row)
{
    po_workflow_t workflow = {0};
    apim_error_t *err;
    apim_db_t *db;
    APIM_TRY(with_database(p, s, &db));
    err = claim(p, db, row, &workflow);
    apim_db_close(db);
    if (err || !workflow.id) {
        return err;
    }
    err = call(p, po_server_config(s), &workflow, row);
    if (err) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, s,
                     "APIM-PO0401: the workflow engine was not told of %s: %s%s%s", workflow.id,
                     err->description, err->cause ? " -- " : "", err->cause ? err->cause : "");
    }
    return note(p, s, row, err);
}

/* What was decided long ago; now and then, because it takes SQLite's write lock. */
static apim_error_t *forget_old(apr_pool_t *p, apim_db_t *db, apr_int64_t now)
{
    static apr_int64_t due;
    if (now < due) {
        return NULL;
    }
    due = now + FORGET_MS;
    return apim_db_query(db, &wf_forget, NULL, APIM_ARGS(apim_i64(p, now - KEPT_MS)));
}

static apim_error_t *due(apr_pool_t *p, server_rec *s, apim_rows_t **rows)
{
    const apr_int64_t now = apim_now_ms();
    apim_error_t *err;
    apim_db_t *db;
    APIM_TRY(with_database(p, s, &db));
    err = forget_old(p, db, now);
    err = err ? err : apim_db_select(db, p, &wf_due, rows, APIM_ARGS(apim_i64(p, now)));
    apim_db_close(db);
    return err;
}

void po_workflow_call_engines(apr_pool_t *p, server_rec *s, volatile apr_uint32_t *stopping)
{
    apim_rows_t *rows = NULL;
    apim_error_t *err = due(p, s, &rows);
    int i;
    for (i = 0; !err && i < rows->count && !apr_atomic_read32(stopping); i++) {
        err = deliver(p, s, rows->row[i]);
    }
    if (err) { /* the database is away: the publication's watchdog complains about that */
        ap_log_error(APLOG_MARK, APLOG_DEBUG, 0, s, "APIM-PO0402: workflow engines were not called: %s",
                     err->description);
    }
}
