/* SPDX-License-Identifier: Apache-2.0 */
#include "openapi_resource.h"

#include <apr_strings.h>
#include <string.h>

#include "openapi/document.h"
#include "publisher.h"

typedef struct document_t {
    const char *base;
    const unsigned char *yaml;
    const char *json;      /* lives in pconf */
    const char *etag_yaml; /* with their quotes */
    const char *etag_json;
} document_t;

/* Written in post_config alone, before there are children. */
static document_t documents[] = {{.base = PO_PUBLISHER_BASE, .yaml = po_openapi_publisher},
                                 {.base = PO_STORE_BASE, .yaml = po_openapi_store},
                                 {.base = PO_ADMIN_BASE, .yaml = po_openapi_admin}};

#define COUNT (sizeof(documents) / sizeof(documents[0]))

static const char *yaml_text(const document_t *document)
{
    return (const char *)document->yaml;
}

static const char *etag_of(apr_pool_t *p, const char *text)
{
    return apr_psprintf(p, "\"%.16s\"", apim_sha256_hex(p, text));
}

const char *po_openapi_setup(apr_pool_t *pconf)
{
    size_t i;
    for (i = 0; i < COUNT; i++) {
        document_t *document = &documents[i];
        const char *yaml = yaml_text(document);
        json_t *json;
        apim_error_t *err = apim_doc_parse(pconf, yaml, strlen(yaml), NULL, &json);
        if (err) {
            return apr_psprintf(pconf, "the OpenAPI document of %s cannot be read: %s", document->base,
                                err->description);
        }
        document->json = apim_json_text(pconf, json);
        if (!document->json) {
            return "no memory for the OpenAPI documents";
        }
        document->etag_yaml = etag_of(pconf, yaml);
        document->etag_json = etag_of(pconf, document->json);
    }
    return NULL;
}

/* The document of the API that was asked. */
static const document_t *document_of(const rest_request_t *rq)
{
    size_t i = 0;
    while (i < COUNT - 1 && strncmp(rq->r->uri, documents[i].base, strlen(documents[i].base)) != 0) {
        i++;
    }
    return &documents[i];
}

static apim_error_t *reply(rest_request_t *rq, const char *type, const char *text, const char *etag)
{
    apr_table_setn(rq->r->headers_out, "ETag", etag);
    if (po_etag_matches(rq, etag)) {
        return rest_reply_empty(rq->r, 304);
    }
    apr_table_setn(rq->r->headers_out, "Cache-Control", "no-cache");
    return rest_reply_text(rq->r, 200, type, text, strlen(text));
}

apim_error_t *po_openapi_yaml(rest_request_t *rq)
{
    const document_t *document = document_of(rq);
    return reply(rq, "application/yaml", yaml_text(document), document->etag_yaml);
}

apim_error_t *po_openapi_json(rest_request_t *rq)
{
    const document_t *document = document_of(rq);
    return reply(rq, "application/json", document->json, document->etag_json);
}
