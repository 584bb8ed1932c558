#include "flash.h"

#include <string.h>

#include "board.h"

#define FLASH_SIZE (MEMORY_SIZE - SECTOR_SIZE)
#define NEVER UINT32_MAX

struct bench {
    uint32_t cut_in;
    uint32_t operations;
};

#define BENCH ((volatile struct bench *)(uintptr_t)((uint32_t)MEMORY_BASE + FLASH_SIZE))

/* How many of the `size` bytes of an operation happen. */
static uint32_t powered(uint32_t size) {
    BENCH->operations++;
    if (BENCH->cut_in == 0 || BENCH->cut_in == NEVER) {
        return size;
    }
    BENCH->cut_in--;
    return BENCH->cut_in == 0 ? size / 2 : size;
}

/* Torn: power has failed. Under QEMU's -no-reboot a reset is the end. */
static int end(uint32_t size, uint32_t done) {
    if (done < size) {
        board_reset();
    }
    return 0;
}

static int program(void *ctx, uint32_t offset, const uint8_t *p, uint32_t n) {
    uint8_t *base = ctx;
    uint32_t done = powered(n);
    for (uint32_t i = 0; i < done; i++) {
        base[offset + i] &= p[i];
    }
    return end(n, done);
}

static int erase(void *ctx, uint32_t offset) {
    uint8_t *base = ctx;
    uint32_t done = powered(SECTOR_SIZE);
    memset(base + offset, 0xFF, done);
    return end(SECTOR_SIZE, done);
}

struct flash board_flash(void) {
    uint8_t *memory = (uint8_t *)(uintptr_t)MEMORY_BASE;
    return (struct flash){
        .ctx = memory,
        .base = memory,
        .size = FLASH_SIZE,
        .address = (uint32_t)MEMORY_BASE,
        .program = program,
        .erase = erase,
    };
}
