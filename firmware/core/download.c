#include "download.h"

#include <string.h>

#include "bytes.h"

#define MAGIC 0x4E574450u /* "PDWN" */
#define HEADER_SIZE 64u
#define HELD 0x00u
#define BLOCKS_MAX (SECTOR_SIZE - HEADER_SIZE)

enum { AT_MAGIC = 0, AT_SIZE = 4, AT_BLOCK = 8, AT_SLOT = 12, AT_DIGEST = 16, AT_CRC = 60 };

static uint32_t block_count(const struct artefact_ref *a) {
    return (a->size + a->block_size - 1) / a->block_size;
}

static uint32_t block_length(const struct download *d, uint32_t number) {
    uint32_t start = number * d->artefact.block_size;
    uint32_t rest = d->artefact.size - start;
    return rest < d->artefact.block_size ? rest : d->artefact.block_size;
}

static bool is_held(const struct download *d, const struct flash *flash, uint32_t number) {
    return flash->base[d->map + HEADER_SIZE + number] == HELD;
}

static void pack_header(uint8_t header[HEADER_SIZE], const struct artefact_ref *a, uint8_t slot) {
    memset(header, 0, HEADER_SIZE);
    put_le32(header + AT_MAGIC, MAGIC);
    put_le32(header + AT_SIZE, a->size);
    put_le32(header + AT_BLOCK, a->block_size);
    put_le32(header + AT_SLOT, slot);
    memcpy(header + AT_DIGEST, a->digest, SHA256_SIZE);
    put_le32(header + AT_CRC, crc32(header, AT_CRC));
}

enum reason download_possible(const struct artefact_ref *artefact, uint32_t slot_size) {
    if (artefact->size == 0 || artefact->block_size == 0 || artefact->block_size > BLOCK_SIZE_MAX) {
        return REASON_BAD_IMAGE;
    }
    bool fits = artefact->size <= slot_size && block_count(artefact) <= BLOCKS_MAX;
    return fits ? REASON_NONE : REASON_SLOT_TOO_SMALL;
}

bool download_resumable(const struct flash *flash, const struct places *places,
                        const struct artefact_ref *artefact, uint8_t slot) {
    uint8_t header[HEADER_SIZE];
    pack_header(header, artefact, slot);
    return memcmp(flash->base + places->map, header, HEADER_SIZE) == 0;
}

/* The header is written last: without it nothing counts. */
static int start_anew(const struct download *d, const struct flash *flash) {
    uint8_t header[HEADER_SIZE];
    int error = flash->erase(flash->ctx, d->map);
    for (uint32_t at = 0; at < d->artefact.size && error == 0; at += SECTOR_SIZE) {
        error = flash->erase(flash->ctx, d->blocks_offset + at);
    }
    if (error != 0) {
        return error;
    }
    pack_header(header, &d->artefact, d->slot);
    return flash->program(flash->ctx, d->map, header, HEADER_SIZE);
}

static int begin(struct download *d, const struct flash *flash, const struct places *places) {
    d->map = places->map;
    d->total = block_count(&d->artefact);
    if (!download_resumable(flash, places, &d->artefact, d->slot) && start_anew(d, flash) != 0) {
        return E_FLASH;
    }
    for (uint32_t i = 0; i < d->total; i++) {
        d->got += is_held(d, flash, i) ? 1u : 0u;
    }
    return 0;
}

int download_begin(struct download *d, const struct flash *flash, const struct places *places,
                   const struct artefact_ref *artefact, uint8_t slot) {
    *d = (struct download){.artefact = *artefact, .slot = slot};
    d->blocks_offset = slot_offset(places, slot);
    return begin(d, flash, places);
}

int download_begin_patch(struct download *d, const struct flash *flash, const struct places *places,
                         const struct artefact_ref *patch, uint8_t slot) {
    *d = (struct download){.artefact = *patch, .slot = slot, .patch = true};
    d->blocks_offset = slot_offset(places, slot) + places->slot_size - whole_sectors(patch->size);
    return begin(d, flash, places);
}

void download_open_window(struct download *d, const struct flash *flash) {
    d->window_size = 0;
    for (uint32_t i = 0; i < d->total && d->window_size < WINDOW; i++) {
        if (!is_held(d, flash, i)) {
            d->window[d->window_size++] = i;
        }
    }
    d->window_open = d->window_size;
}

int download_block(struct download *d, const struct flash *flash, uint32_t number, const uint8_t *p,
                   uint32_t n) {
    static const uint8_t held[1] = {HELD};
    if (number >= d->total || n != block_length(d, number) || is_held(d, flash, number)) {
        return 0;
    }
    uint32_t offset = d->blocks_offset + number * d->artefact.block_size;
    if (flash->program(flash->ctx, offset, p, n) != 0 ||
        flash->program(flash->ctx, d->map + HEADER_SIZE + number, held, 1) != 0) {
        return E_FLASH;
    }
    d->got++;
    d->window_open -= d->window_open > 0 ? 1u : 0u;
    return 0;
}

int download_forget(const struct flash *flash, const struct places *places) {
    return flash->erase(flash->ctx, places->map);
}
