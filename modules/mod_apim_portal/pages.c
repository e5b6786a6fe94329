/* SPDX-License-Identifier: Apache-2.0 */
#include "pages.h"

#include <apr_file_info.h>
#include <apr_file_io.h>
#include <apr_hash.h>
#include <apr_strings.h>
#include <http_protocol.h>
#include <string.h>

#define MAX_FILE   (8 * 1024 * 1024)
#define ASSETS     "/pages/"
#define LOADED_KEY "apim_portal_pages"

typedef struct body_t {
    const char *data; /* NULL: there is none */
    apr_size_t len;
} body_t;

typedef struct page_t {
    const char *type;
    const char *etag; /* of the plain form, quoted */
    body_t plain, gzip;
} page_t;

struct po_pages_t {
    apr_hash_t *files; /* name to page_t */
};

static const struct {
    const char *suffix, *type;
} types[] = {{".html", "text/html; charset=utf-8"},
             {".js", "text/javascript; charset=utf-8"},
             {".css", "text/css; charset=utf-8"},
             {".svg", "image/svg+xml"},
             {".txt", "text/plain; charset=utf-8"}};

/* %s: the origin of the gateway, for the console */
static const char policy[] =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self' %s; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'";

/* -- reading
 * -------------------------------------------------------------------------------------------------- */

static int ends_with(const char *text, const char *suffix)
{
    apr_size_t n = strlen(text), m = strlen(suffix);
    return n >= m && strcmp(text + n - m, suffix) == 0;
}

static const char *type_of(const char *name)
{
    apr_size_t i;
    for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (ends_with(name, types[i].suffix)) {
            return types[i].type;
        }
    }
    return NULL;
}

static const char *read_file(apr_pool_t *p, const char *path, body_t *out)
{
    apr_finfo_t info;
    apr_file_t *file;
    char why[120];
    char *data = NULL;
    apr_status_t rv = apr_file_open(&file, path, APR_READ | APR_BINARY, APR_OS_DEFAULT, p);
    if (rv == APR_SUCCESS) {
        rv = apr_file_info_get(&info, APR_FINFO_SIZE, file);
        if (rv == APR_SUCCESS && info.size > MAX_FILE) {
            rv = APR_ENOSPC;
        }
        if (rv == APR_SUCCESS) {
            data = apr_palloc(p, (apr_size_t)info.size + 1);
            rv = apr_file_read_full(file, data, (apr_size_t)info.size, &out->len);
        }
        apr_file_close(file);
    }
    if (rv != APR_SUCCESS && !(rv == APR_EOF && data && !info.size)) {
        return apr_psprintf(p, "cannot read %s: %s", path, apr_strerror(rv, why, sizeof(why)));
    }
    out->data = data;
    return NULL;
}

static const char *add_file(apr_pool_t *p, po_pages_t *pages, const char *dir, const char *name)
{
    const char *gzip_path = apr_pstrcat(p, dir, "/", name, ".gz", NULL), *wrong;
    page_t *page = apr_pcalloc(p, sizeof(*page));
    unsigned char hash[32];
    apr_finfo_t info;
    page->type = type_of(name);
    wrong = read_file(p, apr_pstrcat(p, dir, "/", name, NULL), &page->plain);
    if (!wrong && apr_stat(&info, gzip_path, APR_FINFO_TYPE, p) == APR_SUCCESS) {
        wrong = read_file(p, gzip_path, &page->gzip);
    }
    if (wrong || apim_sha256(page->plain.data, page->plain.len, hash)) {
        return wrong ? wrong : "SHA-256 failed";
    }
    page->etag = apr_psprintf(p, "\"%.20s\"", apim_hex(p, hash, sizeof(hash)));
    apr_hash_set(pages->files, apr_pstrdup(p, name), APR_HASH_KEY_STRING, page);
    return NULL;
}

