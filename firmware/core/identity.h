/* Who this device is: the sector that provisioning writes. */
#ifndef PETIOLE_IDENTITY_H
#define PETIOLE_IDENTITY_H

#include <stdint.h>

#include "layout.h"

#define E_IDENTITY (-2) /* no valid identity sector: the device was never provisioned */

#define KEY_COUNT 2u

struct identity {
    char device[64]; /* strings end with a zero byte */
    char user[64];
    char password[64];
    char target[32];
    uint8_t keys[KEY_COUNT][32]; /* Ed25519 public keys; the second may be all zeros: none */
    uint32_t slot_size;          /* bytes, of a model slot */
    uint32_t arena_size;         /* bytes */
    uint32_t seed;
    uint32_t archive_size; /* bytes behind the model slots, for what outlives a reset; may be 0 */
    uint32_t firmware_offset; /* of the journal of firmware */
    uint32_t firmware_size;   /* bytes of a firmware slot; 0: it takes no firmware */
};

/* Returns 0 or E_IDENTITY. */
int identity_load(const struct flash *flash, struct identity *out);

/* Where the archive begins: a sector for what a model has learned, the others for samples. */
uint32_t identity_archive(const struct identity *identity);

/* Where the models of this device are, and where its firmware is; without it, all is 0. */
struct places identity_model_places(const struct identity *identity);
struct places identity_firmware_places(const struct identity *identity);

#endif
