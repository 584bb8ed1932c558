#include <string.h>

#include "keeper.h"

static struct shelf *shelf(struct lifecycle *l) {
    return &l->shelf[SHELF_MODEL];
}

static enum reason prove(struct lifecycle *l, uint8_t slot, const struct artefact_ref *target,
                         uint32_t *counter) {
    const struct host *h = l->host;
    const uint8_t *p = h->hal.flash.base + slot_offset(&shelf(l)->places, slot);
    struct image_limits limits = {
        .kind = IMAGE_KIND_MODEL,
        .target = h->identity.target,
        .floor = shelf(l)->record.floor,
        .arena = h->identity.arena_size,
        .abi = NN_ABI,
        .ops = NN_OPS,
        .learns = h->hal.distance != NULL,
    };
    struct image_hashes hashes;
    image_hash(p, target->size, &hashes);
    if (memcmp(hashes.digest, target->digest, SHA256_SIZE) != 0) {
        return REASON_DIGEST_MISMATCH;
    }
    enum reason reason = model_open(&l->runner->candidate, p, target->size, &hashes,
                                    (const uint8_t(*)[32])h->identity.keys, &limits, h->hal.arena);
    *counter = l->runner->candidate.counter;
    return reason;
}

static enum reason prove_slot(struct lifecycle *l, uint8_t slot) {
    struct artefact_ref held = {.size = shelf(l)->record.slot[slot].size};
    uint32_t counter;
    memcpy(held.digest, shelf(l)->record.slot[slot].digest, SHA256_SIZE);
    return prove(l, slot, &held, &counter);
}

/* The slot to rely on when the confirmed one went bad: the other, if it holds something. */
static uint8_t next_best(struct lifecycle *l, uint8_t bad) {
    uint8_t slot = (uint8_t)(1 - bad);
    const uint8_t *digest = shelf_digest(shelf(l), slot);
    bool good = digest != NULL && !shelf_refuses(shelf(l), digest, 0);
    return good ? slot : SLOT_NONE;
}

/* Runs what is confirmed; without any, nothing. Returns why the confirmed one is not run. */
static enum reason run_confirmed(struct lifecycle *l) {
    struct journal_record *r = &shelf(l)->record;
    enum reason first = REASON_NONE;
    l->runner->has_model = false;
    while (!l->runner->has_model && r->confirmed != SLOT_NONE) {
        uint8_t slot = r->confirmed;
        enum reason reason = prove_slot(l, slot);
        if (reason == REASON_NONE) {
            runner_start(l->runner);
            continue;
        }
        first = first == REASON_NONE ? reason : first;
        r->slot[slot].size = 0;
        r->confirmed = next_best(l, slot);
        (void)shelf_save(shelf(l), &l->host->hal.flash);
    }
    return first;
}

static enum reason try_confirmed(struct lifecycle *l) {
    uint8_t slot = shelf(l)->record.confirmed;
    enum reason reason = slot == SLOT_NONE ? REASON_NONE : prove_slot(l, slot);
    if (slot != SLOT_NONE && reason == REASON_NONE) {
        runner_start(l->runner);
    }
    return reason;
}

/* What was on trial did not live to be confirmed. */
static void give_up_trial(struct journal_record *r, struct shelf *s) {
    if (r->trial != SLOT_NONE) {
        shelf_refuse(s, r->slot[r->trial].digest, PHASE_ROLLEDBACK, REASON_TRIAL_EXPIRED);
        r->trial = SLOT_NONE;
    }
}

enum reason model_start(struct lifecycle *l) {
    struct journal_record *r = &shelf(l)->record;
    bool firmware_on_trial = l->shelf[SHELF_FIRMWARE].record.trial != SLOT_NONE;
    r->boots++;
    give_up_trial(r, shelf(l));
    if (shelf_save(shelf(l), &l->host->hal.flash) != REASON_NONE) {
        return REASON_FLASH_ERROR;
    }
    return firmware_on_trial ? try_confirmed(l) : run_confirmed(l);
}

static bool compared(const struct lifecycle *l) {
    const struct runner *r = l->runner;
    return !runner_comparable(r) ||
           shadow_done(&r->shadow, l->work.target.digest, l->wish.grant.shadow);
}

static void begin_trial(struct lifecycle *l) {
    runner_start(l->runner);
}

static void end_trial(struct lifecycle *l) {
    (void)run_confirmed(l);
}

static bool passed(const struct lifecycle *l) {
    const struct trial *t = &l->work.trial;
    return t->heard && t->answers >= l->host->config.trial_answers;
}

const struct keeper MODEL_KEEPER = {
    prove, compared, begin_trial, end_trial, passed, REASON_TRIAL_EXPIRED, 0,
};
