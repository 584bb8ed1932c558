/* How far features lie from where they usually are: the squared Mahalanobis distance.
 *
 * Mean and covariance are learned on the device, from its first inputs, so that each machine is
 * compared with itself. Single precision in a fixed order and without fused operations: all cores
 * and hosts give the same bits. P. C. Mahalanobis, "On the generalised distance in statistics",
 * Proc. Natl. Inst. Sci. India 2 (1936), 49-55. */
#ifndef PETIOLE_DISTANCE_H
#define PETIOLE_DISTANCE_H

#include <stdbool.h>
#include <stdint.h>

#define DISTANCE_FEATURES_MAX 16u
#define DISTANCE_PAIRS_MAX (DISTANCE_FEATURES_MAX * (DISTANCE_FEATURES_MAX + 1u) / 2u)

/* A lower triangle is kept row by row. While learning, `pairs` are sums of products of deviations;
 * then L and D of the covariance L D L', with D on the diagonal. */
struct distance {
    uint32_t features; /* at most DISTANCE_FEATURES_MAX */
    uint32_t count;    /* inputs learned from */
    bool ready;
    float mean[DISTANCE_FEATURES_MAX];
    float pairs[DISTANCE_PAIRS_MAX];
};

/* Begins to learn. */
void distance_begin(struct distance *d, uint32_t features);

/* Learns from one vector of features. */
void distance_learn(struct distance *d, const int8_t *features);

/* Ends learning, after two vectors at least: from now on distances are known. */
void distance_finish(struct distance *d);

/* The squared distance times 256, at most UINT32_MAX. */
uint32_t distance_score(const struct distance *d, const int8_t *features);

#endif
