/* An artefact's way through a device: granted, downloaded, verified, tried, confirmed or given up.
 * What happens in which phase is one table in lifecycle.c; what differs between models and firmware
 * is in keeper.h. */
#ifndef PETIOLE_LIFECYCLE_H
#define PETIOLE_LIFECYCLE_H

#include <stdbool.h>
#include <stdint.h>

#include "download.h"
#include "host.h"
#include "runner.h"
#include "shelf.h"
#include "status.h"
#include "wish.h"

enum event {
    EVENT_NONE,
    EVENT_FETCH,    /* the grant names an artefact that has to be downloaded */
    EVENT_RETURN,   /* it names the one in the other slot */
    EVENT_SETTLE,   /* it names the confirmed one */
    EVENT_CHANGED,  /* it no longer names the one at work */
    EVENT_HALTED,   /* the fleet halts the one at work */
    EVENT_COMPLETE, /* all blocks are there */
    EVENT_STALLED,  /* blocks do not come */
    EVENT_WHOLE,    /* a patch does not come, or does not make the artefact */
    EVENT_SHADOWED, /* verified, but to run beside the current one first */
    EVENT_ACCEPTED, /* verified */
    EVENT_HELD,     /* verified, but the grant does not let it run yet */
    EVENT_RELEASED, /* now it does, or it has been compared enough */
    EVENT_STALE,    /* what the other slot was said to hold is not there */
    EVENT_REFUSED,
    EVENT_PASSED, /* the trial */
    EVENT_EXPIRED,
};

struct trial {
    uint32_t deadline; /* ms */
    uint32_t counter;  /* security counter of what is on trial */
    uint32_t answers;  /* inputs that the model on trial has answered */
    bool heard;        /* the broker has acknowledged a state that says "trial" */
    bool answered;     /* the gateway has answered such a state */
    enum reason flaw;  /* of firmware: what its self-test found */
};

/* The artefact at work: one at a time, of either kind. */
struct work {
    enum shelf_kind kind;
    enum phase phase;
    enum reason reason;
    struct artefact_ref target; /* in the phases that have one: see lifecycle_has_target */
    uint16_t attempt;           /* of the grant that the target is of */
    struct download download;
    struct trial trial;
};

struct lifecycle {
    struct host *host;
    struct runner *runner;
    struct wish wish;
    struct shelf shelf[SHELF_KINDS];
    struct work work;
    bool moved;  /* the last tick has changed the phase */
    bool news;   /* the state is worth a report; the link lowers it */
    bool ending; /* the port is to reset the device */
};

/* Takes up what the journals say after a start. Returns 0 or E_FLASH. */
int lifecycle_init(struct lifecycle *l, struct host *host, struct runner *runner, uint32_t now);

/* Moves on as far as grant, halts, blocks, trial and time allow. `unsaid`: a report of the state
 * could go out and has not. */
void lifecycle_tick(struct lifecycle *l, bool unsaid, uint32_t now);

void lifecycle_event(struct lifecycle *l, enum event event, enum reason reason, uint32_t now);

/* A grant has come: an earlier refusal of another artefact, or in an earlier attempt, is forgotten.
 * `live`: it came after a state that says "trial", and not because it was retained. */
void lifecycle_granted(struct lifecycle *l, bool live);

/* A block of the target has come. Returns whether it was one that was missing. */
bool lifecycle_block(struct lifecycle *l, uint32_t number, const uint8_t *p, uint32_t n,
                     uint32_t now);

/* The broker has acknowledged a state that says "trial". */
void lifecycle_heard(struct lifecycle *l);

bool lifecycle_has_target(const struct lifecycle *l);

/* Digest of the model that answers, or NULL. */
const uint8_t *lifecycle_model(const struct lifecycle *l);

#endif
