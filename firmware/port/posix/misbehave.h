/* What a device with a fault does wrong, and the clock that may be wrong. */
#ifndef PETIOLE_MISBEHAVE_H
#define PETIOLE_MISBEHAVE_H

#include <stdbool.h>
#include <stdint.h>

#include "fleet.h"

/* Milliseconds that the device's clock shows. */
uint32_t clock_shows(const struct node *node, uint64_t now);

/* The rule in force for this device with what it was granted or is busy with, or NULL. */
const struct rule *fault_now(const struct node *node, enum fault kind);

/* Does it keep off the network? */
bool stays_away(const struct node *node, uint64_t now);

/* The watchdog ends what stood still, and nobody feeds it. */
void watch_over(struct node *node);

/* Does what its faults ask for, after it was driven. */
void misbehave(struct node *node, uint64_t now);

#endif
