/* SPDX-License-Identifier: Apache-2.0 */
#include "apim_siphash.h"

#include <string.h>

typedef struct state_t {
    uint64_t a, b, c, d;
} state_t;

static inline uint64_t rotate(uint64_t x, int n)
{
    return (x << n) | (x >> (64 - n));
}

static inline void rounds(state_t *s, int n)
{
    while (n--) {
        s->a += s->b;
        s->c += s->d;
        s->b = rotate(s->b, 13) ^ s->a;
        s->d = rotate(s->d, 16) ^ s->c;
        s->a = rotate(s->a, 32);
        s->c += s->b;
        s->a += s->d;
        s->b = rotate(s->b, 17) ^ s->c;
        s->d = rotate(s->d, 21) ^ s->a;
        s->c = rotate(s->c, 32);
    }
}

/* Words are little-endian by definition; the result need not be the same on every machine, it never leaves
 * one. */
static inline uint64_t word(const unsigned char *p, size_t n)
{
    uint64_t w = 0;
    size_t i;
    for (i = 0; i < n; i++) {
        w |= (uint64_t)p[i] << (8 * i);
    }
    return w;
}

static inline void absorb(state_t *s, uint64_t w)
{
    s->d ^= w;
    rounds(s, 2);
    s->a ^= w;
}

void apim_siphash128(const uint64_t key[2], const void *data, size_t len, uint64_t out[2])
{
    const unsigned char *p = data;
    size_t left = len;
    state_t s = {key[0] ^ 0x736f6d6570736575ULL, key[1] ^ 0x646f72616e646f6dULL ^ 0xee,
                 key[0] ^ 0x6c7967656e657261ULL, key[1] ^ 0x7465646279746573ULL};
    for (; left >= 8; p += 8, left -= 8) {
        absorb(&s, word(p, 8));
    }
    absorb(&s, ((uint64_t)len << 56) | word(p, left));
    s.c ^= 0xee;
    rounds(&s, 4);
    out[0] = s.a ^ s.b ^ s.c ^ s.d;
    s.b ^= 0xdd;
    rounds(&s, 4);
    out[1] = s.a ^ s.b ^ s.c ^ s.d;
}
