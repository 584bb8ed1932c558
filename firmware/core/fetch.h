/* How an artefact comes into the free slot of a shelf: in blocks of its own, or as a patch of the
 * one that is confirmed.
 *
 * The blocks of a patch lie in the last sectors of the slot, what it makes of the other slot's
 * artefact in the first. Power may fail anywhere: then the patch is applied anew. */
#ifndef PETIOLE_FETCH_H
#define PETIOLE_FETCH_H

#include <stdbool.h>

#include "download.h"
#include "shelf.h"

/* Begins to fetch the target, or goes on where the flash says: by `patch` (NULL: there is none)
 * when the shelf holds its base and the slot has room for both. Returns 0 or E_FLASH. */
int fetch_begin(struct download *d, const struct flash *flash, const struct shelf *shelf,
                const struct artefact_ref *target, const struct patch_ref *patch);

/* Begins to fetch the target itself. Returns 0 or E_FLASH. */
int fetch_whole(struct download *d, const struct flash *flash, const struct shelf *shelf,
                const struct artefact_ref *target);

/* All blocks of a patch are there: does it make the target? It is in its slot then. */
bool fetch_apply(const struct download *d, const struct flash *flash, const struct shelf *shelf,
                 const struct artefact_ref *target);

#endif
