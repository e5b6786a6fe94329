/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APIM_PORTAL_API_DOCUMENT_H
#define APIM_PORTAL_API_DOCUMENT_H

#include "problems.h"

/*
 * The document of an API: the members of Publisher v4's APIDTO that a publisher may change. Pure: what needs
 * a database (do the roles, tiers and shared scopes exist?) is asked elsewhere.
 *
 * Members with a meaning here are checked one by one. Members that WSO2 API Manager has and that mean nothing
 * here yet (monetization, threatProtectionPolicies, …) are kept and returned. Others are dropped, as WSO2
 * drops them.
 */

/**
 * Makes a document from a body. previous NULL: a new API, absent members get their defaults; else absent
 * members keep their value and null sets the default. *out belongs to the pool. Errors: 400 with every
 * problem.
 */
apim_error_t *po_document_make(apr_pool_t *p, const json_t *body, const json_t *previous, json_t **out);

/* What identifies an API and never changes. */
typedef struct po_identity_t {
    const char *name;
    const char *version;
    const char *context_template; /* "/pizzashack", "/{version}/pizzashack" */
    const char *context;          /* with the version in place: "/pizzashack/1.0.0" */
} po_identity_t;

/** Reads and checks name, version and context of a body. A context without the leading slash gets one, as in
 * WSO2. Notes problems; the result is usable only if there are none. */
void po_identity_read(po_problems_t *problems, const json_t *body, po_identity_t *out);

/** The context as gateways see it: {version} replaced, or /version appended. */
const char *po_effective_context(apr_pool_t *p, const char *context_template, const char *version);

/** Checks a version alone, as copy-api takes it. */
void po_check_version(po_problems_t *problems, const char *where, const json_t *value);

/** The tags as they are stored for search: "|food|pizza|", "" if there are none. */
const char *po_document_tags(apr_pool_t *p, const json_t *document);

/** The categories in the same form. */
const char *po_document_categories(apr_pool_t *p, const json_t *document);

/** The URL of an endpoint, the first of several ("production_endpoints", "sandbox_endpoints"), NULL if the
 * document has none. */
const char *po_document_endpoint(const json_t *document, const char *which);

#endif
