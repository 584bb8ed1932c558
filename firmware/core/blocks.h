/* The blocks of a download, as the link asks for them: a window of topics at a time. */
#ifndef PETIOLE_BLOCKS_H
#define PETIOLE_BLOCKS_H

#include "link.h"

/* Subscribes to the blocks that are missing and gives up those that came, as far as there is room.
 */
void blocks_ask(struct link *l, uint32_t now);

/* A message that is none of the others: perhaps a block of the target. */
void blocks_take(struct link *l, const struct mqtt_event *e, uint32_t now);

#endif
