#include "lifecycle.h"

#include <string.h>

#include "bytes.h"
#include "fetch.h"
#include "keeper.h"
#include "wanted.h"

static const struct keeper *const KEEPERS[SHELF_KINDS] = {
    [SHELF_MODEL] = &MODEL_KEEPER,
    [SHELF_FIRMWARE] = &FIRMWARE_KEEPER,
};

static const struct keeper *keeper(const struct lifecycle *l) {
    return KEEPERS[l->work.kind];
}

/* The shelf of the artefact at work. */
static struct shelf *shelf(struct lifecycle *l) {
    return &l->shelf[l->work.kind];
}

static const struct flash *flash(const struct lifecycle *l) {
    return &l->host->hal.flash;
}

static enum reason save(struct lifecycle *l) {
    return shelf_save(shelf(l), flash(l));
}

/* --- actions: each returns REASON_NONE, or why it failed ----------------------------------- */

static enum reason nothing(struct lifecycle *l, uint32_t now) {
    (void)l;
    (void)now;
    return REASON_NONE;
}

static void take_target(struct lifecycle *l) {
    l->work.target = *wish_for(&l->wish, l->work.kind, shelf_free_slot(shelf(l)));
    l->work.attempt = wish_attempt(&l->wish, l->work.kind);
}

static enum reason start_download(struct lifecycle *l, uint32_t now) {
    struct shelf *s = shelf(l);
    uint8_t slot = shelf_free_slot(s);
    take_target(l);
    enum reason reason = download_possible(&l->work.target, s->places.slot_size);
    if (reason == REASON_NONE && s->record.slot[slot].size != 0) {
        s->record.slot[slot].size = 0; /* before its first byte is erased */
        reason = save(l);
    }
    if (reason == REASON_NONE && fetch_begin(&l->work.download, flash(l), s, &l->work.target,
                                             wish_patch(&l->wish, l->work.kind)) != 0) {
        reason = REASON_FLASH_ERROR;
    }
    (void)now;
    return reason;
}

static enum reason start_whole(struct lifecycle *l, uint32_t now) {
    (void)now;
    int error = fetch_whole(&l->work.download, flash(l), shelf(l), &l->work.target);
    return error == 0 ? REASON_NONE : REASON_FLASH_ERROR;
}

static enum reason start_return(struct lifecycle *l, uint32_t now) {
    (void)now;
    take_target(l);
    return REASON_NONE;
}

static void fill_slot(struct lifecycle *l, uint8_t slot) {
    shelf_fill(shelf(l), slot, l->work.target.digest, l->work.target.size);
}

static enum reason start_shadow(struct lifecycle *l, uint32_t now) {
    (void)now;
    shadow_begin(&l->runner->shadow, l->work.target.digest);
    return REASON_NONE;
}

/* After a restart the grant finds it in its slot. */
static enum reason hold_back(struct lifecycle *l, uint32_t now) {
    (void)now;
    fill_slot(l, shelf_free_slot(shelf(l)));
    return save(l);
}

static enum reason start_trial(struct lifecycle *l, uint32_t now) {
    struct journal_record *r = &shelf(l)->record;
    uint8_t slot = shelf_free_slot(shelf(l));
    r->trial = slot;
    r->attempt = l->work.attempt;
    r->boots_left = keeper(l)->boots_left;
    fill_slot(l, slot);
    if (save(l) != REASON_NONE) {
        r->trial = SLOT_NONE;
        return REASON_FLASH_ERROR;
    }
    l->work.trial.deadline = now + l->host->config.trial_ms;
    keeper(l)->begin_trial(l);
    return REASON_NONE;
}

/* The floor rises only here: until now the old artefact had to stay acceptable. */
static enum reason confirm(struct lifecycle *l, uint32_t now) {
    struct journal_record *r = &shelf(l)->record;
    (void)now;
    r->confirmed = r->trial;
    r->trial = SLOT_NONE;
    r->boots_left = 0;
    if (l->work.trial.counter > r->floor) {
        r->floor = l->work.trial.counter;
    }
    return save(l);
}

