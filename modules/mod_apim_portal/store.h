/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APIM_PORTAL_STORE_H
#define APIM_PORTAL_STORE_H

#include "portal.h"
#include "problems.h"

/*
 * The Store's REST API (WSO2's DevPortal v3): what its resource files share. docs/rest.md lists the
 * operations. The catalogue is read from the registry alone; applications and subscriptions are the caller's
 * own, another's are 404; everything about keys is asked of the Key Manager.
 */
#define ST_SCOPES_SUBSCRIBE    "apim:subscribe"
#define ST_SCOPES_APPLICATION  "apim:subscribe apim:app_manage"
#define ST_SCOPES_SUBSCRIPTION "apim:subscribe apim:sub_manage"
#define ST_SCOPES_API_KEY      "apim:subscribe apim:app_manage apim:api_key"

/** An average as WSO2 writes it, "4.3", from the sum and the number of ratings. */
json_t *st_average(apr_pool_t *p, const char *sum, const char *count);

/* Who looks at the catalogue: parameters of ST_VISIBLE. */
typedef struct st_viewer_t {
    const char *logged_in; /* "1", "0" */
    const char *roles;     /* "|role|role|" */
} st_viewer_t;

/** The caller's roles, from the User Manager database; an anonymous caller has none and needs no database. */
apim_error_t *st_viewer(rest_request_t *rq, st_viewer_t *viewer);

/** Reads the caller's roles once for the request: call it, with no database open, before what asks for the
 * caller's applications. */
apim_error_t *st_know_caller(rest_request_t *rq);
/** They, "|role|role|"; "|" before st_know_caller. */
const char *st_roles(const rest_request_t *rq);
/* Parameters of ST_MINE. */
#define ST_CALLER(rq) (rq)->username, st_roles(rq), st_roles(rq)

/** The Store's document of an API the caller may see; 404 if there is none. status: its life-cycle state. */
apim_error_t *st_catalogue_get(rest_request_t *rq, const char *id, json_t **document, const char **status);

/** 404 unless the caller may see the API. */
apim_error_t *st_check_seen(rest_request_t *rq, const char *id);

/* An application that the caller may work with: his own, or one that is shared with a role of his. */
typedef struct st_application_t {
    const char *id, *owner, *name, *description, *tier, *token_type, *status;
    const char *attributes, *groups; /* JSON text */
    apr_int64_t created_at, updated_at, subscriptions;
} st_application_t;

/** Reads one; 404 if it does not exist or is another's. After st_know_caller. */
apim_error_t *st_application_find(apim_db_t *db, rest_request_t *rq, const char *id, st_application_t *out);
/** The same with a database of its own. */
apim_error_t *st_application_of_caller(rest_request_t *rq, const char *id, st_application_t *out);

/** Reads anybody's; 404 if it does not exist. */
apim_error_t *st_application_of_any(apim_db_t *db, apr_pool_t *p, const char *id, st_application_t *out);
/** 403 (900504) unless it is approved. */
apim_error_t *st_check_approved(rest_request_t *rq, const st_application_t *a);

/** Checks that a policy exists (registry); 400 names the member. "Unlimited" always exists. */
apim_error_t *st_check_policy(rest_request_t *rq, const char *level, const char *member, const char *name);

/** The consumer key of the application and keyMappingId in the path; 404 if the caller has none such. */
apim_error_t *st_key_of_request(rest_request_t *rq, const char **consumer_key);
/** Runs an operation of the Key Manager; in is stolen. */
apim_error_t *st_ask_keymgr(rest_request_t *rq, const char *operation, json_t *in, json_t **out);

/** Deletes an application's OAuth clients at the Key Manager. */
apim_error_t *st_keys_delete_all(rest_request_t *rq, const char *application_id);

/** A needed text of a body, at most max characters, without control characters; 400 names it. */
apim_error_t *st_needed_text(rest_request_t *rq, const json_t *body, const char *name, int max,
                             const char **out);

/* Handlers, by file. */
rest_handler_fn st_apis_list, st_api_read, st_api_definition_read, st_api_policies, st_tags_list,
    st_search; /* store_catalogue.c */
rest_handler_fn st_thumbnail_read, st_documents_list, st_document_read,
    st_document_content_read; /* store_attachments.c */
rest_handler_fn st_comments_list, st_comments_create, st_comment_read, st_comment_change, st_comment_drop,
    st_replies_list; /* store_comments.c */
rest_handler_fn st_ratings_list, st_user_rating_read, st_user_rating_put,
    st_user_rating_drop;                                            /* store_ratings.c */
rest_handler_fn st_policies_list, st_policy_read, st_settings_read; /* store_settings.c */
rest_handler_fn st_groups_list, st_applications_list, st_applications_create, st_application_read,
    st_application_replace, st_application_drop; /* store_applications.c */
rest_handler_fn st_subscriptions_list, st_subscriptions_create, st_subscriptions_create_many,
    st_subscription_read, st_subscription_replace, st_subscription_drop; /* store_subscriptions.c */
rest_handler_fn st_keys_generate, st_keys_list, st_key_read, st_key_replace, st_key_drop,
    st_key_regenerate_secret, st_key_generate_token, st_key_clean_up, st_type_keys_list, st_type_key_read,
    st_type_key_replace, st_type_key_regenerate_secret, st_type_key_generate_token,
    st_type_key_clean_up;                                              /* store_keys.c */
rest_handler_fn st_secrets_list, st_secret_generate, st_secret_revoke; /* store_secrets.c */
rest_handler_fn st_api_key_generate, st_api_key_revoke;                /* store_api_keys.c */

#endif
