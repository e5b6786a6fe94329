/* SPDX-License-Identifier: Apache-2.0 */
#ifndef APIM_UNIT_SHARED_H
#define APIM_UNIT_SHARED_H

#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Helpers for tests of what several processes share. */
static inline void *shared_memory(size_t size)
{
    void *m = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return m == MAP_FAILED ? NULL : m;
}

static inline uint64_t monotonic_ns(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* Runs fn(baton, i) in n processes; returns how many did not return 0. */
static inline int in_processes(int n, int (*fn)(void *baton, int i), void *baton)
{
    pid_t pid[64];
    int i, status, failed = 0;
    for (i = 0; i < n; i++) {
        pid[i] = fork();
        if (pid[i] == 0) {
            _exit(fn(baton, i));
        }
    }
    for (i = 0; i < n; i++) {
        if (waitpid(pid[i], &status, 0) != pid[i] || status != 0) {
            failed++;
        }
    }
    return failed;
}

#endif
