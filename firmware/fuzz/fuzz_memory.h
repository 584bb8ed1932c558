/* NOR flash in memory: programming clears bits, and nothing may go past its end. */
#ifndef PETIOLE_FUZZ_MEMORY_H
#define PETIOLE_FUZZ_MEMORY_H

#include "fuzz.h"
#include "layout.h"

#define MEMORY_ADDRESS 0x21000000u

struct memory {
    uint8_t *bytes;
    uint32_t size;
};

static inline int memory_program(void *ctx, uint32_t offset, const uint8_t *p, uint32_t n) {
    const struct memory *m = ctx;
    REQUIRE(offset <= m->size && n <= m->size - offset);
    for (uint32_t i = 0; i < n; i++) {
        m->bytes[offset + i] &= p[i];
    }
    return 0;
}

static inline int memory_erase(void *ctx, uint32_t offset) {
    const struct memory *m = ctx;
    REQUIRE(offset % SECTOR_SIZE == 0 && offset < m->size);
    memset(m->bytes + offset, 0xFF, SECTOR_SIZE);
    return 0;
}

/* `m` and its bytes must outlive what it returns. */
static inline struct flash memory_flash(struct memory *m) {
    return (struct flash){m, m->bytes, m->size, MEMORY_ADDRESS, memory_program, memory_erase};
}

#endif
