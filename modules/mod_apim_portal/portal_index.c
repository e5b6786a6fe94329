/* SPDX-License-Identifier: Apache-2.0 */
#include <apr_base64.h>
#include <apr_strings.h>
#include <string.h>

#include "pages.h"

static const char STYLE[] =
    ":root{color-scheme:light "
    "dark;--ink:#1c2430;--soft:#5a6675;--line:#d8dee6;--ground:#f6f8fa;--card:#fff;--link:#0b5cad}"
    "@media(prefers-color-scheme:dark){:root{--ink:#e6ebf1;--soft:#9aa7b5;--line:#323b46;--ground:#12171d;--"
    "card:#1a2129;"
    "--link:#7db8f5}}"
    "*{box-sizing:border-box}body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.55 "
    "system-ui,sans-serif}"
    "main{max-width:46rem;margin:0 auto;padding:3rem 1.25rem}h1{font-size:1.7rem;margin:0 0 .25rem}"
    "p{margin:0 0 1.5rem;color:var(--soft)}h2{font-size:1rem;margin:2rem 0 .5rem}"
    "dl{margin:0;background:var(--card);border:1px solid var(--line);border-radius:.5rem}"
    "div{display:flex;flex-wrap:wrap;gap:.25rem 1rem;padding:.7rem 1rem;border-top:1px solid var(--line)}"
    "div:first-child{border-top:0}dt{flex:0 0 "
    "12rem;font-weight:600}dd{margin:0;min-width:0;overflow-wrap:anywhere}"
    "a{color:var(--link)}code{font:.92em ui-monospace,monospace}";

static const char *style_hash(apr_pool_t *p)
{
    unsigned char hash[32];
    char *text = apr_palloc(p, (apr_size_t)apr_base64_encode_len(32));
    apim_sha256(STYLE, sizeof(STYLE) - 1, hash);
    apr_base64_encode_binary(text, hash, 32);
    return text;
}

static const char *row(apr_pool_t *p, const char *title, const char *url, int is_link)
{
    const char *text = ap_escape_html(p, url);
    return is_link ? apr_psprintf(p, "<div><dt>%s</dt><dd><a href=\"%s\"><code>%s</code></a></dd></div>",
                                  title, text, text)
                   : apr_psprintf(p, "<div><dt>%s</dt><dd><code>%s</code></dd></div>", title, text);
}

/* The pages for people. */
static const char *page_rows(request_rec *r)
{
    static const struct {
        const char *title, *path;
    } pages[] = {{"Store", "/store/"}, {"Publisher", "/publisher/"}, {"Administration", "/admin/"}};
    const char *rows = "";
    apr_size_t i;
    for (i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
        if (po_pages_is_place(r, pages[i].path)) {
            rows = apr_pstrcat(
                r->pool, rows,
                row(r->pool, pages[i].title, apr_pstrcat(r->pool, rest_self_url(r), pages[i].path, NULL), 1),
                NULL);
        }
    }
    return rows;
}

static const char *rest_rows(request_rec *r)
{
    const portal_dir_config_t *on = po_dir_config(r);
    const char *self = rest_self_url(r), *rows = "";
    if (po_config(r)->pages) {
        rows = page_rows(r);
    }
    if (on->publisher == 1) {
        rows = apr_pstrcat(
            r->pool, rows,
            row(r->pool, "Publisher, REST API", apr_pstrcat(r->pool, self, PO_PUBLISHER_BASE, NULL), 0),
            NULL);
    }
    if (on->store == 1) {
        const char *url = apr_pstrcat(r->pool, self, PO_STORE_BASE "/apis", NULL);
        rows = apr_pstrcat(r->pool, rows, row(r->pool, "Store, REST API", url, 1), NULL);
    }
    if (on->admin == 1) {
        rows = apr_pstrcat(
            r->pool, rows,
            row(r->pool, "Administration, REST API", apr_pstrcat(r->pool, self, PO_ADMIN_BASE, NULL), 0),
            NULL);
    }
    return rows;
}

static const char *endpoint_rows(request_rec *r)
{
    const char *keymgr = po_keymgr_url(r);
    return apr_pstrcat(r->pool,
                       row(r->pool, "Client registration",
                           apr_pstrcat(r->pool, keymgr, "/client-registration/v0.17/register", NULL), 0),
                       row(r->pool, "Token endpoint", apr_pstrcat(r->pool, keymgr, "/oauth2/token", NULL), 0),
                       row(r->pool, "Server metadata",
                           apr_pstrcat(r->pool, keymgr, "/.well-known/oauth-authorization-server", NULL), 1),
                       row(r->pool, "Gateway", po_gateway_url(r), 0), NULL);
}

int po_index_page(request_rec *r)
{
    const char *page =
        apr_pstrcat(r->pool,
                    "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
                    "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>API "
                    "Manager</title><style>",
                    STYLE,
                    "</style></head><body><main><h1>API Manager</h1><p>Where things are on this server.</p>"
                    "<h2>REST APIs</h2><dl>",
                    rest_rows(r), "</dl><h2>Endpoints</h2><dl>", endpoint_rows(r),
                    "</dl><h2>Documentation</h2><dl>"
                    "<div><dt>REST APIs</dt><dd><code>docs/rest.md</code></dd></div>"
                    "<div><dt>Directives</dt><dd><code>docs/directives-portal.md</code></dd></div></dl></"
                    "main></body></html>\n",
                    NULL);
    apr_table_setn(r->headers_out, "Content-Security-Policy",
                   apr_pstrcat(r->pool, "default-src 'none'; style-src 'sha256-", style_hash(r->pool),
                               "'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'", NULL));
    apr_table_setn(r->headers_out, "Referrer-Policy", "no-referrer");
    rest_reply_text(r, HTTP_OK, "text/html; charset=utf-8", page, strlen(page));
    return OK;
}
