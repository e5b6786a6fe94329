/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APIM_OPENAPI_H
#define APIM_OPENAPI_H

#include <jansson.h>

#include "apim_error.h"
#include "openapi/document.h"

/*
 * OpenAPI 2.0, 3.0.x and 3.1.x documents: read, checked, and turned into what an API manager works with;
 * written back; made fit for subscribers. 3.2 is accepted with a warning. What is not understood stays in the
 * document untouched. Everything returned lives in the pool handed in. No global state: any thread may call.
 *
 * Codes of errors (WSO2's): 900758 neither JSON nor YAML; 900759 not an OpenAPI document; 900760/900752
 * unsupported version; 900754 the document has problems: one detail each, whose message begins with a JSON
 * pointer ("/paths/~1pets/get: ...") and whose code is missing, type, value, duplicate, collision, reference,
 * version, depth or size. At most APIM_OPENAPI_MAX_PROBLEMS details; description says how many there are.
 * Status 400 (413 for size).
 */
#define APIM_OPENAPI_MAX_PROBLEMS 50

#define APIM_AUTH_NONE        "None"
#define APIM_AUTH_APPLICATION "Application"
#define APIM_AUTH_USER        "Application User"
#define APIM_AUTH_ANY         "Application & Application User"

typedef struct apim_openapi_options_t {
    apim_doc_limits_t limits;
    int allow_external_refs; /* 1: $ref to other documents is kept as it is; nothing is ever fetched */
} apim_openapi_options_t;

typedef struct apim_openapi_scope_t {
    const char *name;
    const char *description;   /* "" if none */
    apr_array_header_t *roles; /* of const char *: x-scopes-bindings; may be empty */
} apim_openapi_scope_t;

typedef struct apim_openapi_operation_t {
    const char *target;            /* path template: "/pets/{id}" */
    const char *verb;              /* upper case: GET PUT POST DELETE OPTIONS HEAD PATCH TRACE */
    const char *id;                /* operationId, NULL if none */
    const char *summary;           /* NULL if none */
    const char *auth_type;         /* one of APIM_AUTH_*: x-auth-type, APIM_AUTH_ANY if absent */
    const char *throttling_policy; /* x-throttling-tier, "Unlimited" if absent */
    apr_array_header_t *scopes;    /* of const char *; of oauth2 requirements (the document's if the operation
                                      has none)    and x-scope */
} apim_openapi_operation_t;

typedef struct apim_openapi_t {
    json_t *root;                /* the document; released with the pool */
    int major, minor;            /* 2.0, 3.0, 3.1, 3.2 */
    const char *openapi_version; /* as written: "3.0.3" */
    const char *title;           /* info.title; "" if the author left it empty, no control characters */
    const char *version;         /* info.version, the same */
    const char *description;     /* NULL if none, like the next four */
    const char *contact_name, *contact_email, *contact_url;
    const char *licence_name, *licence_url;
    const char *terms_of_service;
    apr_array_header_t *tags;        /* of const char *: names in the document's tags */
    apr_array_header_t *server_urls; /* of const char *: servers[].url with default variables, or
                                        scheme://host/basePath; relative ones as they are */
    const char *
        endpoint_url; /* the first absolute http(s) server URL; NULL if none: a suggestion for the back end */
    const char *production_url; /* x-wso2-production-endpoints (first URL), NULL if none */
    const char *sandbox_url;    /* x-wso2-sandbox-endpoints (first URL), NULL if none */
    const char
        *context; /* x-wso2-basePath, else basePath, else the path of the first server; NULL if none or "/" */
    apr_array_header_t *transports; /* of const char *: schemes or x-wso2-transports; may be empty */
    apr_array_header_t
        *scopes; /* of apim_openapi_scope_t: declared by oauth2 schemes or used by an operation */
    apr_array_header_t *operations; /* of apim_openapi_operation_t, in the order of the document */
    int path_count;
    apr_array_header_t *warnings; /* of apim_error_detail_t: what is odd but does not stop a gateway */
    int warning_count;            /* all of them, also those past APIM_OPENAPI_MAX_PROBLEMS */
} apim_openapi_t;

