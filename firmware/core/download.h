/* An artefact on its way into a slot, block by block, in any order.
 *
 * A sector beside the slots says what is fetched and has one byte a block, programmed once the
 * block is in its place: a restart goes on where power failed. Programming the same block again is
 * harmless on NOR. */
#ifndef PETIOLE_DOWNLOAD_H
#define PETIOLE_DOWNLOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "layout.h"
#include "messages.h"
#include "mqtt.h"

#define WINDOW 8u /* blocks asked for at a time */

struct download {
    struct artefact_ref artefact;
    uint8_t slot;
    bool patch;                  /* of the artefact at work, at the end of the slot */
    uint32_t map, blocks_offset; /* in flash */
    uint32_t total, got;         /* blocks */
    uint32_t window[WINDOW];     /* numbers of the blocks asked for */
    uint32_t window_size;
    uint32_t window_open; /* of these, still missing */
    uint32_t stalls;      /* windows in a row that brought nothing */
};

/* REASON_NONE when this artefact can be fetched in blocks into slots of `slot_size` bytes. */
enum reason download_possible(const struct artefact_ref *artefact, uint32_t slot_size);

/* Does the flash hold the beginnings of this artefact in this slot? */
bool download_resumable(const struct flash *flash, const struct places *places,
                        const struct artefact_ref *artefact, uint8_t slot);

/* Begins anew, or goes on where the flash says. Erases the slot in the first case. Returns 0 or
 * E_FLASH. */
int download_begin(struct download *d, const struct flash *flash, const struct places *places,
                   const struct artefact_ref *artefact, uint8_t slot);

/* The same for a patch, whose blocks go to the last sectors of the slot; the first ones stay as
 * they are. */
int download_begin_patch(struct download *d, const struct flash *flash, const struct places *places,
                         const struct artefact_ref *patch, uint8_t slot);

/* Puts the next missing blocks into the window. */
void download_open_window(struct download *d, const struct flash *flash);

/* Stores a block; one that is held, not asked for, or of the wrong size is ignored. Returns 0 or
 * E_FLASH. */
int download_block(struct download *d, const struct flash *flash, uint32_t number, const uint8_t *p,
                   uint32_t n);

/* Forgets what the flash holds of it, so that the next one begins anew. Returns 0 or E_FLASH. */
int download_forget(const struct flash *flash, const struct places *places);

#endif
