/* SPDX-License-Identifier: Apache-2.0 */
#include "correlation_id.h"

#include <openssl/rand.h>
#include <string.h>

#include "apim_siphash.h"
#include "apim_text.h"

#define MAX_LENGTH 128

/* Of this child: ids are its numbers, one after the other, under its own random key. OpenSSL's generator
 * would cost a tenth of a call. */
static uint64_t key[2], number;

void gw_correlation_id_child_init(void)
{
    if (RAND_bytes((unsigned char *)key, sizeof(key)) != 1) {
        key[0] = (uint64_t)apr_time_now();
        key[1] = (uint64_t)getpid();
    }
}

static int is_usable(const char *s)
{
    apr_size_t n = s ? strspn(s, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_.") : 0;
    return n > 0 && n <= MAX_LENGTH && !s[n];
}

const char *gw_correlation_id(request_rec *r)
{
    const char *id = apr_table_get(r->headers_in, GW_CORRELATION_HEADER);
    uint64_t mine, out[2];
    if (is_usable(id)) {
        return id;
    }
    id = apr_table_get(r->headers_in, "activityid");
    if (is_usable(id)) {
        return id;
    }
    mine = __atomic_add_fetch(&number, 1, __ATOMIC_RELAXED);
    apim_siphash128(key, &mine, sizeof(mine), out);
    return apim_b64url(r->pool, out, sizeof(out));
}
