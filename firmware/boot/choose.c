#include "choose.h"

#include <string.h>

struct boot_wish boot_wish(const struct journal_record *record) {
    uint8_t trusted = record->confirmed == 1 ? 1 : 0;
    bool on_trial = record->trial < SLOT_COUNT && record->boots_left > 0;
    uint8_t first = on_trial ? record->trial : trusted;
    return (struct boot_wish){first, (uint8_t)(1 - first), on_trial};
}

/* Is there an image in the slot that may run? If so, it is chosen. */
static bool try_slot(const struct flash *flash, const struct identity *identity, uint32_t floor,
                     uint8_t slot, struct boot_choice *out) {
    out->refused[slot] = firmware_open(flash, identity, floor, slot, &out->firmware);
    if (out->refused[slot] != REASON_NONE) {
        return false;
    }
    out->slot = slot;
    return true;
}

/* A start that cannot be counted could be repeated for ever: then there is no trial. */
static bool count_start(const struct flash *flash, uint32_t journal,
                        struct journal_record *record) {
    record->boots_left--;
    return journal_save(flash, journal, record) == 0;
}

void boot_choose(const struct flash *flash, const struct identity *identity,
                 struct boot_choice *out) {
    struct places places = identity_firmware_places(identity);
    struct journal_record record;
    memset(out, 0, sizeof *out);
    out->slot = SLOT_NONE;
    if (places.slot_size == 0) {
        return;
    }
    if (journal_load(flash, &places, &record) != 0) {
        journal_fresh(&record);
    }
    struct boot_wish wish = boot_wish(&record);
    if (try_slot(flash, identity, record.floor, wish.first, out)) {
        out->on_trial = wish.on_trial;
        if (!wish.on_trial || count_start(flash, places.journal, &record)) {
            return;
        }
        out->slot = SLOT_NONE;
        out->on_trial = false;
    }
    (void)try_slot(flash, identity, record.floor, wish.second, out);
}
