/* Loads and runs byte strings that may or may not be planned models, each in memory of exactly its
 * size, so that a sanitizer sees any access outside. Standard input: (u32 length | bytes)...;
 * standard output: one line a string, what nn_load and then nn_run said, "-" if not run. */
#include <stdio.h>
#include <stdlib.h>

#include "nn_op.h"

#define MAX_WORK 20000000u /* products; a valid model may ask for more than a test can wait for */

static uint64_t work(const struct nn_model *m) {
    uint64_t sum = 0;

    for (uint32_t i = 0; i < m->op_count; i++) {
        struct nn_op op;
        uint64_t outputs, taps;

        memcpy(&op, m->blob + m->table + i * sizeof op, sizeof op);
        outputs = (uint64_t)op.out_h * op.out_w * op.out_c;
        taps = (uint64_t)op.filter_h * op.filter_w * op.in_c;
        sum += outputs * (taps + 1) + (uint64_t)op.in_h * op.in_w * op.in_c;
    }
    return sum;
}

static void *allocate(size_t size) {
    void *memory = malloc(size > 0 ? size : 1);

    if (memory == NULL) {
        fputs("nn_mutants: not enough memory\n", stderr);
        exit(2);
    }
    return memory;
}

static void try_model(const uint8_t *blob, uint32_t size) {
    struct nn_model m;
    const int loaded = nn_load(&m, blob, size);
    uint8_t *arena;

    if (loaded != 0 || work(&m) > MAX_WORK) {
        printf("%d -\n", loaded);
        return;
    }
    arena = allocate(m.arena);
    memset(arena, 0x55, m.arena);
    for (uint32_t i = 0; i < m.in_len; i++) {
        nn_input(&m, arena)[i] = (int8_t)(i * 37u);
    }
    printf("%d %d\n", loaded, nn_run(&m, arena, m.arena));
    for (uint32_t i = 0; i < m.out_len; i++) {
        (void)*(volatile const int8_t *)(nn_output(&m, arena) + i);
    }
    free(arena);
}

int main(void) {
    uint32_t size;

    while (fread(&size, 1, sizeof size, stdin) == sizeof size) {
        uint8_t *blob = allocate(size);
        if (fread(blob, 1, size, stdin) != size) {
            fputs("nn_mutants: the input ends inside a string\n", stderr);
            return 2;
        }
        try_model(blob, size);
        free(blob);
    }
    return 0;
}
