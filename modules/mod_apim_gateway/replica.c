/* SPDX-License-Identifier: Apache-2.0 */
#include "replica.h"

#include <apr_file_io.h>
#include <apr_strings.h>
#include <lmdb.h>
#include <errno.h>
#include <string.h>
#include <sys/statvfs.h>

#include "apim_json.h"
#include "policy_groups.h"
#include "apim_text.h"

#define FULL_DISK  (1024 * 1024)      /* less is left: a disk is full */
#define MAP_SIZE   ((size_t)16 << 30) /* address space, not memory: the file grows as it is filled */
#define MAX_DEPTH  31
#define MAX_KEY    511
#define MAX_UNITS  100000 /* of a policy's window: far from an overflow */
#define PRIMARY    'P'    /* the API's own context: nobody else may have it */
#define SECONDARY  'S'    /* the context of a default version: moves to whoever came last */
#define FORMAT_KEY "format"
#define STATE_KEY  "position"
#define DEPTHS_KEY "depths"

/* Bumped when what is stored changes; a record's own format counts too. */
#define FORMAT_TEXT "3." APR_STRINGIFY(GW_RECORD_FORMAT)

struct gw_replica_t {
    MDB_env *env;
    MDB_dbi contexts; /* context -> PRIMARY or SECONDARY, id */
    MDB_dbi apis;     /* id -> record */
    MDB_dbi owned;    /* id -> its contexts, each with its NUL */
    MDB_dbi policies; /* level/name -> flat_policy_t, and the text of its groups if there are any */
    MDB_dbi failures; /* kind, blank, key of an artefact that could not be deployed -> why */
    MDB_dbi meta;
    gw_deny_tables_t denies;
    MDB_txn *write;
};

typedef struct flat_policy_t {
    apr_int64_t request_count, window, burst_count, burst_window;
    apr_int64_t stop_on_quota;
} flat_policy_t;

/* The read transaction of this thread. One process has one replica, so one is enough. */
static __thread struct {
    gw_replica_t *replica;
    MDB_txn *txn;
} reader;

static MDB_val val(const void *data, size_t len)
{
    MDB_val v = {len, (void *)data}; /* LMDB does not write through it */
    return v;
}

static MDB_val sval(const char *s)
{
    return val(s, strlen(s));
}

static apim_error_t *failed(apr_pool_t *p, const char *what, int rc)
{
    return apim_internal(p, "replica: %s: %s", what, mdb_strerror(rc));
}

/* -- opening
 * ---------------------------------------------------------------------------------------------------------
 */

static int open_tables(gw_replica_t *r, MDB_txn *txn, unsigned int flags)
{
    int rc = mdb_dbi_open(txn, "contexts", flags, &r->contexts);
    rc = rc ? rc : mdb_dbi_open(txn, "apis", flags, &r->apis);
    rc = rc ? rc : mdb_dbi_open(txn, "owned", flags, &r->owned);
    rc = rc ? rc : mdb_dbi_open(txn, "policies", flags, &r->policies);
    rc = rc ? rc : mdb_dbi_open(txn, "failures", flags, &r->failures);
    rc = rc ? rc : mdb_dbi_open(txn, "meta", flags, &r->meta);
    return rc ? rc : gw_deny_open(txn, flags, &r->denies);
}

static int check_format(gw_replica_t *r, MDB_txn *txn, int create)
{
    MDB_val key = sval(FORMAT_KEY), data, format = sval(FORMAT_TEXT);
    int rc = mdb_get(txn, r->meta, &key, &data);
    if (rc == MDB_NOTFOUND && create) {
        return mdb_put(txn, r->meta, &key, &format, 0);
    }
    if (!rc && (data.mv_size != format.mv_size || memcmp(data.mv_data, format.mv_data, data.mv_size) != 0)) {
        return MDB_VERSION_MISMATCH;
    }
    return rc;
}

