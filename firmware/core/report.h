/* What a device says: that it is there, its state, its statistics, its samples. */
#ifndef PETIOLE_REPORT_H
#define PETIOLE_REPORT_H

#include "link.h"

/* Publishes what the link's flags ask for, as far as there is room; the flags fall as it goes. One
 * state at a time is on its way: what happens meanwhile is in the next one, which says it all. */
void report_say(struct link *l, uint32_t now);

#endif
