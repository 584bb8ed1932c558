#include "lifecycle.h"

#include <string.h>

#include "bytes.h"
#include "device.h"

static bool same(const uint8_t *a, const uint8_t *b) {
    return memcmp(a, b, SHA256_SIZE) == 0;
}

static bool is_refused(const struct device *d, const uint8_t *digest) {
    return d->record.refused_reason != REASON_NONE && same(d->record.refused, digest);
}

/* What was given up is tried again in a later attempt only. */
static bool grant_is_refused(const struct device *d) {
    return is_refused(d, d->grant.artefact.digest) && d->grant.attempt <= d->record.attempt;
}

static uint8_t other_slot(const struct device *d) {
    return d->record.confirmed == 0 ? 1 : 0;
}

static enum phase rest_phase(const struct device *d) {
    return d->record.confirmed == SLOT_NONE ? PHASE_IDLE : PHASE_CONFIRMED;
}

static enum reason save(struct device *d) {
    return journal_save(&d->hal.flash, &d->record) == 0 ? REASON_NONE : REASON_FLASH_ERROR;
}

/* --- models --------------------------------------------------------------------------------- */

/* Proves that a slot holds this artefact, and that it may run here. */
static enum reason open_slot(struct device *d, uint8_t slot, const uint8_t *digest, uint32_t size) {
    const uint8_t *p = d->hal.flash.base + slot_offset(slot, d->identity.slot_size);
    struct image_limits limits = {
        .target = d->identity.target,
        .arena = d->identity.arena_size,
        .abi = NN_ABI,
        .ops = NN_OPS,
        .floor = d->record.floor,
    };
    struct image_hashes hashes;
    image_hash(p, size, &hashes);
    if (!same(hashes.digest, digest)) {
        return REASON_DIGEST_MISMATCH;
    }
    return model_open(&d->candidate, p, size, &hashes, (const uint8_t(*)[32])d->identity.keys,
                      &limits, d->hal.arena);
}

/* Lets what open_slot has proven answer. Statistics belong to one artefact in one boot. */
static void start_answering(struct device *d) {
    d->model = d->candidate;
    d->has_model = true;
    memset(&d->stats, 0, sizeof d->stats);
}

/* The slot to rely on when the confirmed one went bad: the other, if it holds something. */
static uint8_t next_best(const struct device *d, uint8_t bad) {
    uint8_t slot = (uint8_t)(1 - bad);
    const struct slot_record *r = &d->record.slot[slot];
    return r->size != 0 && !is_refused(d, r->digest) ? slot : SLOT_NONE;
}

/* Runs what is confirmed; without any, nothing. Returns why the confirmed one is not run. */
static enum reason run_confirmed(struct device *d) {
    enum reason first = REASON_NONE;
    d->has_model = false;
    while (!d->has_model && d->record.confirmed != SLOT_NONE) {
        uint8_t slot = d->record.confirmed;
        enum reason reason =
            open_slot(d, slot, d->record.slot[slot].digest, d->record.slot[slot].size);
        if (reason == REASON_NONE) {
            start_answering(d);
            continue;
        }
        first = first == REASON_NONE ? reason : first;
        d->record.slot[slot].size = 0;
        d->record.confirmed = next_best(d, slot);
        (void)save(d);
    }
    return first;
}

/* --- actions: each returns REASON_NONE, or why it failed ----------------------------------- */

static enum reason nothing(struct device *d, uint32_t now) {
    (void)d;
    (void)now;
    return REASON_NONE;
}

static void take_target(struct device *d) {
    d->target = d->grant.artefact;
    d->attempt = d->grant.attempt;
}