/* Opens the tables in one transaction; for writing, it makes what is missing. */
static int open_content(gw_replica_t *r, int write)
{
    MDB_txn *txn = NULL;
    int rc = mdb_txn_begin(r->env, NULL, write ? 0 : MDB_RDONLY, &txn);
    rc = rc ? rc : open_tables(r, txn, write ? MDB_CREATE : 0);
    rc = rc ? rc : check_format(r, txn, write);
    if (!rc) {
        return mdb_txn_commit(txn);
    }
    if (txn) {
        mdb_txn_abort(txn);
    }
    return rc;
}

static int open_env(gw_replica_t *r, const char *file, unsigned int readers, unsigned int flags)
{
    int rc = mdb_env_create(&r->env);
    if (rc) {
        return rc;
    }
    mdb_env_set_mapsize(r->env, MAP_SIZE);
    mdb_env_set_maxdbs(r->env, 8);
    mdb_env_set_maxreaders(r->env, readers);
    /* NOTLS: the transactions belong to our threads' own variables; NORDAHEAD: look-ups are random;
     * NOMETASYNC: one wait for the disk in place of two. After a crash of the machine the last transaction
     * may be missing, its revision with it, so that the feed brings it again; what is there is whole. */
    rc = mdb_env_open(r->env, file, flags | MDB_NOSUBDIR | MDB_NOTLS | MDB_NORDAHEAD | MDB_NOMETASYNC, 0640);
    /* Reading first: a child that starts must not wait for a sync that is writing. */
    rc = rc ? rc : open_content(r, 0);
    if (rc == MDB_NOTFOUND && !(flags & MDB_RDONLY)) {
        rc = open_content(r, 1);
    }
    if (rc) {
        mdb_env_close(r->env);
        r->env = NULL;
    }
    return rc;
}

static apr_status_t close_env(void *data)
{
    gw_replica_t *r = data;
    if (r->env) {
        mdb_env_close(r->env);
        r->env = NULL;
    }
    return APR_SUCCESS;
}

static int is_damaged(int rc)
{
    return rc == MDB_INVALID || rc == MDB_CORRUPTED || rc == MDB_VERSION_MISMATCH ||
           rc == MDB_PAGE_NOTFOUND || rc == MDB_PANIC;
}

apim_error_t *gw_replica_open(apr_pool_t *p, const char *dir, unsigned int readers, int *rebuilt,
                              gw_replica_t **replica)
{
    gw_replica_t *r = apr_pcalloc(p, sizeof(*r));
    const char *file = apr_pstrcat(p, dir, "/replica.mdb", NULL);
    int rc = open_env(r, file, readers, 0);
    *rebuilt = 0;
    if (is_damaged(rc)) {
        /* Moved, not removed: processes that have it mapped go on undisturbed, and somebody may want to look.
         */
        apr_file_rename(file, apr_pstrcat(p, dir, "/replica.bad", NULL), p);
        apr_file_remove(apr_pstrcat(p, file, "-lock", NULL), p);
        *rebuilt = 1;
        rc = open_env(r, file, readers, 0);
    }
    if (rc) {
        return apim_internal(p, "replica: cannot open %s: %s", file, mdb_strerror(rc));
    }
    apr_pool_cleanup_register(p, r, close_env, apr_pool_cleanup_null);
    *replica = r;
    return NULL;
}

apim_error_t *gw_replica_open_readonly(apr_pool_t *p, const char *dir, gw_replica_t **replica)
{
    gw_replica_t *r = apr_pcalloc(p, sizeof(*r));
    const char *file = apr_pstrcat(p, dir, "/replica.mdb", NULL);
    int rc = open_env(r, file, 126, MDB_RDONLY);
    *replica = NULL;
    if (rc == ENOENT) {
        return NULL;
    }
    if (rc) {
        return apim_internal(p, "replica: cannot open %s: %s", file, mdb_strerror(rc));
    }
    apr_pool_cleanup_register(p, r, close_env, apr_pool_cleanup_null);
    *replica = r;
    return NULL;
}

