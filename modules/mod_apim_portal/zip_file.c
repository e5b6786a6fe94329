/* SPDX-License-Identifier: Apache-2.0 */
#include "zip_file.h"

#include <apr_hash.h>
#include <apr_strings.h>
#include <string.h>
#include <zip.h>

#include "apim_text.h"

#define MAX_PATH   500
#define BLOCK      65536
#define S_IFMT_    0170000u
#define S_IFLNK_   0120000u
#define UNIX_SHIFT 16

typedef struct reading_t {
    apr_pool_t *p;
    zip_t *zip;
    const po_zip_limits_t *limits;
    apr_size_t bytes; /* read so far */
    apr_hash_t *seen;
    apr_array_header_t *entries;
} reading_t;

static apim_error_t *broken(apr_pool_t *p, const char *why)
{
    return apim_bad_request(p, "The archive cannot be read: %.200s.", why);
}

static apim_error_t *too_large(const reading_t *r)
{
    return apim_error(r->p, 413, APIM_E_TOO_LARGE, "Content Too Large",
                      "The archive holds more than %d files or %" APR_SIZE_T_FMT " bytes.",
                      r->limits->max_entries, r->limits->max_bytes);
}

/* 1 if no segment is empty, "." or "..". */
static int segments_are_plain(const char *path)
{
    while (*path) {
        apr_size_t n = strcspn(path, "/");
        if (!n || (n == 1 && *path == '.') || (n == 2 && path[0] == '.' && path[1] == '.')) {
            return 0;
        }
        path += n + (path[n] == '/');
    }
    return 1;
}

static apim_error_t *check_path(const reading_t *r, const char *path)
{
    apr_size_t n = strlen(path);
    if (!n || n > MAX_PATH || *path == '/' || strpbrk(path, "\\:") || !apim_utf8_valid(path, n) ||
        apim_has_control(path, NULL) || !segments_are_plain(path)) {
        return broken(r->p, "the name of a file is absolute, climbs out of the archive, or is no plain text");
    }
    if (apr_hash_get(r->seen, path, APR_HASH_KEY_STRING)) {
        return broken(r->p, "a file is there twice");
    }
    apr_hash_set(r->seen, path, APR_HASH_KEY_STRING, path);
    return NULL;
}

static int is_link(zip_t *zip, zip_uint64_t i)
{
    zip_uint8_t system;
    zip_uint32_t attributes;
    return !zip_file_get_external_attributes(zip, i, 0, &system, &attributes) && system == ZIP_OPSYS_UNIX &&
           ((attributes >> UNIX_SHIFT) & S_IFMT_) == S_IFLNK_;
}

/* What a header says of the size is not believed: it is counted while it is decompressed. */
static apim_error_t *read_content(reading_t *r, zip_file_t *file, po_zip_entry_t *entry)
{
    apr_size_t room = BLOCK;
    char *data = apr_palloc(r->p, room + 1);
    zip_int64_t n;
    while ((n = zip_fread(file, data + entry->len, room - entry->len)) > 0) {
        entry->len += (apr_size_t)n;
        r->bytes += (apr_size_t)n;
        if (r->bytes > r->limits->max_bytes) {
            return too_large(r);
        }
        if (entry->len == room) {
            char *grown = apr_palloc(r->p, room * 2 + 1);
            memcpy(grown, data, entry->len);
            data = grown;
            room *= 2;
        }
    }
    data[entry->len] = '\0';
    entry->data = data;
    return n < 0 ? broken(r->p, "a file in it is damaged, encrypted or compressed in an unknown way") : NULL;
}

static apim_error_t *read_entry(reading_t *r, zip_uint64_t i)
{
    const char *name = zip_get_name(r->zip, i, ZIP_FL_ENC_GUESS);
    po_zip_entry_t entry = {0};
    apim_error_t *err;
    zip_file_t *file;
    if (!name) {
        return broken(r->p, "a file in it has no name");
    }
    entry.path = apr_pstrdup(r->p, name);
    APIM_TRY(check_path(r, entry.path));
    if (entry.path[strlen(entry.path) - 1] == '/') {
        return NULL;
    }
    if (is_link(r->zip, i)) {
        return broken(r->p, "it holds a link");
    }
    file = zip_fopen_index(r->zip, i, 0);
    if (!file) {
        return broken(r->p, "a file in it is damaged, encrypted or compressed in an unknown way");
    }
    err = read_content(r, file, &entry);
    zip_fclose(file);
    if (!err) {
        APR_ARRAY_PUSH(r->entries, po_zip_entry_t) = entry;
    }
    return err;
}

