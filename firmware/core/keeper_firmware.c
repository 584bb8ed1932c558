#include <string.h>

#include "firmware.h"
#include "keeper.h"

#define TRIAL_BOOTS 3u

static struct shelf *shelf(struct lifecycle *l) {
    return &l->shelf[SHELF_FIRMWARE];
}

static enum reason prove(struct lifecycle *l, uint8_t slot, const struct artefact_ref *target,
                         uint32_t *counter) {
    const struct host *h = l->host;
    const uint8_t *p = h->hal.flash.base + slot_offset(&shelf(l)->places, slot);
    struct image_hashes hashes;
    image_hash(p, target->size, &hashes);
    if (memcmp(hashes.digest, target->digest, SHA256_SIZE) != 0) {
        return REASON_DIGEST_MISMATCH;
    }
    struct firmware found = {.size = target->size};
    enum reason reason =
        firmware_prove(&h->hal.flash, &h->identity, shelf(l)->record.floor, slot, &hashes, &found);
    *counter = found.counter;
    return reason;
}

/* The boot loader starts the image that the journal names. */
static void reset(struct lifecycle *l) {
    l->ending = true;
}

/* A report that said "trial" went out and was answered: the way to the gateway and back works. */
static bool passed(const struct lifecycle *l) {
    return l->work.trial.heard && l->work.trial.answered;
}

/* No firmware runs beside another. */
static bool compared(const struct lifecycle *l) {
    (void)l;
    return true;
}

const struct keeper FIRMWARE_KEEPER = {
    prove, compared, reset, reset, passed, REASON_UNREACHABLE, TRIAL_BOOTS,
};

/* --- after a start -------------------------------------------------------------------------- */

static enum reason lost_because(const struct crash_report *crash, const uint8_t *digest) {
    if (crash == NULL || memcmp(crash->firmware, digest, CRASH_FIRMWARE_SIZE) != 0) {
        return REASON_TRIAL_EXPIRED;
    }
    return crash->cause == CAUSE_WATCHDOG ? REASON_HUNG : REASON_CRASHED;
}

/* The boot loader did not start what is on trial. */
static bool give_up_trial(struct lifecycle *l, uint8_t running) {
    struct journal_record *r = &shelf(l)->record;
    if (r->trial == SLOT_NONE || r->trial == running) {
        return false;
    }
    const uint8_t *digest = r->slot[r->trial].digest;
    shelf_refuse(shelf(l), digest, PHASE_ROLLEDBACK, lost_because(l->host->hal.crash, digest));
    r->trial = SLOT_NONE;
    r->boots_left = 0;
    return true;
}

/* The boot loader passed over the confirmed image: it is bad, or good but did not last. Only what
 * would come to the same end once more is refused. */
static void give_up_confirmed(struct lifecycle *l) {
    const struct journal_record *r = &shelf(l)->record;
    const struct host *h = l->host;
    const uint8_t *digest = shelf_digest(shelf(l), r->confirmed);
    struct firmware found;
    if (digest != NULL &&
        firmware_open(&h->hal.flash, &h->identity, r->floor, r->confirmed, &found) == REASON_NONE) {
        shelf_refuse(shelf(l), digest, PHASE_ROLLEDBACK, lost_because(h->hal.crash, digest));
    }
}

/* The first start after provisioning, or of what the boot loader chose instead. */
static bool adopt(struct lifecycle *l, uint8_t running) {
    struct journal_record *r = &shelf(l)->record;
    struct firmware found;
    bool changed = false;
    if (r->trial != running && r->confirmed != running) {
        give_up_confirmed(l);
        r->confirmed = running;
        changed = true;
    }
    (void)firmware_identify(&l->host->hal.flash, &l->host->identity, running, &found);
    if (!shelf_holds(shelf(l), running, found.digest)) {
        shelf_fill(shelf(l), running, found.digest, found.size);
        changed = true;
    }
    return changed;
}

static void go_on_with_trial(struct lifecycle *l, uint32_t now) {
    struct journal_record *r = &shelf(l)->record;
    struct work *w = &l->work;
    w->kind = SHELF_FIRMWARE;
    w->phase = PHASE_TRIAL;
    w->attempt = r->attempt;
    memcpy(w->target.digest, r->slot[r->trial].digest, SHA256_SIZE);
    w->target.size = r->slot[r->trial].size;
    w->trial = (struct trial){.deadline = now + l->host->config.trial_ms};
    w->trial.flaw = prove(l, r->trial, &w->target, &w->trial.counter);
}

void firmware_start(struct lifecycle *l, uint32_t now) {
    uint8_t running = l->host->hal.firmware_slot;
    bool lost = give_up_trial(l, running);
    bool adopted = adopt(l, running);
    if (lost || adopted) {
        (void)shelf_save(shelf(l), &l->host->hal.flash);
    }
    if (shelf(l)->record.trial != SLOT_NONE) {
        go_on_with_trial(l, now);
    }
}
