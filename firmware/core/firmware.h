/* A firmware image in a slot: does it belong there, and may this device run it?
 *
 * The boot loader asks before each start, the agent before it takes one on trial. */
#ifndef PETIOLE_FIRMWARE_H
#define PETIOLE_FIRMWARE_H

#include <stdbool.h>

#include "identity.h"
#include "image.h"
#include "layout.h"

#define FIRMWARE_HEADER 512u /* bytes; the vector table lies behind them */

struct firmware {
    uint8_t digest[SHA256_SIZE]; /* of the whole image: its name */
    uint32_t size;               /* bytes */
    uint32_t counter;
};

/* Digest and size of what lies in the slot. False when that is no image. */
bool firmware_identify(const struct flash *flash, const struct identity *identity, uint8_t slot,
                       struct firmware *out);

/* Proves hash, signature, target, slot and counter, not below `floor`, of what lies in the slot.
 * `out` may be trusted after REASON_NONE. */
enum reason firmware_open(const struct flash *flash, const struct identity *identity,
                          uint32_t floor, uint8_t slot, struct firmware *out);

/* The same for an image of `out->size` bytes whose hashes are known. */
enum reason firmware_prove(const struct flash *flash, const struct identity *identity,
                           uint32_t floor, uint8_t slot, const struct image_hashes *hashes,
                           struct firmware *out);

/* The core's address of the slot's vector table. */
uint32_t firmware_vectors(const struct flash *flash, const struct identity *identity, uint8_t slot);

#endif
