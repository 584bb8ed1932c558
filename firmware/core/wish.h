/* What the gateway wants of a device: its grant, and the halts of its fleet. */
#ifndef PETIOLE_WISH_H
#define PETIOLE_WISH_H

#include <stdbool.h>
#include <stdint.h>

#include "messages.h"
#include "shelf.h"

struct wish {
    struct grant_message grant;
    bool has_grant;
    struct halt_list halt;
    bool halt_known; /* the halts of the grant's fleet are up to date */
};

/* What the grant wants in this slot, or NULL. Firmware is linked for its slot; a model fits both.
 */
const struct artefact_ref *wish_for(const struct wish *w, enum shelf_kind kind, uint8_t slot);

/* The patch that the grant names besides, or NULL. */
const struct patch_ref *wish_patch(const struct wish *w, enum shelf_kind kind);

/* Fetch and prove it, but do not run it yet? */
bool wish_holds_back(const struct wish *w, enum shelf_kind kind);

uint16_t wish_attempt(const struct wish *w, enum shelf_kind kind);

#endif
