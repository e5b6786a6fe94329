/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APIM_PORTAL_PUBLISHER_H
#define APIM_PORTAL_PUBLISHER_H

#include "nodes.h"
#include "api_store.h"
#include "portal.h"
#include "publication.h"

/*
 * The Publisher's REST API: what its resource files share. docs/rest.md lists the operations. A handler that
 * changes an API follows one pattern: read and check the body; ask the other databases what has to exist;
 * then one transaction on the API Manager database; then, with no database open, po_publish; then the answer.
 */
#define PO_SCOPES_VIEW    "apim:api_view apim:api_create apim:api_publish apim:api_manage apim:admin"
#define PO_SCOPES_CREATE  "apim:api_create apim:api_manage apim:admin"
#define PO_SCOPES_EDIT    "apim:api_create apim:api_publish apim:api_manage apim:admin"
#define PO_SCOPES_PUBLISH "apim:api_publish apim:api_manage apim:admin"

/** Largest JSON body of an API: its operations may be many. */
extern const apim_json_limits_t po_api_limits;

/* -- conditional requests (RFC 9110 section 13) -------------------------------------------------------------
 */

/** Sets the ETag header. */
void po_set_etag(rest_request_t *rq, apr_int64_t etag);
/** 412 unless If-Match is absent or fits. */
apim_error_t *po_check_if_match(rest_request_t *rq, apr_int64_t etag);
/** 1 if If-None-Match fits: answer 304. */
int po_not_modified(rest_request_t *rq, apr_int64_t etag);
/** The same for an entity tag as it stands in the header, with its quotes. */
int po_etag_matches(rest_request_t *rq, const char *tag);

/* -- bodies ------------------------------------------------------------------------------------------------
 */

/** A query parameter that must be there; 400 names it. */
apim_error_t *po_needed(rest_request_t *rq, const char *name, const char **value);
/** Reads a multipart/form-data body of at most max bytes plus a little. 415 on another type, 413 past it. */
apim_error_t *po_read_parts(rest_request_t *rq, apr_size_t max, apr_array_header_t **parts);
/** The same with ApimMaxDefinitionSize. */
apim_error_t *po_read_multipart(rest_request_t *rq, apr_array_header_t **parts);

/* -- what a document refers to -----------------------------------------------------------------------------
 */

/** Checks that roles, policies and shared scopes of a document exist, and that its own scopes are free. Marks
 * scopes that are shared ones. Opens each database in turn. 400 with every problem. name: of the API. */
apim_error_t *po_check_references(rest_request_t *rq, const char *name, json_t *document);
/** Checks roles alone; notes problems at where. */
apim_error_t *po_check_roles(rest_request_t *rq, po_problems_t *problems, const char *where,
                             const json_t *roles);

/** 404 unless there is such an API. Opens the database. */
apim_error_t *po_check_api_exists(rest_request_t *rq, const char *id);

/** 403 (900380) if the caller may not change an API in this state: creators leave published ones alone. */
apim_error_t *po_check_may_edit(rest_request_t *rq, const po_api_t *api);

/* -- answers -----------------------------------------------------------------------------------------------
 */

/** The API with ETag; 201 also gets Location. */
apim_error_t *po_reply_api(rest_request_t *rq, int status, const po_api_t *api);
/** Parses a definition that was stored. */
apim_error_t *po_parse_definition(apr_pool_t *p, const char *text, json_t **definition);
/** Publishes the API and the versions that are no longer the default. Returns 1 if the API is in the
 * registry, 0 if a watchdog will put it there. */
int po_publish_all(rest_request_t *rq, const char *id, const apr_array_header_t *others);
/** Which gateways have what was just published, after waiting for them for at most ApimPublishWait: see
 * po_nodes_confirmations, with "published": false if it is not in the registry yet. Belongs to rq->pool. */
json_t *po_gateways_of(rest_request_t *rq, const char *id, int published);

/** A column as a number. */
apr_int64_t po_number(const char *text);

/** Makes an API from a body; checks everything but whether name and context are free. */
apim_error_t *po_api_from_body(rest_request_t *rq, const json_t *body, po_api_t *api);
/** Makes a definition of the API's operations and, where it has none, its operations. */
apim_error_t *po_definition_generate(rest_request_t *rq, const po_api_t *api, const char **text);
/** Changes an API as a body says, in the caller's transaction. checked: the document that was made of the
 * body before. definition: JSON text; NULL: the present one follows the operations. others gets the ids of
 * versions that are no longer the default. */
apim_error_t *po_api_change(rest_request_t *rq, apim_db_t *db, const char *id, const json_t *body,
                            json_t *checked, const char *definition, po_api_t **api,
                            apr_array_header_t *others);
/** Moves an API, step by step, to a state, in the caller's transaction. *waits: a step has to be approved,
 * and the API stays before it. 400 if there is no way. */
apim_error_t *po_lifecycle_advance(rest_request_t *rq, apim_db_t *db, const char *id, const char *state,
                                   apr_array_header_t *others, int *waits);
/** Adds it and answers 201. */
apim_error_t *po_api_add_and_reply(rest_request_t *rq, po_api_t *api, const char *definition);

/* Handlers, by file. */
rest_handler_fn po_apis_list, po_apis_create, po_api_read, po_api_replace, po_api_drop, po_apis_validate,
    po_apis_copy, po_search; /* api_resource.c */
rest_handler_fn po_definition_read, po_definition_replace, po_definition_validate, po_definition_import;
rest_handler_fn po_lifecycle_change, po_lifecycle_read, po_lifecycle_history,
    po_lifecycle_withdraw; /* lifecycle_resource.c */
rest_handler_fn po_revisions_list, po_revisions_create, po_revision_read, po_revision_drop,
    po_revision_deploy, po_revision_undeploy, po_revision_restore,
    po_deployments_list; /* revision_resource.c */
rest_handler_fn po_subscriptions_list, po_subscription_block, po_subscription_unblock;
rest_handler_fn po_endpoint_validate;             /* endpoint_resource.c */
rest_handler_fn po_policies_list, po_policy_read; /* policy_resource.c */
rest_handler_fn po_scopes_list, po_scopes_create, po_scope_read, po_scope_replace, po_scope_drop;
rest_handler_fn po_thumbnail_read, po_thumbnail_replace; /* thumbnail_resource.c */
rest_handler_fn po_documents_list, po_documents_create, po_documents_validate, po_document_read,
    po_document_replace, po_document_drop, po_document_content_read,
    po_document_content_replace; /* document_resource.c */
rest_handler_fn po_comments_list, po_comments_create, po_comment_read, po_comment_change, po_comment_drop,
    po_replies_list;                                    /* comment_resource.c */
rest_handler_fn po_settings_read, po_environments_list; /* settings_resource.c */

#endif
