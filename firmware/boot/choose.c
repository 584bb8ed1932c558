#include "choose.h"

#include <string.h>

struct boot_wish boot_wish(const struct journal_record *record) {
    uint8_t trusted = record->confirmed == 1 ? 1 : 0;
    bool on_trial = record->trial < SLOT_COUNT && record->boots_left > 0;
    uint8_t first = on_trial ? record->trial : trusted;
    return (struct boot_wish){first, (uint8_t)(1 - first), on_trial};
}

/* --- starts that do not last ---------------------------------------------------------------- */

static bool is_of(const struct boot_starts *starts, const struct firmware *firmware) {
    return starts->check == ~starts->count &&
           memcmp(starts->firmware, firmware->digest, CRASH_FIRMWARE_SIZE) == 0;
}

static bool lasts(const struct boot_starts *starts, const struct firmware *firmware) {
    return !is_of(starts, firmware) || starts->count < BOOT_STARTS_MAX;
}

static void note_start(struct boot_starts *starts, const struct firmware *firmware) {
    uint32_t before = is_of(starts, firmware) ? starts->count : 0;
    memcpy(starts->firmware, firmware->digest, CRASH_FIRMWARE_SIZE);
    starts->count = before < BOOT_STARTS_MAX ? before + 1 : before;
    starts->check = ~starts->count;
}

/* --- the choice ----------------------------------------------------------------------------- */

struct boot {
    const struct flash *flash;
    const struct identity *identity;
    uint32_t journal;
    struct journal_record record;
};

/* Is there an image in the slot that may run? If so, it is chosen. */
static bool try_slot(const struct boot *boot, uint8_t slot, const struct boot_starts *starts,
                     struct boot_choice *out) {
    out->refused[slot] =
        firmware_open(boot->flash, boot->identity, boot->record.floor, slot, &out->firmware);
    if (out->refused[slot] == REASON_NONE && !lasts(starts, &out->firmware)) {
        out->refused[slot] = REASON_CRASHED;
    }
    if (out->refused[slot] != REASON_NONE) {
        return false;
    }
    out->slot = slot;
    return true;
}

/* A start that cannot be counted could be repeated for ever: then there is no trial. */
static bool count_trial(struct boot *boot) {
    boot->record.boots_left--;
    return journal_save(boot->flash, boot->journal, &boot->record) == 0;
}

static void choose(struct boot *boot, const struct boot_starts *starts, struct boot_choice *out) {
    struct boot_wish wish = boot_wish(&boot->record);
    if (try_slot(boot, wish.first, starts, out)) {
        out->on_trial = wish.on_trial;
        if (!wish.on_trial || count_trial(boot)) {
            return;
        }
        out->slot = SLOT_NONE;
        out->on_trial = false;
    }
    (void)try_slot(boot, wish.second, starts, out);
}

void boot_choose(const struct flash *flash, const struct identity *identity,
                 struct boot_starts *starts, struct boot_choice *out) {
    struct places places = identity_firmware_places(identity);
    struct boot boot = {.flash = flash, .identity = identity, .journal = places.journal};
    memset(out, 0, sizeof *out);
    out->slot = SLOT_NONE;
    if (places.slot_size == 0) {
        return;
    }
    if (journal_load(flash, &places, &boot.record) != 0) {
        journal_fresh(&boot.record);
    }
    choose(&boot, starts, out);
    if (out->slot == SLOT_NONE) { /* one that does not last is better than none */
        static const struct boot_starts NONE;
        choose(&boot, &NONE, out);
    }
    if (out->slot != SLOT_NONE) {
        note_start(starts, &out->firmware);
    }
}
