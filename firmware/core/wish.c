#include "wish.h"

const struct artefact_ref *wish_for(const struct wish *w, enum shelf_kind kind, uint8_t slot) {
    if (!w->has_grant) {
        return NULL;
    }
    if (kind == SHELF_FIRMWARE) {
        return w->grant.has_firmware && slot < SLOT_COUNT ? &w->grant.firmware.linked[slot] : NULL;
    }
    return w->grant.has_artefact ? &w->grant.artefact : NULL;
}

const struct patch_ref *wish_patch(const struct wish *w, enum shelf_kind kind) {
    bool named = kind == SHELF_MODEL && w->has_grant && w->grant.patch.size > 0;
    return named ? &w->grant.patch : NULL;
}

bool wish_holds_back(const struct wish *w, enum shelf_kind kind) {
    return w->has_grant && (kind == SHELF_FIRMWARE ? w->grant.firmware.hold : w->grant.hold);
}

uint16_t wish_attempt(const struct wish *w, enum shelf_kind kind) {
    return kind == SHELF_FIRMWARE ? w->grant.firmware.attempt : w->grant.attempt;
}
