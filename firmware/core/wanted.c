#include "wanted.h"

#include <string.h>

static bool given_up(const struct lifecycle *l) {
    return l->work.phase == PHASE_FAILED || l->work.phase == PHASE_ROLLEDBACK;
}

/* Of a busy device: does the grant still stand behind what it does? A grant without an artefact
 * stops a download and leaves a trial alone, since the device keeps what it has. */
static enum event wanted_while_busy(const struct lifecycle *l) {
    const struct shelf *s = &l->shelf[l->work.kind];
    uint8_t slot = s->record.trial != SLOT_NONE ? s->record.trial : shelf_free_slot(s);
    const struct artefact_ref *wanted = wish_for(&l->wish, l->work.kind, slot);
    if (halt_names(&l->wish.halt, l->work.target.digest)) {
        return EVENT_HALTED;
    }
    if (!l->wish.has_grant) {
        return EVENT_NONE;
    }
    if (wanted == NULL) {
        return l->work.phase == PHASE_TRIAL ? EVENT_NONE : EVENT_CHANGED;
    }
    bool same = memcmp(wanted->digest, l->work.target.digest, SHA256_SIZE) == 0;
    return same ? EVENT_NONE : EVENT_CHANGED;
}

/* Of a device at rest: is there something to do about this kind? */
static enum event wanted_at_rest(const struct lifecycle *l, enum shelf_kind kind) {
    const struct shelf *s = &l->shelf[kind];
    uint8_t free_slot = shelf_free_slot(s);
    const struct artefact_ref *kept = wish_for(&l->wish, kind, s->record.confirmed);
    const struct artefact_ref *next = wish_for(&l->wish, kind, free_slot);
    if (s->places.slot_size == 0 || next == NULL) {
        return EVENT_NONE;
    }
    if (kept != NULL && shelf_holds(s, s->record.confirmed, kept->digest)) {
        return given_up(l) && l->work.kind == kind ? EVENT_SETTLE : EVENT_NONE;
    }
    if (!l->wish.halt_known || halt_names(&l->wish.halt, next->digest) ||
        shelf_refuses(s, next->digest, wish_attempt(&l->wish, kind))) {
        return EVENT_NONE;
    }
    return shelf_holds(s, free_slot, next->digest) ? EVENT_RETURN : EVENT_FETCH;
}

static bool is_at_rest(const struct lifecycle *l) {
    return l->work.phase == PHASE_IDLE || l->work.phase == PHASE_CONFIRMED || given_up(l);
}

/* Firmware comes before a model. */
enum event wanted(const struct lifecycle *l, enum shelf_kind *kind) {
    static const enum shelf_kind ORDER[SHELF_KINDS] = {SHELF_FIRMWARE, SHELF_MODEL};
    if (!is_at_rest(l)) {
        return wanted_while_busy(l);
    }
    for (int i = 0; i < SHELF_KINDS; i++) {
        enum event event = wanted_at_rest(l, ORDER[i]);
        if (event != EVENT_NONE) {
            *kind = ORDER[i];
            return event;
        }
    }
    return EVENT_NONE;
}
