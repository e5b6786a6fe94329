/* SPDX-License-Identifier: Apache-2.0 */
#define APIM_ERROR_IMPLEMENTATION
#include "apim_error.h"

#include <apr_strings.h>

static apim_error_t *make(apr_pool_t *p, int status, int code, const char *message)
{
    apim_error_t *err = apr_pcalloc(p, sizeof(*err));
    err->status = status;
    err->code = code;
    err->message = message;
    return err;
}

apim_error_t *apim_error(apr_pool_t *p, int status, int code, const char *message, const char *format, ...)
{
    apim_error_t *err = make(p, status, code, message);
    va_list ap;
    va_start(ap, format);
    err->description = apr_pvsprintf(p, format, ap);
    va_end(ap);
    return err;
}

apim_error_t *apim_bad_request(apr_pool_t *p, const char *format, ...)
{
    apim_error_t *err = make(p, 400, APIM_E_BAD_REQUEST, "Bad Request");
    va_list ap;
    va_start(ap, format);
    err->description = apr_pvsprintf(p, format, ap);
    va_end(ap);
    return err;
}

apim_error_t *apim_not_found(apr_pool_t *p, const char *what, const char *id)
{
    return apim_error(p, 404, APIM_E_NOT_FOUND, "Not Found", "%s %s does not exist or is not visible to you.",
                      what, id ? id : "");
}

apim_error_t *apim_conflict(apr_pool_t *p, const char *format, ...)
{
    apim_error_t *err = make(p, 409, APIM_E_CONFLICT, "Conflict");
    va_list ap;
    va_start(ap, format);
    err->description = apr_pvsprintf(p, format, ap);
    va_end(ap);
    return err;
}

apim_error_t *apim_internal(apr_pool_t *p, const char *format, ...)
{
    apim_error_t *err = make(p, 500, APIM_E_INTERNAL, "Internal Server Error");
    va_list ap;
    err->description = "The server failed to process the request; its error log has the reason.";
    va_start(ap, format);
    err->cause = apr_pvsprintf(p, format, ap);
    va_end(ap);
    return err;
}

apim_error_t *apim_unavailable(apr_pool_t *p, const char *dependency, const char *format, ...)
{
    apim_error_t *err = make(p, 503, APIM_E_UNAVAILABLE, "Service Unavailable");
    va_list ap;
    err->description = apr_psprintf(p, "%s does not answer at the moment. Please try again.", dependency);
    err->retry_after = 5;
    va_start(ap, format);
    err->cause = apr_pvsprintf(p, format, ap);
    va_end(ap);
    return err;
}

apim_error_t *apim_error_add(apr_pool_t *p, apim_error_t *err, const char *code, const char *format, ...)
{
    apim_error_detail_t *detail;
    va_list ap;
    if (!err->details) {
        err->details = apr_array_make(p, 4, sizeof(apim_error_detail_t));
    }
    detail = apr_array_push(err->details);
    detail->code = code;
    va_start(ap, format);
    detail->message = apr_pvsprintf(p, format, ap);
    va_end(ap);
    return err;
}