/** Reads and checks a document (JSON or YAML). options may be NULL. */
apim_error_t *apim_openapi_read(apr_pool_t *p, const char *text, apr_size_t len,
                                const apim_openapi_options_t *options, apim_openapi_t **out);

/** The same for a tree that has been parsed already. A reference to root is taken; it is not changed. */
apim_error_t *apim_openapi_check(apr_pool_t *p, json_t *root, const apim_openapi_options_t *options,
                                 apim_openapi_t **out);

/** What the document says of its operations and scopes, as Publisher v4 writes them:
 * operations: [{"target", "verb", "authType", "throttlingPolicy", "scopes": [..]}]
 * scopes: [{"scope": {"name", "displayName", "description", "bindings": [..]}, "shared": false}]
 * Owned by the pool. */
json_t *apim_openapi_operations_json(apr_pool_t *p, const apim_openapi_t *doc);
json_t *apim_openapi_scopes_json(apr_pool_t *p, const apim_openapi_t *doc);

/**
 * Writes the operations and scopes of an API back into its definition. definition is not changed; *out is a
 * new document. operations and scopes are arrays as above (scopes may be NULL: those declared already stay).
 * Missing paths and verbs are added with the least that is valid (path parameters declared, one response);
 * verbs no longer listed go, and paths without verbs. Sets x-auth-type, x-throttling-tier and the requirement
 * of the oauth2 scheme "default" (added when needed; other schemes' requirements stay). Applying what
 * apim_openapi_operations_json says of the result changes nothing. A path item that is a local
 * reference is replaced by what it refers to. Parts that do not change are shared with definition: treat both
 * as read-only, or copy deep. Errors: 400 whose details name the place in operations ("/3/target: ..."):
 * wrong target or verb, listed twice, templates that collide, a wrong authType, a scope that is not declared
 * (if scopes is given).
 */
apim_error_t *apim_openapi_apply_operations(apr_pool_t *p, const json_t *definition, const json_t *operations,
                                            const json_t *scopes, json_t **out);

/** A fresh 3.0.1 definition for an API designed from scratch. description may be NULL; operations and scopes
 * as above (operations NULL or empty: GET, PUT, POST, DELETE and PATCH on all paths). Owned by the pool. */
apim_error_t *apim_openapi_generate(apr_pool_t *p, const char *name, const char *version,
                                    const char *description, const json_t *operations, const json_t *scopes,
                                    json_t **out);

typedef struct apim_openapi_store_t {
    const char *const
        *urls; /* where the API is called: "https://gw:8243/pizzashack/1.0.0"; none: no servers */
    int nurls;
    const char *token_url;      /* OAuth 2 token endpoint; NULL: no oauth2 scheme is added */
    const char *authorize_url;  /* with it the scheme has the authorization code flow too; NULL: client
                                   credentials only */
    const char *api_key_header; /* NULL: no apiKey scheme is added */
} apim_openapi_store_t;

/** The definition for subscribers: servers (2.0: host, basePath, schemes) are the gateway's, also those of
 * paths and operations go; x-wso2-* endpoints and the like, which tell of the inside, are removed; security
 * schemes are the gateway's, with the scopes the operations ask for. definition is not changed. *out is owned
 * by the pool. */
apim_error_t *apim_openapi_for_store(apr_pool_t *p, const json_t *definition,
                                     const apim_openapi_store_t *store, json_t **out);

/** Sets info.title, info.version and info.description (NULL: left alone) in a copy: for a new version of an
 * API. */
json_t *apim_openapi_with_info(apr_pool_t *p, const json_t *definition, const char *title,
                               const char *version, const char *description);

#endif
