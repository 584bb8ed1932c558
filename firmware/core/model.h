/* A model that may answer: verified, permitted, loaded, and right on its golden vectors. */
#ifndef PETIOLE_MODEL_H
#define PETIOLE_MODEL_H

#include <stdint.h>

#include "anomaly.h"
#include "image.h"
#include "nn.h"
#include "verdict.h"

#define MODEL_CLASSES_MAX 32u
#define MODEL_REFERENCE_SIZE 68u /* bytes: a count and 16 bins of confidence, u32 each */

struct model {
    struct nn_model nn;
    uint32_t counter;         /* security counter of its artefact */
    const uint8_t *reference; /* MODEL_REFERENCE_SIZE bytes of the artefact; NULL: none */
    uint8_t digest[SHA256_SIZE];
    struct anomaly anomaly; /* what it is for */
};

/* Proves the artefact at `p`, whose hashes are given, and makes it ready to run in `arena`, of
 * `limits->arena` bytes. Overwrites the arena. `m` is usable only after REASON_NONE. */
enum reason model_open(struct model *m, const uint8_t *p, uint32_t size,
                       const struct image_hashes *hashes, const uint8_t keys[2][32],
                       const struct image_limits *limits, uint8_t *arena);

/* Runs it on `in_len` raw sensor bytes. Returns its `out_len` outputs, in the arena. */
const int8_t *model_run(const struct model *m, uint8_t *arena, uint32_t arena_size,
                        const uint8_t *input);

/* What the outputs say, if they are probabilities of classes. */
struct verdict model_classify(const struct model *m, const int8_t *output);

#endif
