/* nn_server on standard input and output of a process. */
#include <stdio.h>
#include <stdlib.h>

#include "nn_server.h"

enum { BLOB_SIZE = 1 << 20, ARENA_SIZE = 1 << 20 };

static int read_all(uint8_t *bytes, uint32_t size) {
    return fread(bytes, 1, size, stdin) == size ? 0 : -1;
}

/* Flushed each time: the other side waits for the response. */
static void write_all(const uint8_t *bytes, uint32_t size) {
    if (fwrite(bytes, 1, size, stdout) != size || fflush(stdout) != 0) {
        perror("nn_server: cannot write");
        exit(1);
    }
}

static uint32_t instructions(void) {
    return 0;
}

int main(void) {
    const struct nn_server_port port = {read_all, write_all, instructions};
    const struct nn_server_memory memory = {malloc(BLOB_SIZE), BLOB_SIZE, malloc(ARENA_SIZE),
                                            ARENA_SIZE};

    if (memory.blob == NULL || memory.arena == NULL) {
        fputs("nn_server: not enough memory\n", stderr);
        return 1;
    }
    return nn_server(&port, &memory);
}
