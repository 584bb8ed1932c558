#include "nor.h"

#include "check.h"

void nor_power(struct nor *n, uint32_t cut_at, uint32_t part) {
    n->operations = 0;
    n->cut_at = cut_at;
    n->part = part;
}

bool nor_dead(const struct nor *n) {
    return n->operations > n->cut_at;
}

/* How much of an operation on `size` bytes happens. */
static uint32_t done(struct nor *n, uint32_t size) {
    uint32_t number = n->operations++;
    if (number < n->cut_at) {
        return size;
    }
    return number == n->cut_at ? size / 4 * n->part : 0;
}

static int program(void *ctx, uint32_t offset, const uint8_t *p, uint32_t size) {
    struct nor *n = ctx;
    CHECK(offset <= NOR_SIZE && size <= NOR_SIZE - offset);
    CHECK(offset >= JOURNAL_OFFSET); /* the identity is read only */
    uint32_t end = done(n, size);
    for (uint32_t i = 0; i < end; i++) {
        n->bytes[offset + i] &= p[i];
    }
    return nor_dead(n) ? E_FLASH : 0;
}

static int erase(void *ctx, uint32_t offset) {
    struct nor *n = ctx;
    CHECK(offset % SECTOR_SIZE == 0 && offset >= JOURNAL_OFFSET && offset < NOR_SIZE);
    uint32_t end = done(n, SECTOR_SIZE);
    for (uint32_t i = 0; i < end; i++) {
        n->bytes[offset + i] = 0xFF;
    }
    return nor_dead(n) ? E_FLASH : 0;
}

struct flash nor_flash(struct nor *n) {
    return (struct flash){n, n->bytes, NOR_SIZE, NOR_ADDRESS, program, erase};
}
