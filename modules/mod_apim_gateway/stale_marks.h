/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GW_STALE_MARKS_H
#define GW_STALE_MARKS_H

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
    GW_MARK_TOKEN,
    GW_MARK_CLIENT,
    GW_MARK_APPLICATION,
    GW_MARK_API,
    GW_MARK_USER,
    GW_MARK_KINDS
} gw_mark_kind_e;

typedef struct gw_stale_marks_t gw_stale_marks_t;

/** Bytes of shared memory the table needs. */
size_t gw_stale_marks_size(void);

/** Prepares zeroed memory; key is random. */
gw_stale_marks_t *gw_stale_marks_init(void *memory, const uint64_t key[2]);

/** The stamp of a verification that starts now. */
uint64_t gw_stale_marks_stamp(const gw_stale_marks_t *marks);

/** Where the mark of a subject lies. Empty or NULL subjects share one place. */
uint32_t gw_stale_marks_place(const gw_stale_marks_t *marks, gw_mark_kind_e kind, const char *subject);

/** Marks a subject: what was verified before is stale. */
void gw_stale_marks_set(gw_stale_marks_t *marks, gw_mark_kind_e kind, const char *subject);

/** The same by the name used in am_invalidation ("token", "client", "application", "api", "user"). An unknown
 * kind marks everything: better to ask again than to miss a revocation. */
void gw_stale_marks_set_named(gw_stale_marks_t *marks, const char *kind, const char *subject);

/** Marks everything (the feed started anew, or we were away too long). */
void gw_stale_marks_set_all(gw_stale_marks_t *marks);

/** 1 if a verification with this stamp is newer than all its marks. */
int gw_stale_marks_fresh(const gw_stale_marks_t *marks, uint64_t stamp, const uint32_t *places, int count);

#endif
