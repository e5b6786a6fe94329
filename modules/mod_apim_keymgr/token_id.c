/* SPDX-License-Identifier: Apache-2.0 */
#include "token_id.h"

#include <apr_strings.h>
#include <openssl/rand.h>
#include <string.h>

#include "apim_text.h"

const char *km_token_id(apr_pool_t *p, apr_int64_t ms)
{
    unsigned char b[16];
    const char *h;
    if (RAND_bytes(b, sizeof(b)) != 1) {
        return NULL;
    }
    b[0] = (unsigned char)(ms >> 40);
    b[1] = (unsigned char)(ms >> 32);
    b[2] = (unsigned char)(ms >> 24);
    b[3] = (unsigned char)(ms >> 16);
    b[4] = (unsigned char)(ms >> 8);
    b[5] = (unsigned char)ms;
    b[6] = (unsigned char)((b[6] & 0x0f) | 0x70);
    b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
    h = apim_hex(p, b, sizeof(b));
    return apr_psprintf(p, "%.8s-%.4s-%.4s-%.4s-%.12s", h, h + 8, h + 12, h + 16, h + 20);
}

apr_int64_t km_token_id_time(const char *id, apr_int64_t fallback)
{
    apr_int64_t ms = 0;
    int i;
    if (strlen(id) != 36 || id[14] != '7') {
        return fallback;
    }
    for (i = 0; i < 13; i++) {
        const char *digits = "0123456789abcdef", *d = strchr(digits, id[i]);
        if (i == 8) {
            continue;
        }
        if (!d) {
            return fallback;
        }
        ms = ms << 4 | (d - digits);
    }
    return ms;
}