static apim_error_t *read_all(reading_t *r)
{
    zip_int64_t i, count = zip_get_num_entries(r->zip, 0);
    if (count > r->limits->max_entries) {
        return too_large(r);
    }
    for (i = 0; i < count; i++) {
        APIM_TRY(read_entry(r, (zip_uint64_t)i));
    }
    return NULL;
}

apim_error_t *po_zip_read(apr_pool_t *p, const char *data, apr_size_t len, const po_zip_limits_t *limits,
                          apr_array_header_t **entries)
{
    reading_t r = {.p = p, .limits = limits, .seen = apr_hash_make(p)};
    apim_error_t *err;
    zip_error_t why;
    zip_source_t *source;
    r.entries = *entries = apr_array_make(p, 16, sizeof(po_zip_entry_t));
    zip_error_init(&why);
    source = zip_source_buffer_create(data, len, 0, &why);
    r.zip = source ? zip_open_from_source(source, ZIP_RDONLY | ZIP_CHECKCONS, &why) : NULL;
    if (!r.zip) {
        err = broken(p, zip_error_strerror(&why));
        zip_source_free(source);
        zip_error_fini(&why);
        return err;
    }
    err = read_all(&r);
    zip_discard(r.zip);
    zip_error_fini(&why);
    return err;
}

const po_zip_entry_t *po_zip_find(const apr_array_header_t *entries, const char *path)
{
    int i;
    for (i = 0; i < entries->nelts; i++) {
        const po_zip_entry_t *entry = &APR_ARRAY_IDX(entries, i, po_zip_entry_t);
        if (strcmp(entry->path, path) == 0) {
            return entry;
        }
    }
    return NULL;
}

/* -- writing -----------------------------------------------------------------------------------------------
 */

static int add_all(zip_t *zip, const apr_array_header_t *entries)
{
    int i;
    for (i = 0; i < entries->nelts; i++) {
        const po_zip_entry_t *entry = &APR_ARRAY_IDX(entries, i, po_zip_entry_t);
        zip_source_t *source = zip_source_buffer(zip, entry->data, entry->len, 0);
        if (!source || zip_file_add(zip, entry->path, source, ZIP_FL_ENC_UTF_8) < 0) {
            zip_source_free(source);
            return -1;
        }
    }
    return 0;
}

/* The archive that was written into a source. */
static int take(apr_pool_t *p, zip_source_t *source, const char **data, apr_size_t *len)
{
    zip_stat_t about;
    char *copy;
    zip_stat_init(&about);
    if (zip_source_stat(source, &about) || !(about.valid & ZIP_STAT_SIZE) || zip_source_open(source)) {
        return -1;
    }
    *len = (apr_size_t)about.size;
    copy = apr_palloc(p, *len + 1);
    *data = copy;
    if (zip_source_read(source, copy, about.size) != (zip_int64_t)about.size) {
        zip_source_close(source);
        return -1;
    }
    return zip_source_close(source);
}

apim_error_t *po_zip_write(apr_pool_t *p, const apr_array_header_t *entries, const char **data,
                           apr_size_t *len)
{
    zip_error_t why;
    zip_source_t *source;
    zip_t *zip;
    int failed;
    zip_error_init(&why);
    source = zip_source_buffer_create(NULL, 0, 0, &why);
    zip = source ? zip_open_from_source(source, ZIP_TRUNCATE, &why) : NULL;
    zip_error_fini(&why);
    if (!zip) {
        zip_source_free(source);
        return apim_internal(p, "libzip could not be started");
    }
    zip_source_keep(source); /* zip_close frees the other reference */
    failed = add_all(zip, entries);
    if (failed || zip_close(zip)) {
        zip_discard(zip);
        failed = 1;
    }
    failed = failed || take(p, source, data, len);
    zip_source_free(source);
    return failed ? apim_internal(p, "an archive could not be written") : NULL;
}