static enum reason end_trial(struct lifecycle *l, uint32_t now) {
    struct journal_record *r = &shelf(l)->record;
    (void)now;
    r->trial = SLOT_NONE;
    r->boots_left = 0;
    enum reason reason = save(l);
    keeper(l)->end_trial(l);
    return reason;
}

/* What was downloaded is of no use: the next attempt begins anew. */
static enum reason discard(struct lifecycle *l, uint32_t now) {
    struct shelf *s = shelf(l);
    (void)now;
    s->record.slot[shelf_free_slot(s)].size = 0;
    return download_forget(flash(l), &s->places) == 0 ? save(l) : REASON_FLASH_ERROR;
}

/* --- the table ------------------------------------------------------------------------------ */

#define AT(phase) (1u << (phase))
#define AT_REST (AT(PHASE_IDLE) | AT(PHASE_CONFIRMED) | AT(PHASE_FAILED) | AT(PHASE_ROLLEDBACK))
#define AT_WAITING (AT(PHASE_SHADOW) | AT(PHASE_READY))
#define TO_REST PHASE_IDLE /* or PHASE_CONFIRMED, by what is there */

struct transition {
    uint32_t from; /* set of phases */
    enum event event;
    enum reason (*action)(struct lifecycle *l, uint32_t now);
    enum phase to;
};

static const struct transition TRANSITIONS[] = {
    {AT_REST, EVENT_FETCH, start_download, PHASE_DOWNLOADING},
    {AT_REST, EVENT_RETURN, start_return, PHASE_VERIFYING},
    {AT_REST, EVENT_SETTLE, nothing, TO_REST},
    {AT(PHASE_DOWNLOADING), EVENT_COMPLETE, nothing, PHASE_VERIFYING},
    {AT(PHASE_DOWNLOADING), EVENT_WHOLE, start_whole, PHASE_DOWNLOADING},
    {AT(PHASE_DOWNLOADING), EVENT_STALLED, nothing, PHASE_FAILED},
    {AT(PHASE_DOWNLOADING), EVENT_REFUSED, nothing, PHASE_FAILED},
    {AT(PHASE_DOWNLOADING), EVENT_CHANGED, nothing, TO_REST},
    {AT(PHASE_DOWNLOADING), EVENT_HALTED, nothing, PHASE_FAILED},
    {AT(PHASE_VERIFYING), EVENT_ACCEPTED, start_trial, PHASE_TRIAL},
    {AT(PHASE_VERIFYING), EVENT_SHADOWED, start_shadow, PHASE_SHADOW},
    {AT(PHASE_VERIFYING), EVENT_HELD, hold_back, PHASE_READY},
    {AT(PHASE_VERIFYING), EVENT_STALE, discard, TO_REST},
    {AT(PHASE_VERIFYING), EVENT_REFUSED, discard, PHASE_FAILED},
    {AT_WAITING | AT(PHASE_VERIFYING), EVENT_CHANGED, nothing, TO_REST},
    {AT_WAITING | AT(PHASE_VERIFYING), EVENT_HALTED, nothing, PHASE_FAILED},
    {AT_WAITING, EVENT_RELEASED, nothing, PHASE_VERIFYING}, /* days may lie between */
    {AT(PHASE_TRIAL), EVENT_PASSED, confirm, PHASE_CONFIRMED},
    {AT(PHASE_TRIAL), EVENT_EXPIRED, end_trial, PHASE_ROLLEDBACK},
    {AT(PHASE_TRIAL), EVENT_CHANGED, end_trial, TO_REST},
    {AT(PHASE_TRIAL), EVENT_HALTED, end_trial, PHASE_ROLLEDBACK},
};

/* A refused artefact is not tried again while the grant names it. A halt can be lifted, so it is no
 * refusal. */
static void refuse(struct lifecycle *l, enum phase phase, enum reason reason) {
    shelf_refuse(shelf(l), l->work.target.digest, phase, reason);
    shelf(l)->record.attempt = l->work.attempt;
    (void)save(l);
}

