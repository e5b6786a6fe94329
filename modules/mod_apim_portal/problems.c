/* SPDX-License-Identifier: Apache-2.0 */
#include "problems.h"

#include <apr_strings.h>
#include <string.h>

#include "apim_json.h"
#include "apim_text.h"

void po_problem(po_problems_t *problems, const char *where, const char *format, ...)
{
    const char *sentence;
    va_list ap;
    va_start(ap, format);
    sentence = apr_pvsprintf(problems->pool, format, ap);
    va_end(ap);
    if (!problems->err) {
        problems->err = apim_bad_request(problems->pool, "%s: %s", where, sentence);
    }
    if (++problems->count <= PO_MAX_PROBLEMS) {
        apim_error_add(problems->pool, problems->err, "value", "%s: %s", where, sentence);
    }
}

void po_problems_take(po_problems_t *problems, const apim_error_t *err)
{
    int i;
    for (i = 0; err && err->details && i < err->details->nelts; i++) {
        const apim_error_detail_t *detail = &APR_ARRAY_IDX(err->details, i, apim_error_detail_t);
        const char *colon = strstr(detail->message, ": ");
        po_problem(
            problems,
            colon ? apr_pstrmemdup(problems->pool, detail->message, (apr_size_t)(colon - detail->message))
                  : "",
            "%s", colon ? colon + 2 : detail->message);
    }
}

apim_error_t *po_problems_error(po_problems_t *problems)
{
    if (problems->count > 1) {
        problems->err->description = apr_psprintf(problems->pool, "The body has %d problems; the first: %s",
                                                  problems->count, problems->err->description);
    }
    return problems->err;
}

const char *po_where(const po_problems_t *problems, const char *where, const char *name)
{
    return apr_pstrcat(problems->pool, where, "/", name, NULL);
}

const char *po_where_item(const po_problems_t *problems, const char *where, apr_size_t index)
{
    return apr_psprintf(problems->pool, "%s/%" APR_SIZE_T_FMT, where, index);
}

static int characters(const char *s)
{
    int n = 0;
    for (; *s; s++) {
        n += ((unsigned char)*s & 0xc0) != 0x80;
    }
    return n;
}

const char *po_check_text(po_problems_t *problems, const char *where, const json_t *value, int min, int max,
                          const char *allow)
{
    const char *text = json_string_value(value);
    if (!text) {
        po_problem(problems, where, "must be a text.");
        return NULL;
    }
    if (strlen(text) != json_string_length(value) || apim_has_control(text, allow)) {
        po_problem(problems, where, "must not hold control characters.");
        return NULL;
    }
    if (characters(text) < min) {
        po_problem(problems, where, "must not be empty.");
        return NULL;
    }
    if (characters(text) > max) {
        po_problem(problems, where, "must have at most %d characters; it has %d.", max, characters(text));
        return NULL;
    }
    return text;
}

static int holds_text(const json_t *array, const char *text)
{
    apr_size_t i;
    json_t *item;
    json_array_foreach(array, i, item)
    {
        if (strcmp(json_string_value(item), text) == 0) {
            return 1;
        }
    }
    return 0;
}

json_t *po_check_texts(po_problems_t *problems, const char *where, const json_t *value, int max_items,
                       int max_length)
{
    json_t *out, *item;
    apr_size_t i;
    int before = problems->count;
    if (!json_is_array(value)) {
        po_problem(problems, where, "must be an array of texts.");
        return NULL;
    }
    if ((int)json_array_size(value) > max_items) {
        po_problem(problems, where, "must have at most %d items; it has %d.", max_items,
                   (int)json_array_size(value));
        return NULL;
    }
    out = apim_json_own(problems->pool, json_array());
    json_array_foreach(value, i, item)
    {
        const char *text =
            po_check_text(problems, po_where_item(problems, where, i), item, 1, max_length, NULL);
        if (text && !holds_text(out, text)) {
            json_array_append(out, item);
        }
    }
    return problems->count == before ? out : NULL;
}

int po_one_of(const char *word, const char *list)
{
    apr_size_t len = strlen(word);
    while (*list) {
        apr_size_t n = strcspn(list, "|");
        if (n == len && memcmp(list, word, n) == 0) {
            return 1;
        }
        list += n + (list[n] == '|');
    }
    return 0;
}

/* "a|b|c" as "a, b or c". */
static const char *spoken(apr_pool_t *p, const char *list)
{
    const char *last = strrchr(list, '|');
    const char *out = "";
    const char *s;
    if (!last) {
        return list;
    }
    for (s = list; s < last; s++) {
        out = *s == '|' ? apr_pstrcat(p, out, ", ", NULL) : apr_psprintf(p, "%s%c", out, *s);
    }
    return apr_pstrcat(p, out, " or ", last + 1, NULL);
}

int po_check_one_of(po_problems_t *problems, const char *where, const json_t *value, const char *list)
{
    const char *text = json_string_value(value);
    if (!text || !*text || !po_one_of(text, list)) {
        po_problem(problems, where, "must be %s.", spoken(problems->pool, list));
        return 0;
    }
    return 1;
}

void po_check_kept(po_problems_t *problems, const char *where, const json_t *value, int depth)
{
    const char *key;
    json_t *item;
    apr_size_t i;
    if (depth > 12) {
        po_problem(problems, where, "is nested too deep.");
    }
    else if (json_is_string(value)) {
        po_check_text(problems, where, value, 0, 32766, "\r\n\t");
    }
    else if (json_is_object(value)) {
        json_object_foreach((json_t *)(apr_uintptr_t)value, key, item)
        {
            po_check_kept(problems, apim_has_control(key, NULL) ? where : po_where(problems, where, key),
                          item, depth + 1);
            if (strlen(key) > 200 || apim_has_control(key, NULL)) {
                po_problem(problems, where,
                           "has a member whose name is too long or holds control characters.");
            }
        }
    }
    else {
        json_array_foreach(value, i, item)
        {
            po_check_kept(problems, po_where_item(problems, where, i), item, depth + 1);
        }
    }
}
