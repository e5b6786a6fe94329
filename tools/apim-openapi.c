/* SPDX-License-Identifier: Apache-2.0 */
/*
 * apim-openapi: reads OpenAPI documents as the Publisher does, and says what it thinks of them.
 *
 *   apim-openapi validate FILE...   a line for each document, and its problems; status 1 if one has any
 *   apim-openapi summary FILE...    a JSON object a line: what a test compares with a count of its own
 *   apim-openapi json FILE...       the document as JSON
 */
#include <apr_file_io.h>
#include <apr_general.h>
#include <apr_getopt.h>
#include <apr_strings.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "apim_json.h"
#include "apim_text.h"
#include "openapi/openapi.h"

typedef struct tool_t {
    apr_pool_t *p; /* of one document */
    apim_openapi_options_t options;
    int quiet; /* no warnings */
    int round_trip;
} tool_t;

static const char help[] =
    "usage: apim-openapi validate [options] FILE...\n"
    "       apim-openapi summary [options] FILE...\n"
    "       apim-openapi json [options] FILE...\n"
    "\n"
    "  --allow-external   keep references to other documents (they are never fetched)\n"
    "  --max-bytes N      read documents up to this size (default: 20 MiB)\n"
    "  --max-nodes N      and with up to so many values (default: 2000000)\n"
    "  --quiet            validate: no warnings\n"
    "  --round-trip       also write the document out, read it again and compare\n";

static apim_error_t *load(const tool_t *t, const char *name, const char **text, apr_size_t *len)
{
    apr_file_t *file;
    apr_finfo_t info;
    apr_status_t rv = apr_file_open(&file, name, APR_FOPEN_READ | APR_FOPEN_BINARY, APR_OS_DEFAULT, t->p);
    char *buffer, reason[120];
    if (!rv) {
        rv = apr_file_info_get(&info, APR_FINFO_SIZE, file);
    }
    if (rv) {
        return apim_bad_request(t->p, "%s", apr_strerror(rv, reason, sizeof(reason)));
    }
    buffer = apr_palloc(t->p, (apr_size_t)info.size + 1);
    rv = info.size ? apr_file_read_full(file, buffer, (apr_size_t)info.size, len) : 0;
    apr_file_close(file);
    *len = info.size ? *len : 0;
    *text = buffer;
    return rv ? apim_bad_request(t->p, "%s", apr_strerror(rv, reason, sizeof(reason))) : NULL;
}

/* What is exported must come back the same. */
static apim_error_t *round_trip(const tool_t *t, const apim_openapi_t *doc)
{
    json_t *again;
    apim_doc_limits_t limits = t->options.limits;
    char *text = json_dumps(doc->root, JSON_COMPACT);
    apim_error_t *err;
    limits.max_bytes = text ? strlen(text) : 0;
    err = text ? apim_doc_parse(t->p, text, strlen(text), &limits, &again)
               : apim_internal(t->p, "the document cannot be written");
    if (!err && !json_equal(doc->root, again)) {
        err = apim_internal(t->p, "the document is not the same after writing and reading");
    }
    free(text);
    return err;
}

static apim_error_t *read_file(const tool_t *t, const char *name, apim_openapi_t **doc)
{
    const char *text;
    apr_size_t len;
    APIM_TRY(load(t, name, &text, &len));
    APIM_TRY(apim_openapi_read(t->p, text, len, &t->options, doc));
    return t->round_trip ? round_trip(t, *doc) : NULL;
}

static const char *said(const apim_error_t *err)
{
    return err->cause ? err->cause : err->description;
}

/* -- validate -------------------------------------------------------------------------------------------- */

static void print_details(const char *kind, const apr_array_header_t *details)
{
    int i;
    for (i = 0; details && i < details->nelts; i++) {
        const apim_error_detail_t *detail = &APR_ARRAY_IDX(details, i, apim_error_detail_t);
        printf("  %s (%s) %s\n", kind, detail->code, detail->message);
    }
}

static int validate(const tool_t *t, const char *name)
{
    apim_openapi_t *doc;
    apim_error_t *err = read_file(t, name, &doc);
    if (err) {
        printf("%s: REFUSED %d: %s\n", name, err->code, said(err));
        print_details("problem", err->details);
        return 1;
    }
    printf("%s: OK %s, %d paths, %d operations, %d scopes, %d warnings\n", name, doc->openapi_version,
           doc->path_count, doc->operations->nelts, doc->scopes->nelts, doc->warning_count);
    print_details("warning", t->quiet ? NULL : doc->warnings);
    return 0;
}

/* -- summary --------------------------------------------------------------------------------------------- */

static json_t *details_json(const apr_array_header_t *details)
{
    json_t *list = json_array();
    int i;
    for (i = 0; details && i < details->nelts; i++) {
        const apim_error_detail_t *detail = &APR_ARRAY_IDX(details, i, apim_error_detail_t);
        json_array_append_new(list,
                              json_pack("{s:s, s:s}", "code", detail->code, "message", detail->message));
    }
    return list;
}