static void enter(struct lifecycle *l, enum phase phase, enum reason reason) {
    const struct hal *hal = &l->host->hal;
    l->work.phase = phase;
    l->work.reason = reason;
    l->news = true;
    l->moved = true;
    host_log(l->host, phase_name(phase), reason_name(reason));
    if (hal->moved != NULL) {
        hal->moved(hal->ctx);
    }
    bool given_up = phase == PHASE_FAILED || phase == PHASE_ROLLEDBACK;
    if (given_up && reason != REASON_HALTED) {
        refuse(l, phase, reason);
    }
}

static enum phase rest_phase(const struct lifecycle *l) {
    return l->shelf[SHELF_MODEL].record.confirmed == SLOT_NONE ? PHASE_IDLE : PHASE_CONFIRMED;
}

void lifecycle_event(struct lifecycle *l, enum event event, enum reason reason, uint32_t now) {
    for (size_t i = 0; i < sizeof TRANSITIONS / sizeof TRANSITIONS[0]; i++) {
        const struct transition *t = &TRANSITIONS[i];
        if (t->event != event || (t->from & AT(l->work.phase)) == 0) {
            continue;
        }
        enum reason failure = t->action(l, now);
        if (failure != REASON_NONE) {
            enter(l, PHASE_FAILED, failure);
        } else {
            enter(l, t->to == TO_REST ? rest_phase(l) : t->to, reason);
        }
        return;
    }
}

/* --- work ----------------------------------------------------------------------------------- */

/* What becomes of the target, now that it is proven. */
static enum event accepted(const struct lifecycle *l) {
    if (!keeper(l)->compared(l)) {
        return EVENT_SHADOWED;
    }
    return wish_holds_back(&l->wish, l->work.kind) ? EVENT_HELD : EVENT_ACCEPTED;
}

static void verify(struct lifecycle *l, uint32_t now) {
    struct shelf *s = shelf(l);
    uint8_t slot = shelf_free_slot(s);
    bool returning = s->record.slot[slot].size != 0;
    l->work.trial = (struct trial){0};
    enum reason reason = keeper(l)->prove(l, slot, &l->work.target, &l->work.trial.counter);
    if (reason == REASON_DIGEST_MISMATCH && returning) {
        lifecycle_event(l, EVENT_STALE, REASON_NONE, now);
        return;
    }
    lifecycle_event(l, reason == REASON_NONE ? accepted(l) : EVENT_REFUSED, reason, now);
}

static void judge_trial(struct lifecycle *l, uint32_t now) {
    const struct trial *t = &l->work.trial;
    if (t->flaw != REASON_NONE) {
        lifecycle_event(l, EVENT_EXPIRED, t->flaw, now);
    } else if (keeper(l)->passed(l)) {
        lifecycle_event(l, EVENT_PASSED, REASON_NONE, now);
    } else if (due(now, t->deadline)) {
        lifecycle_event(l, EVENT_EXPIRED, keeper(l)->late, now);
    }
}

/* Proving takes a while on a small core: "verifying" is said before. */
static bool may_verify(const struct lifecycle *l, bool unsaid) {
    return l->work.phase == PHASE_VERIFYING && (l->host->hal.proves_quickly || !unsaid);
}

/* All blocks are there: is the artefact? */
static bool arrived(struct lifecycle *l) {
    const struct download *d = &l->work.download;
    bool there = !d->patch || fetch_apply(d, flash(l), shelf(l), &l->work.target);
    if (d->patch) {
        host_log(l->host, "patch", there ? "applied" : "of no use");
    }
    return there;
}

static void work(struct lifecycle *l, bool unsaid, uint32_t now) {
    const struct download *download = &l->work.download;
    bool released =
        l->wish.has_grant && l->wish.halt_known && !wish_holds_back(&l->wish, l->work.kind);
    if (l->work.phase == PHASE_DOWNLOADING && download->got == download->total) {
        lifecycle_event(l, arrived(l) ? EVENT_COMPLETE : EVENT_WHOLE, REASON_NONE, now);
    } else if ((l->work.phase == PHASE_READY && released) ||
               (l->work.phase == PHASE_SHADOW && keeper(l)->compared(l))) {
        lifecycle_event(l, EVENT_RELEASED, REASON_NONE, now);
    }
    if (may_verify(l, unsaid || l->news)) {
        verify(l, now);
    } else if (l->work.phase == PHASE_TRIAL) {
        judge_trial(l, now);
    }
}

