/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APIM_UNIT_H
#define APIM_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <apr_general.h>
#include <apr_pools.h>
#include <cmocka.h>

/* Every test gets a pool of its own as *state. */
static inline int unit_setup(void **state)
{
    static int initialized;
    apr_pool_t *p;
    if (!initialized++) {
        apr_initialize();
    }
    apr_pool_create(&p, NULL);
    *state = p;
    return 0;
}

static inline int unit_teardown(void **state)
{
    apr_pool_destroy(*state);
    return 0;
}

#define unit_case(f) cmocka_unit_test_setup_teardown(f, unit_setup, unit_teardown)

#endif