static enum reason start_download(struct device *d, uint32_t now) {
    uint8_t slot = other_slot(d);
    take_target(d);
    enum reason reason = download_possible(&d->target, d->identity.slot_size);
    if (reason == REASON_NONE && d->record.slot[slot].size != 0) {
        d->record.slot[slot].size = 0; /* before its first byte is erased */
        reason = save(d);
    }
    if (reason == REASON_NONE &&
        download_begin(&d->download, &d->hal.flash, &d->target, slot, d->identity.slot_size) != 0) {
        reason = REASON_FLASH_ERROR;
    }
    d->link.window = STEP_IDLE;
    d->link.stalls = 0;
    (void)now;
    return reason;
}

static enum reason start_return(struct device *d, uint32_t now) {
    (void)now;
    take_target(d);
    return REASON_NONE;
}

static void fill_slot(struct device *d, uint8_t slot) {
    d->record.slot[slot].size = d->target.size;
    memcpy(d->record.slot[slot].digest, d->target.digest, SHA256_SIZE);
}

/* After a restart the grant finds it in its slot. */
static enum reason hold_back(struct device *d, uint32_t now) {
    (void)now;
    fill_slot(d, other_slot(d));
    return save(d);
}

static enum reason start_trial(struct device *d, uint32_t now) {
    uint8_t slot = other_slot(d);
    d->record.trial = slot;
    d->record.attempt = d->attempt;
    fill_slot(d, slot);
    start_answering(d);
    d->trial = (struct trial){.deadline = now + d->config.trial_ms};
    return save(d);
}

/* The floor rises only here: until now the old artefact had to stay acceptable. */
static enum reason confirm(struct device *d, uint32_t now) {
    (void)now;
    d->record.confirmed = d->record.trial;
    d->record.trial = SLOT_NONE;
    if (d->model.counter > d->record.floor) {
        d->record.floor = d->model.counter;
    }
    return save(d);
}

static enum reason end_trial(struct device *d, uint32_t now) {
    (void)now;
    d->record.trial = SLOT_NONE;
    enum reason reason = save(d);
    (void)run_confirmed(d);
    return reason;
}

static enum reason stop_download(struct device *d, uint32_t now) {
    (void)now;
    link_close_window(d);
    return REASON_NONE;
}

/* What was downloaded is of no use: the next attempt begins anew. */
static enum reason discard(struct device *d, uint32_t now) {
    (void)now;
    d->record.slot[other_slot(d)].size = 0;
    return download_forget(&d->hal.flash) == 0 ? save(d) : REASON_FLASH_ERROR;
}

/* --- the table ------------------------------------------------------------------------------ */

#define AT(phase) (1u << (phase))
#define AT_REST (AT(PHASE_IDLE) | AT(PHASE_CONFIRMED) | AT(PHASE_FAILED) | AT(PHASE_ROLLEDBACK))
#define TO_REST PHASE_IDLE /* or PHASE_CONFIRMED, by what is there */

struct transition {
    uint32_t from; /* set of phases */
    enum event event;
    enum reason (*action)(struct device *d, uint32_t now);
    enum phase to;
};

