/* How far the confidences of a model lie from those that it was judged by: one number. */
#ifndef PETIOLE_DRIFT_H
#define PETIOLE_DRIFT_H

#include <stdint.h>

#define DRIFT_BINS 16u

/* The population stability index of `seen` against `reference`, times 1000, less what chance alone
 * makes of it: the sum of (p - q) ln(p / q) over the bins that are not empty in both, with half a
 * count added to each. 0 when either has no counts. Integers only: each core says the same. */
uint32_t drift_score(const uint32_t seen[DRIFT_BINS], const uint32_t reference[DRIFT_BINS]);

#endif
