/* Cumulative statistics of one artefact in one boot. Histograms merge by addition. */
#ifndef PETIOLE_STATS_H
#define PETIOLE_STATS_H

#include <stdint.h>

#include "model.h"

#define STATS_BINS 16u

struct statistics {
    uint32_t count;
    uint32_t confidence[STATS_BINS]; /* of the top probability, 0..255 in steps of 16 */
    uint32_t margin[STATS_BINS];
    uint32_t inputs[STATS_BINS];  /* of the mean input byte */
    uint32_t latency[STATS_BINS]; /* bin n: 2^n microseconds up to twice that; the last: more */
    uint32_t classes[MODEL_CLASSES_MAX];
    uint64_t confidence_sum;
    uint64_t confidence_squares;
    uint64_t input_sum;   /* of the mean input byte */
    uint64_t latency_sum; /* microseconds */
};

/* Counts one answer, which took `latency` microseconds. `input` is its `n` raw sensor bytes, n > 0.
 */
void stats_add(struct statistics *s, const struct verdict *v, const uint8_t *input, uint32_t n,
               uint32_t latency);

/* How far the confidences lie from `reference`, MODEL_REFERENCE_SIZE bytes of an artefact: see
 * drift.h.
 */
uint32_t stats_drift(const struct statistics *s, const uint8_t *reference);

#endif
