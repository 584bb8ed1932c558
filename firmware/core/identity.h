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
    uint32_t slot_size;          /* bytes */
    uint32_t arena_size;         /* bytes */
    uint32_t seed;
};

/* Returns 0 or E_IDENTITY. */
int identity_load(const struct flash *flash, struct identity *out);

#endif
