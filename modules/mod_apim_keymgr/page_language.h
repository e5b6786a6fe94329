/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KM_PAGE_LANGUAGE_H
#define KM_PAGE_LANGUAGE_H

/*
 * The languages of the pages that people see when they log in: English, and those of the table in
 * page_language.c.
 */

/** The languages there are, blank-separated. */
#define KM_PAGE_LANGUAGES "en de"

/** The language for a person: the first of locales (ui_locales of OpenID Connect, tags separated by blanks)
 * that there is, else the one that accept (Accept-Language, RFC 9110 section 12.5.4) likes best, else "en".
 * Each may be NULL, and hold anything. A literal. */
const char *km_language_choose(const char *locales, const char *accept);

/** text, which is English, in a language; text itself where it is not translated. */
const char *km_language_text(const char *language, const char *text);

#endif
