/* Which firmware a device starts. A boot loader is this and the jump:
 *
 *     identity_load(&flash, &identity);
 *     boot_choose(&flash, &identity, &starts, &choice);
 *     if (choice.slot != SLOT_NONE) jump to firmware_vectors(&flash, &identity, choice.slot);
 */
#ifndef PETIOLE_CHOOSE_H
#define PETIOLE_CHOOSE_H

#include <stdbool.h>

#include "firmware.h"
#include "identity.h"
#include "journal.h"
#include "messages.h"

#define BOOT_STARTS_MAX 5u

/* Starts of one image in a row of which none lasted. It lies in memory that a reset does not clear;
 * what a power-on leaves there counts as none. Whoever runs well for a while, or asks for its
 * reset, clears it. */
struct boot_starts {
    uint8_t firmware[CRASH_FIRMWARE_SIZE]; /* start of the image's digest */
    uint32_t count, check;                 /* check: ~count */
};

/* What the journal asks for; whether the images are good is not known yet. */
struct boot_wish {
    uint8_t first;  /* slot to start if its image is good */
    uint8_t second; /* else this one */
    bool on_trial;  /* `first` is on trial: the start is to be counted before it */
};

struct boot_choice {
    uint8_t slot; /* SLOT_NONE: no image may run; stay and say why */
    bool on_trial;
    enum reason refused[SLOT_COUNT]; /* why a slot was passed over */
    struct firmware firmware;        /* the image in `slot` */
};

/* The decision, from a record alone. */
struct boot_wish boot_wish(const struct journal_record *record);

/* Reads the journal, proves the image, and counts a start on trial in the journal before it
 * happens. An image whose last BOOT_STARTS_MAX starts did not last is passed over when the other
 * slot's may run. Always decides: without a slot, the choice says why. */
void boot_choose(const struct flash *flash, const struct identity *identity,
                 struct boot_starts *starts, struct boot_choice *out);

#endif
