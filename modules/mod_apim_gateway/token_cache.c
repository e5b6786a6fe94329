/* SPDX-License-Identifier: Apache-2.0 */
#include "token_cache.h"

#include <openssl/evp.h>
#include <sched.h>
#include <string.h>

#include "shm_lock.h"

#define WAYS          8
#define REFUSAL_WAYS  2
#define LOCKS         128
#define COUNTERS      32
#define READ_ATTEMPTS 64
#define SMALL_DATA    896
#define LARGE_DATA    8000
#define DATA_WORDS(n) (((n) + 7) / 8)

enum { HITS, MISSES, STALE, STORES, EVICTIONS, TOO_LARGE, COUNTER_KINDS };

/* Everything in a slot but seq is written under the set's lock with seq odd, and read between two looks at
 * seq. */
typedef struct slot_t {
    uint64_t seq;
    uint64_t key[4];
    uint64_t expires_at; /* 0: empty */
    uint64_t stamp;
    uint64_t len;
    uint32_t place[GW_CACHE_MARKS + 1]; /* even number: copied as words */
    uint64_t data[];
} slot_t;

#define SLOT_WORDS(data_bytes) (sizeof(slot_t) / 8 + DATA_WORDS(data_bytes))

typedef struct set_t {
    uint64_t tag[WAYS]; /* first word of each slot's key: hints, one cache line */
    uint8_t used[WAYS]; /* CLOCK's flags */
    uint8_t hand[2];    /* of refusals and of answers */
    uint8_t pad[54];
} set_t;

typedef struct table_t {
    uint64_t sets;
    uint64_t data_bytes;
    uint64_t set_offset, slot_offset; /* from the start of the memory */
} table_t;

typedef struct counter_line_t {
    uint64_t n[8];
} counter_line_t;

typedef struct header_t {
    uint64_t salt[2];
    table_t table[2];
    counter_line_t counter[COUNTERS];
    gw_shm_lock_t lock[2][LOCKS]; /* of the sets of each table */
} header_t;

struct gw_token_cache_t {
    header_t *header;
    const apim_marks_t *marks;
    EVP_MD *sha256;
};

/* -- layout
 * ------------------------------------------------------------------------------------------------------- */

static size_t set_bytes(size_t data_bytes)
{
    return sizeof(set_t) + WAYS * SLOT_WORDS(data_bytes) * 8;
}

size_t gw_token_cache_min_size(void)
{
    return sizeof(header_t) + 8 * (set_bytes(SMALL_DATA) + set_bytes(LARGE_DATA));
}

static size_t lay_out(table_t *table, size_t offset, size_t room, size_t data_bytes)
{
    table->data_bytes = data_bytes;
    table->sets = room / set_bytes(data_bytes);
    table->set_offset = offset;
    table->slot_offset = offset + table->sets * sizeof(set_t);
    return table->slot_offset + table->sets * WAYS * SLOT_WORDS(data_bytes) * 8;
}

int gw_token_cache_init(void *memory, size_t size, const uint64_t salt[2])
{
    header_t *h = memory;
    size_t offset, room;
    int i;
    if (size < gw_token_cache_min_size()) {
        return -1;
    }
    room = size - sizeof(header_t);
    memcpy(h->salt, salt, sizeof(h->salt));
    offset = lay_out(&h->table[0], sizeof(header_t), room - room / 8, SMALL_DATA);
    lay_out(&h->table[1], offset, size - offset, LARGE_DATA);
    for (i = 0; i < 2 * LOCKS; i++) {
        if (gw_shm_lock_init(&h->lock[i / LOCKS][i % LOCKS])) {
            return -1;
        }
    }
    return 0;
}

static apr_status_t free_digest(void *data)
{
    EVP_MD_free(data);
    return APR_SUCCESS;
}

gw_token_cache_t *gw_token_cache_attach(apr_pool_t *p, void *memory, const apim_marks_t *marks)
{
    gw_token_cache_t *cache = apr_pcalloc(p, sizeof(*cache));
    cache->header = memory;
    cache->marks = marks;
    cache->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    if (!cache->sha256) {
        return NULL;
    }
    apr_pool_cleanup_register(p, cache->sha256, free_digest, apr_pool_cleanup_null);
    return cache;
}

static set_t *set_of(gw_token_cache_t *cache, const table_t *table, uint64_t index)
{
    return (set_t *)(void *)((char *)cache->header + table->set_offset) + index;
}

