/* SPDX-License-Identifier: Apache-2.0 */
#include "lifecycle.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

const po_transition_t po_transitions[] = {{"CREATED", "Publish", "PUBLISHED"},
                                          {"CREATED", "Deploy as a Prototype", "PROTOTYPED"},
                                          {"PROTOTYPED", "Publish", "PUBLISHED"},
                                          {"PROTOTYPED", "Demote to Created", "CREATED"},
                                          {"PUBLISHED", "Block", "BLOCKED"},
                                          {"PUBLISHED", "Deprecate", "DEPRECATED"},
                                          {"PUBLISHED", "Demote to Created", "CREATED"},
                                          {"PUBLISHED", "Demote to Prototyped", "PROTOTYPED"},
                                          {"PUBLISHED", "Publish", "PUBLISHED"},
                                          {"BLOCKED", "Re-Publish", "PUBLISHED"},
                                          {"BLOCKED", "Deprecate", "DEPRECATED"},
                                          {"DEPRECATED", "Retire", "RETIRED"},
                                          {NULL, NULL, NULL}};

const char *po_lifecycle_next(const char *from, const char *action)
{
    const po_transition_t *t;
    for (t = po_transitions; t->from; t++) {
        if (strcmp(t->from, from) == 0 && strcmp(t->action, action) == 0) {
            return t->to;
        }
    }
    return NULL;
}

int po_lifecycle_is_deployed(const char *state)
{
    return strcmp(state, "CREATED") != 0 && strcmp(state, "RETIRED") != 0;
}

int po_lifecycle_has_checklist(const char *state)
{
    return strcmp(state, "CREATED") == 0 || strcmp(state, "PROTOTYPED") == 0;
}

int po_lifecycle_checked(const char *checklist, const char *item)
{
    size_t len = strlen(item);
    const char *s = checklist;
    while (s && *s) {
        while (*s == ' ' || *s == ',') {
            s++;
        }
        if (strncasecmp(s, item, len) == 0) {
            const char *value = s + len;
            while (*value == ' ') {
                value++;
            }
            if (*value == ':') {
                for (value++; *value == ' '; value++) {
                }
                return strncasecmp(value, "true", 4) == 0 && !isalnum((unsigned char)value[4]);
            }
        }
        s += strcspn(s, ",");
    }
    return 0;
}