void gw_replica_close(gw_replica_t *r)
{
    if (reader.replica == r && reader.txn) {
        mdb_txn_abort(reader.txn);
        reader.txn = NULL;
        reader.replica = NULL;
    }
    close_env(r);
}

/* -- reading
 * ---------------------------------------------------------------------------------------------------------
 */

static apim_error_t *read_begin(gw_replica_t *r, apr_pool_t *p, MDB_txn **txn)
{
    int rc;
    if (reader.txn && reader.replica == r) {
        rc = mdb_txn_renew(reader.txn);
    }
    else {
        rc = mdb_txn_begin(r->env, NULL, MDB_RDONLY, &reader.txn);
        reader.replica = r;
        if (rc) {
            reader.txn = NULL;
        }
    }
    *txn = reader.txn;
    return rc ? failed(p, "read", rc) : NULL;
}

/* Lets go of the pages, keeps the reader slot of the thread. */
static void read_end(void)
{
    mdb_txn_reset(reader.txn);
}

static int get(MDB_txn *txn, MDB_dbi table, MDB_val key, MDB_val *data)
{
    return mdb_get(txn, table, &key, data);
}

/* Bit d-1 is set if a context has d segments. */
static unsigned int depths_of(gw_replica_t *r, MDB_txn *txn)
{
    MDB_val data;
    unsigned int depths = 0;
    if (get(txn, r->meta, sval(DEPTHS_KEY), &data) == 0 && data.mv_size == sizeof(depths)) {
        memcpy(&depths, data.mv_data, sizeof(depths));
    }
    return depths;
}

/* Ends of the first segments of path: end[d] is the length of the prefix with d+1 segments. Returns their
 * number. */
static int prefix_ends(const char *path, apr_size_t *end)
{
    int depth = 0;
    const char *s = path;
    while (*s == '/' && s[1] && depth < MAX_DEPTH) {
        s += 1 + strcspn(s + 1, "/");
        end[depth++] = (apr_size_t)(s - path);
    }
    return depth;
}

/* The record behind an entry of the table of contexts. */
static const gw_record_t *record_of(gw_replica_t *r, MDB_txn *txn, MDB_val owner)
{
    MDB_val data;
    if (owner.mv_size < 2 ||
        get(txn, r->apis, val((const char *)owner.mv_data + 1, owner.mv_size - 1), &data) != 0) {
        return NULL;
    }
    return gw_record_ours(data.mv_data, data.mv_size) ? data.mv_data : NULL;
}

static const gw_record_t *longest_context(gw_replica_t *r, MDB_txn *txn, const char *path, apr_size_t *length)
{
    apr_size_t end[MAX_DEPTH];
    unsigned int depths = depths_of(r, txn);
    int depth = prefix_ends(path, end);
    for (; depth > 0; depth--) {
        MDB_val id;
        if ((depths & (1u << (depth - 1))) && end[depth - 1] <= MAX_KEY &&
            get(txn, r->contexts, val(path, end[depth - 1]), &id) == 0) {
            *length = end[depth - 1];
            return record_of(r, txn, id);
        }
    }
    return NULL;
}

apim_error_t *gw_replica_route(gw_replica_t *r, apr_pool_t *p, const char *method, const char *path,
                               gw_route_t **out)
{
    const gw_record_t *record;
    apr_size_t length = 0;
    gw_route_t *route;
    MDB_txn *txn;
    *out = NULL;
    APIM_TRY(read_begin(r, p, &txn));
    record = longest_context(r, txn, path, &length);
    if (record) {
        route = apr_pcalloc(p, sizeof(*route));
        route->context_length = length;
        route->denials = gw_deny_any(txn, &r->denies);
        route->api = gw_record_api(p, record);
        route->match = gw_record_match(p, record, method, path + length, &route->operation, &route->allow);
        *out = route;
    }
    read_end();
    return NULL;
}

