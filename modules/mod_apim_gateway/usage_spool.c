/* SPDX-License-Identifier: Apache-2.0 */
#include "usage_spool.h"

#include <apr_file_info.h>
#include <apr_file_io.h>
#include <apr_strings.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "apim_json.h"
#include "apim_text.h"

#define SUFFIX   ".json"
#define MAX_FILE (64 * 1024 * 1024)
#define MODE     (APR_UREAD | APR_UWRITE | APR_GREAD | APR_WREAD)

struct gw_usage_spool_t {
    const char *dir;
    int lock;
    unsigned int count; /* makes names of one millisecond differ */
};

gw_usage_spool_t *gw_usage_spool_create(apr_pool_t *p, const char *dir, const char **wrong)
{
    gw_usage_spool_t *spool = apr_pcalloc(p, sizeof(*spool));
    apr_status_t rv = apr_dir_make_recursive(dir, APR_UREAD | APR_UWRITE | APR_UEXECUTE, p);
    spool->dir = apr_pstrdup(p, dir);
    spool->lock = -1;
    *wrong = rv == APR_SUCCESS ? NULL : apr_psprintf(p, "the directory %s cannot be made: %pm", dir, &rv);
    return spool;
}

int gw_usage_spool_lock(gw_usage_spool_t *spool)
{
    char path[4096];
    if (spool->lock >= 0) {
        return 0;
    }
    apr_snprintf(path, sizeof(path), "%s/lock", spool->dir);
    spool->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (spool->lock >= 0 && flock(spool->lock, LOCK_EX | LOCK_NB) == 0) {
        return 0;
    }
    gw_usage_spool_unlock(spool);
    return -1;
}

void gw_usage_spool_unlock(gw_usage_spool_t *spool)
{
    if (spool->lock >= 0) {
        close(spool->lock);
    }
    spool->lock = -1;
}

/* -- files
 * ------------------------------------------------------------------------------------------------------- */

typedef struct listing_t {
    const char *oldest;
    apr_off_t bytes, oldest_bytes;
} listing_t;

static int is_batch(const char *name)
{
    apr_size_t n = strlen(name), m = sizeof(SUFFIX) - 1;
    return n > m && *name != '.' && strcmp(name + n - m, SUFFIX) == 0;
}

/* Names begin with the time in digits of one width: their order is that of their age. */
static apr_status_t list(const gw_usage_spool_t *spool, apr_pool_t *p, listing_t *out)
{
    apr_finfo_t info;
    apr_dir_t *dir;
    apr_status_t rv = apr_dir_open(&dir, spool->dir, p);
    memset(out, 0, sizeof(*out));
    if (rv != APR_SUCCESS) {
        return rv;
    }
    while (apr_dir_read(&info, APR_FINFO_NAME | APR_FINFO_SIZE, dir) == APR_SUCCESS) {
        if (is_batch(info.name)) {
            out->bytes += info.size;
            if (!out->oldest || strcmp(info.name, out->oldest) < 0) {
                out->oldest = apr_pstrdup(p, info.name);
                out->oldest_bytes = info.size;
            }
        }
    }
    apr_dir_close(dir);
    return APR_SUCCESS;
}

static const char *path_of(const gw_usage_spool_t *spool, apr_pool_t *p, const char *name)
{
    return apr_pstrcat(p, spool->dir, "/", name, NULL);
}

static apr_status_t write_file(apr_pool_t *p, const char *path, const char *text)
{
    apr_file_t *file;
    apr_status_t rv = apr_file_open(&file, path, APR_WRITE | APR_CREATE | APR_TRUNCATE | APR_BINARY, MODE, p),
                 closed;
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = apr_file_write_full(file, text, strlen(text), NULL);
    closed = apr_file_close(file);
    return rv != APR_SUCCESS ? rv : closed;
}

apim_error_t *gw_usage_spool_put(gw_usage_spool_t *spool, apr_pool_t *p, const json_t *rows, apr_off_t limit,
                                 int *dropped)
{
    char *text = json_dumps(rows, JSON_COMPACT);
    const char *name = apr_psprintf(p, "%015" APR_INT64_T_FMT "-%ld-%06u" SUFFIX, (apr_int64_t)apim_now_ms(),
                                    (long)getpid(), spool->count++ % 1000000);
    const char *part = path_of(spool, p, apr_pstrcat(p, ".", name, NULL));
    listing_t found;
    apr_status_t rv;
    *dropped = 0;
    if (!text) {
        return apim_internal(p, "usage could not be printed");
    }
    rv = list(spool, p, &found);
    while (rv == APR_SUCCESS && found.oldest && found.bytes + (apr_off_t)strlen(text) > limit) {
        gw_usage_spool_remove(spool, p, found.oldest);
        (*dropped)++;
        rv = list(spool, p, &found);
    }
    rv = rv == APR_SUCCESS ? write_file(p, part, text) : rv;
    free(text);
    if (rv == APR_SUCCESS) {
        rv = apr_file_rename(part, path_of(spool, p, name), p);
    }
    if (rv != APR_SUCCESS) {
        apr_file_remove(part, p);
        return apim_internal(p, "%s: %pm", part, &rv);
    }
    return NULL;
}

static apr_status_t read_file(apr_pool_t *p, const char *path, char **text, apr_size_t *len)
{
    apr_finfo_t info;
    apr_file_t *file;
    apr_status_t rv = apr_file_open(&file, path, APR_READ | APR_BINARY, APR_OS_DEFAULT, p);
    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = apr_file_info_get(&info, APR_FINFO_SIZE, file);
    if (rv == APR_SUCCESS && info.size <= MAX_FILE) {
        *text = apr_palloc(p, (apr_size_t)info.size + 1);
        rv = apr_file_read_full(file, *text, (apr_size_t)info.size, len);
        (*text)[*len] = '\0';
    }
    else if (rv == APR_SUCCESS) {
        rv = APR_EINVAL;
    }
    apr_file_close(file);
    return rv == APR_EOF ? APR_SUCCESS : rv;
}

apim_error_t *gw_usage_spool_first(gw_usage_spool_t *spool, apr_pool_t *p, const char **name, json_t **rows)
{
    static const apim_json_limits_t limits = {MAX_FILE, 6};
    listing_t found;
    apr_status_t rv;
    *name = NULL;
    while ((rv = list(spool, p, &found)) == APR_SUCCESS && found.oldest) {
        const char *path = path_of(spool, p, found.oldest);
        apr_size_t len = 0;
        char *text = NULL;
        if (read_file(p, path, &text, &len) == APR_SUCCESS && !apim_json_parse(p, text, len, &limits, rows) &&
            json_is_array(*rows)) {
            *name = found.oldest;
            return NULL;
        }
        rv = apr_file_rename(path, apr_pstrcat(p, path, ".bad", NULL), p);
        if (rv != APR_SUCCESS) {
            break;
        }
    }
    return rv == APR_SUCCESS ? NULL : apim_internal(p, "%s: %pm", spool->dir, &rv);
}

void gw_usage_spool_remove(gw_usage_spool_t *spool, apr_pool_t *p, const char *name)
{
    apr_file_remove(path_of(spool, p, name), p);
}
