/* SPDX-License-Identifier: Apache-2.0 */
#include "operation_input.h"

#include <apr_strings.h>
#include <string.h>

#include "apim_text.h"

static apim_error_t *check_text(apr_pool_t *p, const char *name, const char *text, apr_size_t max)
{
    if (strlen(text) > max) {
        return apim_bad_request(p, "%s is longer than %" APR_SIZE_T_FMT " bytes.", name, max);
    }
    if (apim_has_control(text, NULL)) {
        return apim_bad_request(p, "%s holds a control character.", name);
    }
    return NULL;
}

apim_error_t *km_in_text(apr_pool_t *p, const json_t *in, const char *name, apr_size_t max, const char **out)
{
    const json_t *v = json_object_get(in, name);
    *out = NULL;
    if (!v || json_is_null(v)) {
        return NULL;
    }
    if (!json_is_string(v)) {
        return apim_bad_request(p, "%s must be a text.", name);
    }
    APIM_TRY(check_text(p, name, json_string_value(v), max));
    *out = *json_string_value(v) ? apr_pstrdup(p, json_string_value(v)) : NULL;
    return NULL;
}

apim_error_t *km_in_needed(apr_pool_t *p, const json_t *in, const char *name, apr_size_t max,
                           const char **out)
{
    APIM_TRY(km_in_text(p, in, name, max, out));
    return *out ? NULL : apim_bad_request(p, "%s is missing.", name);
}

apim_error_t *km_in_choice(apr_pool_t *p, const json_t *in, const char *name, const char *const *choices,
                           const char *fallback, const char **out)
{
    const char *list = "";
    int i;
    APIM_TRY(km_in_text(p, in, name, 64, out));
    if (!*out && fallback) {
        *out = fallback;
        return NULL;
    }
    for (i = 0; choices[i]; i++) {
        if (*out && strcmp(*out, choices[i]) == 0) {
            return NULL;
        }
        list = apr_pstrcat(p, list, i ? " or " : "", choices[i], NULL);
    }
    return apim_bad_request(p, "%s must be %s.", name, list);
}

apim_error_t *km_in_integer(apr_pool_t *p, const json_t *in, const char *name, apr_int64_t fallback,
                            apr_int64_t *out)
{
    const json_t *v = json_object_get(in, name);
    *out = fallback;
    if (!v || json_is_null(v)) {
        return NULL;
    }
    if (json_is_integer(v)) {
        *out = json_integer_value(v);
        return NULL;
    }
    if (json_is_string(v) && apim_parse_i64(json_string_value(v), out) == 0) {
        return NULL;
    }
    return apim_bad_request(p, "%s must be a whole number.", name);
}

apim_error_t *km_in_words(apr_pool_t *p, const json_t *in, const char *name, apr_size_t max, const char **out)
{
    const json_t *v = json_object_get(in, name);
    const char *text = "";
    apr_size_t i;
    *out = NULL;
    if (!json_is_array(v)) {
        return km_in_text(p, in, name, max, out);
    }
    for (i = 0; i < json_array_size(v); i++) {
        const char *word = json_string_value(json_array_get(v, i));
        if (!word || !*word || strchr(word, ' ')) {
            return apim_bad_request(p, "%s must be an array of words.", name);
        }
        text = apr_pstrcat(p, text, *text ? " " : "", word, NULL);
        APIM_TRY(check_text(p, name, text, max));
    }
    *out = text;
    return NULL;
}
