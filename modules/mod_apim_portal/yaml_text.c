/* SPDX-License-Identifier: Apache-2.0 */
#include "yaml_text.h"

#include <apr_strings.h>
#include <string.h>
#include <strings.h>
#include <yaml.h>

#include "apim_json.h"

#define PLAIN "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./-"

typedef struct writing_t {
    apr_pool_t *p;
    yaml_emitter_t emitter;
    char *text;
    size_t len, room;
} writing_t;

static int take(void *baton, unsigned char *data, size_t n)
{
    writing_t *w = baton;
    if (w->len + n + 1 > w->room) {
        char *grown;
        w->room = (w->len + n) * 2 + 4096;
        grown = apr_palloc(w->p, w->room);
        if (w->len) {
            memcpy(grown, w->text, w->len);
        }
        w->text = grown;
    }
    memcpy(w->text + w->len, data, n);
    w->len += n;
    w->text[w->len] = '\0';
    return 1;
}

/* 0, -1 if the emitter refused. */
static int emit(writing_t *w, yaml_event_t *event, int made)
{
    return made && yaml_emitter_emit(&w->emitter, event) ? 0 : -1;
}

/* Words that YAML 1.1 takes for something else. */
static int is_word(const char *text)
{
    static const char *const words[] = {"y", "n", "yes", "no", "true", "false", "on", "off", "null"};
    size_t i;
    for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcasecmp(text, words[i]) == 0) {
            return 1;
        }
    }
    return 0;
}

static int needs_quotes(const char *text, size_t len)
{
    return !len || strspn(text, PLAIN) != len || strchr("0123456789.-", *text) || is_word(text);
}

static int scalar(writing_t *w, const char *text, size_t len, yaml_scalar_style_t style)
{
    yaml_event_t event;
    return emit(w, &event,
                yaml_scalar_event_initialize(&event, NULL, NULL, (yaml_char_t *)(apr_uintptr_t)text, (int)len,
                                             1, 1, style));
}

static int string(writing_t *w, const char *text, size_t len)
{
    return scalar(w, text, len,
                  needs_quotes(text, len) ? YAML_DOUBLE_QUOTED_SCALAR_STYLE : YAML_PLAIN_SCALAR_STYLE);
}

static int value(writing_t *w, const json_t *json);

static int object(writing_t *w, const json_t *json)
{
    yaml_event_t event;
    const char *key;
    json_t *member;
    int failed = emit(w, &event,
                      yaml_mapping_start_event_initialize(&event, NULL, NULL, 1,
                                                          json_object_size(json) ? YAML_BLOCK_MAPPING_STYLE
                                                                                 : YAML_FLOW_MAPPING_STYLE));
    json_object_foreach((json_t *)(apr_uintptr_t)json, key, member)
    {
        failed = failed || string(w, key, strlen(key)) || value(w, member);
    }
    return failed || emit(w, &event, yaml_mapping_end_event_initialize(&event)) ? -1 : 0;
}

static int array(writing_t *w, const json_t *json)
{
    yaml_event_t event;
    json_t *item;
    size_t i;
    int failed = emit(w, &event,
                      yaml_sequence_start_event_initialize(&event, NULL, NULL, 1,
                                                           json_array_size(json) ? YAML_BLOCK_SEQUENCE_STYLE
                                                                                 : YAML_FLOW_SEQUENCE_STYLE));
    json_array_foreach(json, i, item)
    {
        failed = failed || value(w, item);
    }
    return failed || emit(w, &event, yaml_sequence_end_event_initialize(&event)) ? -1 : 0;
}

/* Numbers, true, false and null are what JSON writes. */
static int other(writing_t *w, const json_t *json)
{
    char *text = json_dumps(json, JSON_ENCODE_ANY);
    int failed = -1;
    if (text) {
        apim_json_shorten_reals(text);
        failed = scalar(w, text, strlen(text), YAML_PLAIN_SCALAR_STYLE);
        free(text);
    }
    return failed;
}

static int value(writing_t *w, const json_t *json)
{
    if (json_is_object(json)) {
        return object(w, json);
    }
    if (json_is_array(json)) {
        return array(w, json);
    }
    return json_is_string(json) ? string(w, json_string_value(json), json_string_length(json))
                                : other(w, json);
}

static int document(writing_t *w, const json_t *json)
{
    yaml_event_t event;
    return emit(w, &event, yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING)) ||
                   emit(w, &event, yaml_document_start_event_initialize(&event, NULL, NULL, NULL, 1)) ||
                   value(w, json) || emit(w, &event, yaml_document_end_event_initialize(&event, 1)) ||
                   emit(w, &event, yaml_stream_end_event_initialize(&event))
               ? -1
               : 0;
}

apim_error_t *po_yaml_text(apr_pool_t *p, const json_t *json, const char **out)
{
    writing_t w = {.p = p};
    int failed;
    if (!yaml_emitter_initialize(&w.emitter)) {
        return apim_internal(p, "no memory for YAML");
    }
    yaml_emitter_set_output(&w.emitter, take, &w);
    yaml_emitter_set_unicode(&w.emitter, 1);
    yaml_emitter_set_width(&w.emitter, -1);
    failed = document(&w, json);
    yaml_emitter_delete(&w.emitter);
    *out = w.text ? w.text : "";
    return failed ? apim_internal(p, "JSON could not be written as YAML") : NULL;
}
