/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KM_WEB_PAGE_H
#define KM_WEB_PAGE_H

#include "keymgr_config.h"

/*
 * The pages that people see when they log in: plain HTML without any script (but km_page_submit). Every page
 * forbids scripts, frames and sources elsewhere (Content-Security-Policy), caching and referers.
 */
#define KM_STYLE_PATH "/oauth2/style.css"

/** Text as HTML, for content and for attribute values in double quotes. NULL is "". */
const char *km_html(apr_pool_t *p, const char *text);

/** ui_locales of this request: wins over what the browser says. NULL does nothing. */
void km_page_locales(const km_call_t *call, const char *locales);

/** An English text of the pages in the language of this request's person; itself where it is not translated
 * (page_language). */
const char *km_say(const km_call_t *call, const char *text);

/** What form_target of a page must be so that its form's answer may redirect to uri: an origin, or a scheme.
 * NULL if it cannot be named, or uri is NULL. */
const char *km_form_target(apr_pool_t *p, const char *uri);

/** Writes a page. title: English; where it is translated, the body is expected to be, too. body: HTML below
 * the heading. form_target: a source of CSP's form-action besides our own origin, where a form's answer may
 * redirect to (NULL: none). Returns OK. */
int km_page_reply(const km_call_t *call, int status, const char *title, const char *body,
                  const char *form_target);

/** Writes a page that says what is wrong, with Retry-After where the error has one; logs the error once.
 * Returns OK. */
int km_page_error(const km_call_t *call, const apim_error_t *err);

/** 303 See Other: the browser comes with GET, whatever it came with. Returns OK. */
int km_page_redirect(const km_call_t *call, const char *location);

/** A page whose form posts itself to another site: the one page with a script, which its
 * Content-Security-Policy names by its hash. fields: HTML. Returns OK. */
int km_page_submit(const km_call_t *call, const char *action, const char *fields);

/** The style sheet. */
int km_endpoint_style(const km_call_t *call);

#endif
