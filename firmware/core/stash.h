/* Samples that outlive a reset: a ring of sectors of flash, from which the oldest make room.
 *
 * A sector begins with its generation. A record is written once, head first; later only its state
 * is cleared, when the sample is safe elsewhere. What a power cut leaves of a record is passed
 * over. */
#ifndef PETIOLE_STASH_H
#define PETIOLE_STASH_H

#include <stdbool.h>
#include <stdint.h>

#include "layout.h"
#include "samples.h"

struct stash {
    const struct flash *flash;
    uint32_t at;         /* where the ring begins in flash */
    uint32_t sectors;    /* at least 2, or 0: there is no ring */
    uint32_t current;    /* the sector that is written to */
    uint32_t generation; /* its number; 0: none was written yet */
    uint32_t end;        /* in it, where the next record goes */
};

/* Takes up what the `size` bytes of flash from `at` hold; less than two sectors are no ring. */
void stash_open(struct stash *s, const struct flash *flash, uint32_t at, uint32_t size);

/* Keeps a sample, unless it is there. Returns 0 or E_FLASH. */
int stash_put(struct stash *s, const struct sampled *sample);

/* A sample that waits, from the oldest on. `cursor` is 0 at first. `out` gets all but `sent` and
 * `retry_at`; its input is copied to the memory that it has. False: there are no more. */
bool stash_next(const struct stash *s, uint32_t *cursor, struct sampled *out);

/* Forgets the sample with this hash, if it is there. Returns 0 or E_FLASH. */
int stash_done(struct stash *s, const uint8_t hash[SAMPLE_HASH_SIZE]);

#endif
