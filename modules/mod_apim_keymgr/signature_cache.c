/* SPDX-License-Identifier: Apache-2.0 */
#include "signature_cache.h"

#include <pthread.h>
#include <string.h>

#include "apim_crypto.h"

#define SLOTS 8192 /* powers of two */
#define LOCKS 64

static unsigned char slots[SLOTS][32];
static pthread_mutex_t locks[LOCKS] = {[0 ... LOCKS - 1] = PTHREAD_MUTEX_INITIALIZER};

static unsigned int slot_of(const unsigned char digest[32])
{
    return ((unsigned int)digest[0] << 8 | digest[1]) & (SLOTS - 1);
}

int km_signature_known(const char *token, size_t len, unsigned char digest[32])
{
    unsigned int i;
    int known;
    if (apim_sha256(token, len, digest)) {
        memset(digest, 0, 32);
        return 0;
    }
    i = slot_of(digest);
    pthread_mutex_lock(&locks[i % LOCKS]);
    known = memcmp(slots[i], digest, 32) == 0;
    pthread_mutex_unlock(&locks[i % LOCKS]);
    return known;
}

void km_signature_remember(const unsigned char digest[32])
{
    unsigned int i = slot_of(digest);
    pthread_mutex_lock(&locks[i % LOCKS]);
    memcpy(slots[i], digest, 32);
    pthread_mutex_unlock(&locks[i % LOCKS]);
}
