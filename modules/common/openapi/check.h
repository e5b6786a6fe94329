/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APIM_OPENAPI_CHECK_H
#define APIM_OPENAPI_CHECK_H

#include <apr_hash.h>

#include "openapi/openapi.h"

/*
 * Shared by the files that check and read an OpenAPI document; of no use to others. A place is a chain of
 * steps on the stack, so that naming it costs nothing until there is a problem to tell.
 */
typedef struct apim_place_t {
    const struct apim_place_t *up; /* NULL: the root */
    const char *key;               /* a member, or NULL: */
    apr_size_t index;              /* an item */
} apim_place_t;

#define APIM_MEMBER(up, key) (&(const apim_place_t){up, key, 0})
#define APIM_ITEM(up, i)     (&(const apim_place_t){up, NULL, i})

typedef struct apim_check_t {
    apr_pool_t *p;
    json_t *root;
    apim_openapi_t *doc;
    int major, minor;
    int allow_external;
    apr_array_header_t *errors; /* of apim_error_detail_t, at most APIM_OPENAPI_MAX_PROBLEMS */
    int error_count;            /* all */
    apr_hash_t *schemes;        /* security scheme name -> type */
    apr_hash_t *scopes;         /* name -> apim_openapi_scope_t * */
    int has_default_scheme;     /* the oauth2 scheme that Publisher REST operations are written to is there */
    apr_hash_t *operation_ids;  /* operationId -> where it stood first */
    apr_hash_t *shapes;         /* template shape -> what stands there */
    apr_size_t work;            /* spent so far */
} apim_check_t;

/** What a place is called: a JSON pointer (RFC 6901), "(document)" for the root. */
const char *apim_place_text(apr_pool_t *p, const apim_place_t *at);

/** Notes a problem, or something odd. code is one of: missing, type, value, duplicate, collision, reference,
 * version, depth. */
void apim_problem(apim_check_t *c, const apim_place_t *at, const char *code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void apim_odd(apim_check_t *c, const apim_place_t *at, const char *code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/** Counts n steps of work. -1 if that was too much: a small document can refer to its parts so often that
 * checking each use would take hours. Every loop over what may be shared between operations asks this first.
 */
int apim_spend(apim_check_t *c, apr_size_t n);

/** A member of the type wanted, or NULL; a problem is noted if it has another type, or is missing and
 * required. */
json_t *apim_want_object(apim_check_t *c, const json_t *in, const char *key, const apim_place_t *at,
                         int required);
json_t *apim_want_array(apim_check_t *c, const json_t *in, const char *key, const apim_place_t *at);
const char *apim_want_string(apim_check_t *c, const json_t *in, const char *key, const apim_place_t *at);

/** Text of a string, or of a number where people forget quotes; else NULL. */
const char *apim_scalar_text(apr_pool_t *p, const json_t *value);

/** What a local reference ("#/a/b") points at, NULL if nothing. Any other reference gives NULL too. */
json_t *apim_pointer_get(apr_pool_t *p, json_t *root, const char *ref);

/** Follows $ref from an object until there is none, over at most 32 steps. NULL if it leads nowhere or goes
 * round. */
json_t *apim_resolve(apr_pool_t *p, json_t *root, json_t *object);

/** An empty reading of root: ready for the functions below. */
void apim_check_begin(apim_check_t *c, apr_pool_t *p, json_t *root, const apim_openapi_options_t *options);

/* -- the parts ------------------------------------------------------------------------------------------- */

void apim_check_paths(apim_check_t *c);
void apim_check_refs(apim_check_t *c);

/** Checks security schemes and fills c->schemes and c->scopes. */
void apim_read_schemes(apim_check_t *c);
/** Checks a list of security requirements. */
void apim_check_security(apim_check_t *c, const json_t *in, const apim_place_t *at);
/** Scopes that an operation asks for; those not declared join c->scopes. */
apr_array_header_t *apim_read_operation_scopes(apim_check_t *c, const json_t *operation);
/** One of APIM_AUTH_*, from a word as WSO2's versions wrote it; NULL if it is none. */
const char *apim_auth_type(const char *word);
/** The name of the oauth2 scheme that operations are written to: "default". */
const char *apim_default_scheme(const json_t *root);
/** Where the schemes are: securityDefinitions or components/securitySchemes; NULL if there are none. */
json_t *apim_schemes(const json_t *root);
/** 1 if root is a 2.0 document. */
int apim_is_swagger(const json_t *root);

/** Reads servers, endpoints and transports into c->doc. */
void apim_read_servers(apim_check_t *c);
/** Checks a list of servers, at the root, a path or an operation. */
void apim_check_servers(apim_check_t *c, const json_t *in, const apim_place_t *at);

#endif
