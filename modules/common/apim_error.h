/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APIM_ERROR_H
#define APIM_ERROR_H

#include <apr_pools.h>
#include <apr_tables.h>

/*
 * The one error type of the whole family. A function that can fail returns apim_error_t *: NULL is
 * success, anything else lives in the pool that was handed in. It carries what a caller over HTTP may
 * read (status, code, message, description, details) apart from what only the log may say (cause), so
 * that no internal detail leaks by accident. It is logged once, at the place that answers the request.
 */
typedef struct apim_error_detail_t {
    const char *code;    /* stable word or number */
    const char *message; /* a sentence that names the place: a field, a JSON pointer or a line */
} apim_error_detail_t;

typedef struct apim_error_t {
    int status;                  /* HTTP status code */
    int code;                    /* documented code: WSO2's where one exists, else the APIM_E_* below */
    const char *message;         /* short and stable */
    const char *description;     /* a sentence for the person who reads it: what is wrong, what to do */
    const char *cause;           /* for the error log only; NULL if there is nothing to add */
    apr_array_header_t *details; /* of apim_error_detail_t, NULL if none */
    int retry_after;             /* seconds for a Retry-After header, 0 for none */
} apim_error_t;

/* Codes of the REST APIs, as WSO2's carbon-apimgt uses them (ExceptionCodes). */
enum {
    APIM_E_BAD_REQUEST = 400,
    APIM_E_UNAUTHORIZED = 401,
    APIM_E_FORBIDDEN = 403,
    APIM_E_NOT_FOUND = 404,
    APIM_E_CONFLICT = 409,
    APIM_E_PRECONDITION = 412,
    APIM_E_TOO_LARGE = 413,
    APIM_E_INTERNAL = 500,
    APIM_E_UNAVAILABLE = 503,
    APIM_E_INVALID_CREDENTIALS = 900401, /* REST API called with no or a bad token */
    APIM_E_RESOURCE_NOT_FOUND = 900901
};

/** An error with a formatted description; `message` must outlive the pool (a literal). Never returns NULL. */
apim_error_t *apim_error(apr_pool_t *p, int status, int code, const char *message, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/** 400 Bad Request with a description. */
apim_error_t *apim_bad_request(apr_pool_t *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
/** 404 Not Found: what ("API") and its id. */
apim_error_t *apim_not_found(apr_pool_t *p, const char *what, const char *id);
/** 409 Conflict with a description. */
apim_error_t *apim_conflict(apr_pool_t *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
/** 500: the caller reads only that it failed; `format` goes to the log. */
apim_error_t *apim_internal(apr_pool_t *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
/** 503 with Retry-After: a dependency ("the API Manager database") does not answer; `format` goes to the log.
 */
apim_error_t *apim_unavailable(apr_pool_t *p, const char *dependency, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** Adds a detail to an error and returns the error. */
apim_error_t *apim_error_add(apr_pool_t *p, apim_error_t *err, const char *code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Propagates an error: APIM_TRY(apim_db_begin(db)); */
#define APIM_TRY(expr)                                                                                       \
    do {                                                                                                     \
        apim_error_t *apim_try_err_ = (expr);                                                                \
        if (apim_try_err_) {                                                                                 \
            return apim_try_err_;                                                                            \
        }                                                                                                    \
    } while (0)

/* clang's analyzer sees one file at a time and would follow paths on which these return NULL. */
#if defined(__clang_analyzer__) && !defined(APIM_ERROR_IMPLEMENTATION)
#define apim_not_null_(call)                                                                                 \
    __extension__({                                                                                          \
        apim_error_t *apim_made_ = (call);                                                                   \
        if (!apim_made_) {                                                                                   \
            __builtin_unreachable();                                                                         \
        }                                                                                                    \
        apim_made_;                                                                                          \
    })
#define apim_error(...)       apim_not_null_(apim_error(__VA_ARGS__))
#define apim_bad_request(...) apim_not_null_(apim_bad_request(__VA_ARGS__))
#define apim_not_found(...)   apim_not_null_(apim_not_found(__VA_ARGS__))
#define apim_conflict(...)    apim_not_null_(apim_conflict(__VA_ARGS__))
#define apim_internal(...)    apim_not_null_(apim_internal(__VA_ARGS__))
#define apim_unavailable(...) apim_not_null_(apim_unavailable(__VA_ARGS__))
#define apim_error_add(...)   apim_not_null_(apim_error_add(__VA_ARGS__))
#endif

#endif
