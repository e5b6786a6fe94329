/* SPDX-License-Identifier: Apache-2.0 */
#include "openapi/fetch.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <apr_strings.h>
#include <curl/curl.h>

#include "apim_text.h"

#define DEFAULT_MAX_BYTES     (20 * 1024 * 1024)
#define DEFAULT_TIMEOUT_MS    10000
#define DEFAULT_MAX_REDIRECTS 3
#define MAX_URL               2000

enum { E_URL = 900756, E_NOT_200 = 900757 };

/* An IPv4 address is kept as ::ffff:a.b.c.d, so that one comparison serves both families. */
typedef struct range_t {
    unsigned char address[16];
    int bits;
} range_t;

typedef struct fetch_t {
    apr_pool_t *p;
    const apim_fetch_options_t *options;
    apr_array_header_t *allowed; /* of range_t */
    char *body;                  /* malloc'd */
    apr_size_t len, room, max_bytes;
    int too_large;
    char refused[INET6_ADDRSTRLEN]; /* an address that was not connected to, "" if none */
} fetch_t;

/* -- addresses ------------------------------------------------------------------------------------------- */

static int in_range(const unsigned char address[16], const range_t *range)
{
    int bytes = range->bits / 8, rest = range->bits % 8;
    unsigned char mask = (unsigned char)(0xff << (8 - rest));
    return !memcmp(address, range->address, (size_t)bytes) &&
           (!rest || (address[bytes] & mask) == (range->address[bytes] & mask));
}

#define V4(a, b, c, d, bits)                                                                                 \
    {                                                                                                        \
        {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d}, 96 + (bits)                                  \
    }

/* IANA's special-purpose registry of IPv4 (RFC 6890 and later): what is not globally reachable, and
 * multicast. */
static const range_t internal_v4[] = {
    V4(0, 0, 0, 0, 8),      V4(10, 0, 0, 0, 8),     V4(100, 64, 0, 0, 10), V4(127, 0, 0, 0, 8),
    V4(169, 254, 0, 0, 16), V4(172, 16, 0, 0, 12),  V4(192, 0, 0, 0, 24),  V4(192, 0, 2, 0, 24),
    V4(192, 88, 99, 0, 24), V4(192, 168, 0, 0, 16), V4(198, 18, 0, 0, 15), V4(198, 51, 100, 0, 24),
    V4(203, 0, 113, 0, 24), V4(224, 0, 0, 0, 4),    V4(240, 0, 0, 0, 4),
};

/* Of IPv6 only 2000::/3 is global unicast; inside it these are not, or carry an IPv4 address that a relay may
 * reach. */
static const range_t global_v6 = {{0x20}, 3};
static const range_t nat64 = {{0, 0x64, 0xff, 0x9b}, 96};
static const range_t internal_v6[] = {
    {{0x20, 0x01, 0x00, 0x00}, 23}, /* IETF protocol assignments, with Teredo */
    {{0x20, 0x01, 0x0d, 0xb8}, 32}, /* documentation */
    {{0x20, 0x02}, 16},             /* 6to4 */
    {{0x3f, 0xff, 0x00}, 20},       /* documentation */
};

static int is_mapped_v4(const unsigned char a[16])
{
    static const unsigned char prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    return !memcmp(a, prefix, sizeof(prefix));
}