static const struct transition TRANSITIONS[] = {
    {AT_REST, EVENT_FETCH, start_download, PHASE_DOWNLOADING},
    {AT_REST, EVENT_RETURN, start_return, PHASE_VERIFYING},
    {AT_REST, EVENT_SETTLE, nothing, TO_REST},
    {AT(PHASE_DOWNLOADING), EVENT_COMPLETE, stop_download, PHASE_VERIFYING},
    {AT(PHASE_DOWNLOADING), EVENT_STALLED, stop_download, PHASE_FAILED},
    {AT(PHASE_DOWNLOADING), EVENT_REFUSED, stop_download, PHASE_FAILED},
    {AT(PHASE_DOWNLOADING), EVENT_CHANGED, stop_download, TO_REST},
    {AT(PHASE_DOWNLOADING), EVENT_HALTED, stop_download, PHASE_FAILED},
    {AT(PHASE_VERIFYING), EVENT_ACCEPTED, start_trial, PHASE_TRIAL},
    {AT(PHASE_VERIFYING), EVENT_HELD, hold_back, PHASE_READY},
    {AT(PHASE_VERIFYING), EVENT_STALE, discard, TO_REST},
    {AT(PHASE_VERIFYING), EVENT_REFUSED, discard, PHASE_FAILED},
    {AT(PHASE_VERIFYING) | AT(PHASE_READY), EVENT_CHANGED, nothing, TO_REST},
    {AT(PHASE_VERIFYING) | AT(PHASE_READY), EVENT_HALTED, nothing, PHASE_FAILED},
    {AT(PHASE_READY), EVENT_RELEASED, nothing, PHASE_VERIFYING}, /* days may lie between */
    {AT(PHASE_TRIAL), EVENT_PASSED, confirm, PHASE_CONFIRMED},
    {AT(PHASE_TRIAL), EVENT_EXPIRED, end_trial, PHASE_ROLLEDBACK},
    {AT(PHASE_TRIAL), EVENT_CHANGED, end_trial, TO_REST},
    {AT(PHASE_TRIAL), EVENT_HALTED, end_trial, PHASE_ROLLEDBACK},
};

/* A refused artefact is not tried again while the grant names it. A halt can be lifted, so it is no
 * refusal. */
static void refuse(struct device *d, enum phase phase, enum reason reason) {
    d->record.refused_reason = (uint8_t)reason;
    d->record.refused_phase = (uint8_t)phase;
    d->record.attempt = d->attempt;
    memcpy(d->record.refused, d->target.digest, SHA256_SIZE);
    (void)save(d);
}

static void enter(struct device *d, enum phase phase, enum reason reason) {
    d->phase = phase;
    d->reason = reason;
    d->link.say_state = true;
    d->moved = true;
    device_log(d, phase_name(phase), reason_name(reason));
    if (d->hal.moved != NULL) {
        d->hal.moved(d->hal.ctx);
    }
    bool given_up = phase == PHASE_FAILED || phase == PHASE_ROLLEDBACK;
    if (given_up && reason != REASON_HALTED) {
        refuse(d, phase, reason);
    }
}

void lifecycle_event(struct device *d, enum event event, enum reason reason, uint32_t now) {
    for (size_t i = 0; i < sizeof TRANSITIONS / sizeof TRANSITIONS[0]; i++) {
        const struct transition *t = &TRANSITIONS[i];
        if (t->event != event || (t->from & AT(d->phase)) == 0) {
            continue;
        }
        enum reason failure = t->action(d, now);
        if (failure != REASON_NONE) {
            enter(d, PHASE_FAILED, failure);
        } else {
            enter(d, t->to == TO_REST ? rest_phase(d) : t->to, reason);
        }
        return;
    }
}

/* --- decisions ------------------------------------------------------------------------------ */

static bool is_busy(const struct device *d) {
    return (AT(d->phase) & AT_REST) == 0;
}

static bool in_slot(const struct device *d, uint8_t slot, const uint8_t *digest) {
    return slot != SLOT_NONE && d->record.slot[slot].size != 0 &&
           same(d->record.slot[slot].digest, digest);
}

/* Of a busy device: does the grant still stand behind what it does? A grant without an artefact
 * stops a download and leaves a trial alone, since the device keeps what it has. */
static enum event wanted_while_busy(const struct device *d) {
    if (halt_names(&d->halt, d->target.digest)) {
        return EVENT_HALTED;
    }
    if (!d->has_grant) {
        return EVENT_NONE;
    }
    if (!d->grant.has_artefact) {
        return d->phase == PHASE_TRIAL ? EVENT_NONE : EVENT_CHANGED;
    }
    return same(d->grant.artefact.digest, d->target.digest) ? EVENT_NONE : EVENT_CHANGED;
}

