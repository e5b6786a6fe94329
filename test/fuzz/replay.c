/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a fuzz target over files: replay FILE..., or without arguments over the seeds in the source tree (make
 * check). */
#include <glob.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay(const char *name)
{
    FILE *file = fopen(name, "rb");
    uint8_t *data = NULL;
    long size = -1;
    if (file && !fseek(file, 0, SEEK_END) && (size = ftell(file)) >= 0 && !fseek(file, 0, SEEK_SET)) {
        data = malloc((size_t)size + 1);
        size = data ? (long)fread(data, 1, (size_t)size, file) : -1;
    }
    if (file) {
        fclose(file);
    }
    if (size < 0) {
        perror(name);
        free(data);
        return -1;
    }
    printf("%s\n", name);
    fflush(stdout);
    LLVMFuzzerTestOneInput(data, (size_t)size);
    free(data);
    return 0;
}

static int replay_seeds(void)
{
    char pattern[4096];
    const char *source = getenv("srcdir");
    glob_t found = {0};
    int failed = 0;
    size_t i;
    snprintf(pattern, sizeof(pattern), "%s/test/fuzz/seeds/*", source ? source : ".");
    if (glob(pattern, 0, NULL, &found) || !found.gl_pathc) {
        fprintf(stderr, "no seeds in %s\n", pattern);
        return 1;
    }
    for (i = 0; i < found.gl_pathc; i++) {
        failed |= replay(found.gl_pathv[i]);
    }
    globfree(&found);
    return failed ? 1 : 0;
}

int main(int argc, char **argv)
{
    int failed = 0, i;
    for (i = 1; i < argc; i++) {
        failed |= replay(argv[i]);
    }
    return argc > 1 ? failed != 0 : replay_seeds();
}
