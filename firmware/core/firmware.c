#include "firmware.h"

#include <string.h>

static const uint8_t *slot_start(const struct flash *flash, const struct identity *identity,
                                 uint8_t slot) {
    struct places places = identity_firmware_places(identity);
    return flash->base + slot_offset(&places, slot);
}

static uint32_t slot_address(const struct flash *flash, const struct identity *identity,
                             uint8_t slot) {
    struct places places = identity_firmware_places(identity);
    return flash->address + slot_offset(&places, slot);
}

/* Measures and hashes what is in the slot. */
static bool identify(const uint8_t *p, uint32_t room, struct image_hashes *hashes,
                     struct firmware *out) {
    memset(out, 0, sizeof *out);
    out->size = image_extent(p, room);
    if (out->size == 0) {
        return false;
    }
    image_hash(p, out->size, hashes);
    memcpy(out->digest, hashes->digest, SHA256_SIZE);
    return true;
}

bool firmware_identify(const struct flash *flash, const struct identity *identity, uint8_t slot,
                       struct firmware *out) {
    struct image_hashes hashes;
    return identify(slot_start(flash, identity, slot), identity->firmware_size, &hashes, out);
}

enum reason firmware_prove(const struct flash *flash, const struct identity *identity,
                           uint32_t floor, uint8_t slot, const struct image_hashes *hashes,
                           struct firmware *out) {
    const uint8_t *p = slot_start(flash, identity, slot);
    struct image_limits limits = {
        .kind = IMAGE_KIND_FIRMWARE,
        .target = identity->target,
        .floor = floor,
        .address = slot_address(flash, identity, slot),
    };
    struct image image;
    enum reason reason =
        image_verify(p, out->size, hashes, (const uint8_t(*)[32])identity->keys, &image);
    if (reason == REASON_NONE) {
        reason = image_permitted(&image, &limits);
    }
    out->counter = image.counter;
    return reason;
}

enum reason firmware_open(const struct flash *flash, const struct identity *identity,
                          uint32_t floor, uint8_t slot, struct firmware *out) {
    const uint8_t *p = slot_start(flash, identity, slot);
    struct image_hashes hashes;
    if (!identify(p, identity->firmware_size, &hashes, out)) {
        return REASON_BAD_IMAGE;
    }
    return firmware_prove(flash, identity, floor, slot, &hashes, out);
}

uint32_t firmware_vectors(const struct flash *flash, const struct identity *identity,
                          uint8_t slot) {
    return slot_address(flash, identity, slot) + FIRMWARE_HEADER;
}
