/* NOR flash in memory whose power fails in the middle of a chosen operation. */
#ifndef PETIOLE_NOR_H
#define PETIOLE_NOR_H

#include <stdbool.h>
#include <stdint.h>

#include "layout.h"

#define NOR_SIZE (256u * 1024u)
#define NOR_ADDRESS 0x21000000u
#define NOR_NEVER 0xFFFFFFFFu

struct nor {
    uint8_t bytes[NOR_SIZE];
    uint32_t operations; /* begun since nor_power */
    uint32_t cut_at;     /* this one is done in part, and none after it */
    uint32_t part;       /* quarters of it that are still done: 0 to 4 */
};

/* Power comes back; it fails again at operation `cut_at`. */
void nor_power(struct nor *n, uint32_t cut_at, uint32_t part);

bool nor_dead(const struct nor *n);

struct flash nor_flash(struct nor *n);

#endif