apim_error_t *gw_replica_policy(gw_replica_t *r, apr_pool_t *p, const char *level, const char *name,
                                gw_policy_t **policy)
{
    char key[MAX_KEY + 1];
    flat_policy_t flat;
    MDB_txn *txn;
    MDB_val data;
    int rc;
    *policy = NULL;
    if (apr_snprintf(key, sizeof(key), "%s/%s", level, name) >= (int)sizeof(key) - 1) {
        return NULL;
    }
    APIM_TRY(read_begin(r, p, &txn));
    rc = get(txn, r->policies, sval(key), &data);
    if (!rc && data.mv_size >= sizeof(flat)) {
        memcpy(&flat, data.mv_data, sizeof(flat));
        *policy = apr_pcalloc(p, sizeof(**policy));
        (*policy)->name = apr_pstrdup(p, name);
        (*policy)->request_count = flat.request_count;
        (*policy)->window = flat.window;
        (*policy)->burst_count = flat.burst_count;
        (*policy)->burst_window = flat.burst_window;
        (*policy)->stop_on_quota = (int)flat.stop_on_quota;
        (*policy)->groups =
            data.mv_size > sizeof(flat)
                ? apr_pstrmemdup(p, (const char *)data.mv_data + sizeof(flat), data.mv_size - sizeof(flat))
                : NULL;
    }
    read_end();
    return rc && rc != MDB_NOTFOUND ? failed(p, key, rc) : NULL;
}

apim_error_t *gw_replica_denied(gw_replica_t *r, apr_pool_t *p, const gw_deny_facts_t *facts, const char **id)
{
    MDB_txn *txn;
    *id = NULL;
    APIM_TRY(read_begin(r, p, &txn));
    *id = gw_deny_find(txn, &r->denies, p, facts);
    read_end();
    return NULL;
}

apim_error_t *gw_replica_position(gw_replica_t *r, apr_pool_t *p, gw_position_t *position)
{
    MDB_txn *txn;
    MDB_val data;
    position->epoch = "";
    position->revision = 0;
    APIM_TRY(read_begin(r, p, &txn));
    if (get(txn, r->meta, sval(STATE_KEY), &data) == 0) {
        char *text = apr_pstrmemdup(p, data.mv_data, data.mv_size), *blank = strchr(text, ' ');
        if (blank) {
            *blank = '\0';
            if (apim_parse_i64(text, &position->revision) == 0) {
                position->epoch = blank + 1;
            }
        }
    }
    read_end();
    return NULL;
}

static apr_int64_t entries(MDB_txn *txn, MDB_dbi table)
{
    MDB_stat stat;
    return mdb_stat(txn, table, &stat) == 0 ? (apr_int64_t)stat.ms_entries : 0;
}

apim_error_t *gw_replica_stat(gw_replica_t *r, apr_pool_t *p, gw_replica_stat_t *stat)
{
    MDB_envinfo info;
    MDB_stat env;
    MDB_txn *txn;
    memset(stat, 0, sizeof(*stat));
    APIM_TRY(read_begin(r, p, &txn));
    stat->apis = entries(txn, r->apis);
    stat->contexts = entries(txn, r->contexts);
    stat->policies = entries(txn, r->policies);
    stat->failures = entries(txn, r->failures);
    read_end();
    if (mdb_env_info(r->env, &info) == 0 && mdb_env_stat(r->env, &env) == 0) {
        stat->bytes_used = (apr_int64_t)(info.me_last_pgno + 1) * env.ms_psize;
        stat->bytes_mapped = (apr_int64_t)info.me_mapsize;
    }
    return NULL;
}