static slot_t *slot_of(gw_token_cache_t *cache, const table_t *table, uint64_t set, int way)
{
    size_t bytes = SLOT_WORDS(table->data_bytes) * 8;
    return (slot_t *)(void *)((char *)cache->header + table->slot_offset +
                              (set * WAYS + (uint64_t)way) * bytes);
}

static uint64_t set_index(const table_t *table, const gw_cache_key_t *key)
{
    return ((key->word[1] >> 32) * table->sets) >> 32;
}

static uint64_t tag_of(const gw_cache_key_t *key)
{
    return key->word[0] | 1; /* 0 says "empty" */
}

/* A line of counters per core, so that counting does not cost what reading without a lock has saved. */
static void count(gw_token_cache_t *cache, int what)
{
    unsigned cpu = (unsigned)sched_getcpu();
    __atomic_fetch_add(&cache->header->counter[cpu % COUNTERS].n[what], 1, __ATOMIC_RELAXED);
}

int gw_token_cache_key(gw_token_cache_t *cache, const char *credential, size_t len, const char *api_id,
                       gw_cache_key_t *key)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    unsigned int n = sizeof(key->word);
    uint64_t length = len;
    int ok = ctx && EVP_DigestInit_ex(ctx, cache->sha256, NULL) &&
             EVP_DigestUpdate(ctx, cache->header->salt, sizeof(cache->header->salt)) &&
             EVP_DigestUpdate(ctx, &length, sizeof(length)) && EVP_DigestUpdate(ctx, credential, len) &&
             EVP_DigestUpdate(ctx, api_id, strlen(api_id)) &&
             EVP_DigestFinal_ex(ctx, (unsigned char *)key->word, &n);
    EVP_MD_CTX_free(ctx);
    return ok ? 0 : -1;
}

/* -- reading
 * ------------------------------------------------------------------------------------------------------ */

static void load_words(void *to, const uint64_t *from, size_t words)
{
    uint64_t w;
    size_t i;
    for (i = 0; i < words; i++) {
        w = __atomic_load_n(&from[i], __ATOMIC_RELAXED);
        memcpy((char *)to + i * 8, &w, 8);
    }
}

static void store_words(uint64_t *to, const void *from, size_t words)
{
    uint64_t w;
    size_t i;
    for (i = 0; i < words; i++) {
        memcpy(&w, (const char *)from + i * 8, 8);
        __atomic_store_n(&to[i], w, __ATOMIC_RELAXED);
    }
}

static uint64_t seq_before(const slot_t *slot)
{
    return __atomic_load_n(&slot->seq, __ATOMIC_ACQUIRE);
}

static int unchanged(const slot_t *slot, uint64_t seq)
{
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    return __atomic_load_n(&slot->seq, __ATOMIC_RELAXED) == seq;
}

typedef enum { SLOT_READ, SLOT_OTHER, SLOT_CHANGED } read_e;

/* Copies head and data of a slot if it holds key. The data buffer grows in p only when a slot changes under
 * our eyes. */
static read_e read_slot(const slot_t *slot, const table_t *table, const gw_cache_key_t *key, apr_pool_t *p,
                        slot_t *head, void **data)
{
    uint64_t seq = seq_before(slot);
    if (seq & 1) {
        return SLOT_CHANGED;
    }
    load_words(head, (const uint64_t *)(const void *)slot, sizeof(slot_t) / 8);
    if (memcmp(head->key, key->word, sizeof(head->key)) != 0) {
        return unchanged(slot, seq) ? SLOT_OTHER : SLOT_CHANGED;
    }
    if (head->len > table->data_bytes || !unchanged(slot, seq)) {
        return SLOT_CHANGED;
    }
    *data = apr_palloc(p, DATA_WORDS(head->len) * 8);
    load_words(*data, slot->data, DATA_WORDS(head->len));
    return unchanged(slot, seq) ? SLOT_READ : SLOT_CHANGED;
}

static int find_in_way(gw_token_cache_t *cache, const table_t *table, uint64_t set, int way,
                       const gw_cache_key_t *key, apr_pool_t *p, slot_t *head, void **data)
{
    const slot_t *slot = slot_of(cache, table, set, way);
    int attempt;
    for (attempt = 0; attempt < READ_ATTEMPTS; attempt++) {
        read_e rc = read_slot(slot, table, key, p, head, data);
        if (rc != SLOT_CHANGED) {
            return rc == SLOT_READ;
        }
    }
    return 0;
}

