/* An artefact's way through a device: granted, downloaded, verified, tried, confirmed or given up.
 * What happens in which phase is one table in lifecycle.c. */
#ifndef PETIOLE_LIFECYCLE_H
#define PETIOLE_LIFECYCLE_H

#include <stdint.h>

#include "status.h"

struct device;

enum event {
    EVENT_NONE,
    EVENT_FETCH,    /* the grant names an artefact that has to be downloaded */
    EVENT_RETURN,   /* it names the one in the other slot */
    EVENT_SETTLE,   /* it names the confirmed one */
    EVENT_CHANGED,  /* it no longer names the one at work */
    EVENT_HALTED,   /* the fleet halts the one at work */
    EVENT_COMPLETE, /* all blocks are there */
    EVENT_STALLED,  /* blocks do not come */
    EVENT_ACCEPTED, /* verified */
    EVENT_HELD,     /* verified, but the grant does not let it run yet */
    EVENT_RELEASED, /* now it does */
    EVENT_STALE,    /* what the other slot was said to hold is not there */
    EVENT_REFUSED,
    EVENT_PASSED, /* the trial */
    EVENT_EXPIRED,
};

/* Takes up what the journal says after a start. Returns 0 or E_FLASH. */
int lifecycle_boot(struct device *d);

/* Moves on as far as grant, halts, blocks, trial and time allow. */
void lifecycle_tick(struct device *d, uint32_t now);

void lifecycle_event(struct device *d, enum event event, enum reason reason, uint32_t now);

/* A grant has come: an earlier refusal of another artefact, or in an earlier attempt, is forgotten.
 */
void lifecycle_granted(struct device *d);

#endif
