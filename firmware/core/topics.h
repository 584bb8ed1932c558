/* Topic names below petiole/1/, as in operator/petiole/wire/topics.py. */
#ifndef PETIOLE_TOPICS_H
#define PETIOLE_TOPICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "samples.h"
#include "sha256.h"

#define TOPIC_MAX 160u /* bytes with terminator: the longest is a fleet's halt */

struct topic {
    char text[TOPIC_MAX];
    size_t size;
};

/* d/<device>/<kind> */
void topic_device(struct topic *t, const char *device, const char *kind);

/* d/<device>/sample/<hash> */
void topic_sample(struct topic *t, const char *device, const uint8_t hash[SAMPLE_HASH_SIZE]);

/* f/<fleet>/halt */
void topic_halt(struct topic *t, const char *fleet);

/* b/<digest>/<number> */
void topic_block(struct topic *t, const uint8_t digest[SHA256_SIZE], uint32_t number);

/* Is this d/<device>/<kind>? */
bool topic_is(const char *text, size_t size, const struct topic *t);

/* Is this a block of that artefact? Then *number is which. */
bool topic_is_block(const char *text, size_t size, const uint8_t digest[SHA256_SIZE],
                    uint32_t *number);

#endif
