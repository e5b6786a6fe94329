/* SPDX-License-Identifier: Apache-2.0 */
#include "deny_table.h"

#include <apr_strings.h>
#include <arpa/inet.h>
#include <string.h>

#include "apim_json.h"

#define MAX_KEY   511
#define MAX_VALUE (MAX_KEY - 1)
#define ADDRESS   16 /* bytes; an IPv4 address is mapped into IPv6 */

enum { KIND_API = 'A', KIND_APPLICATION = 'P', KIND_USER = 'U', KIND_ADDRESS = 'I', KIND_RANGE = 'R' };

/* As it is stored; its key among the values stands behind it. The key begins with the kind: of a range the id
 * follows, which makes ranges neighbours; else the value does. */
typedef struct flat_t {
    unsigned char kind, invert;
    unsigned char low[ADDRESS], high[ADDRESS];
} flat_t;

int gw_address_parse(const char *text, unsigned char *out)
{
    static const unsigned char mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    if (strchr(text, ':')) {
        return inet_pton(AF_INET6, text, out) == 1;
    }
    memcpy(out, mapped, sizeof(mapped));
    return inet_pton(AF_INET, text, out + sizeof(mapped)) == 1;
}

static MDB_val val(const void *data, size_t len)
{
    MDB_val v = {len, (void *)data}; /* LMDB does not write through it */
    return v;
}

/* -- the tables as such
 * --------------------------------------------------------------------------------------- */

int gw_deny_open(MDB_txn *txn, unsigned int flags, gw_deny_tables_t *tables)
{
    int rc = mdb_dbi_open(txn, "denies", flags, &tables->policies);
    return rc ? rc : mdb_dbi_open(txn, "denied", flags, &tables->values);
}

int gw_deny_clear(MDB_txn *txn, const gw_deny_tables_t *tables)
{
    int rc = mdb_drop(txn, tables->policies, 0);
    return rc ? rc : mdb_drop(txn, tables->values, 0);
}

int gw_deny_any(MDB_txn *txn, const gw_deny_tables_t *tables)
{
    MDB_stat stat;
    return mdb_stat(txn, tables->policies, &stat) == 0 && stat.ms_entries > 0;
}

/* -- writing
 * -------------------------------------------------------------------------------------------------- */

int gw_deny_remove(MDB_txn *txn, const gw_deny_tables_t *tables, const char *id)
{
    MDB_val key = val(id, strlen(id)), data, owner;
    unsigned char text[MAX_KEY];
    flat_t flat;
    int rc = strlen(id) > MAX_KEY - 1 ? MDB_NOTFOUND : mdb_get(txn, tables->policies, &key, &data);
    if (rc || data.mv_size < sizeof(flat) || data.mv_size > sizeof(flat) + MAX_KEY) {
        return rc == MDB_NOTFOUND ? 0 : rc;
    }
    /* Copied: writing may move what a look-up found. */
    memcpy(text, (const char *)data.mv_data + sizeof(flat), data.mv_size - sizeof(flat));
    key = val(text, data.mv_size - sizeof(flat));
    rc = mdb_get(txn, tables->values, &key, &owner);
    /* Another policy may have the same value by now. */
    if (!rc && owner.mv_size == strlen(id) && memcmp(owner.mv_data, id, owner.mv_size) == 0) {
        rc = mdb_del(txn, tables->values, &key, NULL);
    }
    key = val(id, strlen(id));
    rc = rc && rc != MDB_NOTFOUND ? rc : mdb_del(txn, tables->policies, &key, NULL);
    return rc;
}

static apim_error_t *read_addresses(apr_pool_t *p, const json_t *artefact, flat_t *flat)
{
    const char *low = apim_json_str(artefact, flat->kind == KIND_RANGE ? "start" : "value", "");
    const char *high = apim_json_str(artefact, "end", low);
    if (!gw_address_parse(low, flat->low) || !gw_address_parse(high, flat->high) ||
        memcmp(flat->low, flat->high, ADDRESS) > 0) {
        return apim_bad_request(p, "'%s' to '%s' is no range of addresses", low, high);
    }
    flat->invert = (unsigned char)apim_json_bool(artefact, "invert", 0);
    return NULL;
}