static const char *read_directory(apr_pool_t *p, const char *path, po_pages_t *pages)
{
    const char *wrong = NULL;
    apr_finfo_t info;
    apr_dir_t *dir;
    char why[120];
    apr_status_t rv = apr_dir_open(&dir, path, p);
    if (rv != APR_SUCCESS) {
        return apr_psprintf(p, "cannot read the directory %s: %s", path, apr_strerror(rv, why, sizeof(why)));
    }
    while (!wrong && apr_dir_read(&info, APR_FINFO_NAME, dir) == APR_SUCCESS) {
        if (type_of(info.name)) {
            wrong = add_file(p, pages, path, info.name);
        }
    }
    apr_dir_close(dir);
    if (!wrong && !apr_hash_get(pages->files, "store.html", APR_HASH_KEY_STRING)) {
        wrong = apr_psprintf(p, "there are no pages in %s (store.html is missing)", path);
    }
    return wrong;
}

static int is_directory(apr_pool_t *p, const char *path)
{
    apr_finfo_t info;
    return apr_stat(&info, path, APR_FINFO_TYPE, p) == APR_SUCCESS && info.filetype == APR_DIR;
}

const char *po_pages_load(apr_pool_t *pconf, portal_config_t *conf)
{
    const char *path = conf->pages_dir ? conf->pages_dir : APIM_PAGES_DIR, *wrong, *key;
    po_pages_t *pages;
    void *known;
    if (!conf->enabled || !*path || (!conf->pages_dir && !is_directory(pconf, path))) {
        return NULL;
    }
    key = apr_pstrcat(pconf, LOADED_KEY, path, NULL);
    apr_pool_userdata_get(&known, key, pconf);
    if (known) { /* of another virtual host */
        conf->pages = known;
        return NULL;
    }
    pages = apr_pcalloc(pconf, sizeof(*pages));
    pages->files = apr_hash_make(pconf);
    wrong = read_directory(pconf, path, pages);
    if (wrong) {
        return apr_pstrcat(pconf, "ApimPages: ", wrong,
                           "; write the directory that make installed them into, or Off", NULL);
    }
    apr_pool_userdata_set(pages, key, NULL, pconf);
    conf->pages = pages;
    return NULL;
}

/* -- answering
 * ------------------------------------------------------------------------------------------------ */

static int is_part(const char *uri, const char *base)
{
    apr_size_t n = strlen(base);
    return strncmp(uri, base, n) == 0 && strchr("/?#", uri[n]) != NULL; /* or its end */
}

static const char *shell_of(const request_rec *r, const char *place)
{
    const portal_dir_config_t *on = po_dir_config(r);
    return on->store == 1 && is_part(place, "/store")           ? "store.html"
           : on->publisher == 1 && is_part(place, "/publisher") ? "publisher.html"
           : on->admin == 1 && is_part(place, "/admin")         ? "admin.html"
                                                                : NULL;
}

int po_pages_is_place(const request_rec *r, const char *place)
{
    return !strchr(place, '\\') && shell_of(r, place) != NULL;
}

/* The name of the file that answers; NULL if the path is none of ours. */
static const char *name_of(const request_rec *r)
{
    const portal_dir_config_t *on = po_dir_config(r);
    const char *shell = shell_of(r, r->uri);
    if (shell) {
        return shell;
    }
    if ((on->store == 1 || on->publisher == 1 || on->admin == 1) &&
        strncmp(r->uri, ASSETS, sizeof(ASSETS) - 1) == 0) {
        return r->uri + sizeof(ASSETS) - 1;
    }
    return NULL;
}

static const page_t *page_of(const request_rec *r)
{
    const po_pages_t *pages = po_config(r)->pages;
    const char *name = pages ? name_of(r) : NULL;
    return name ? apr_hash_get(pages->files, name, APR_HASH_KEY_STRING) : NULL;
}

int po_pages_has(const request_rec *r)
{
    return page_of(r) != NULL;
}

