/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KM_RECALL_H
#define KM_RECALL_H

#include "apim_db.h"
#include "apim_marks.h"
#include "keymgr_config.h"

/*
 * Rows of the API Manager database that clients ask about again and again - the client itself, the token it
 * introspects - are remembered by each child, so that the answer costs no statement.
 *
 * A remembered row is used only while it is known to hold:
 * - Nothing it depends on was changed since it was read. Whoever changes it writes an invalidation in the
 * same transaction (am_invalidation, as for gateways); the node's watch (recall_watch.h) learns of it by
 * NOTIFY and marks what it names as stale. What this node itself changes is marked before the answer goes
 * out.
 * - The watch has heard from the database within KM_RECALL_CONFIRMED. So a node that is cut off asks the
 *   database, and answers 503 if that is away.
 * - It is younger than KM_RECALL_AGE, whatever happens.
 * Without NOTIFY (SQLite) nothing is remembered. Gateways' verifications never come from here: what they are
 * told they keep, and they may ask within the moment that an invalidation takes to arrive.
 */
#define KM_RECALL_CONFIRMED 1000  /* ms */
#define KM_RECALL_AGE       10000 /* ms */
#define KM_RECALL_SUBJECTS  4

/* What a row depends on; see apim_marks.h. */
typedef struct km_subjects_t {
    int count;
    struct {
        apim_mark_kind_e kind;
        const char *subject;
    } of[KM_RECALL_SUBJECTS];
} km_subjects_t;

/** Adds one; NULL subjects are left out. */
void km_subject_add(km_subjects_t *subjects, apim_mark_kind_e kind, const char *subject);

/** Names what a row depends on. args: those of the statement. */
typedef void(km_subjects_fn)(const char *const *args, const char *const *row, km_subjects_t *subjects);

/** The one row that a SELECT finds, in call->pool: remembered, or read and remembered. *row NULL if there is
 * none, which is never remembered. Errors: as apim_db_select. */
apim_error_t *km_recall_row(const km_call_t *call, const apim_stmt_t *stmt, km_subjects_fn *subjects_of,
                            const char *const *args, int nargs, const char *const **row);

/** This request's transaction invalidates a subject; km_recall_settle marks it once the work is done. */
void km_recall_note(request_rec *r, const char *kind, const char *subject);

/** To be called when the work of a request is done and before its answer is sent. */
void km_recall_settle(request_rec *r);

/* -- for the watch: what the children of a node share
 * --------------------------------------------------------- */

typedef struct km_recall_state_t {
    apim_marks_t *marks;
    apr_uint64_t confirmed_at; /* ms of a clock that never goes back; 0: not at present */
    apr_uint64_t wanted_at;    /* when somebody would have liked to recall something */
    apr_int64_t revision;      /* of am_invalidation up to which marks are made; -1: nowhere */
    char epoch[128];
} km_recall_state_t;

/** Makes or finds the memory; in post_config. NULL or an error sentence. followed: the configuration whose
 * database the watch follows; only rows of that are remembered. */
const char *km_recall_setup(const km_config_t *followed);

/** NULL before km_recall_setup. */
km_recall_state_t *km_recall_state(void);

/** Milliseconds of CLOCK_MONOTONIC. */
apr_uint64_t km_recall_now(void);

#endif
