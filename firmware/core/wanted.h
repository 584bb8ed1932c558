/* What the grant, and the halts of its fleet, ask of a device now. */
#ifndef PETIOLE_WANTED_H
#define PETIOLE_WANTED_H

#include "lifecycle.h"

/* The event that the wish stands for, or EVENT_NONE. Of a device at rest, *kind becomes what is to
 * be worked at. */
enum event wanted(const struct lifecycle *l, enum shelf_kind *kind);

#endif
