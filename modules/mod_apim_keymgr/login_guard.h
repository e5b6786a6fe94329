/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KM_LOGIN_GUARD_H
#define KM_LOGIN_GUARD_H

#include <httpd.h>

/*
 * Slows down the guessing of passwords: failed log-ins are counted in shared memory of the node, by account
 * and address together, by address, and by account. Past a number of failures the next attempt has to wait,
 * each time longer.
 *
 * The account's own count holds up only addresses that have failed on this account before. So someone who
 * guesses from afar, however long, never locks the owner out, who comes from an address without failures.
 * Counts fade after 15 quiet minutes. The table has a fixed size; under a flood old entries are overwritten,
 * which lets in at most a few guesses more.
 */

/** Makes the shared memory, kept over restarts. Call from post_config. An error sentence or NULL. */
const char *km_login_guard_setup(server_rec *s);

/** Seconds to wait before this account may be tried from this address; 0: go on. */
int km_login_guard_wait(const char *username, const char *address);

/** Reports how an attempt ended. */
void km_login_guard_failed(const char *username, const char *address);
void km_login_guard_succeeded(const char *username, const char *address);

#endif
