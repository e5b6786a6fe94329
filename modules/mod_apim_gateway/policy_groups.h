/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GW_POLICY_GROUPS_H
#define GW_POLICY_GROUPS_H

#include <jansson.h>

#include "apim_error.h"

/*
 * Conditional groups of an advanced policy: each has conditions, all of which a call must meet, and a limit
 * that then holds in place of the policy's own. Pure: what a condition looks at is asked of the caller.
 *
 * Values are extended regular expressions (POSIX) that are looked for in the text; an absent header,
 * parameter or claim meets no condition, and so every inverted one.
 */
typedef struct gw_group_limit_t {
    int index; /* of the group */
    apr_int64_t count;
    apr_int64_t window; /* seconds */
} gw_group_limit_t;

/* What a call is; each function returns NULL for "not there". */
typedef struct gw_group_facts_t {
    void *baton;
    const char *address; /* of the client */
    const char *(*header)(void *baton, const char *name);
    const char *(*parameter)(void *baton, const char *name); /* of the query, decoded */
    const char *(*claim)(void *baton, const char *name);
} gw_group_facts_t;

/** Checks `groups` of a policy artefact and makes the text that gw_groups_find reads; *text is NULL if there
 * are none. 400 if they are not usable. unit_seconds: seconds of a time unit, 0 if it is unknown. */
apim_error_t *gw_groups_compile(apr_pool_t *p, const json_t *groups,
                                apr_int64_t (*unit_seconds)(const char *), const char **text);

/** 1 and the limit of the first group that the call falls into; 0 if it falls into none. */
int gw_groups_find(apr_pool_t *p, const char *text, const gw_group_facts_t *facts, gw_group_limit_t *limit);

#endif
