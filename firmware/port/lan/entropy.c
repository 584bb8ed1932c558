#include "entropy.h"

#include <stdbool.h>

#include "bearssl.h"
#include "layout.h"

#define SEED_SIZE 32u

static br_hmac_drbg_context generator;

static bool is_erased(const uint8_t *p, uint32_t n) {
    while (n > 0 && *p == 0xFF) {
        p++;
        n--;
    }
    return n == 0;
}

/* Each start clears one bit more behind the seed. Returns where the next one is, or the sector's
 * end: together with what it leaves there that is like no other start. */
static uint32_t next_mark(const uint8_t *sector) {
    uint32_t at = SEED_SIZE;
    while (at < SECTOR_SIZE && sector[at] == 0) {
        at++;
    }
    return at;
}

int entropy_start(const struct flash *flash) {
    uint32_t base = flash->size - SECTOR_SIZE;
    const uint8_t *sector = flash->base + base;
    uint32_t at = next_mark(sector);
    if (is_erased(sector, SEED_SIZE) || at == SECTOR_SIZE) {
        return E_ENTROPY;
    }
    uint8_t mark = (uint8_t)(sector[at] << 1); /* before use, so that a reset cannot repeat it */
    if (flash->program(flash->ctx, base + at, &mark, 1) != 0) {
        return E_FLASH;
    }
    uint8_t start[3] = {(uint8_t)at, (uint8_t)(at >> 8), mark};
    br_hmac_drbg_init(&generator, &br_sha256_vtable, sector, SEED_SIZE);
    br_hmac_drbg_update(&generator, start, sizeof start);
    return 0;
}

void entropy_bytes(void *out, size_t size) {
    br_hmac_drbg_generate(&generator, out, size);
}

uint32_t entropy_word(void) {
    uint32_t word;
    entropy_bytes(&word, sizeof word);
    return word;
}
