/* A device on flash whose power fails, and a broker and gateway that have everything and answer at
 * once. One at a time. */
#ifndef PETIOLE_STAND_H
#define PETIOLE_STAND_H

#include <stdbool.h>
#include <stdint.h>

#include "check.h"
#include "device.h"
#include "nor.h"

/* What is granted. A model is the same for both slots. */
struct release {
    struct file image[SLOT_COUNT];
    struct file patch;          /* size 0: none */
    const struct release *base; /* of the patch */
};

extern struct nor stand_nor;
extern struct device stand_device;
extern uint32_t stand_released;   /* artefacts that were held back and let go */
extern uint32_t stand_sent_whole; /* blocks of artefacts themselves, not of patches */

/* Reads NAME, or NAME.a and NAME.b when it is firmware. */
struct release stand_read(enum shelf_kind kind, const char *name);
void stand_free(struct release *r);

/* A provisioned flash image of NOR_SIZE bytes. */
void stand_provision(const char *path);

/* Power comes back; it fails at flash operation `cut` from now, of which `part` quarters happen.
 * Returns false when that is before the start is over. Without a cut, the device starts. */
bool stand_power(uint32_t cut, uint32_t part);

/* Grants a release and brings it to its end, or to the power cut. */
void stand_update(enum shelf_kind kind, const struct release *r);

bool stand_runs(enum shelf_kind kind, const struct release *r);

#endif
