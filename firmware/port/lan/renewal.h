/* A board's certificate ends after a month: asking for the next one, and keeping it. */
#ifndef PETIOLE_RENEWAL_H
#define PETIOLE_RENEWAL_H

#include <stdbool.h>
#include <stdint.h>

#include "host.h"

struct network;

/* Of a board with a key. `network` is what it was started with, and stays. */
void renewal_start(const struct flash *flash, const struct network *network, uint32_t now);

/* Is there a newer certificate in the flash than in the network that it was started with? */
bool renewal_happened(void);

/* What the core does its part with. */
extern const struct credentials RENEWAL;

#endif
