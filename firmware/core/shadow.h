/* A candidate beside the model that answers: how often do they differ? */
#ifndef PETIOLE_SHADOW_H
#define PETIOLE_SHADOW_H

#include <stdbool.h>
#include <stdint.h>

#include "model.h"
#include "sha256.h"

/* Cumulative in one boot. */
struct shadow {
    uint8_t digest[SHA256_SIZE]; /* of the candidate */
    uint32_t count;              /* inputs that both answered; 0: no run */
    uint32_t disagreed;          /* of these: another class */
    uint64_t confidence_sum;     /* of the candidate */
};

/* Goes on with this candidate, or begins anew with another one. */
void shadow_begin(struct shadow *s, const uint8_t digest[SHA256_SIZE]);

/* Compares the answers to one input. */
void shadow_add(struct shadow *s, const struct verdict *current, const struct verdict *candidate);

/* Has this candidate been compared on `wanted` inputs? */
bool shadow_done(const struct shadow *s, const uint8_t digest[SHA256_SIZE], uint32_t wanted);

#endif
