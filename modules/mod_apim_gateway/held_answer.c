/* SPDX-License-Identifier: Apache-2.0 */
#include "held_answer.h"

#include <apr_strings.h>
#include <http_protocol.h>
#include <string.h>
#include <util_filter.h>

#include "apim_text.h"

#define NAME     "APIM_HELD_ANSWER"
#define LONGEST  (64 * 1024)
#define IN_FRONT ((ap_filter_type)(AP_FTYPE_RESOURCE - 1)) /* of all others: they see one answer only */

struct gw_held_answer_t {
    request_rec *r;
    ap_filter_t *filter;
    apr_bucket_brigade *brigade; /* NULL: nothing is held */
    int keepalives, passed, broke;
    /* the request as it was */
    apr_table_t *headers_out, *err_headers_out;
    const char *content_type, *content_encoding;
    apr_array_header_t *content_languages;
    apr_off_t clength;
    int no_cache, no_local_copy;
};

static ap_filter_rec_t *handle;

static int is_short(const request_rec *r)
{
    const char *text = apr_table_get(r->headers_out, "Content-Length");
    apr_int64_t length;
    return text && !r->header_only && !apim_parse_i64(text, &length) && length > 0 && length <= LONGEST;
}

static int is_whole(const apr_bucket_brigade *bb)
{
    const apr_bucket *b;
    for (b = APR_BRIGADE_FIRST(bb); b != APR_BRIGADE_SENTINEL(bb); b = APR_BUCKET_NEXT(b)) {
        if (APR_BUCKET_IS_EOS(b)) {
            return 1;
        }
    }
    return 0;
}

static int is_broken(const apr_bucket_brigade *bb)
{
    const apr_bucket *b;
    for (b = APR_BRIGADE_FIRST(bb); b != APR_BRIGADE_SENTINEL(bb); b = APR_BUCKET_NEXT(b)) {
        if (AP_BUCKET_IS_ERROR(b)) {
            return 1;
        }
    }
    return 0;
}

static apr_status_t pass(ap_filter_t *f, apr_bucket_brigade *bb)
{
    gw_held_answer_t *held = f->ctx;
    held->passed = 1;
    f->c->keepalives = held->keepalives;
    ap_remove_output_filter(f);
    if (held->brigade) {
        APR_BRIGADE_PREPEND(bb, held->brigade);
    }
    return ap_pass_brigade(f->next, bb);
}

static apr_status_t filter(ap_filter_t *f, apr_bucket_brigade *bb)
{
    gw_held_answer_t *held = f->ctx;
    apr_off_t length = 0;
    apr_status_t rv;
    if (APR_BRIGADE_EMPTY(bb)) {
        return APR_SUCCESS;
    }
    if (!is_short(f->r)) {
        return pass(f, bb);
    }
    if (is_broken(bb)) {
        held->broke = 1;
        apr_brigade_cleanup(bb);
        return APR_SUCCESS;
    }
    if (is_whole(bb)) {
        return pass(f, bb);
    }
    rv = ap_save_brigade(f, &held->brigade, &bb, held->r->pool);
    if (rv == APR_SUCCESS && apr_brigade_length(held->brigade, 0, &length) == APR_SUCCESS &&
        length > LONGEST) { /* than it said */
        return pass(f, bb);
    }
    return rv;
}

void gw_held_answer_register(void)
{
    handle = ap_register_output_filter(NAME, filter, NULL, IN_FRONT);
}

gw_held_answer_t *gw_held_answer_begin(request_rec *r, int keepalives)
{
    gw_held_answer_t *held = apr_pcalloc(r->pool, sizeof(*held));
    held->r = r;
    held->keepalives = keepalives;
    held->headers_out = apr_table_copy(r->pool, r->headers_out);
    held->err_headers_out = apr_table_copy(r->pool, r->err_headers_out);
    held->content_type = r->content_type;
    held->content_encoding = r->content_encoding;
    held->content_languages = r->content_languages;
    held->clength = r->clength;
    held->no_cache = r->no_cache;
    held->no_local_copy = r->no_local_copy;
    held->filter = ap_add_output_filter_handle(handle, held, r, r->connection);
    return held;
}

int gw_held_answer_passed(const gw_held_answer_t *held)
{
    return held->passed;
}

int gw_held_answer_broke(const gw_held_answer_t *held)
{
    return held->broke && !held->passed;
}

void gw_held_answer_again(gw_held_answer_t *held)
{
    request_rec *r = held->r;
    if (held->brigade) {
        apr_brigade_cleanup(held->brigade);
    }
    held->broke = 0;
    r->headers_out = apr_table_copy(r->pool, held->headers_out);
    r->err_headers_out = apr_table_copy(r->pool, held->err_headers_out);
    r->content_type = held->content_type;
    r->content_encoding = held->content_encoding;
    r->content_languages = held->content_languages;
    r->clength = held->clength;
    r->no_cache = held->no_cache;
    r->no_local_copy = held->no_local_copy;
    r->status = HTTP_OK;
    r->status_line = NULL;
    r->eos_sent = 0;
}

void gw_held_answer_end(gw_held_answer_t *held)
{
    if (!held->passed) {
        held->r->connection->keepalives = held->keepalives;
        ap_remove_output_filter(held->filter);
    }
}
