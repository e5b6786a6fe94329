/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KM_SIGNATURE_CACHE_H
#define KM_SIGNATURE_CACHE_H

#include <stddef.h>

/*
 * Tokens whose signature this process has found good, by SHA-256: a JWT is presented many times, and checking
 * its signature costs as much as everything else about it. Remembers nothing but "this very text was signed
 * by the key that its header names"; whether that key is still ours, and everything about times and
 * revocation, is asked each time. Fixed size; any thread.
 */

/** 1 if the token was remembered. digest is filled for km_signature_remember. */
int km_signature_known(const char *token, size_t len, unsigned char digest[32]);

/** Remembers a token whose signature has just been checked. */
void km_signature_remember(const unsigned char digest[32]);

#endif
