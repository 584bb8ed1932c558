/* What differs between models and firmware on their way through a device. */
#ifndef PETIOLE_KEEPER_H
#define PETIOLE_KEEPER_H

#include <stdbool.h>
#include <stdint.h>

#include "lifecycle.h"

struct keeper {
    /* Proves that a slot holds the target, and that it may run here. */
    enum reason (*prove)(struct lifecycle *l, uint8_t slot, const struct artefact_ref *target,
                         uint32_t *counter);
    /* Has the target, which was proven, run beside the current one for as long as the grant wants?
     */
    bool (*compared)(const struct lifecycle *l);
    /* The journal says that what was proven is on trial: now it runs. */
    void (*begin_trial)(struct lifecycle *l);
    /* The journal says that no trial is on: what is confirmed runs again. */
    void (*end_trial)(struct lifecycle *l);
    bool (*passed)(const struct lifecycle *l);
    enum reason late;   /* why a trial ends that did not pass in time */
    uint8_t boots_left; /* starts that a trial may take */
};

extern const struct keeper MODEL_KEEPER, FIRMWARE_KEEPER;

/* After a start: takes up the journal's record of models and runs what is confirmed. Returns why
 * that is not run. While firmware is on trial the record stays as it is: it may be the firmware
 * that is wrong. */
enum reason model_start(struct lifecycle *l);

/* After a start: notes which image runs. If that is one on trial, the trial goes on; if a trial was
 * lost, it is given up with the reason. */
void firmware_start(struct lifecycle *l, uint32_t now);

#endif
