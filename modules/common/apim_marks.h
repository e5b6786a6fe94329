/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APIM_MARKS_H
#define APIM_MARKS_H

#include <stddef.h>
#include <stdint.h>

/*
 * "What was verified before this is stale." When a token is revoked or an application changes, its subject is
 * marked, and every answer that the Key Manager was asked for before is worth nothing from that instant, in
 * all children, without finding it in any cache.
 *
 * A fixed table in shared memory; a mark lies where the keyed hash of its kind and subject points. Two
 * subjects in one place only mean that somebody is asked about once more. Time is a counter that each mark
 * advances, so a clock that is set back cannot bring a revoked token to life. A verification takes its stamp
 * BEFORE it asks: a mark that arrives while the question is under way makes the answer stale.
 *
 * The table outlives graceful restarts with its layout unchanged, so that children of the old generation see
 * the marks that the new one makes. All functions may be called from any thread of any child; none waits.
 */
typedef enum {
    APIM_MARK_TOKEN,
    APIM_MARK_CLIENT,
    APIM_MARK_APPLICATION,
    APIM_MARK_API,
    APIM_MARK_USER,
    APIM_MARK_KINDS
} apim_mark_kind_e;

typedef struct apim_marks_t apim_marks_t;

/** Bytes of shared memory the table needs. */
size_t apim_marks_size(void);

/** Prepares zeroed memory; key is random. */
apim_marks_t *apim_marks_init(void *memory, const uint64_t key[2]);

/** The stamp of a verification that starts now. */
uint64_t apim_marks_stamp(const apim_marks_t *marks);

/** Where the mark of a subject lies. Empty or NULL subjects share one place. */
uint32_t apim_marks_place(const apim_marks_t *marks, apim_mark_kind_e kind, const char *subject);

/** Marks a subject: what was verified before is stale. */
void apim_marks_set(apim_marks_t *marks, apim_mark_kind_e kind, const char *subject);

/** The same by the name used in am_invalidation ("token", "client", "application", "api", "user"). An unknown
 * kind marks everything: better to ask again than to miss a revocation. */
void apim_marks_set_named(apim_marks_t *marks, const char *kind, const char *subject);

/** Marks everything (the feed started anew, or we were away too long). */
void apim_marks_set_all(apim_marks_t *marks);

/** 1 if a verification with this stamp is newer than all its marks. */
int apim_marks_fresh(const apim_marks_t *marks, uint64_t stamp, const uint32_t *places, int count);

#endif
