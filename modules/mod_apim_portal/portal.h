/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APIM_PORTAL_H
#define APIM_PORTAL_H

#include <httpd.h>
#include <http_config.h>
#include <http_log.h>

#include "apim_crypto.h"
#include "apim_db.h"
#include "apim_json.h"
#include "apim_text.h"
#include "httpd/common_config.h"
#include "httpd/db_pool.h"
#include "httpd/keymgr_call.h"
#include "httpd/multipart.h"
#include "httpd/rest.h"

/*
 * The portal: REST APIs of the Publisher, the Store (WSO2's DevPortal) and the administrator, and an index
 * page. What every file of the module shares. A handler opens a database in a tight scope (po_open …
 * apim_db_close), never across a call to the Key Manager.
 */
APIM_EXPORT_MODULE(apim_portal);
APLOG_USE_MODULE(apim_portal);

#define PO_PUBLISHER_BASE "/api/am/publisher/v4"
#define PO_STORE_BASE     "/api/am/devportal/v3"
#define PO_ADMIN_BASE     "/api/am/admin/v4"
#define PO_SIGNUP_BASE    "/api/identity/user/v1.0"
#define PO_PAGES_BASE     "/api/am/portal/v1"

/* Per server. */
typedef struct portal_config_t {
    apim_common_config_t common;      /* first: see common_config.h */
    int enabled;                      /* some part of the portal is on here: for configuration checks */
    apr_off_t max_definition;         /* ApimMaxDefinitionSize, bytes */
    int self_signup;                  /* ApimSelfSignUp; -1: not set */
    apr_interval_time_t publish_wait; /* ApimPublishWait; -1: not set */
    const char *import_allow; /* ApimImportAllow: addresses that an import by URL may reach besides public */
    const char *gateway_url;  /* ApimGatewayUrl: base URL under which subscribers call APIs */
    const char *keymgr_url;   /* ApimKeyManagerUrl: base URL of the Key Manager's public endpoints */
    const char
        *pages_dir; /* ApimPages: directory of the web pages; "": none; NULL: where they are installed */
    struct po_pages_t *pages; /* read in post_config; NULL: none */
} portal_config_t;

/* Per directory or Location. -1: not set. */
typedef struct portal_dir_config_t {
    int publisher; /* ApimPublisher */
    int store;     /* ApimStore */
    int admin;     /* ApimAdmin */
} portal_dir_config_t;

portal_config_t *po_config(const request_rec *r);
portal_config_t *po_server_config(const server_rec *s);
portal_dir_config_t *po_dir_config(const request_rec *r);

/* Effective values with their defaults. */
apr_size_t po_max_definition(const portal_config_t *conf);        /* 20 MiB */
int po_self_signup(const portal_config_t *conf);                  /* on */
apr_interval_time_t po_publish_wait(const portal_config_t *conf); /* 1 s */
/* Base URLs without a slash at the end; default: the URL this request came to. */
const char *po_gateway_url(request_rec *r);
const char *po_keymgr_url(request_rec *r);

/* The routes of the three APIs; each table ends with a NULL method. */
extern const rest_route_t po_publisher_routes[]; /* publisher_routes.c */
extern const rest_route_t po_store_routes[];     /* store_routes.c */
extern const rest_route_t po_admin_routes[];     /* admin_routes.c */

/* Handlers that more than one of them has. */
rest_handler_fn po_categories_list;   /* category_resource.c */
rest_handler_fn po_key_managers_list; /* key_manager_resource.c */
rest_handler_fn po_ratings_list;      /* store_ratings.c */

/* portal_config.c */
void *po_create_server_config(apr_pool_t *p, server_rec *s);
void *po_merge_server_config(apr_pool_t *p, void *base, void *add);
void *po_create_dir_config(apr_pool_t *p, char *dir);
void *po_merge_dir_config(apr_pool_t *p, void *base, void *add);
extern const command_rec po_commands[];

/** Borrows a connection for the request; give it back with apim_db_close as soon as possible. */
apim_error_t *po_open(rest_request_t *rq, apim_database_e which, apim_db_t **db);

/** Authenticates by the Bearer token, or else by the session of a web page (rest_authenticate_fn). The Key
 * Manager's answer is remembered for a few
 * seconds in this process: a revoked token is refused after that at the latest. Errors: 401 unknown or
 * expired token; 503 without a Key Manager. */
apim_error_t *po_authenticate(rest_request_t *rq);
/** Makes the process's memory of introspected tokens. */
void po_auth_child_init(apr_pool_t *pchild);

/** 1 if the caller's token has the scope. */
int po_has_scope(const rest_request_t *rq, const char *scope);

/** The page at "/": where things are. */
int po_index_page(request_rec *r);

#endif