apim_error_t *gw_replica_each(gw_replica_t *r, apr_pool_t *p,
                              void (*fn)(void *baton, apr_pool_t *p, const char *context,
                                         const gw_record_t *record),
                              void *baton)
{
    MDB_cursor *cursor = NULL;
    MDB_val key, id;
    MDB_txn *txn;
    int rc;
    APIM_TRY(read_begin(r, p, &txn));
    rc = mdb_cursor_open(txn, r->contexts, &cursor);
    while (!rc && (rc = mdb_cursor_get(cursor, &key, &id, MDB_NEXT)) == 0) {
        const gw_record_t *record = record_of(r, txn, id);
        if (record) {
            fn(baton, p, apr_pstrmemdup(p, key.mv_data, key.mv_size), record);
        }
    }
    if (cursor) {
        mdb_cursor_close(cursor);
    }
    read_end();
    return rc == MDB_NOTFOUND ? NULL : failed(p, "list", rc);
}

apim_error_t *gw_replica_failures(gw_replica_t *r, apr_pool_t *p, int max, json_t *list)
{
    MDB_cursor *cursor = NULL;
    MDB_val key, why;
    MDB_txn *txn;
    int rc;
    APIM_TRY(read_begin(r, p, &txn));
    rc = mdb_cursor_open(txn, r->failures, &cursor);
    while (!rc && max-- > 0 && (rc = mdb_cursor_get(cursor, &key, &why, MDB_NEXT)) == 0) {
        const char *kind = apr_pstrmemdup(p, key.mv_data, key.mv_size), *blank = strchr(kind, ' ');
        json_array_append_new(list,
                              json_pack("{s:s%, s:s, s:s}", "kind", kind, (size_t)(blank - kind), "key",
                                        blank + 1, "reason", apr_pstrmemdup(p, why.mv_data, why.mv_size)));
    }
    if (cursor) {
        mdb_cursor_close(cursor);
    }
    read_end();
    return rc && rc != MDB_NOTFOUND ? failed(p, "failures", rc) : NULL;
}

/* -- writing
 * ---------------------------------------------------------------------------------------------------------
 */

static int put(gw_replica_t *r, MDB_dbi table, MDB_val key, MDB_val data)
{
    return mdb_put(r->write, table, &key, &data, 0);
}