static int is_internal(const unsigned char address[16])
{
    unsigned char v4[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    size_t i;
    if (is_mapped_v4(address) || in_range(address, &nat64)) {
        memcpy(v4 + 12, address + 12, 4);
        for (i = 0; i < sizeof(internal_v4) / sizeof(*internal_v4); i++) {
            if (in_range(v4, &internal_v4[i])) {
                return 1;
            }
        }
        return 0;
    }
    for (i = 0; i < sizeof(internal_v6) / sizeof(*internal_v6); i++) {
        if (in_range(address, &internal_v6[i])) {
            return 1;
        }
    }
    return !in_range(address, &global_v6);
}

static int parse_address(const char *text, unsigned char out[16], int *v4)
{
    memset(out, 0, 16);
    out[10] = out[11] = 0xff;
    *v4 = inet_pton(AF_INET, text, out + 12) == 1;
    return *v4 || inet_pton(AF_INET6, text, out) == 1;
}

static const char *parse_range(apr_pool_t *p, const char *word, range_t *range)
{
    char *text = apr_pstrdup(p, word), *slash = strchr(text, '/');
    apr_int64_t bits;
    int v4;
    if (slash) {
        *slash++ = 0;
    }
    if (!parse_address(text, range->address, &v4)) {
        return apr_psprintf(p, "\"%s\" is not an IP address or a range such as 10.1.0.0/16", word);
    }
    bits = v4 ? 32 : 128;
    if (slash && (apim_parse_i64(slash, &bits) || bits < 0 || bits > (v4 ? 32 : 128))) {
        return apr_psprintf(p, "\"%s\": behind the slash stands a number from 0 to %d", word, v4 ? 32 : 128);
    }
    range->bits = (int)bits + (v4 ? 96 : 0);
    return NULL;
}

static const char *parse_ranges(apr_pool_t *p, const char *cidrs, apr_array_header_t *ranges)
{
    char *rest = apr_pstrdup(p, cidrs ? cidrs : ""), *word;
    const char *problem;
    while ((word = apr_strtok(rest, ", \t", &rest))) {
        problem = parse_range(p, word, apr_array_push(ranges));
        if (problem) {
            return problem;
        }
    }
    return NULL;
}

const char *apim_fetch_check_cidrs(apr_pool_t *p, const char *cidrs)
{
    return parse_ranges(p, cidrs, apr_array_make(p, 2, sizeof(range_t)));
}

static int may_connect(const fetch_t *f, const unsigned char address[16])
{
    int i;
    if (f->options->allow_internal || !is_internal(address)) {
        return 1;
    }
    for (i = 0; i < f->allowed->nelts; i++) {
        if (in_range(address, &APR_ARRAY_IDX(f->allowed, i, range_t))) {
            return 1;
        }
    }
    return 0;
}

/* -- libcurl's callbacks --------------------------------------------------------------------------------- */

/* Called with the address that is about to be connected to, whatever the name was and whichever redirect led
 * here. */
static curl_socket_t open_socket(void *baton, curlsocktype purpose, struct curl_sockaddr *to)
{
    fetch_t *f = baton;
    unsigned char address[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    if (to->family == AF_INET) {
        memcpy(address + 12, &((const struct sockaddr_in *)(const void *)&to->addr)->sin_addr, 4);
    }
    else if (to->family == AF_INET6) {
        memcpy(address, &((const struct sockaddr_in6 *)(const void *)&to->addr)->sin6_addr, 16);
    }
    else {
        return CURL_SOCKET_BAD;
    }
    if (!may_connect(f, address)) {
        inet_ntop(AF_INET6, address, f->refused, sizeof(f->refused));
        return CURL_SOCKET_BAD;
    }
    return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

static size_t take_body(char *data, size_t size, size_t count, void *baton)
{
    fetch_t *f = baton;
    size_t n = size * count;
    if (n > f->max_bytes - f->len) {
        f->too_large = 1;
        return 0;
    }
    if (f->len + n + 1 > f->room) {
        size_t room = (f->len + n) * 2 + 4096;
        char *grown = realloc(f->body, room);
        if (!grown) {
            return 0;
        }
        f->body = grown;
        f->room = room;
    }
    memcpy(f->body + f->len, data, n);
    f->len += n;
    return n;
}

/* -- the URL --------------------------------------------------------------------------------------------- */

static int has_part(CURLU *u, CURLUPart part)
{
    char *value = NULL;
    int has = !curl_url_get(u, part, &value, 0) && value && *value;
    curl_free(value);
    return has;
}

/* NULL if it is fine, else the end of a sentence. */
static const char *url_problem(const char *url)
{
    const char *problem = NULL;
    CURLU *u;
    if (strncasecmp(url, "http://", 7) && strncasecmp(url, "https://", 8)) {
        return "does not begin with http:// or https://";
    }
    if (strlen(url) > MAX_URL || apim_has_control(url, "") || strchr(url, ' ')) {
        return "is longer than 2000 characters or holds blanks or control characters";
    }
    u = curl_url();
    if (!u || curl_url_set(u, CURLUPART_URL, url, 0) || !has_part(u, CURLUPART_HOST)) {
        problem = "is not a URL";
    }
    else if (has_part(u, CURLUPART_USER) || has_part(u, CURLUPART_PASSWORD)) {
        problem = "holds a user name or a password";
    }
    curl_url_cleanup(u);
    return problem;
}

int apim_fetch_url_valid(const char *url)
{
    return url && !url_problem(url);
}

/* -- the transfer ---------------------------------------------------------------------------------------- */

static void set_options(CURL *curl, fetch_t *f, const char *url, char *message)
{
    const apim_fetch_options_t *o = f->options;
    long redirects = o->max_redirects ? o->max_redirects : DEFAULT_MAX_REDIRECTS;
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, redirects > 0 ? 1L : 0L);
    curl_easy_setopt(curl, CURLOPT_MAXREDIRS, redirects > 0 ? redirects : 0L);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    curl_easy_setopt(curl, CURLOPT_UNRESTRICTED_AUTH, 0L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)(o->timeout_ms ? o->timeout_ms : DEFAULT_TIMEOUT_MS));
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS,
                     (long)(o->timeout_ms ? o->timeout_ms : DEFAULT_TIMEOUT_MS));
    curl_easy_setopt(curl, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)f->max_bytes);
    curl_easy_setopt(curl, CURLOPT_ACCEPT_ENCODING, "");
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "apache-api-manager");
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, f);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, f);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, message);
    if (o->ca_file) {
        curl_easy_setopt(curl, CURLOPT_CAINFO, o->ca_file);
    }
    if (o->probe) {
        curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
    }
    if (o->post_json) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)strlen(o->post_json));
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, o->post_json);
    }
}

