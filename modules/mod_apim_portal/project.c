/* SPDX-License-Identifier: Apache-2.0 */
#include <apr_strings.h>
#include <string.h>

#include "archive_resource.h"
#include "openapi/document.h"

/* Reading a project of apictl. */

#define MAX_ENTRIES   2000
#define MAX_BYTES     (64 * 1024 * 1024)
#define MAX_DOCUMENTS 200

typedef struct reading_t {
    apr_pool_t *p;
    const apr_array_header_t *entries;
    const char *root; /* "Pizza-1.0.0/", or "" */
} reading_t;

/* The directory that api.yaml or api.json is in: none, or one at the top. */
static const char *find_root(apr_pool_t *p, const apr_array_header_t *entries)
{
    int i;
    for (i = 0; i < entries->nelts; i++) {
        const char *path = APR_ARRAY_IDX(entries, i, po_zip_entry_t).path, *slash = strchr(path, '/');
        const char *name = slash ? slash + 1 : path;
        if (strcmp(name, "api.yaml") == 0 || strcmp(name, "api.json") == 0) {
            return slash ? apr_pstrmemdup(p, path, (apr_size_t)(slash - path) + 1) : "";
        }
    }
    return NULL;
}

static const po_zip_entry_t *find(const reading_t *r, const char *path)
{
    return po_zip_find(r->entries, apr_pstrcat(r->p, r->root, path, NULL));
}

static const po_zip_entry_t *find_either(const reading_t *r, const char *stem)
{
    const po_zip_entry_t *found = find(r, apr_pstrcat(r->p, stem, ".yaml", NULL));
    return found ? found : find(r, apr_pstrcat(r->p, stem, ".json", NULL));
}

/* {"type": type, "version", "data"}: data. *out is NULL if there is no such file. */
static apim_error_t *read_artifact(const reading_t *r, const po_zip_entry_t *entry, const char *type,
                                   json_t **out)
{
    apim_error_t *err;
    json_t *whole;
    *out = NULL;
    if (!entry) {
        return NULL;
    }
    err = apim_doc_parse(r->p, entry->data, entry->len, NULL, &whole);
    if (err) {
        err->description = apr_pstrcat(r->p, entry->path, ": ", err->description, NULL);
        return err;
    }
    *out = json_object_get(whole, "data");
    if (!*out || strcmp(apim_json_str(whole, "type", type), type) != 0) {
        return apim_bad_request(r->p, "%s must have type %s and data.", entry->path, type);
    }
    return NULL;
}

/* The file beside document.yaml that the document's content is in: the one it names, or the only one. */
static const po_zip_entry_t *content_of(const reading_t *r, const po_zip_entry_t *facts, const json_t *data)
{
    apr_size_t n = (apr_size_t)(strrchr(facts->path, '/') - facts->path) + 1;
    const char *folder = apr_pstrmemdup(r->p, facts->path, n), *name = apim_json_str(data, "fileName", "");
    const po_zip_entry_t *found =
        *name ? po_zip_find(r->entries, apr_pstrcat(r->p, folder, name, NULL)) : NULL;
    int i;
    for (i = 0; !found && i < r->entries->nelts; i++) {
        const po_zip_entry_t *entry = &APR_ARRAY_IDX(r->entries, i, po_zip_entry_t);
        if (entry != facts && strncmp(entry->path, folder, n) == 0 && !strchr(entry->path + n, '/')) {
            found = entry;
        }
    }
    return found;
}

static int is_document(const reading_t *r, const char *path)
{
    const char *docs = apr_pstrcat(r->p, r->root, "Docs/", NULL), *name = strrchr(path, '/');
    return strncmp(path, docs, strlen(docs)) == 0 &&
           (strcmp(name, "/document.yaml") == 0 || strcmp(name, "/document.json") == 0);
}

static apim_error_t *read_documents(const reading_t *r, po_project_t *out)
{
    int i;
    out->documents = apr_array_make(r->p, 4, sizeof(po_project_document_t));
    for (i = 0; i < r->entries->nelts; i++) {
        const po_zip_entry_t *entry = &APR_ARRAY_IDX(r->entries, i, po_zip_entry_t);
        json_t *data;
        if (!is_document(r, entry->path)) {
            continue;
        }
        if (out->documents->nelts == MAX_DOCUMENTS) {
            return apim_bad_request(r->p, "The archive has more than %d documents.", MAX_DOCUMENTS);
        }
        APIM_TRY(read_artifact(r, entry, "document", &data));
        APR_ARRAY_PUSH(out->documents, po_project_document_t) =
            (po_project_document_t){data, content_of(r, entry, data)};
    }
    return NULL;
}

static const po_zip_entry_t *find_picture(const reading_t *r)
{
    const char *images = apr_pstrcat(r->p, r->root, "Image/icon.", NULL);
    int i;
    for (i = 0; i < r->entries->nelts; i++) {
        const po_zip_entry_t *entry = &APR_ARRAY_IDX(r->entries, i, po_zip_entry_t);
        if (strncmp(entry->path, images, strlen(images)) == 0) {
            return entry;
        }
    }
    return NULL;
}

apim_error_t *po_project_read(apr_pool_t *p, const char *data, apr_size_t len, po_project_t *out)
{
    const po_zip_limits_t limits = {MAX_ENTRIES, MAX_BYTES};
    apr_array_header_t *entries;
    json_t *deployments;
    reading_t r = {.p = p};
    APIM_TRY(po_zip_read(p, data, len, &limits, &entries));
    r.entries = entries;
    r.root = find_root(p, entries);
    if (!r.root) {
        return apim_bad_request(p, "The archive has no api.yaml and no api.json.");
    }
    APIM_TRY(read_artifact(&r, find_either(&r, "api"), "api", &out->api));
    if (!json_is_object(out->api)) {
        return apim_bad_request(p, "data of api.yaml must be an object.");
    }
    out->definition = find_either(&r, "Definitions/swagger");
    out->picture = find_picture(&r);
    APIM_TRY(read_artifact(&r, find_either(&r, "deployment_environments"), "deployment_environments",
                           &deployments));
    out->deployments = deployments;
    return read_documents(&r, out);
}
