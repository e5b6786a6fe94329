/* SPDX-License-Identifier: Apache-2.0 */
#include "login_guard.h"

#include <http_config.h>

#include <apr_shm.h>
#include <apr_strings.h>
#include <apr_time.h>
#include <openssl/rand.h>
#include <string.h>

#include "apim_crypto.h"

#define SLOTS         16384 /* a power of two */
#define WAYS          4     /* slots a key may be in */
#define QUIET_SECONDS 900
#define RETAINED      "apim_keymgr_login_guard/1"

/* One count: key (0: free), failures, second of the last one. Updated by atomic operations; a lost update
 * costs one count. */
typedef struct slot_t {
    apr_uint64_t key;
    apr_uint32_t failures;
    apr_uint32_t last;
} slot_t;

typedef struct table_t {
    unsigned char seed[32]; /* so that no one can aim at a slot */
    slot_t slot[SLOTS];
} table_t;

/* Failures that are free, and the longest wait after that, in seconds. */
typedef struct rule_t {
    const char *kind;
    apr_uint32_t free;
    apr_uint32_t longest;
} rule_t;

static const rule_t pair_rule = {"p", 5, 300};
static const rule_t address_rule = {"a", 50, 300};
static const rule_t account_rule = {"u", 20, 60};

static table_t *table;

const char *km_login_guard_setup(server_rec *s)
{
    table_t **kept = ap_retained_data_get(RETAINED);
    apr_shm_t *shm;
    if (!kept) {
        /* Anonymous and on the process pool: children of every generation share it. */
        if (apr_shm_create(&shm, sizeof(table_t), NULL, s->process->pool) != APR_SUCCESS) {
            return "no shared memory for counting failed log-ins";
        }
        kept = ap_retained_data_create(RETAINED, sizeof(*kept));
        *kept = apr_shm_baseaddr_get(shm);
        memset(*kept, 0, sizeof(**kept));
        if (RAND_bytes((*kept)->seed, sizeof((*kept)->seed)) != 1) {
            return "no random bytes";
        }
    }
    table = *kept;
    return NULL;
}

/* Keyed by the table's seed; never 0. */
static apr_uint64_t key_of(const char *kind, const char *a, const char *b)
{
    unsigned char buf[32 + 1 + 256 + 64], digest[32];
    apr_size_t n = sizeof(table->seed), la = strlen(a), lb = strlen(b);
    apr_uint64_t key;
    la = la > 255 ? 255 : la;
    lb = lb > 63 ? 63 : lb;
    memcpy(buf, table->seed, n);
    buf[n++] = (unsigned char)*kind;
    memcpy(buf + n, a, la);
    n += la;
    buf[n++] = '\0';
    memcpy(buf + n, b, lb);
    n += lb;
    if (apim_sha256(buf, n, digest)) {
        return 1;
    }
    memcpy(&key, digest, sizeof(key));
    return key ? key : 1;
}

static apr_uint32_t now_seconds(void)
{
    return (apr_uint32_t)apr_time_sec(apr_time_now());
}

static slot_t *find(apr_uint64_t key)
{
    slot_t *base = &table->slot[key & (SLOTS - 1) & ~(apr_uint64_t)(WAYS - 1)];
    int i;
    for (i = 0; i < WAYS; i++) {
        if (__atomic_load_n(&base[i].key, __ATOMIC_ACQUIRE) == key) {
            return &base[i];
        }
    }
    return NULL;
}

/* The key's slot, taken from the longest quiet one of its set if it has none. */
static slot_t *find_or_take(apr_uint64_t key)
{
    slot_t *base = &table->slot[key & (SLOTS - 1) & ~(apr_uint64_t)(WAYS - 1)], *oldest = base,
           *slot = find(key);
    int i;
    if (slot) {
        return slot;
    }
    for (i = 1; i < WAYS; i++) {
        if (__atomic_load_n(&base[i].last, __ATOMIC_RELAXED) <
            __atomic_load_n(&oldest->last, __ATOMIC_RELAXED)) {
            oldest = &base[i];
        }
    }
    __atomic_store_n(&oldest->failures, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&oldest->key, key, __ATOMIC_RELEASE);
    return oldest;
}

static apr_uint32_t failures_of(const slot_t *slot, apr_uint32_t now)
{
    apr_uint32_t last = slot ? __atomic_load_n(&slot->last, __ATOMIC_RELAXED) : 0;
    return slot && now - last < QUIET_SECONDS ? __atomic_load_n(&slot->failures, __ATOMIC_RELAXED) : 0;
}

/* 2^(failures past the free ones) seconds after the last failure. */
static int wait_for(const rule_t *rule, const slot_t *slot, apr_uint32_t now)
{
    apr_uint32_t n = failures_of(slot, now), wait, past;
    if (n < rule->free) {
        return 0;
    }
    past = n - rule->free;
    wait = past >= 10 ? rule->longest : 1u << past;
    wait = wait > rule->longest ? rule->longest : wait;
    past = now - __atomic_load_n(&slot->last, __ATOMIC_RELAXED);
    return past >= wait ? 0 : (int)(wait - past);
}

static int longer(int a, int b)
{
    return a > b ? a : b;
}

int km_login_guard_wait(const char *username, const char *address)
{
    apr_uint32_t now = now_seconds();
    slot_t *pair = find(key_of(pair_rule.kind, username, address));
    int wait = longer(wait_for(&pair_rule, pair, now),
                      wait_for(&address_rule, find(key_of(address_rule.kind, address, "")), now));
    if (failures_of(pair, now)) {
        wait = longer(wait, wait_for(&account_rule, find(key_of(account_rule.kind, username, "")), now));
    }
    return wait;
}

static void count(apr_uint64_t key)
{
    apr_uint32_t now = now_seconds();
    slot_t *slot = find_or_take(key);
    if (now - __atomic_load_n(&slot->last, __ATOMIC_RELAXED) >= QUIET_SECONDS) {
        __atomic_store_n(&slot->failures, 0, __ATOMIC_RELAXED);
    }
    __atomic_fetch_add(&slot->failures, 1, __ATOMIC_RELAXED);
    __atomic_store_n(&slot->last, now, __ATOMIC_RELAXED);
}

void km_login_guard_failed(const char *username, const char *address)
{
    count(key_of(pair_rule.kind, username, address));
    count(key_of(address_rule.kind, address, ""));
    count(key_of(account_rule.kind, username, ""));
}

void km_login_guard_succeeded(const char *username, const char *address)
{
    slot_t *slot = find(key_of(pair_rule.kind, username, address));
    if (slot) {
        __atomic_store_n(&slot->failures, 0, __ATOMIC_RELAXED);
    }
}
