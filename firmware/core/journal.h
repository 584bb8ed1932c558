/* The few facts that must outlive a power cut, as an append-only journal of checked records.
 *
 * A record is written whole behind the last one; the newest that passes its CRC counts. Two sectors
 * take turns, so that there is a valid record at every moment. */
#ifndef PETIOLE_JOURNAL_H
#define PETIOLE_JOURNAL_H

#include <stdint.h>

#include "layout.h"
#include "sha256.h"

#define E_JOURNAL_EMPTY (-3)

struct slot_record {
    uint8_t digest[SHA256_SIZE];
    uint32_t size; /* bytes of the artefact; 0: the slot holds nothing to rely on */
};

struct journal_record {
    uint32_t sequence;      /* set by journal_save */
    uint32_t boots;         /* starts of the device; in the journal of models only */
    uint32_t floor;         /* lowest security counter accepted */
    uint8_t confirmed;      /* slot of the proven artefact, or SLOT_NONE */
    uint8_t trial;          /* slot of the artefact on trial, or SLOT_NONE */
    uint8_t refused_reason; /* why `refused` was given up; 0: nothing is refused */
    uint8_t refused_phase;
    uint8_t boots_left; /* of firmware on trial: times that it may still be started, 0 to 15 */
    uint16_t attempt;   /* of the artefact on trial or refused */
    struct slot_record slot[SLOT_COUNT];
    uint8_t refused[SHA256_SIZE];
};

/* The record of a device that was never started. */
void journal_fresh(struct journal_record *r);

/* The newest valid record of the journal of this pair of slots; what it says of a slot fits there.
 * Returns 0 or E_JOURNAL_EMPTY. */
int journal_load(const struct flash *flash, const struct places *places,
                 struct journal_record *out);

/* Appends a record. Returns 0 or E_FLASH. */
int journal_save(const struct flash *flash, uint32_t at, struct journal_record *r);

#endif
