/* The map of a device's flash (docs/firmware.md), and how to reach it. */
#ifndef PETIOLE_LAYOUT_H
#define PETIOLE_LAYOUT_H

#include <stdint.h>

#define SECTOR_SIZE 4096u
#define IDENTITY_OFFSET 0x0000u
#define JOURNAL_OFFSET 0x1000u /* of models: two sectors */
#define DOWNLOAD_OFFSET 0x3000u
#define SLOTS_OFFSET 0x4000u

/* From firmware_offset of the identity. */
#define FIRMWARE_MAP_AT 0x2000u   /* behind the two sectors of its journal */
#define FIRMWARE_SLOTS_AT 0x4000u /* behind the map and a sector to spare */

#define SLOT_COUNT 2u
#define SLOT_NONE 0xFFu

#define E_FLASH (-1) /* the flash refused to program or to erase */

/* NOR flash, mapped for reading. Programming clears bits and never sets one; erasing a sector sets
 * all of its bits. Both return 0 or E_FLASH. Power may fail in the middle of either. */
struct flash {
    void *ctx;
    const uint8_t *base;
    uint32_t size;
    uint32_t address; /* where the core runs what lies at `base` */
    int (*program)(void *ctx, uint32_t offset, const uint8_t *p, uint32_t n);
    int (*erase)(void *ctx, uint32_t offset);
};

/* A pair of slots and what belongs to it, as offsets in flash. */
struct places {
    uint32_t journal; /* two sectors */
    uint32_t map;     /* one sector: what the download in progress holds */
    uint32_t slots;   /* slot A, then slot B */
    uint32_t slot_size;
};

static inline uint32_t whole_sectors(uint32_t size) {
    return (size + SECTOR_SIZE - 1) / SECTOR_SIZE * SECTOR_SIZE;
}

static inline uint32_t slot_offset(const struct places *places, uint8_t slot) {
    return places->slots + slot * places->slot_size;
}

#endif