/* Returns the way the key was found in, or -1. */
static int find(gw_token_cache_t *cache, const table_t *table, const gw_cache_key_t *key, apr_pool_t *p,
                slot_t *head, void **data)
{
    uint64_t index = set_index(table, key), tag = tag_of(key);
    set_t *set = set_of(cache, table, index);
    int way;
    for (way = 0; way < WAYS; way++) {
        if (__atomic_load_n(&set->tag[way], __ATOMIC_RELAXED) == tag &&
            find_in_way(cache, table, index, way, key, p, head, data)) {
            if (!__atomic_load_n(&set->used[way], __ATOMIC_RELAXED)) {
                __atomic_store_n(&set->used[way], 1, __ATOMIC_RELAXED);
            }
            return way;
        }
    }
    return -1;
}

int gw_token_cache_get(gw_token_cache_t *cache, const gw_cache_key_t *key, uint64_t now, apr_pool_t *p,
                       gw_cache_entry_t *entry)
{
    slot_t head;
    void *data = NULL;
    int t, way;
    for (t = 0; t < 2; t++) {
        way = find(cache, &cache->header->table[t], key, p, &head, &data);
        if (way < 0 || head.expires_at <= now) {
            continue;
        }
        if (!apim_marks_fresh(cache->marks, head.stamp, head.place, GW_CACHE_MARKS)) {
            count(cache, STALE);
            continue;
        }
        count(cache, HITS);
        entry->data = data;
        entry->len = (uint32_t)head.len;
        entry->refusal = way < REFUSAL_WAYS;
        entry->expires_at = head.expires_at;
        entry->stamp = head.stamp;
        memcpy(entry->place, head.place, sizeof(entry->place));
        return 1;
    }
    count(cache, MISSES);
    return 0;
}

/* -- writing
 * ------------------------------------------------------------------------------------------------------ */

static int is_free(const slot_t *slot, uint64_t now)
{
    return (slot->seq & 1) || slot->expires_at <= now; /* odd under the lock: its writer died */
}

/* The slot to write, among the ways [from, to): the key's own, a free one, else the first the hand finds
 * unused. */
static int choose_way(gw_token_cache_t *cache, const table_t *table, uint64_t index,
                      const gw_cache_key_t *key, int from, int to, uint64_t now)
{
    set_t *set = set_of(cache, table, index);
    uint8_t *hand = &set->hand[from ? 1 : 0];
    int way, free_way = -1, turns;
    for (way = from; way < to; way++) {
        const slot_t *slot = slot_of(cache, table, index, way);
        if (memcmp(slot->key, key->word, sizeof(slot->key)) == 0) {
            return way;
        }
        if (free_way < 0 && is_free(slot, now)) {
            free_way = way;
        }
    }
    if (free_way >= 0) {
        return free_way;
    }
    for (turns = 0; turns < 2 * WAYS; turns++) {
        way = from + *hand % (to - from);
        *hand = (uint8_t)((*hand + 1) % (to - from));
        if (!__atomic_exchange_n(&set->used[way], 0, __ATOMIC_RELAXED)) {
            break;
        }
    }
    count(cache, EVICTIONS);
    return way;
}

static void write_slot(slot_t *slot, const gw_cache_key_t *key, const gw_cache_entry_t *entry)
{
    uint64_t seq = slot->seq | 1;
    slot_t head = {seq, {0}, entry->expires_at, entry->stamp, entry->len, {0}};
    uint64_t last = 0;
    size_t whole = entry->len / 8;
    memcpy(head.key, key->word, sizeof(head.key));
    memcpy(head.place, entry->place, sizeof(entry->place));
    __atomic_store_n(&slot->seq, seq, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_RELEASE);
    store_words(slot->key, head.key, sizeof(slot_t) / 8 - 1);
    store_words(slot->data, entry->data, whole);
    if (entry->len % 8) {
        memcpy(&last, (const char *)entry->data + whole * 8, entry->len % 8);
        store_words(slot->data + whole, &last, 1);
    }
    __atomic_store_n(&slot->seq, seq + 1, __ATOMIC_RELEASE);
}

