/* SPDX-License-Identifier: Apache-2.0 */
#include "image_type.h"

#include <string.h>

static int begins(const char *data, apr_size_t len, const char *magic, apr_size_t n)
{
    return len >= n && memcmp(data, magic, n) == 0;
}

const char *po_image_type(const char *data, apr_size_t len)
{
    /* Signature, length and name of the first chunk: RFC 2083 says that IHDR comes first. */
    if (begins(data, len, "\x89PNG\r\n\x1a\n\0\0\0\rIHDR", 16) && len > 33) {
        return "image/png";
    }
    if (begins(data, len, "\xff\xd8\xff", 3) && len > 100) {
        return "image/jpeg";
    }
    if ((begins(data, len, "GIF87a", 6) || begins(data, len, "GIF89a", 6)) && len > 13) {
        return "image/gif";
    }
    if (begins(data, len, "RIFF", 4) && len > 20 && memcmp(data + 8, "WEBPVP8", 7) == 0) {
        return "image/webp";
    }
    return NULL;
}
