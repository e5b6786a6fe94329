/* SPDX-License-Identifier: Apache-2.0 */
#include "recall.h"

#include <apr_strings.h>
#include <http_config.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "apim_crypto.h"
#include "httpd/db_pool.h"
#include "keymgr_log.h"
#include "keymgr_stats.h"

#define RETAINED  "apim_keymgr_recall/1"
#define SLOTS     4096 /* at most SLOTS * MAX_BYTES of memory a child; a row is some 500 bytes */
#define LOCKS     64
#define MAX_BYTES 8192
#define MAX_ARGS  8
#define COLUMNS   64
#define NOTHING   ((apr_size_t)-1)

/* A row: columns' offsets into text, NOTHING for NULL. */
typedef struct blob_t {
    int columns;
    apr_size_t size; /* of the whole */
    apr_size_t at[];
} blob_t;

typedef struct slot_t {
    unsigned char key[32];
    blob_t *blob; /* malloc'ed */
    apr_uint64_t stamp, read_at;
    apr_uint32_t places[KM_RECALL_SUBJECTS];
    int nplaces;
} slot_t;

static slot_t slots[SLOTS];
static pthread_mutex_t locks[LOCKS] = {[0 ... LOCKS - 1] = PTHREAD_MUTEX_INITIALIZER};
static km_recall_state_t *state;
static server_rec *followed_database;

/* -- shared by the children
 * --------------------------------------------------------------------------------------- */

apr_uint64_t km_recall_now(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (apr_uint64_t)ts.tv_sec * 1000u + (apr_uint64_t)ts.tv_nsec / 1000000u;
}

km_recall_state_t *km_recall_state(void)
{
    return state;
}