/* The caller frees the list once the transfer is over. -1 if memory ran out. */
static int set_headers(CURL *curl, const fetch_t *f, struct curl_slist **list)
{
    const apim_fetch_options_t *o = f->options;
    struct curl_slist *longer;
    if (o->post_json) {
        *list = curl_slist_append(NULL, "Content-Type: application/json");
        if (!*list) {
            return -1;
        }
    }
    if (o->authorization) {
        longer = curl_slist_append(*list, apr_pstrcat(f->p, "Authorization: ", o->authorization, NULL));
        if (!longer) {
            return -1;
        }
        *list = longer;
    }
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, *list);
    return 0;
}

static apim_error_t *failed(fetch_t *f, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static apim_error_t *failed(fetch_t *f, int code, const char *format, ...)
{
    const char *description;
    va_list ap;
    va_start(ap, format);
    description = apr_pvsprintf(f->p, format, ap);
    va_end(ap);
    return apim_error(f->p, 400, code, "OpenAPI definition retrieval from URL failed", "%s", description);
}

static apim_error_t *transfer_error(fetch_t *f, const char *url, CURLcode rc, const char *message)
{
    if (*f->refused) {
        /* A mapped address is shown as what it is. */
        const char *shown = strncmp(f->refused, "::ffff:", 7) ? f->refused : f->refused + 7;
        return failed(f, E_URL,
                      "The URL %.200s leads to the internal address %s. Only public addresses may be fetched "
                      "from, unless "
                      "the administrator allows it.",
                      url, shown);
    }
    if (f->too_large || rc == CURLE_FILESIZE_EXCEEDED) {
        return failed(f, E_URL, "What %.200s answers has more than %" APR_SIZE_T_FMT " bytes.", url,
                      f->max_bytes);
    }
    if (rc == CURLE_OPERATION_TIMEDOUT) {
        return failed(f, E_URL, "The URL %.200s did not answer in time.", url);
    }
    if (rc == CURLE_TOO_MANY_REDIRECTS) {
        return failed(f, E_URL, "The URL %.200s redirects too often.", url);
    }
    return failed(f, E_URL, "The URL %.200s could not be fetched: %.200s.", url,
                  *message ? message : curl_easy_strerror(rc));
}

static apim_error_t *take_result(fetch_t *f, CURL *curl, const char *url, apim_fetched_t **out)
{
    apim_fetched_t *result;
    char *type = NULL, *effective = NULL;
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    if (!f->options->probe && (f->options->post_json ? status / 100 != 2 : status != 200)) {
        return failed(f, E_NOT_200, "The URL %.200s answered with status %ld instead of 200.", url, status);
    }
    curl_easy_getinfo(curl, CURLINFO_CONTENT_TYPE, &type);
    curl_easy_getinfo(curl, CURLINFO_EFFECTIVE_URL, &effective);
    result = apr_pcalloc(f->p, sizeof(*result));
    result->body = f->body ? apr_pstrmemdup(f->p, f->body, f->len) : "";
    result->len = f->len;
    result->status = (int)status;
    result->content_type = apr_pstrdup(f->p, type);
    result->url = apr_pstrdup(f->p, effective ? effective : url);
    *out = result;
    return NULL;
}

static apim_error_t *perform(fetch_t *f, CURL *curl, const char *url, apim_fetched_t **out)
{
    char message[CURL_ERROR_SIZE] = "";
    struct curl_slist *headers = NULL;
    CURLcode rc = CURLE_OUT_OF_MEMORY;
    set_options(curl, f, url, message);
    if (!set_headers(curl, f, &headers)) {
        rc = curl_easy_perform(curl);
    }
    curl_slist_free_all(headers);
    return rc ? transfer_error(f, url, rc, message) : take_result(f, curl, url, out);
}

apim_error_t *apim_fetch(apr_pool_t *p, const char *url, const apim_fetch_options_t *options,
                         apim_fetched_t **out)
{
    static const apim_fetch_options_t defaults;
    fetch_t f = {0};
    apim_error_t *err;
    const char *problem;
    CURL *curl;
    *out = NULL;
    f.p = p;
    f.options = options ? options : &defaults;
    f.max_bytes = f.options->max_bytes ? f.options->max_bytes : DEFAULT_MAX_BYTES;
    f.allowed = apr_array_make(p, 2, sizeof(range_t));
    if ((problem = parse_ranges(p, f.options->allow_cidrs, f.allowed))) {
        return apim_internal(p, "addresses allowed for import: %s", problem);
    }
    if (!url || (problem = url_problem(url))) {
        return failed(&f, E_URL, "The URL %s.", url ? problem : "is missing");
    }
    curl = curl_easy_init();
    if (!curl) {
        return apim_internal(p, "libcurl could not be started");
    }
    err = perform(&f, curl, url, out);
    curl_easy_cleanup(curl);
    free(f.body);
    return err;
}

void apim_fetch_init(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}
