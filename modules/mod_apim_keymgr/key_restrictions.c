/* SPDX-License-Identifier: Apache-2.0 */
#include "key_restrictions.h"

#include <apr_network_io.h>
#include <apr_strings.h>
#include <string.h>

/* The next item of a comma-separated list, trimmed; NULL at the end. */
static char *next_item(char **rest)
{
    char *item = *rest, *end;
    if (!item) {
        return NULL;
    }
    end = strchr(item, ',');
    *rest = end ? end + 1 : NULL;
    end = end ? end : item + strlen(item);
    while (item < end && *item == ' ') {
        item++;
    }
    while (end > item && end[-1] == ' ') {
        end--;
    }
    *end = '\0';
    return item;
}

static int in_block(apr_pool_t *p, char *block, apr_sockaddr_t *address)
{
    apr_ipsubnet_t *subnet;
    char *mask = strchr(block, '/');
    if (mask) {
        *mask++ = '\0';
    }
    return apr_ipsubnet_create(&subnet, block, mask, p) == APR_SUCCESS && apr_ipsubnet_test(subnet, address);
}

int km_address_permitted(apr_pool_t *p, const char *list, const char *address)
{
    apr_sockaddr_t *sa;
    char *rest = apr_pstrdup(p, list ? list : ""), *item;
    if (!*rest) {
        return 1;
    }
    if (!address || apr_sockaddr_info_get(&sa, address, APR_UNSPEC, 0, APR_IPV4_ADDR_OK, p) != APR_SUCCESS) {
        return 0;
    }
    while ((item = next_item(&rest))) {
        if (*item && in_block(p, item, sa)) {
            return 1;
        }
    }
    return 0;
}

/* Iterative, so that no pattern can make it slow in depth. */
static int fits(const char *pattern, const char *text)
{
    const char *star = NULL, *mark = NULL;
    while (*text) {
        if (*pattern == '*') {
            star = pattern++;
            mark = text;
        }
        else if (*pattern == *text) {
            pattern++;
            text++;
        }
        else if (star) {
            pattern = star + 1;
            text = ++mark;
        }
        else {
            return 0;
        }
    }
    while (*pattern == '*') {
        pattern++;
    }
    return !*pattern;
}

int km_referer_permitted(apr_pool_t *p, const char *list, const char *referer)
{
    char *rest = apr_pstrdup(p, list ? list : ""), *item;
    if (!*rest) {
        return 1;
    }
    while (referer && (item = next_item(&rest))) {
        if (*item && fits(item, referer)) {
            return 1;
        }
    }
    return 0;
}
