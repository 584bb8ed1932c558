#include "shelf.h"

#include <string.h>

void shelf_load(struct shelf *s, const struct flash *flash, struct places places) {
    s->places = places;
    if (places.slot_size == 0 || journal_load(flash, &places, &s->record) != 0) {
        journal_fresh(&s->record);
    }
}

enum reason shelf_save(struct shelf *s, const struct flash *flash) {
    return journal_save(flash, s->places.journal, &s->record) == 0 ? REASON_NONE
                                                                   : REASON_FLASH_ERROR;
}

uint8_t shelf_free_slot(const struct shelf *s) {
    return s->record.confirmed == 0 ? 1 : 0;
}

uint8_t shelf_active_slot(const struct shelf *s) {
    return s->record.trial != SLOT_NONE ? s->record.trial : s->record.confirmed;
}

const uint8_t *shelf_digest(const struct shelf *s, uint8_t slot) {
    bool holds = slot < SLOT_COUNT && s->record.slot[slot].size != 0;
    return holds ? s->record.slot[slot].digest : NULL;
}

bool shelf_holds(const struct shelf *s, uint8_t slot, const uint8_t *digest) {
    const uint8_t *held = shelf_digest(s, slot);
    return held != NULL && memcmp(held, digest, SHA256_SIZE) == 0;
}

bool shelf_refuses(const struct shelf *s, const uint8_t *digest, uint16_t attempt) {
    return s->record.refused_reason != REASON_NONE && attempt <= s->record.attempt &&
           memcmp(s->record.refused, digest, SHA256_SIZE) == 0;
}

void shelf_fill(struct shelf *s, uint8_t slot, const uint8_t *digest, uint32_t size) {
    s->record.slot[slot].size = size;
    memcpy(s->record.slot[slot].digest, digest, SHA256_SIZE);
}

void shelf_refuse(struct shelf *s, const uint8_t *digest, enum phase phase, enum reason reason) {
    s->record.refused_reason = (uint8_t)reason;
    s->record.refused_phase = (uint8_t)phase;
    memcpy(s->record.refused, digest, SHA256_SIZE);
}
