/* A pair of slots and what its journal says of them. There is one for models and one for firmware.
 */
#ifndef PETIOLE_SHELF_H
#define PETIOLE_SHELF_H

#include <stdbool.h>
#include <stdint.h>

#include "journal.h"
#include "layout.h"
#include "status.h"

enum shelf_kind { SHELF_MODEL, SHELF_FIRMWARE, SHELF_KINDS };

struct shelf {
    struct places places; /* slot_size 0: the device has no such shelf */
    struct journal_record record;
};

/* Takes up what the journal says; nothing, when it is empty. */
void shelf_load(struct shelf *s, const struct flash *flash, struct places places);

/* REASON_NONE or REASON_FLASH_ERROR. */
enum reason shelf_save(struct shelf *s, const struct flash *flash);

/* The slot that what comes goes to. */
uint8_t shelf_free_slot(const struct shelf *s);

/* The slot of what runs, or SLOT_NONE. */
uint8_t shelf_active_slot(const struct shelf *s);

/* Digest of what the slot holds, or NULL. */
const uint8_t *shelf_digest(const struct shelf *s, uint8_t slot);

/* Does the slot hold this artefact? `slot` may be SLOT_NONE. */
bool shelf_holds(const struct shelf *s, uint8_t slot, const uint8_t *digest);

/* Was this artefact given up, in this attempt or in a later one? */
bool shelf_refuses(const struct shelf *s, const uint8_t *digest, uint16_t attempt);

void shelf_fill(struct shelf *s, uint8_t slot, const uint8_t *digest, uint32_t size);

/* Notes why an artefact was given up. */
void shelf_refuse(struct shelf *s, const uint8_t *digest, enum phase phase, enum reason reason);

#endif
