/* The hardware around a device: what happens from a reset to the start of its firmware, and what a
 * crash leaves behind. */
#ifndef PETIOLE_MACHINE_H
#define PETIOLE_MACHINE_H

#include <stdbool.h>

#include "choose.h"
#include "messages.h"

#define E_NO_FIRMWARE (-10) /* no slot holds firmware that may run */

struct machine {
    bool reset;   /* asked for by the device */
    bool crashed; /* `crash` says how */
    struct crash_report crash;
    struct boot_starts starts;
};

struct node;

/* Starts, or starts again, from the flash. Returns what device_init does, or E_NO_FIRMWARE. */
int machine_start(struct node *node);

/* The firmware ends in the middle of what it does, and starts again. */
void machine_crash(struct node *node, enum cause cause);

/* Starts again, as the device has asked for. */
void machine_reset(struct node *node);

#endif
