/* SPDX-License-Identifier: Apache-2.0 */
#include "web_page.h"

#include <apr_strings.h>
#include <apr_uri.h>
#include <string.h>

#include "httpd/rest.h"
#include "oauth_endpoints.h"
#include "oauth_error.h"
#include "page_language.h"

#define LOCALES "apim-ui-locales"

static const char style[] =
    ":root{color-scheme:light dark}"
    "body{font:1rem/1.5 system-ui,sans-serif;margin:0;background:#f3f4f6;color:#1f2328}"
    "main{box-sizing:border-box;max-width:26rem;margin:8vh auto;padding:2rem;background:#fff;border:1px "
    "solid #d0d7de;"
    "border-radius:.5rem}"
    "h1{font-size:1.35rem;margin:0 0 1rem}"
    "label{display:block;margin:1rem 0 .25rem;font-weight:600}"
    "input{box-sizing:border-box;width:100%;padding:.55rem;font:inherit;border:1px solid "
    "#6e7781;border-radius:.3rem;"
    "background:#fff;color:inherit}"
    "button{margin:1.25rem .5rem 0 0;padding:.55rem 1.2rem;min-height:2.75rem;font:inherit;font-weight:600;"
    "border:1px solid #0550ae;border-radius:.3rem;background:#0550ae;color:#fff;cursor:pointer}"
    "button.plain{background:transparent;color:inherit;border-color:#6e7781}"
    ":focus-visible{outline:3px solid #0969da;outline-offset:2px}"
    ".error{padding:.6rem .8rem;border-left:4px solid #b3261e;background:#fdecea;color:#5f1411}"
    ".note{color:#57606a;overflow-wrap:anywhere}"
    "li{margin:.4rem 0;overflow-wrap:anywhere}"
    "@media(prefers-color-scheme:dark){body{background:#0d1117;color:#e6edf3}main,input{background:#161b22;"
    "border-color:#484f58}.note{color:#9da7b1}.error{background:#3c1618;color:#ffd8d6}"
    "button{background:#1f6feb;border-color:#1f6feb}}";

const char *km_html(apr_pool_t *p, const char *text)
{
    return ap_escape_html2(p, text ? text : "", 0);
}

void km_page_locales(const km_call_t *call, const char *locales)
{
    if (locales) {
        apr_table_set(call->r->notes, LOCALES, locales);
    }
}

static const char *language(const km_call_t *call)
{
    return km_language_choose(apr_table_get(call->r->notes, LOCALES),
                              apr_table_get(call->r->headers_in, "Accept-Language"));
}

const char *km_say(const km_call_t *call, const char *text)
{
    return km_language_text(language(call), text);
}

const char *km_form_target(apr_pool_t *p, const char *text)
{
    apr_uri_t uri;
    if (!text || apr_uri_parse(p, text, &uri) != APR_SUCCESS || !uri.scheme) {
        return NULL;
    }
    /* A literal IPv6 address cannot be written there, but its scheme can. */
    if ((strcasecmp(uri.scheme, "http") != 0 && strcasecmp(uri.scheme, "https") != 0) || !uri.hostinfo ||
        strpbrk(uri.hostinfo, "[;, ")) {
        return apr_pstrcat(p, uri.scheme, ":", NULL);
    }
    return apr_pstrcat(p, uri.scheme, "://", uri.hostinfo, NULL);
}

/* form_target: a source of form-action besides our own origin; script: the one script-src. NULL: none. */
static void set_headers(request_rec *r, const char *form_target, const char *script)
{
    apr_table_t *h = r->headers_out;
    apr_table_setn(
        h, "Content-Security-Policy",
        apr_pstrcat(r->pool,
                    "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'; ",
                    "form-action 'self'", form_target ? " " : "", form_target ? form_target : "",
                    script ? "; script-src " : "", script ? script : "", NULL));
    apr_table_setn(h, "X-Frame-Options", "DENY");
    apr_table_setn(h, "X-Content-Type-Options", "nosniff");
    apr_table_setn(h, "Referrer-Policy", "no-referrer");
    apr_table_setn(h, "Cross-Origin-Opener-Policy", "same-origin");
    apr_table_setn(h, "Cache-Control", "no-store");
    apr_table_setn(h, "Pragma", "no-cache");
}

static int reply(const km_call_t *call, int status, const char *title, const char *body,
                 const char *form_target, const char *script)
{
    const char *said = km_say(call, title), *lang = said == title ? "en" : language(call);
    const char *page = apr_pstrcat(
        call->pool, "<!DOCTYPE html>\n<html lang=\"", lang,
        "\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>",
        said, "</title>\n<link rel=\"stylesheet\" href=\"" KM_STYLE_PATH "\">\n</head>\n<body>\n<main>\n<h1>",
        said, "</h1>\n", body, "\n</main>\n</body>\n</html>\n", NULL);
    set_headers(call->r, form_target, script);
    apr_table_setn(call->r->headers_out, "Content-Language", lang);
    rest_reply_text(call->r, status, "text/html; charset=utf-8", page, strlen(page));
    return OK;
}

int km_page_reply(const km_call_t *call, int status, const char *title, const char *body,
                  const char *form_target)
{
    return reply(call, status, title, body, form_target, NULL);
}

int km_page_error(const km_call_t *call, const apim_error_t *err)
{
    apr_pool_t *p = call->pool;
    rest_log_error(call->r, "APIM-KM0050", err);
    if (err->retry_after > 0) {
        apr_table_setn(call->r->err_headers_out, "Retry-After", apr_itoa(p, err->retry_after));
    }
    return km_page_reply(
        call, err->status, err->status < 500 ? "This did not work" : "Not available at the moment",
        apr_pstrcat(
            p, "<p class=\"error\" role=\"alert\" lang=\"en\">",
            km_html(p, err->description ? err->description : err->message), "</p>\n<p class=\"note\">",
            km_say(call, "Go back to the application you came from and start there again."), "</p>", NULL),
        NULL);
}

int km_page_redirect(const km_call_t *call, const char *location)
{
    set_headers(call->r, NULL, NULL);
    apr_table_setn(call->r->err_headers_out, "Location", location);
    rest_reply_empty(call->r, HTTP_SEE_OTHER);
    return OK;
}

#define SUBMIT      "document.forms[0].submit()"
#define SUBMIT_HASH "'sha256-ePniVEkSivX/c7XWBGafqh8tSpiRrKiqYeqbG7N1TOE='" /* of SUBMIT, byte for byte */

int km_page_submit(const km_call_t *call, const char *action, const char *fields)
{
    apr_pool_t *p = call->pool;
    return reply(call, HTTP_OK, "Back to the application",
                 apr_pstrcat(p, "<form method=\"post\" action=\"", km_html(p, action), "\">\n", fields,
                             "<button type=\"submit\">", km_say(call, "Go on"),
                             "</button>\n</form>\n<script>" SUBMIT "</script>", NULL),
                 km_form_target(p, action), SUBMIT_HASH);
}

int km_endpoint_style(const km_call_t *call)
{
    apim_error_t *err = km_check_method(call, "GET");
    if (err) {
        return km_oauth_reply_error(call->r, err);
    }
    apr_table_setn(call->r->headers_out, "Cache-Control", "public, max-age=3600");
    apr_table_setn(call->r->headers_out, "X-Content-Type-Options", "nosniff");
    rest_reply_text(call->r, HTTP_OK, "text/css; charset=utf-8", style, sizeof(style) - 1);
    return OK;
}
