/* A signed artefact: MCUboot image format with the policy of docs/architecture.md in its protected
 * TLVs. https://docs.mcuboot.com/design.html describes header, TLVs and signature. */
#ifndef PETIOLE_IMAGE_H
#define PETIOLE_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "sha256.h"
#include "status.h"

#define IMAGE_KIND_MODEL 1u
#define IMAGE_KIND_FIRMWARE 2u
#define IMAGE_TASK_SIZE 24u

/* A part of the payload. */
struct image_part {
    const uint8_t *data;
    uint32_t size;
};

struct image {
    uint32_t counter; /* security counter */
    uint32_t kind;
    const uint8_t *target; /* not terminated */
    uint32_t target_size;
    uint32_t revision;
    bool linked; /* it runs at `address` only */
    uint32_t address;
    /* Of a model: */
    uint32_t abi;
    uint32_t arena; /* bytes */
    uint32_t ops;
    struct image_part model;
    struct image_part golden_inputs, golden_outputs; /* from the first to the end of the payload */
    uint32_t golden_count;
    struct image_part reference;
    const uint8_t *task; /* IMAGE_TASK_SIZE bytes, for anomaly.h; NULL: classes */
};

/* What this device can take. */
struct image_limits {
    uint32_t kind;
    const char *target;
    uint32_t floor;   /* lowest security counter accepted */
    uint32_t address; /* firmware: where it would run */
    uint32_t arena;   /* models: bytes */
    uint32_t abi;
    uint32_t ops;
    bool learns; /* there is memory for what a model learns */
};

/* Hashes of an artefact. */
struct image_hashes {
    uint8_t digest[SHA256_SIZE];      /* of all of it: its name */
    uint8_t signed_part[SHA256_SIZE]; /* meaningless where there is none */
};

/* Bytes of the image that starts at `p`, by its own headers; 0 when they do not fit `room` bytes.
 */
uint32_t image_extent(const uint8_t *p, uint32_t room);

/* Hashes the `size` bytes at `p` in one pass. */
void image_hash(const uint8_t *p, uint32_t size, struct image_hashes *out);

/* Checks structure, hash and signature of the `size` bytes at `p`, whose hashes are given, against
 * either of two public keys, and reads the policy, from signed bytes only. The parts of `out` point
 * into `p`. */
enum reason image_verify(const uint8_t *p, uint32_t size, const struct image_hashes *hashes,
                         const uint8_t keys[2][32], struct image *out);

/* May a device with these limits run this image? */
enum reason image_permitted(const struct image *image, const struct image_limits *limits);

#endif