static apim_error_t *read_artefact(apr_pool_t *p, const json_t *artefact, const char *id, flat_t *flat,
                                   MDB_val *key)
{
    static const struct {
        const char *type;
        unsigned char kind;
    } types[] = {{"API", KIND_API},
                 {"APPLICATION", KIND_APPLICATION},
                 {"USER", KIND_USER},
                 {"IP", KIND_ADDRESS},
                 {"IPRANGE", KIND_RANGE}};
    const char *type = apim_json_str(artefact, "type", ""), *value = apim_json_str(artefact, "value", "");
    apr_size_t i;
    for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        flat->kind = strcmp(type, types[i].type) == 0 ? types[i].kind : flat->kind;
    }
    if (!flat->kind || strlen(value) > MAX_VALUE || strlen(id) > MAX_VALUE) {
        return apim_bad_request(p, "the deny policy %s has the type '%s'", id, type);
    }
    if (flat->kind == KIND_ADDRESS || flat->kind == KIND_RANGE) {
        APIM_TRY(read_addresses(p, artefact, flat));
    }
    if (flat->kind == KIND_ADDRESS && !flat->invert) {
        char *bytes = apr_palloc(p, ADDRESS + 1);
        bytes[0] = KIND_ADDRESS;
        memcpy(bytes + 1, flat->low, ADDRESS);
        *key = val(bytes, ADDRESS + 1);
        return NULL;
    }
    flat->kind = flat->kind == KIND_ADDRESS ? KIND_RANGE : flat->kind;
    value = apr_psprintf(p, "%c%s", flat->kind, flat->kind == KIND_RANGE ? id : value);
    *key = val(value, strlen(value));
    return NULL;
}

apim_error_t *gw_deny_put(MDB_txn *txn, const gw_deny_tables_t *tables, apr_pool_t *p, const char *id,
                          const json_t *artefact)
{
    MDB_val key, name = val(id, strlen(id)), owner = name, data;
    flat_t flat = {0};
    char *bytes;
    int rc;
    APIM_TRY(read_artefact(p, artefact, id, &flat, &key));
    bytes = apr_palloc(p, sizeof(flat) + key.mv_size);
    memcpy(bytes, &flat, sizeof(flat));
    memcpy(bytes + sizeof(flat), key.mv_data, key.mv_size);
    data = val(bytes, sizeof(flat) + key.mv_size);
    rc = gw_deny_remove(txn, tables, id);
    rc = rc ? rc : mdb_put(txn, tables->policies, &name, &data, 0);
    rc = rc ? rc : mdb_put(txn, tables->values, &key, &owner, 0);
    return rc ? apim_internal(p, "replica: %s: %s", id, mdb_strerror(rc)) : NULL;
}

/* -- reading
 * -------------------------------------------------------------------------------------------------- */

static const char *find_exact(MDB_txn *txn, const gw_deny_tables_t *tables, apr_pool_t *p, char kind,
                              const char *value, apr_size_t len)
{
    char bytes[MAX_KEY];
    MDB_val key = val(bytes, len + 1), id;
    if (!value || len > MAX_VALUE) {
        return NULL;
    }
    bytes[0] = kind;
    memcpy(bytes + 1, value, len);
    return mdb_get(txn, tables->values, &key, &id) == 0 ? apr_pstrmemdup(p, id.mv_data, id.mv_size) : NULL;
}

static const char *find_text(MDB_txn *txn, const gw_deny_tables_t *tables, apr_pool_t *p, char kind,
                             const char *value)
{
    return value ? find_exact(txn, tables, p, kind, value, strlen(value)) : NULL;
}

static int in_range(MDB_txn *txn, const gw_deny_tables_t *tables, MDB_val id, const unsigned char *address)
{
    MDB_val data;
    flat_t flat;
    if (mdb_get(txn, tables->policies, &id, &data) != 0 || data.mv_size < sizeof(flat)) {
        return 0;
    }
    memcpy(&flat, data.mv_data, sizeof(flat));
    return (memcmp(address, flat.low, ADDRESS) >= 0 && memcmp(address, flat.high, ADDRESS) <= 0) !=
           (flat.invert != 0);
}

static const char *find_range(MDB_txn *txn, const gw_deny_tables_t *tables, apr_pool_t *p,
                              const unsigned char *address)
{
    const char kind = KIND_RANGE, *found = NULL;
    MDB_val key = val(&kind, 1), id;
    MDB_cursor *cursor;
    int rc;
    if (mdb_cursor_open(txn, tables->values, &cursor) != 0) {
        return NULL;
    }
    rc = mdb_cursor_get(cursor, &key, &id, MDB_SET_RANGE);
    while (!rc && !found && key.mv_size && *(const char *)key.mv_data == KIND_RANGE) {
        found = in_range(txn, tables, id, address) ? apr_pstrmemdup(p, id.mv_data, id.mv_size) : NULL;
        rc = mdb_cursor_get(cursor, &key, &id, MDB_NEXT);
    }
    mdb_cursor_close(cursor);
    return found;
}

const char *gw_deny_find(MDB_txn *txn, const gw_deny_tables_t *tables, apr_pool_t *p,
                         const gw_deny_facts_t *facts)
{
    const char *found = find_text(txn, tables, p, KIND_API, facts->api);
    unsigned char address[ADDRESS];
    found = found ? found : find_text(txn, tables, p, KIND_APPLICATION, facts->application);
    found = found ? found : find_text(txn, tables, p, KIND_USER, facts->user);
    if (!found && facts->address && gw_address_parse(facts->address, address)) {
        found = find_exact(txn, tables, p, KIND_ADDRESS, (const char *)address, ADDRESS);
        found = found ? found : find_range(txn, tables, p, address);
    }
    return found;
}