/* 1 if the browser takes gzip: the token stands in the list, without q=0. */
static int takes_gzip(const request_rec *r)
{
    const char *accept = apr_table_get(r->headers_in, "Accept-Encoding");
    char *state, *item, *copy = apr_pstrdup(r->pool, accept ? accept : "");
    for (item = apr_strtok(copy, ",", &state); item; item = apr_strtok(NULL, ",", &state)) {
        const char *q = strstr(item, "q=0");
        item += strspn(item, " \t");
        if (strncasecmp(item, "gzip", 4) == 0 && strchr(" \t;", item[4])) {
            return !q || strspn(q + 3, ".0 \t") != strlen(q + 3);
        }
    }
    return 0;
}

/* "scheme://host:port" of a URL; "" if it holds what has a meaning in a policy. */
static const char *origin_of(apr_pool_t *p, const char *url)
{
    const char *host = strstr(url, "://");
    apr_size_t n = host ? (apr_size_t)(host - url) + 3 + strcspn(host + 3, "/?#") : 0;
    const char *origin = apr_pstrndup(p, url, n);
    return strpbrk(origin, " \t\r\n;,'\"*") ? "" : origin;
}

static void set_headers(request_rec *r, const page_t *page, int gzip)
{
    apr_table_t *out = r->headers_out;
    const int is_asset = strncmp(r->uri, ASSETS, sizeof(ASSETS) - 1) == 0;
    apr_table_setn(out, "Cache-Control", is_asset ? "public, max-age=31536000, immutable" : "no-cache");
    apr_table_setn(out, "X-Content-Type-Options", "nosniff");
    apr_table_setn(out, "Cross-Origin-Resource-Policy", "same-origin");
    apr_table_mergen(out, "Vary", "Accept-Encoding");
    apr_table_setn(out, "ETag",
                   gzip ? apr_psprintf(r->pool, "%.*s-gz\"", (int)strlen(page->etag) - 1, page->etag)
                        : page->etag);
    if (gzip) {
        apr_table_setn(out, "Content-Encoding", "gzip");
    }
    if (!is_asset) {
        apr_table_setn(out, "Content-Security-Policy",
                       apr_psprintf(r->pool, policy, origin_of(r->pool, po_gateway_url(r))));
        apr_table_setn(out, "Cross-Origin-Opener-Policy", "same-origin");
        apr_table_setn(out, "Permissions-Policy",
                       "camera=(), geolocation=(), microphone=(), payment=(), usb=()");
        apr_table_setn(out, "Referrer-Policy", "same-origin");
        apr_table_setn(out, "X-Frame-Options", "DENY");
    }
}

int po_pages_handler(request_rec *r)
{
    const page_t *page = page_of(r);
    const int gzip = page && page->gzip.data && takes_gzip(r);
    const body_t *body;
    int rv;
    if (!page) {
        return HTTP_NOT_FOUND;
    }
    if (r->method_number != M_GET) {
        r->allowed |= AP_METHOD_BIT << M_GET;
        return HTTP_METHOD_NOT_ALLOWED;
    }
    body = gzip ? &page->gzip : &page->plain;
    ap_set_content_type(r, page->type);
    set_headers(r, page, gzip);
    rv = ap_meets_conditions(r);
    if (rv != OK) {
        return rv;
    }
    ap_set_content_length(r, (apr_off_t)body->len);
    if (!r->header_only) {
        apr_bucket_brigade *bb = apr_brigade_create(r->pool, r->connection->bucket_alloc);
        APR_BRIGADE_INSERT_TAIL(bb, apr_bucket_immortal_create(body->data, body->len, bb->bucket_alloc));
        APR_BRIGADE_INSERT_TAIL(bb, apr_bucket_eos_create(bb->bucket_alloc));
        ap_pass_brigade(r->output_filters, bb);
    }
    return OK;
}
