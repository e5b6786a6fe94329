/* SPDX-License-Identifier: Apache-2.0 */
#include "apim_marks.h"

#include <string.h>

#include "apim_siphash.h"

#define PLACES      65536u
#define SUBJECT_MAX 512

struct apim_marks_t {
    uint64_t key[2];
    uint64_t counter; /* of marks made */
    uint64_t all;     /* the mark of everything */
    uint64_t mark[PLACES];
};

_Static_assert(__atomic_always_lock_free(8, 0),
               "64-bit atomics must not need a lock: it would be private to a process");

size_t apim_marks_size(void)
{
    return sizeof(apim_marks_t);
}

apim_marks_t *apim_marks_init(void *memory, const uint64_t key[2])
{
    apim_marks_t *marks = memory;
    marks->key[0] = key[0];
    marks->key[1] = key[1];
    return marks;
}

uint64_t apim_marks_stamp(const apim_marks_t *marks)
{
    return __atomic_load_n(&marks->counter, __ATOMIC_SEQ_CST);
}

uint32_t apim_marks_place(const apim_marks_t *marks, apim_mark_kind_e kind, const char *subject)
{
    char text[SUBJECT_MAX + 1];
    uint64_t hash[2];
    size_t len = subject ? strnlen(subject, SUBJECT_MAX) : 0;
    text[0] = (char)kind;
    if (len) {
        memcpy(text + 1, subject, len);
    }
    apim_siphash128(marks->key, text, len + 1, hash);
    return (uint32_t)(hash[0] % PLACES);
}

static void raise_to(uint64_t *mark, uint64_t value)
{
    uint64_t old = __atomic_load_n(mark, __ATOMIC_RELAXED);
    while (old < value &&
           !__atomic_compare_exchange_n(mark, &old, value, 1, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED)) {
    }
}

void apim_marks_set(apim_marks_t *marks, apim_mark_kind_e kind, const char *subject)
{
    uint64_t value = __atomic_add_fetch(&marks->counter, 1, __ATOMIC_SEQ_CST);
    raise_to(&marks->mark[apim_marks_place(marks, kind, subject)], value);
}

void apim_marks_set_named(apim_marks_t *marks, const char *kind, const char *subject)
{
    static const char *const names[APIM_MARK_KINDS] = {"token", "client", "application", "api", "user"};
    int i;
    for (i = 0; i < APIM_MARK_KINDS; i++) {
        if (kind && strcmp(kind, names[i]) == 0) {
            apim_marks_set(marks, (apim_mark_kind_e)i, subject);
            return;
        }
    }
    apim_marks_set_all(marks);
}

void apim_marks_set_all(apim_marks_t *marks)
{
    raise_to(&marks->all, __atomic_add_fetch(&marks->counter, 1, __ATOMIC_SEQ_CST));
}

int apim_marks_fresh(const apim_marks_t *marks, uint64_t stamp, const uint32_t *places, int count)
{
    int i;
    if (stamp < __atomic_load_n(&marks->all, __ATOMIC_ACQUIRE)) {
        return 0;
    }
    for (i = 0; i < count; i++) {
        if (stamp < __atomic_load_n(&marks->mark[places[i] % PLACES], __ATOMIC_ACQUIRE)) {
            return 0;
        }
    }
    return 1;
}