static enum event wanted_at_rest(const struct device *d) {
    const uint8_t *digest = d->grant.artefact.digest;
    if (!d->has_grant || !d->grant.has_artefact) {
        return EVENT_NONE;
    }
    if (in_slot(d, d->record.confirmed, digest)) {
        return d->phase == PHASE_CONFIRMED ? EVENT_NONE : EVENT_SETTLE;
    }
    if (!d->halt_known || halt_names(&d->halt, digest) || grant_is_refused(d)) {
        return EVENT_NONE;
    }
    return in_slot(d, other_slot(d), digest) ? EVENT_RETURN : EVENT_FETCH;
}

static void verify(struct device *d, uint32_t now) {
    uint8_t slot = other_slot(d);
    bool returning = d->record.slot[slot].size != 0;
    enum reason reason = open_slot(d, slot, d->target.digest, d->target.size);
    if (reason == REASON_DIGEST_MISMATCH && returning) {
        lifecycle_event(d, EVENT_STALE, REASON_NONE, now);
        return;
    }
    enum event accepted = d->has_grant && d->grant.hold ? EVENT_HELD : EVENT_ACCEPTED;
    lifecycle_event(d, reason == REASON_NONE ? accepted : EVENT_REFUSED, reason, now);
}

/* Proving takes a while on a small core: "verifying" is said before. */
static bool may_verify(const struct device *d) {
    return d->phase == PHASE_VERIFYING && (d->hal.proves_quickly || !link_has_news(d));
}

static void work(struct device *d, uint32_t now) {
    if (d->phase == PHASE_DOWNLOADING && d->download.got == d->download.total) {
        lifecycle_event(d, EVENT_COMPLETE, REASON_NONE, now);
    } else if (d->phase == PHASE_READY && d->has_grant && d->halt_known && !d->grant.hold) {
        lifecycle_event(d, EVENT_RELEASED, REASON_NONE, now);
    }
    if (may_verify(d)) {
        verify(d, now);
    } else if (d->phase == PHASE_TRIAL && d->trial.heard &&
               d->trial.answers >= d->config.trial_answers) {
        lifecycle_event(d, EVENT_PASSED, REASON_NONE, now);
    } else if (d->phase == PHASE_TRIAL && due(now, d->trial.deadline)) {
        lifecycle_event(d, EVENT_EXPIRED, REASON_TRIAL_EXPIRED, now);
    }
}

void lifecycle_tick(struct device *d, uint32_t now) {
    enum event event = is_busy(d) ? wanted_while_busy(d) : wanted_at_rest(d);
    if (event != EVENT_NONE) {
        lifecycle_event(d, event, event == EVENT_HALTED ? REASON_HALTED : REASON_NONE, now);
    }
    work(d, now);
}

void lifecycle_granted(struct device *d) {
    bool other = !d->grant.has_artefact || !grant_is_refused(d);
    if (!other || d->record.refused_reason == REASON_NONE) {
        return;
    }
    d->record.refused_reason = REASON_NONE;
    (void)save(d);
}

int lifecycle_boot(struct device *d) {
    if (journal_load(&d->hal.flash, &d->record) != 0) {
        journal_fresh(&d->record);
    }
    struct journal_record *r = &d->record;
    r->boots++;
    if (r->trial != SLOT_NONE) {
        /* It did not live to be confirmed. */
        memcpy(r->refused, r->slot[r->trial].digest, SHA256_SIZE);
        r->refused_reason = REASON_TRIAL_EXPIRED;
        r->refused_phase = PHASE_ROLLEDBACK;
        r->trial = SLOT_NONE;
    }
    if (journal_save(&d->hal.flash, r) != 0) {
        return E_FLASH;
    }
    enum reason reason = run_confirmed(d);
    d->phase = rest_phase(d);
    d->reason = reason;
    if (r->refused_reason != REASON_NONE) {
        d->phase = (enum phase)r->refused_phase;
        d->reason = (enum reason)r->refused_reason;
        memcpy(d->target.digest, r->refused, SHA256_SIZE);
        d->attempt = r->attempt;
    }
    return 0;
}
