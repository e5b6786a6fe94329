/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GW_DENY_TABLE_H
#define GW_DENY_TABLE_H

#include <jansson.h>
#include <lmdb.h>

#include "apim_error.h"

/*
 * Deny policies in the replica: who is turned away, whatever he shows. Exact values (an API, an application,
 * a user, an address) are found by one look-up each, however many there are; ranges of addresses and "all
 * but" conditions are gone through one by one. Each function works within the transaction that is given.
 */
typedef struct gw_deny_tables_t {
    MDB_dbi policies; /* id -> flat policy */
    MDB_dbi values;   /* kind and value -> id */
} gw_deny_tables_t;

/* What a call is asked about; NULL: not yet known, or not there. */
typedef struct gw_deny_facts_t {
    const char *api;         /* context with version */
    const char *address;     /* of the client, as text */
    const char *application; /* "owner:name" */
    const char *user;
} gw_deny_facts_t;

/** An address as 16 bytes, IPv4 mapped into IPv6: addresses and ranges of both kinds compare with memcmp. 1,
 * or 0 if the text is none. */
int gw_address_parse(const char *text, unsigned char *out);

/** Opens the tables; flags as of mdb_dbi_open. Returns LMDB's code. */
int gw_deny_open(MDB_txn *txn, unsigned int flags, gw_deny_tables_t *tables);

/** Empties them. */
int gw_deny_clear(MDB_txn *txn, const gw_deny_tables_t *tables);

/** 1 if there is any policy: costs nothing. */
int gw_deny_any(MDB_txn *txn, const gw_deny_tables_t *tables);

/** Stores the artefact of a deny policy under its id in place of its former self. 400 if it is not usable. */
apim_error_t *gw_deny_put(MDB_txn *txn, const gw_deny_tables_t *tables, apr_pool_t *p, const char *id,
                          const json_t *artefact);

/** Removes it. Returns LMDB's code, 0 if it was not there. */
int gw_deny_remove(MDB_txn *txn, const gw_deny_tables_t *tables, const char *id);

/** The id of a policy that one of the facts falls under, in p; NULL for none. */
const char *gw_deny_find(MDB_txn *txn, const gw_deny_tables_t *tables, apr_pool_t *p,
                         const gw_deny_facts_t *facts);

#endif