/* Kept over graceful restarts: children of the old generation and of the new one see the same marks. */
static km_recall_state_t *make_state(void)
{
    size_t head = (sizeof(km_recall_state_t) + 63) & ~(size_t)63;
    uint64_t key[2];
    void *memory =
        mmap(NULL, head + apim_marks_size(), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    km_recall_state_t *made = memory;
    if (memory == MAP_FAILED || RAND_bytes((unsigned char *)key, sizeof(key)) != 1) {
        return NULL;
    }
    made->marks = apim_marks_init((char *)memory + head, key);
    made->revision = -1;
    return made;
}

const char *km_recall_setup(const km_config_t *followed)
{
    km_recall_state_t **kept = ap_retained_data_get(RETAINED);
    if (!kept) {
        km_recall_state_t *made = make_state();
        if (!made) {
            return "no shared memory for what is known to be stale";
        }
        kept = ap_retained_data_create(RETAINED, sizeof(*kept));
        *kept = made;
    }
    state = *kept;
    followed_database = followed->common.database_server[APIM_DB_API_MANAGER];
    return NULL;
}

/* -- what this request changes
 * ------------------------------------------------------------------------------------ */

typedef struct note_t {
    const char *kind, *subject;
} note_t;

void km_recall_note(request_rec *r, const char *kind, const char *subject)
{
    apr_array_header_t *notes = ap_get_module_config(r->request_config, &apim_keymgr_module);
    note_t *note;
    if (!notes) {
        notes = apr_array_make(r->pool, 4, sizeof(note_t));
        ap_set_module_config(r->request_config, &apim_keymgr_module, notes);
    }
    note = apr_array_push(notes);
    note->kind = kind;
    note->subject = subject;
}

void km_recall_settle(request_rec *r)
{
    apr_array_header_t *notes = ap_get_module_config(r->request_config, &apim_keymgr_module);
    int i;
    for (i = 0; state && notes && i < notes->nelts; i++) {
        const note_t *note = &APR_ARRAY_IDX(notes, i, note_t);
        apim_marks_set_named(state->marks, note->kind, note->subject);
    }
    if (notes) {
        apr_array_clear(notes);
    }
}

/* -- rows
 * ---------------------------------------------------------------------------------------------------------
 */

void km_subject_add(km_subjects_t *subjects, apim_mark_kind_e kind, const char *subject)
{
    if (subject && subjects->count < KM_RECALL_SUBJECTS) {
        subjects->of[subjects->count].kind = kind;
        subjects->of[subjects->count++].subject = subject;
    }
}

static apr_size_t text_at(int columns)
{
    return sizeof(blob_t) + (apr_size_t)columns * sizeof(apr_size_t);
}

/* NULL if the row is too large, or there is no memory. */
static blob_t *pack(const char *const *row, int columns)
{
    apr_size_t size = text_at(columns), at = size;
    blob_t *blob;
    int i;
    for (i = 0; i < columns; i++) {
        size += row[i] ? strlen(row[i]) + 1 : 0;
    }
    blob = size <= MAX_BYTES && columns <= COLUMNS ? malloc(size) : NULL;
    if (!blob) {
        return NULL;
    }
    blob->columns = columns;
    blob->size = size;
    for (i = 0; i < columns; i++) {
        blob->at[i] = row[i] ? at : NOTHING;
        if (row[i]) {
            apr_size_t n = strlen(row[i]) + 1;
            memcpy((char *)blob + at, row[i], n);
            at += n;
        }
    }
    return blob;
}

static const char *const *unpack(apr_pool_t *p, const blob_t *blob)
{
    const char **row = apr_palloc(p, (apr_size_t)blob->columns * sizeof(*row));
    const char *copy = apr_pmemdup(p, blob, blob->size);
    int i;
    for (i = 0; i < blob->columns; i++) {
        row[i] = blob->at[i] == NOTHING ? NULL : copy + blob->at[i];
    }
    return row;
}

/* Statement and arguments, each with its end. */
static int key_of(apr_pool_t *p, const apim_stmt_t *stmt, const char *const *args, int nargs,
                  unsigned char key[32])
{
    char text[1024];
    apr_size_t used = strlen(stmt->label) + 1;
    int i;
    if (nargs > MAX_ARGS || used > sizeof(text)) {
        return 0;
    }
    memcpy(text, stmt->label, used);
    for (i = 0; i < nargs; i++) {
        apr_size_t n = args[i] ? strlen(args[i]) + 1 : 0;
        if (used + n + 1 > sizeof(text)) {
            return 0;
        }
        text[used++] = args[i] ? 'v' : 'n';
        if (n) {
            memcpy(text + used, args[i], n);
            used += n;
        }
    }
    return apim_sha256(text, used, key) == 0;
}

static slot_t *slot_of(const unsigned char key[32], pthread_mutex_t **lock)
{
    unsigned int i = ((unsigned int)key[0] << 8 | key[1]) % SLOTS;
    *lock = &locks[i % LOCKS];
    return &slots[i];
}

/* 1 if what is remembered may be used at all now. */
static int confirmed(const km_call_t *call, apr_uint64_t now)
{
    apr_uint64_t at;
    if (!state || call->conf->common.database_server[APIM_DB_API_MANAGER] != followed_database) {
        return 0;
    }
    __atomic_store_n(&state->wanted_at, now, __ATOMIC_RELAXED);
    at = __atomic_load_n(&state->confirmed_at, __ATOMIC_ACQUIRE);
    return at && now < at + KM_RECALL_CONFIRMED;
}

static const char *const *remembered(apr_pool_t *p, const unsigned char key[32], apr_uint64_t now)
{
    pthread_mutex_t *lock;
    slot_t *slot = slot_of(key, &lock);
    const char *const *row = NULL;
    pthread_mutex_lock(lock);
    if (slot->blob && memcmp(slot->key, key, 32) == 0 && now - slot->read_at < KM_RECALL_AGE &&
        apim_marks_fresh(state->marks, slot->stamp, slot->places, slot->nplaces)) {
        row = unpack(p, slot->blob);
    }
    pthread_mutex_unlock(lock);
    km_count(row ? KM_RECALLED : KM_RECALL_MISSES);
    return row;
}

static void remember(const unsigned char key[32], apr_uint64_t stamp, apr_uint64_t read_at, blob_t *blob,
                     const km_subjects_t *subjects)
{
    pthread_mutex_t *lock;
    slot_t *slot = slot_of(key, &lock);
    blob_t *old;
    int i;
    pthread_mutex_lock(lock);
    old = slot->blob;
    memcpy(slot->key, key, 32);
    slot->blob = blob;
    slot->stamp = stamp;
    slot->read_at = read_at;
    slot->nplaces = subjects->count;
    for (i = 0; i < subjects->count; i++) {
        slot->places[i] = apim_marks_place(state->marks, subjects->of[i].kind, subjects->of[i].subject);
    }
    pthread_mutex_unlock(lock);
    free(old);
}

static apim_error_t *read_row(const km_call_t *call, const apim_stmt_t *stmt, const char *const *args,
                              int nargs, apim_rows_t **rows)
{
    apim_db_t *db;
    apim_error_t *err;
    APIM_TRY(apim_db_open(call->pool, &call->conf->common, APIM_DB_API_MANAGER, &db));
    err = apim_db_select(db, call->pool, stmt, rows, args, nargs);
    apim_db_close(db);
    return err;
}

apim_error_t *km_recall_row(const km_call_t *call, const apim_stmt_t *stmt, km_subjects_fn *subjects_of,
                            const char *const *args, int nargs, const char *const **row)
{
    apr_uint64_t now = km_recall_now(), stamp = 0;
    km_subjects_t subjects = {0};
    unsigned char key[32];
    apim_rows_t *rows;
    int use = confirmed(call, now) && key_of(call->pool, stmt, args, nargs, key);
    *row = use ? remembered(call->pool, key, now) : NULL;
    if (*row) {
        return NULL;
    }
    if (use) {
        stamp = apim_marks_stamp(state->marks); /* before the statement: what changes meanwhile is newer */
    }
    APIM_TRY(read_row(call, stmt, args, nargs, &rows));
    if (!rows->count) {
        return NULL;
    }
    *row = rows->row[0];
    if (use && rows->count == 1) {
        blob_t *blob = pack(*row, rows->columns);
        if (blob) {
            subjects_of(args, *row, &subjects);
            remember(key, stamp, now, blob, &subjects);
        }
    }
    return NULL;
}