/* A key lives in one slot only: an answer that changed from refusal to grant, or outgrew its table, must not
 * leave the old one. */
static void forget(gw_token_cache_t *cache, const table_t *table, uint64_t index, const gw_cache_key_t *key,
                   const slot_t *but)
{
    int way;
    for (way = 0; way < WAYS; way++) {
        slot_t *slot = slot_of(cache, table, index, way);
        if (slot != but && memcmp(slot->key, key->word, sizeof(slot->key)) == 0) {
            __atomic_store_n(&slot->expires_at, 0, __ATOMIC_RELAXED);
            __atomic_store_n(&set_of(cache, table, index)->tag[way], 0, __ATOMIC_RELAXED);
        }
    }
}

static gw_shm_lock_t *lock_of(gw_token_cache_t *cache, int t, uint64_t index)
{
    return &cache->header->lock[t][index % LOCKS];
}

static int store(gw_token_cache_t *cache, int t, const gw_cache_key_t *key, uint64_t now,
                 const gw_cache_entry_t *entry)
{
    table_t *table = &cache->header->table[t];
    uint64_t index = set_index(table, key);
    set_t *set = set_of(cache, table, index);
    int way;
    if (!gw_shm_lock(lock_of(cache, t, index))) {
        return 0;
    }
    way = entry->refusal ? choose_way(cache, table, index, key, 0, REFUSAL_WAYS, now)
                         : choose_way(cache, table, index, key, REFUSAL_WAYS, WAYS, now);
    write_slot(slot_of(cache, table, index, way), key, entry);
    __atomic_store_n(&set->tag[way], tag_of(key), __ATOMIC_RELAXED);
    __atomic_store_n(&set->used[way], 0, __ATOMIC_RELAXED); /* its first use earns it a second chance */
    forget(cache, table, index, key, slot_of(cache, table, index, way));
    gw_shm_unlock(lock_of(cache, t, index));
    return 1;
}

static void forget_in(gw_token_cache_t *cache, int t, const gw_cache_key_t *key)
{
    table_t *table = &cache->header->table[t];
    uint64_t index = set_index(table, key);
    if (gw_shm_lock(lock_of(cache, t, index))) {
        forget(cache, table, index, key, NULL);
        gw_shm_unlock(lock_of(cache, t, index));
    }
}

int gw_token_cache_put(gw_token_cache_t *cache, const gw_cache_key_t *key, uint64_t now,
                       const gw_cache_entry_t *entry)
{
    int t = entry->len > SMALL_DATA;
    if (entry->len > LARGE_DATA) {
        count(cache, TOO_LARGE);
        return 0;
    }
    forget_in(cache, !t, key);
    if (!store(cache, t, key, now, entry)) {
        return 0;
    }
    count(cache, STORES);
    return 1;
}

/* -- status
 * ------------------------------------------------------------------------------------------------------- */

static void count_slots(gw_token_cache_t *cache, const table_t *table, uint64_t now, gw_cache_stats_t *stats)
{
    uint64_t set;
    int way;
    for (set = 0; set < table->sets; set++) {
        for (way = 0; way < WAYS; way++) {
            if (__atomic_load_n(&set_of(cache, table, set)->tag[way], __ATOMIC_RELAXED) &&
                __atomic_load_n(&slot_of(cache, table, set, way)->expires_at, __ATOMIC_RELAXED) > now) {
                stats->used++;
            }
        }
    }
    stats->slots += table->sets * WAYS;
}

static uint64_t sum(const gw_token_cache_t *cache, int what)
{
    uint64_t total = 0;
    int i;
    for (i = 0; i < COUNTERS; i++) {
        total += __atomic_load_n(&cache->header->counter[i].n[what], __ATOMIC_RELAXED);
    }
    return total;
}

void gw_token_cache_stats(gw_token_cache_t *cache, uint64_t now, gw_cache_stats_t *stats)
{
    memset(stats, 0, sizeof(*stats));
    count_slots(cache, &cache->header->table[0], now, stats);
    count_slots(cache, &cache->header->table[1], now, stats);
    stats->hits = sum(cache, HITS);
    stats->misses = sum(cache, MISSES);
    stats->stale = sum(cache, STALE);
    stats->stores = sum(cache, STORES);
    stats->evictions = sum(cache, EVICTIONS);
    stats->too_large = sum(cache, TOO_LARGE);
}
