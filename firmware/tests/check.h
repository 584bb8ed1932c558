/* The little that the tests in C need: a failed check says where and ends the program. */
#ifndef PETIOLE_CHECK_H
#define PETIOLE_CHECK_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

struct file {
    uint8_t *data;
    uint32_t size;
};

/* The whole file, on the heap, so that the sanitizer sees a read behind its end. */
static inline struct file read_file(const char *path) {
    struct file f = {0};
    FILE *stream = fopen(path, "rb");
    CHECK(stream != NULL);
    CHECK(fseek(stream, 0, SEEK_END) == 0);
    f.size = (uint32_t)ftell(stream);
    rewind(stream);
    f.data = malloc(f.size > 0 ? f.size : 1);
    CHECK(f.data != NULL && fread(f.data, 1, f.size, stream) == f.size);
    fclose(stream);
    return f;
}

#endif
