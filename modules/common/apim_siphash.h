/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APIM_SIPHASH_H
#define APIM_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

/*
 * SipHash-2-4 with 128 bits of output (Aumasson, Bernstein: "SipHash: a fast short-input PRF"). For the index
 * of tables whose keys come from outside: without the key nobody can choose inputs that collide. Not for
 * stored secrets; those take SHA-256.
 */
void apim_siphash128(const uint64_t key[2], const void *data, size_t len, uint64_t out[2]);

#endif
