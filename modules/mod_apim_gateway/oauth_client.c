/* SPDX-License-Identifier: Apache-2.0 */
#include "oauth_client.h"

#include <apr_strings.h>
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#include "apim_json.h"

#define CONNECT_TIMEOUT_MS 4000L
#define TIMEOUT_MS         10000L
#define MAX_ANSWER         (256 * 1024)
#define DEFAULT_LIFETIME   300
#define LONGEST_LIFETIME   (30 * 86400)
#define WHAT               "The back end's token endpoint"

typedef struct answer_t {
    char text[MAX_ANSWER];
    apr_size_t len;
} answer_t;

const char *gw_oauth_client_setup(void)
{
    return curl_global_init(CURL_GLOBAL_DEFAULT) ? "libcurl could not be started" : NULL;
}

static size_t take(char *data, size_t size, size_t n, void *baton)
{
    answer_t *answer = baton;
    if (size * n > sizeof(answer->text) - answer->len) {
        return 0;
    }
    memcpy(answer->text + answer->len, data, size * n);
    answer->len += size * n;
    return size * n;
}

static const char *escaped(apr_pool_t *p, CURL *curl, const char *text)
{
    char *out = curl_easy_escape(curl, text, 0);
    const char *copy = out ? apr_pstrdup(p, out) : "";
    curl_free(out);
    return copy;
}

static const char *form_of(apr_pool_t *p, CURL *curl, const json_t *parameters)
{
    const char *form = "grant_type=client_credentials", *name;
    json_t *value;
    json_object_foreach((json_t *)(apr_uintptr_t)parameters, name, value)
    {
        if (json_is_string(value)) {
            form = apr_pstrcat(p, form, "&", escaped(p, curl, name), "=",
                               escaped(p, curl, json_string_value(value)), NULL);
        }
    }
    return form;
}

static void set_options(apr_pool_t *p, CURL *curl, const gw_oauth_client_t *client, answer_t *answer,
                        struct curl_slist *headers, char *message)
{
    curl_easy_setopt(curl, CURLOPT_URL, client->token_url);
    curl_easy_setopt(curl, CURLOPT_COPYPOSTFIELDS, form_of(p, curl, client->parameters));
    curl_easy_setopt(curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
    /* RFC 6749, 2.3.1: both are form-encoded first. */
    curl_easy_setopt(curl, CURLOPT_USERNAME, escaped(p, curl, client->id));
    curl_easy_setopt(curl, CURLOPT_PASSWORD, escaped(p, curl, client->secret));
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, message);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, TIMEOUT_MS);
}

static apim_error_t *understand(apr_pool_t *p, const char *url, long status, const answer_t *answer,
                                const char **token, apr_int64_t *lifetime)
{
    static const apim_json_limits_t limits = {MAX_ANSWER, 8};
    const char *s;
    json_t *json;
    if (status != 200 || apim_json_parse(p, answer->text, answer->len, &limits, &json)) {
        return apim_unavailable(p, WHAT, "%s answered %ld%s", url, status,
                                status == 200 ? " without JSON" : "");
    }
    *token = apim_json_str(json, "access_token", "");
    for (s = *token; *s > ' ' && *s < 127; s++) {
    }
    if (!**token || *s) {
        return apim_unavailable(p, WHAT, "%s answered without a usable access_token", url);
    }
    *lifetime = apim_json_int(json, "expires_in", DEFAULT_LIFETIME);
    *lifetime = *lifetime < 1 ? 1 : *lifetime > LONGEST_LIFETIME ? LONGEST_LIFETIME : *lifetime;
    return NULL;
}

apim_error_t *gw_oauth_client_token(apr_pool_t *p, const gw_oauth_client_t *client, const char **token,
                                    apr_int64_t *lifetime)
{
    struct curl_slist *headers = curl_slist_append(NULL, "Accept: application/json");
    answer_t *answer = apr_palloc(p, sizeof(*answer));
    char message[CURL_ERROR_SIZE] = "";
    CURL *curl = curl_easy_init();
    apim_error_t *err;
    long status = 0;
    CURLcode rc;
    if (!curl) {
        curl_slist_free_all(headers);
        return apim_internal(p, "no curl handle");
    }
    answer->len = 0;
    set_options(p, curl, client, answer, headers, message);
    rc = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    err = rc ? apim_unavailable(p, WHAT, "%s: %s", client->token_url,
                                *message ? message : curl_easy_strerror(rc))
             : understand(p, client->token_url, status, answer, token, lifetime);
    curl_easy_cleanup(curl);
    curl_slist_free_all(headers);
    return err;
}
