/* SPDX-License-Identifier: Apache-2.0 */
#include "audit.h"

#include <apr_atomic.h>
#include <apr_strings.h>
#include <http_log.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "apim_text.h"

#define NOTE      "apim-audit-"
#define MAX_LINE  4096 /* PIPE_BUF: what a pipe takes whole or not at all */
#define MAX_VALUE 255
#define MIN_VALUE 30 /* so short that a line of nothing but escapes fits */

struct apim_audit_sink_t {
    apr_file_t *file;
};

static const char *const fields[] = {"user", "client", "grant", "operation"};

/* -- opening
 * --------------------------------------------------------------------------------------------------- */

static const char *open_pipe(apr_pool_t *p, const char *program, apr_file_t **file)
{
    piped_log *pipe = ap_open_piped_log(p, program);
    if (!pipe) {
        return apr_pstrcat(p, "ApimAuditLog: the program cannot be started: ", program, NULL);
    }
    *file = ap_piped_log_write_fd(pipe);
    return NULL;
}

static const char *open_file(apr_pool_t *p, const char *path, apr_file_t **file)
{
    apr_status_t rv =
        apr_file_open(file, path, APR_FOPEN_WRITE | APR_FOPEN_APPEND | APR_FOPEN_CREATE | APR_FOPEN_LARGEFILE,
                      APR_FPROT_UREAD | APR_FPROT_UWRITE | APR_FPROT_GREAD, p);
    return rv == APR_SUCCESS ? NULL : apr_psprintf(p, "ApimAuditLog: cannot write to %s: %pm", path, &rv);
}

const char *apim_audit_open(apr_pool_t *pconf, server_rec *s, apim_common_config_t *conf)
{
    const char *key, *wrong;
    apim_audit_sink_t *sink;
    void *open;
    if (!conf->audit_log || conf->audit) {
        return NULL;
    }
    /* Each role's module has a copy of this code, and no variable in common with the others. */
    key = apr_pstrcat(pconf, NOTE, conf->audit_log, NULL);
    if (apr_pool_userdata_get(&open, key, pconf) == APR_SUCCESS && open) {
        conf->audit = open;
        return NULL;
    }
    sink = apr_pcalloc(pconf, sizeof(*sink));
    wrong = *conf->audit_log == '|' ? open_pipe(pconf, conf->audit_log + 1, &sink->file)
                                    : open_file(pconf, conf->audit_log, &sink->file);
    if (wrong) {
        return wrong;
    }
    apr_pool_userdata_setn(sink, key, NULL, pconf);
    conf->audit = sink;
    return NULL;
}

const char *apim_cmd_audit_log(cmd_parms *cmd, void *dummy, const char *arg)
{
    apim_common_config_t *conf = ap_get_module_config(cmd->server->module_config, (const module *)cmd->info);
    const char *path;
    apr_finfo_t about;
    if (*arg == '|') {
        conf->audit_log = arg;
        return arg[1] ? NULL : "ApimAuditLog: write the program after |, such as \"|bin/rotatelogs …\"";
    }
    path = ap_server_root_relative(cmd->pool, arg);
    if (!*arg || !path ||
        apr_stat(&about, ap_make_dirstr_parent(cmd->temp_pool, path), APR_FINFO_TYPE, cmd->temp_pool) !=
            APR_SUCCESS) {
        return apr_psprintf(cmd->pool,
                            "ApimAuditLog: '%s' is not usable; write a file in a directory that exists, or "
                            "\"|program arguments\"",
                            arg);
    }
    conf->audit_log = path;
    return NULL;
}

/* -- writing
 * --------------------------------------------------------------------------------------------------- */

void apim_audit_about(request_rec *r, const char *field, const char *value)
{
    if (value && *value) {
        apr_table_set(r->notes, apr_pstrcat(r->pool, NOTE, field, NULL), value);
    }
}

/* value cut to at most max bytes; what is not UTF-8 is shown byte by byte. */
static void put(json_t *line, const char *name, const char *value, apr_size_t max)
{
    char text[MAX_VALUE + 1];
    apr_size_t i, n;
    if (!value || !*value) {
        return;
    }
    n = strlen(value);
    n = n > max ? max : n;
    while (n && n < strlen(value) && ((unsigned char)value[n] & 0xc0) == 0x80) {
        n--; /* not in the middle of a character */
    }
    memcpy(text, value, n);
    text[n] = '\0';
    for (i = 0; !apim_utf8_valid(text, n) && i < n; i++) {
        text[i] = (unsigned char)text[i] < 0x80 ? text[i] : '?';
    }
    json_object_set_new(line, name, json_string(text));
}

static const char *outcome_of(const apim_error_t *err)
{
    return !err ? "success" : err->status < 500 ? "refused" : "failed";
}

/* The line with its end, malloc'ed; NULL without memory. max: bytes of a value. */
static char *print(request_rec *r, const apim_common_config_t *conf, const char *event,
                   const apim_error_t *err, apr_size_t max)
{
    json_t *line = json_object();
    apr_size_t i;
    char *text;
    put(line, "time", apim_iso_time(r->pool, apim_now_ms()), max);
    put(line, "node", apim_node_name(conf), max);
    put(line, "event", event, max);
    put(line, "outcome", outcome_of(err), max);
    put(line, "reason", err ? err->message : NULL, max);
    for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        put(line, fields[i], apr_table_get(r->notes, apr_pstrcat(r->pool, NOTE, fields[i], NULL)), max);
    }
    put(line, "address", r->useragent_ip, max);
    put(line, "method", r->method, max);
    put(line, "path", r->uri, max);
    put(line, "agent", apr_table_get(r->headers_in, "User-Agent"), max);
    /* ASCII: nothing that a terminal could take for a command or for another order of the letters. */
    text = json_dumps(line, JSON_COMPACT | JSON_ENSURE_ASCII);
    json_decref(line);
    return text;
}

static void say_lost(request_rec *r, const apim_common_config_t *conf, apr_status_t rv)
{
    static apr_uint32_t last;
    apr_uint32_t now = (apr_uint32_t)apr_time_sec(apr_time_now()), before = apr_atomic_read32(&last);
    if (now - before >= 60 && apr_atomic_cas32(&last, now, before) == before) {
        ap_log_error(APLOG_MARK, APLOG_ERR, rv, r->server,
                     "APIM-RE0010: an event could not be written to the audit log %s", conf->audit_log);
    }
}

void apim_audit(request_rec *r, const apim_common_config_t *conf, const char *event, const apim_error_t *err)
{
    apr_status_t rv = APR_ENOMEM;
    apr_size_t n;
    char *text;
    if (!conf->audit) {
        return;
    }
    text = print(r, conf, event, err, MAX_VALUE);
    if (text && strlen(text) >= MAX_LINE) {
        free(text);
        text = print(r, conf, event, err, MIN_VALUE);
    }
    if (text) {
        n = strlen(text);
        text[n++] = '\n'; /* the NUL's place: from here on no string */
        rv = apr_file_write(conf->audit->file, text, &n);
        free(text);
    }
    if (rv != APR_SUCCESS) {
        say_lost(r, conf, rv);
    }
}
