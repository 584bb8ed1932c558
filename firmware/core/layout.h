/* The map of a device's flash, and how to reach it.
 *
 *   0x0000  identity, written at provisioning (operator/petiole/artifact/flash.py)
 *   0x1000  journal, two sectors
 *   0x3000  what the download in progress holds
 *   0x4000  slot A, then slot B; their size is in the identity
 */
#ifndef PETIOLE_LAYOUT_H
#define PETIOLE_LAYOUT_H

#include <stdint.h>

#define SECTOR_SIZE 4096u
#define IDENTITY_OFFSET 0x0000u
#define JOURNAL_OFFSET 0x1000u
#define DOWNLOAD_OFFSET 0x3000u
#define SLOTS_OFFSET 0x4000u

#define SLOT_COUNT 2u
#define SLOT_NONE 0xFFu

#define E_FLASH (-1) /* the flash refused to program or to erase */

/* NOR flash, mapped for reading. Programming clears bits and never sets one; erasing a sector sets
 * all of its bits. Both return 0 or E_FLASH. Power may fail in the middle of either. */
struct flash {
    void *ctx;
    const uint8_t *base;
    uint32_t size;
    int (*program)(void *ctx, uint32_t offset, const uint8_t *p, uint32_t n);
    int (*erase)(void *ctx, uint32_t offset);
};

static inline uint32_t slot_offset(uint8_t slot, uint32_t slot_size) {
    return SLOTS_OFFSET + slot * slot_size;
}

#endif