static int del(gw_replica_t *r, MDB_dbi table, MDB_val key)
{
    int rc = mdb_del(r->write, table, &key, NULL);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

apim_error_t *gw_replica_write_begin(gw_replica_t *r, apr_pool_t *p)
{
    int rc = mdb_txn_begin(r->env, NULL, 0, &r->write);
    return rc ? failed(p, "begin", rc) : NULL;
}

apim_error_t *gw_replica_clear(gw_replica_t *r, apr_pool_t *p)
{
    int rc = mdb_drop(r->write, r->contexts, 0);
    rc = rc ? rc : mdb_drop(r->write, r->apis, 0);
    rc = rc ? rc : mdb_drop(r->write, r->owned, 0);
    rc = rc ? rc : mdb_drop(r->write, r->policies, 0);
    rc = rc ? rc : mdb_drop(r->write, r->failures, 0);
    rc = rc ? rc : gw_deny_clear(r->write, &r->denies);
    rc = rc ? rc : del(r, r->meta, sval(DEPTHS_KEY));
    return rc ? failed(p, "clear", rc) : NULL;
}

/* 1 if the context belongs to the API. */
static int owns(const MDB_val *owner, const char *id)
{
    return owner->mv_size == strlen(id) + 1 &&
           memcmp((const char *)owner->mv_data + 1, id, owner->mv_size - 1) == 0;
}

/* Takes away the contexts that the API has now. */
static int remove_contexts(gw_replica_t *r, apr_pool_t *p, const char *id)
{
    MDB_val data, owner;
    const char *list, *s;
    apr_size_t len;
    int rc = get(r->write, r->owned, sval(id), &data);
    if (rc) {
        return rc == MDB_NOTFOUND ? 0 : rc;
    }
    len = data.mv_size;
    list = apr_pmemdup(p, data.mv_data, len + (len == 0));
    for (s = list; s < list + len && !rc; s += strlen(s) + 1) {
        if (get(r->write, r->contexts, sval(s), &owner) == 0 && owns(&owner, id)) {
            rc = del(r, r->contexts, sval(s));
        }
    }
    return rc;
}

static int add_depth(gw_replica_t *r, const char *context)
{
    unsigned int depths = depths_of(r, r->write), added = depths | 1u << (gw_path_depth(context) - 1);
    return added == depths ? 0 : put(r, r->meta, sval(DEPTHS_KEY), val(&added, sizeof(added)));
}

static apim_error_t *claim_context(gw_replica_t *r, apr_pool_t *p, const char *id, const char *context,
                                   char kind)
{
    MDB_val owner;
    int rc = get(r->write, r->contexts, sval(context), &owner);
    if (!rc && !owns(&owner, id) && *(const char *)owner.mv_data == PRIMARY) {
        return apim_conflict(p, "The context %s belongs to the API %.*s.", context, (int)owner.mv_size - 1,
                             (const char *)owner.mv_data + 1);
    }
    rc = put(r, r->contexts, sval(context), sval(apr_psprintf(p, "%c%s", kind, id)));
    rc = rc ? rc : add_depth(r, context);
    return rc ? failed(p, context, rc) : NULL;
}

apim_error_t *gw_replica_put_api(gw_replica_t *r, apr_pool_t *p, const char *id, const gw_record_t *record,
                                 apr_size_t size, const apr_array_header_t *contexts)
{
    const char *owned = "";
    apr_size_t len = 0;
    int rc = remove_contexts(r, p, id), i;
    for (i = 0; i < contexts->nelts && !rc; i++) {
        const char *context = APR_ARRAY_IDX(contexts, i, const char *);
        apr_size_t n = strlen(context) + 1;
        char *grown = apr_palloc(p, len + n);
        APIM_TRY(claim_context(r, p, id, context, i ? SECONDARY : PRIMARY));
        memcpy(grown, owned, len);
        memcpy(grown + len, context, n);
        owned = grown;
        len += n;
    }
    rc = rc ? rc : put(r, r->owned, sval(id), val(owned, len));
    rc = rc ? rc : put(r, r->apis, sval(id), val(record, size));
    return rc ? failed(p, "put", rc) : NULL;
}

apim_error_t *gw_replica_remove_api(gw_replica_t *r, apr_pool_t *p, const char *id)
{
    int rc = remove_contexts(r, p, id);
    rc = rc ? rc : del(r, r->owned, sval(id));
    rc = rc ? rc : del(r, r->apis, sval(id));
    return rc ? failed(p, "remove", rc) : NULL;
}

/* Seconds of a WSO2 time unit ("min", "hour" …, also spelled out); 0 if unknown. */
static apr_int64_t unit_seconds(const char *unit)
{
    static const struct {
        const char *name;
        apr_int64_t seconds;
    } units[] = {{"sec", 1},       {"min", 60},        {"hour", 3600},    {"day", 86400},
                 {"week", 604800}, {"month", 2592000}, {"year", 31536000}};
    size_t i;
    for (i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (strncasecmp(unit, units[i].name, strlen(units[i].name)) == 0) {
            return units[i].seconds;
        }
    }
    return 0;
}

/* "deny/<id>": the id; NULL for the key of a limit. */
static const char *deny_id(const char *key)
{
    return strncmp(key, "deny/", 5) == 0 ? key + 5 : NULL;
}

apim_error_t *gw_replica_put_policy(gw_replica_t *r, apr_pool_t *p, const char *key, const json_t *policy)
{
    flat_policy_t flat = {0};
    const char *deny = deny_id(key), *groups;
    apr_size_t len;
    char *bytes;
    apr_int64_t unit = unit_seconds(apim_json_str(policy, "timeUnit", ""));
    apr_int64_t units = apim_json_int(policy, "unitTime", 1);
    int rc;
    if (deny) {
        return gw_deny_put(r->write, &r->denies, p, deny, policy);
    }
    flat.request_count = apim_json_int(policy, "requestCount", -1);
    flat.window = units > 0 && units <= MAX_UNITS ? units * unit : 0;
    flat.burst_count = apim_json_int(policy, "rateLimitCount", 0);
    flat.burst_window = unit_seconds(apim_json_str(policy, "rateLimitTimeUnit", ""));
    flat.stop_on_quota = apim_json_bool(policy, "stopOnQuotaReach", 1);
    if (flat.request_count >= 0 && flat.window <= 0) {
        return apim_bad_request(
            p, "The policy %s has a request count without a usable timeUnit and unitTime.", key);
    }
    if (strlen(key) > MAX_KEY) {
        return apim_bad_request(p, "The name of the policy %s is too long.", key);
    }
    APIM_TRY(gw_groups_compile(p, json_object_get(policy, "groups"), unit_seconds, &groups));
    len = groups ? strlen(groups) : 0;
    bytes = apr_palloc(p, sizeof(flat) + len);
    memcpy(bytes, &flat, sizeof(flat));
    memcpy(bytes + sizeof(flat), groups ? groups : "", len);
    rc = put(r, r->policies, sval(key), val(bytes, sizeof(flat) + len));
    return rc ? failed(p, key, rc) : NULL;
}

apim_error_t *gw_replica_remove_policy(gw_replica_t *r, apr_pool_t *p, const char *key)
{
    const char *deny = deny_id(key);
    int rc = deny                    ? gw_deny_remove(r->write, &r->denies, deny)
             : strlen(key) > MAX_KEY ? 0
                                     : del(r, r->policies, sval(key));
    return rc ? failed(p, key, rc) : NULL;
}

/* LMDB's keys are short; the beginning of a longer one will do to say what failed. */
static MDB_val failure_key(apr_pool_t *p, const char *kind, const char *key)
{
    MDB_val v = sval(apr_pstrcat(p, kind, " ", key, NULL));
    v.mv_size = v.mv_size > MAX_KEY ? MAX_KEY : v.mv_size;
    return v;
}

apim_error_t *gw_replica_note_failure(gw_replica_t *r, apr_pool_t *p, const char *kind, const char *key,
                                      const char *reason)
{
    int rc = reason ? put(r, r->failures, failure_key(p, kind, key), sval(reason))
                    : del(r, r->failures, failure_key(p, kind, key));
    return rc ? failed(p, "failures", rc) : NULL;
}

apim_error_t *gw_replica_set_position(gw_replica_t *r, apr_pool_t *p, const gw_position_t *position)
{
    const char *text = apr_psprintf(p, "%" APR_INT64_T_FMT " %s", position->revision, position->epoch);
    int rc = put(r, r->meta, sval(STATE_KEY), sval(text));
    return rc ? failed(p, "position", rc) : NULL;
}

/* LMDB says "Input/output error" of a page that was written in part. */
static int disk_is_full(gw_replica_t *r, const char **path)
{
    struct statvfs disk;
    return mdb_env_get_path(r->env, path) == 0 && statvfs(*path, &disk) == 0 &&
           (apr_uint64_t)disk.f_bavail * disk.f_frsize < FULL_DISK;
}

apim_error_t *gw_replica_commit(gw_replica_t *r, apr_pool_t *p)
{
    int rc = mdb_txn_commit(r->write);
    const char *path;
    r->write = NULL;
    if (rc && (rc == ENOSPC || rc == EIO) && disk_is_full(r, &path)) {
        return apim_internal(p, "the disk of the replica, %s, is full", path);
    }
    return rc ? failed(p, "commit", rc) : NULL;
}

void gw_replica_abort(gw_replica_t *r)
{
    if (r->write) {
        mdb_txn_abort(r->write);
        r->write = NULL;
    }
}

void gw_replica_reap_readers(gw_replica_t *r)
{
    int dead;
    mdb_reader_check(r->env, &dead);
}