void lifecycle_tick(struct lifecycle *l, bool unsaid, uint32_t now) {
    enum event event = wanted(l, &l->work.kind);
    if (event != EVENT_NONE) {
        lifecycle_event(l, event, event == EVENT_HALTED ? REASON_HALTED : REASON_NONE, now);
    }
    work(l, unsaid, now);
}

/* --- what comes from outside ---------------------------------------------------------------- */

void lifecycle_granted(struct lifecycle *l, bool live) {
    if (live && l->work.phase == PHASE_TRIAL) {
        l->work.trial.answered = true;
    }
    for (int kind = 0; kind < SHELF_KINDS; kind++) {
        struct shelf *s = &l->shelf[kind];
        const struct artefact_ref *next =
            wish_for(&l->wish, (enum shelf_kind)kind, shelf_free_slot(s));
        uint16_t attempt = wish_attempt(&l->wish, (enum shelf_kind)kind);
        bool stands = next != NULL && shelf_refuses(s, next->digest, attempt);
        if (s->record.refused_reason != REASON_NONE && !stands) {
            s->record.refused_reason = REASON_NONE;
            (void)shelf_save(s, flash(l));
        }
    }
}

bool lifecycle_block(struct lifecycle *l, uint32_t number, const uint8_t *p, uint32_t n,
                     uint32_t now) {
    uint32_t before = l->work.download.got;
    if (download_block(&l->work.download, flash(l), number, p, n) != 0) {
        lifecycle_event(l, EVENT_REFUSED, REASON_FLASH_ERROR, now);
    }
    return l->work.download.got != before;
}

void lifecycle_heard(struct lifecycle *l) {
    l->work.trial.heard |= l->work.phase == PHASE_TRIAL;
}

/* --- start ---------------------------------------------------------------------------------- */

/* What was given up is said until the grant has changed; of both kinds, firmware. */
static void show_refusal(struct lifecycle *l) {
    for (int kind = 0; kind < SHELF_KINDS; kind++) {
        const struct journal_record *r = &l->shelf[kind].record;
        if (r->refused_reason != REASON_NONE) {
            l->work.kind = (enum shelf_kind)kind;
            l->work.phase = (enum phase)r->refused_phase;
            l->work.reason = (enum reason)r->refused_reason;
            l->work.attempt = r->attempt;
            memcpy(l->work.target.digest, r->refused, SHA256_SIZE);
        }
    }
}

int lifecycle_init(struct lifecycle *l, struct host *host, struct runner *runner, uint32_t now) {
    const struct places none = {0};
    bool in_slot = host->hal.firmware_slot < SLOT_COUNT && host->identity.firmware_size > 0;
    memset(l, 0, sizeof *l);
    l->host = host;
    l->runner = runner;
    shelf_load(&l->shelf[SHELF_MODEL], flash(l), identity_model_places(&host->identity));
    shelf_load(&l->shelf[SHELF_FIRMWARE], flash(l),
               in_slot ? identity_firmware_places(&host->identity) : none);
    if (in_slot) {
        firmware_start(l, now);
    }
    enum reason reason = model_start(l);
    if (l->work.phase == PHASE_TRIAL) {
        l->work.trial.flaw = l->work.trial.flaw == REASON_NONE ? reason : l->work.trial.flaw;
        return reason == REASON_FLASH_ERROR ? E_FLASH : 0;
    }
    l->work.phase = rest_phase(l);
    l->work.reason = reason;
    show_refusal(l);
    return reason == REASON_FLASH_ERROR ? E_FLASH : 0;
}

bool lifecycle_has_target(const struct lifecycle *l) {
    return l->work.phase != PHASE_IDLE && l->work.phase != PHASE_CONFIRMED;
}

const uint8_t *lifecycle_model(const struct lifecycle *l) {
    const struct shelf *s = &l->shelf[SHELF_MODEL];
    return l->runner->has_model ? shelf_digest(s, shelf_active_slot(s)) : NULL;
}