static json_t *verb_counts(const apim_openapi_t *doc)
{
    json_t *verbs = json_object();
    int i;
    for (i = 0; i < doc->operations->nelts; i++) {
        const char *verb = APR_ARRAY_IDX(doc->operations, i, apim_openapi_operation_t).verb;
        json_object_set_new(verbs, verb, json_integer(1 + apim_json_int(verbs, verb, 0)));
    }
    return verbs;
}

static json_t *summary_json(apim_error_t *err, const apim_openapi_t *doc)
{
    if (err) {
        return json_pack("{s:b, s:i, s:s, s:o}", "ok", 0, "code", err->code, "description", said(err),
                         "problems", details_json(err->details));
    }
    return json_pack("{s:b, s:s, s:s, s:s, s:i, s:i, s:o, s:i, s:i, s:s?, s:s?}", "ok", 1, "version",
                     doc->openapi_version, "title", doc->title, "apiVersion", doc->version, "paths",
                     doc->path_count, "operations", doc->operations->nelts, "verbs", verb_counts(doc),
                     "scopes", doc->scopes->nelts, "warnings", doc->warning_count, "endpoint",
                     doc->endpoint_url, "context", doc->context);
}

static int summary(const tool_t *t, const char *name)
{
    apim_openapi_t *doc = NULL;
    apr_time_t start = apr_time_now();
    apim_error_t *err = read_file(t, name, &doc);
    apr_time_t taken = apr_time_now() - start;
    json_t *line = summary_json(err, doc);
    struct rusage usage;
    char *text;
    getrusage(RUSAGE_SELF, &usage);
    json_object_set_new(line, "file", json_string(name));
    json_object_set_new(line, "ms", json_real((double)taken / 1000));
    json_object_set_new(line, "peakKb", json_integer(usage.ru_maxrss));
    text = json_dumps(line, JSON_COMPACT | JSON_REAL_PRECISION(6));
    puts(text ? text : "{}");
    free(text);
    json_decref(line);
    return err ? 1 : 0;
}

/* -- json ------------------------------------------------------------------------------------------------ */

static int print_json(const tool_t *t, const char *name)
{
    apim_openapi_t *doc;
    apim_error_t *err = read_file(t, name, &doc);
    char *text = err ? NULL : json_dumps(doc->root, JSON_INDENT(2));
    if (!text) {
        fprintf(stderr, "%s: %s\n", name, err ? said(err) : "out of memory");
        return 1;
    }
    apim_json_shorten_reals(text);
    puts(text);
    free(text);
    return 0;
}

/* -- main ------------------------------------------------------------------------------------------------ */

static int read_options(apr_getopt_t *opts, tool_t *t)
{
    static const apr_getopt_option_t table[] = {
        {"allow-external", 'e', 0, NULL}, {"max-bytes", 'b', 1, NULL},  {"max-nodes", 'n', 1, NULL},
        {"quiet", 'q', 0, NULL},          {"round-trip", 'r', 0, NULL}, {NULL, 0, 0, NULL},
    };
    const char *value;
    apr_int64_t number = 0;
    apr_status_t rv;
    int option;
    while (!(rv = apr_getopt_long(opts, table, &option, &value))) {
        if ((option == 'b' || option == 'n') && (apim_parse_i64(value, &number) || number <= 0)) {
            return -1;
        }
        t->options.allow_external_refs |= option == 'e';
        t->quiet |= option == 'q';
        t->round_trip |= option == 'r';
        t->options.limits.max_bytes = option == 'b' ? (apr_size_t)number : t->options.limits.max_bytes;
        t->options.limits.max_nodes = option == 'n' ? (apr_size_t)number : t->options.limits.max_nodes;
    }
    return rv == APR_EOF ? 0 : -1;
}

typedef int(job_fn)(const tool_t *, const char *);

static job_fn *find_job(const char *word)
{
    return !strcmp(word, "validate")  ? validate
           : !strcmp(word, "summary") ? summary
           : !strcmp(word, "json")    ? print_json
                                      : NULL;
}

int main(int argc, const char *const *argv)
{
    apr_pool_t *p;
    apr_getopt_t *opts;
    tool_t t = {0};
    int failed = 0;
    job_fn *job;
    apr_app_initialize(&argc, &argv, NULL);
    atexit(apr_terminate);
    apr_pool_create(&p, NULL);
    job = argc < 2 ? NULL : find_job(argv[1]);
    if (!job || apr_getopt_init(&opts, p, argc - 1, argv + 1) || read_options(opts, &t) ||
        opts->ind >= opts->argc) {
        fputs(help, stderr);
        return 2;
    }
    for (; opts->ind < opts->argc; opts->ind++) {
        apr_pool_create(&t.p, p);
        failed |= job(&t, opts->argv[opts->ind]);
        fflush(stdout);
        apr_pool_destroy(t.p);
    }
    return failed;
}
