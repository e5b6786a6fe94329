/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target: whatever the bytes are, reading them ends, and a document that is accepted can be written
 * out and read again, rewritten and shown to subscribers. make fuzz builds and runs it; make check replays
 * the seeds.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <apr_general.h>

#include "openapi/openapi.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void insist(int holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "%s\n", what);
        abort();
    }
}

static void round_trip(apr_pool_t *p, const apim_openapi_t *doc)
{
    char *text = json_dumps(doc->root, JSON_COMPACT);
    json_t *again;
    insist(text != NULL, "a document that was read cannot be written");
    insist(!apim_doc_parse(p, text, strlen(text), NULL, &again), "what was written cannot be read");
    insist(json_equal(doc->root, again), "what was written is read as something else");
    free(text);
}

static void rewrite(apr_pool_t *p, const apim_openapi_t *doc, const apim_openapi_options_t *options)
{
    json_t *once, *twice;
    apim_openapi_t *doc_once;
    insist(!apim_openapi_apply_operations(p, doc->root, apim_openapi_operations_json(p, doc), NULL, &once),
           "the operations of a document cannot be written back");
    if (apim_openapi_check(p, once, options, &doc_once)) {
        return; /* a reference led into a path item that was put in another's place */
    }
    insist(doc_once->operations->nelts == doc->operations->nelts, "operations were lost");
    insist(!apim_openapi_apply_operations(p, once, apim_openapi_operations_json(p, doc_once), NULL, &twice),
           "operations that were written cannot be written again");
    insist(json_equal(once, twice), "writing the same operations changes the document");
}

static void show(apr_pool_t *p, const apim_openapi_t *doc)
{
    static const char *const urls[] = {"https://gw.example.com/a/1"};
    static const apim_openapi_store_t store = {urls, 1, "https://gw.example.com/oauth2/token", NULL,
                                               "apikey"};
    json_t *shown;
    insist(!apim_openapi_for_store(p, doc->root, &store, &shown),
           "a document cannot be shown to subscribers");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int initialized;
    static const apim_openapi_options_t options = {{1024 * 1024, 50, 20000}, 1};
    apim_openapi_t *doc;
    apr_pool_t *p;
    if (!initialized++) {
        apr_initialize();
    }
    apr_pool_create(&p, NULL);
    if (!apim_openapi_read(p, (const char *)data, size, &options, &doc)) {
        round_trip(p, doc);
        rewrite(p, doc, &options);
        show(p, doc);
    }
    apr_pool_destroy(p);
    return 0;
}
