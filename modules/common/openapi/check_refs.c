/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every $ref of a document: local ones must lead somewhere, others are refused unless allowed. Nothing is
 * expanded, so cycles (a schema that holds itself) are as good as any. Examples and the like are data, where
 * $ref is a key as any other.
 */
#include <apr_strings.h>
#include <string.h>

#include "openapi/check.h"

#define MAX_DEPTH      1000 /* of a tree that did not come through apim_doc_parse */
#define REFS_PER_SWEEP 4096
#define MAX_STEPS      32

typedef struct walk_t {
    apim_check_t *check;
    apr_pool_t *scratch;
    int refs;        /* since scratch was cleared */
    apr_hash_t *ids; /* $id, $anchor: 3.1 documents may hold documents */
    int depth;
} walk_t;

static void walk(walk_t *w, json_t *at_value, const apim_place_t *at, int names);

static int is_one_of(const char *key, const char *const *words)
{
    for (; *words; words++) {
        if (!strcmp(key, *words)) {
            return 1;
        }
    }
    return 0;
}

/* Members whose value is data and not part of the description. */
static int is_data(const char *key)
{
    static const char *const words[] = {"example", "examples", "default", "enum", "const", "value", NULL};
    return *key == 'x' ? key[1] == '-' : is_one_of(key, words);
}

/* Members whose value maps names chosen by the author, so that a name says nothing about what stands there.
 */
static int maps_names(const char *key)
{
    static const char *const words[] = {"properties", "patternProperties", "definitions",
                                        "$defs",      "schemas",           "parameters",
                                        "responses",  "headers",           "content",
                                        "callbacks",  "requestBodies",     "securitySchemes",
                                        "links",      "pathItems",         "paths",
                                        "webhooks",   "dependentSchemas",  "securityDefinitions",
                                        "encoding",   "variables",         NULL};
    return is_one_of(key, words);
}

/* A chain of references alone describes nothing. */
static int goes_round(walk_t *w, json_t *target)
{
    int steps;
    const char *ref;
    for (steps = 0; steps < MAX_STEPS; steps++) {
        ref = json_string_value(json_object_get(target, "$ref"));
        if (!ref || !(target = apim_pointer_get(w->scratch, w->check->root, ref))) {
            return 0;
        }
    }
    return 1;
}

static void check_local(walk_t *w, const char *ref, const apim_place_t *at)
{
    apim_check_t *c = w->check;
    json_t *target = apim_pointer_get(w->scratch, c->root, ref);
    if (!target) {
        apim_problem(c, at, "reference", "\"%.200s\" leads nowhere in this document.", ref);
    }
    else if (goes_round(w, target)) {
        apim_odd(c, at, "reference", "\"%.200s\" leads from reference to reference without an end.", ref);
    }
}

static void check_ref(walk_t *w, const char *ref, const apim_place_t *at)
{
    apim_check_t *c = w->check;
    if (++w->refs > REFS_PER_SWEEP) {
        apr_pool_clear(w->scratch);
        w->refs = 0;
    }
    if (ref[0] == '#' && (!ref[1] || ref[1] == '/' || ref[1] == '%')) {
        check_local(w, ref, at);
        return;
    }
    if (w->ids && apr_hash_get(w->ids, ref, (apr_ssize_t)(ref[0] == '#' ? strlen(ref) : strcspn(ref, "#")))) {
        return;
    }
    if (ref[0] == '#') {
        apim_problem(c, at, "reference", "\"%.200s\" leads nowhere in this document.", ref);
    }
    else if (!c->allow_external) {
        apim_problem(c, at, "reference",
                     "\"%.200s\" refers to another document. Please bundle the documents into one.", ref);
    }
}

static void walk_object(walk_t *w, json_t *object, const apim_place_t *at, int names)
{
    const char *key, *ref = names ? NULL : json_string_value(json_object_get(object, "$ref"));
    json_t *value;
    if (ref) {
        check_ref(w, ref, APIM_MEMBER(at, "$ref"));
    }
    json_object_foreach(object, key, value)
    {
        if (names || !is_data(key)) {
            walk(w, value, APIM_MEMBER(at, key), !names && maps_names(key));
        }
    }
}

static void walk(walk_t *w, json_t *value, const apim_place_t *at, int names)
{
    json_t *item;
    size_t i;
    if (!json_is_object(value) && !json_is_array(value)) {
        return;
    }
    if (++w->depth > MAX_DEPTH) {
        apim_problem(w->check, at, "depth", "the document is nested too deep.");
    }
    else if (json_is_object(value)) {
        walk_object(w, value, at, names);
    }
    else {
        json_array_foreach(value, i, item)
        {
            walk(w, item, APIM_ITEM(at, i), 0);
        }
    }
    w->depth--;
}

/* -- 3.1: names that a reference may use besides pointers ------------------------------------------------ */

static void collect_ids(walk_t *w, json_t *value)
{
    json_t *member;
    const char *key, *s;
    size_t i;
    if (++w->depth <= MAX_DEPTH) {
        json_object_foreach(value, key, member)
        {
            s = json_string_value(member);
            if (s && !strcmp(key, "$id")) {
                apr_hash_set(w->ids, s, (apr_ssize_t)strcspn(s, "#"), "");
            }
            else if (s && (!strcmp(key, "$anchor") || !strcmp(key, "$dynamicAnchor"))) {
                apr_hash_set(w->ids, apr_pstrcat(w->check->p, "#", s, NULL), APR_HASH_KEY_STRING, "");
            }
            collect_ids(w, member);
        }
        json_array_foreach(value, i, member)
        {
            collect_ids(w, member);
        }
    }
    w->depth--;
}

void apim_check_refs(apim_check_t *c)
{
    walk_t w = {c, NULL, 0, NULL, 0};
    apr_pool_create(&w.scratch, c->p);
    if (c->major == 3 && c->minor >= 1) {
        w.ids = apr_hash_make(c->p);
        collect_ids(&w, c->root);
        if (json_is_string(json_object_get(c->root, "$self"))) {
            apr_hash_set(w.ids, json_string_value(json_object_get(c->root, "$self")), APR_HASH_KEY_STRING,
                         "");
        }
    }
    walk(&w, c->root, NULL, 0);
    apr_pool_destroy(w.scratch);
}
