/* What a model has learned, in the first sector of the archive. */
#ifndef PETIOLE_LEARNED_H
#define PETIOLE_LEARNED_H

#include <stdbool.h>

#include "host.h"

/* Takes up what the model with this digest has learned. False: nothing, or nothing whole. */
bool learned_load(const struct host *h, const uint8_t digest[SHA256_SIZE]);

/* Keeps it, in the place of another model's, if there is an archive. Returns 0 or E_FLASH. */
int learned_save(const struct host *h, const uint8_t digest[SHA256_SIZE]);

#endif
