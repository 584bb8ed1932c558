/* Makes an artefact out of one that is held and a patch: runs to copy, and bytes between them.
 * docs/firmware.md, "Patches", is the format; operator/petiole/artifact/patch.py makes them. */
#ifndef PETIOLE_PATCH_H
#define PETIOLE_PATCH_H

#include <stdint.h>

#include "layout.h"

#define E_PATCH (-8) /* no patch, or not one of this base */

struct patch_job {
    const uint8_t *base;
    uint32_t base_size;
    const uint8_t *patch;
    uint32_t patch_size;
    uint32_t
        out_offset;    /* of the flash; a sector begins there, and all that is written is erased */
    uint32_t out_size; /* bytes that the result must have */
};

/* Writes the result, page after page, and erases each sector before. What has been written when
 * this ends in another way than well is of no use; beginning anew does no harm. Base and patch lie
 * outside of the sectors written. Returns 0, E_PATCH or E_FLASH. */
int patch_apply(const struct flash *flash, const struct patch_job *job);

#endif
