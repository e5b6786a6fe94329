/* SPDX-License-Identifier: Apache-2.0 */
#include <http_protocol.h>
#include <stdlib.h>
#include <string.h>

#include "openapi/fetch.h"
#include "publisher.h"

/* POST /apis/validate-endpoint: whether a back end answers, as seen from here. */

#define TIMEOUT_MS 5000

/* "Not Found" of "404 Not Found"; "" for a status that httpd does not know. */
static const char *reason_of(int status)
{
    const char *line = ap_get_status_line(status);
    return strlen(line) > 4 && atoi(line) == status ? line + 4 : "";
}

/* ApiEndpointValidationResponseDTO. Any answer is a good one: what it is is for the publisher to judge. */
apim_error_t *po_endpoint_validate(rest_request_t *rq)
{
    apim_fetch_options_t options = {.allow_cidrs = po_config(rq->r)->import_allow,
                                    .timeout_ms = TIMEOUT_MS,
                                    .max_redirects = -1,
                                    .probe = 1};
    apim_fetched_t *answer;
    apim_error_t *err;
    const char *url;
    APIM_TRY(po_needed(rq, "endpointUrl", &url));
    err = apim_fetch(rq->pool, url, &options, &answer);
    if (err && err->status >= 500) {
        return err;
    }
    if (err) {
        return rest_reply_json(
            rq->r, 200,
            json_pack("{s:n, s:s, s:s}", "statusCode", "statusMessage", "", "error", err->description));
    }
    return rest_reply_json(rq->r, 200,
                           json_pack("{s:i, s:s, s:s}", "statusCode", answer->status, "statusMessage",
                                     reason_of(answer->status), "error", ""));
}
