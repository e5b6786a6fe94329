/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GW_REPLICA_H
#define GW_REPLICA_H

#include "deny_table.h"
#include "gateway.h"
#include "route_table.h"

/*
 * This node's own copy of what it serves: an LMDB environment on its disk. One process at a time writes (the
 * sync watchdog's holder), every child reads without a lock, in memory that all children share. It survives
 * restarts, so a node serves with every database down.
 *
 * Open it after fork, in each child (LMDB forbids to carry an environment over a fork). Readers: any thread;
 * each thread keeps one read transaction of its own and renews it for a look-up; nothing of the replica is
 * held between look-ups. Writer: one gw_replica_write_begin … commit/abort at a time in the process that runs
 * the sync.
 */
typedef struct gw_replica_t gw_replica_t;

/** Opens (creates) the replica in dir. readers: threads of all children that may read at once. An environment
 * of another format or a damaged one is moved aside (dir/replica.bad) and begun anew: *rebuilt is set, the
 * sync fills it again. */
apim_error_t *gw_replica_open(apr_pool_t *p, const char *dir, unsigned int readers, int *rebuilt,
                              gw_replica_t **replica);

/** Opens an existing replica for reading only (dumps). NULL *replica if there is none. */
apim_error_t *gw_replica_open_readonly(apr_pool_t *p, const char *dir, gw_replica_t **replica);

void gw_replica_close(gw_replica_t *replica);

typedef struct gw_route_t {
    gw_api_t *api;
    gw_operation_t *operation; /* NULL unless match is GW_MATCH_FOUND */
    gw_match_e match;
    const char *allow;         /* of GW_MATCH_NO_VERB */
    apr_size_t context_length; /* how much of the path was the context */
    int denials;               /* there are deny policies */
} gw_route_t;

/** Finds the API with the longest context of path, and its operation. *route is NULL if no context matches.
 * All results are copied into p. Cost: one look-up a depth that any context has, whatever the number of APIs.
 */
apim_error_t *gw_replica_route(gw_replica_t *replica, apr_pool_t *p, const char *method, const char *path,
                               gw_route_t **route);

/** The policy level/name, NULL if absent. */
apim_error_t *gw_replica_policy(gw_replica_t *replica, apr_pool_t *p, const char *level, const char *name,
                                gw_policy_t **policy);

/** The id of a deny policy that one of the facts falls under, NULL for none. */
apim_error_t *gw_replica_denied(gw_replica_t *replica, apr_pool_t *p, const gw_deny_facts_t *facts,
                                const char **id);

/** Where the replica stands in the registry's feed. */
typedef struct gw_position_t {
    const char *epoch; /* "" if it never was filled */
    apr_int64_t revision;
} gw_position_t;

apim_error_t *gw_replica_position(gw_replica_t *replica, apr_pool_t *p, gw_position_t *position);

typedef struct gw_replica_stat_t {
    apr_int64_t apis, contexts, policies, failures;
    apr_int64_t bytes_used, bytes_mapped;
} gw_replica_stat_t;

apim_error_t *gw_replica_stat(gw_replica_t *replica, apr_pool_t *p, gw_replica_stat_t *stat);

/** Calls fn for each API with its context, in order of contexts. */
apim_error_t *gw_replica_each(gw_replica_t *replica, apr_pool_t *p,
                              void (*fn)(void *baton, apr_pool_t *p, const char *context,
                                         const gw_record_t *record),
                              void *baton);

/** Appends {kind, key, reason} to list for the first max artefacts that could not be deployed. */
apim_error_t *gw_replica_failures(gw_replica_t *replica, apr_pool_t *p, int max, json_t *list);

/* -- writing (sync watchdog only)
 * -------------------------------------------------------------------------------------- */

apim_error_t *gw_replica_write_begin(gw_replica_t *replica, apr_pool_t *p);
/** Removes everything (another epoch: the feed starts over). */
apim_error_t *gw_replica_clear(gw_replica_t *replica, apr_pool_t *p);
/** Stores an API under its contexts in place of its former self. The first context is its own: 409 if it is
 * another API's own. The others (of a default version) are taken over from another default version, not from
 * an API whose own they are. */
apim_error_t *gw_replica_put_api(gw_replica_t *replica, apr_pool_t *p, const char *id,
                                 const gw_record_t *record, apr_size_t size,
                                 const apr_array_header_t *contexts);
apim_error_t *gw_replica_remove_api(gw_replica_t *replica, apr_pool_t *p, const char *id);
/** key: "level/name"; of a deny policy "deny/id". */
apim_error_t *gw_replica_put_policy(gw_replica_t *replica, apr_pool_t *p, const char *key,
                                    const json_t *policy);
apim_error_t *gw_replica_remove_policy(gw_replica_t *replica, apr_pool_t *p, const char *key);
/** Remembers that an artefact could not be deployed, and why; reason NULL: it could. */
apim_error_t *gw_replica_note_failure(gw_replica_t *replica, apr_pool_t *p, const char *kind, const char *key,
                                      const char *reason);
apim_error_t *gw_replica_set_position(gw_replica_t *replica, apr_pool_t *p, const gw_position_t *position);
apim_error_t *gw_replica_commit(gw_replica_t *replica, apr_pool_t *p);
void gw_replica_abort(gw_replica_t *replica);

/** Frees the reader slots of processes that were killed. */
void gw_replica_reap_readers(gw_replica_t *replica);

#endif
