#include "distance.h"

#include <string.h>

/* Features are rounded to whole numbers, which alone has this variance: a feature that never moved
 * while learning counts as one that does by as much. */
#define ROUNDING_VARIANCE (1.0f / 12.0f)

/* Where row i of a lower triangle begins. */
static uint32_t row(uint32_t i) {
    return i * (i + 1) / 2;
}

void distance_begin(struct distance *d, uint32_t features) {
    memset(d, 0, sizeof *d);
    d->features = features;
}

/* B. P. Welford, "Note on a method for calculating corrected sums of squares and products",
 * Technometrics 4 (1962), 419-420. */
void distance_learn(struct distance *d, const int8_t *features) {
    float before[DISTANCE_FEATURES_MAX];
    d->count++;
    for (uint32_t i = 0; i < d->features; i++) {
        before[i] = (float)features[i] - d->mean[i];
        d->mean[i] += before[i] / (float)d->count;
    }
    for (uint32_t i = 0; i < d->features; i++) {
        float after = (float)features[i] - d->mean[i];
        for (uint32_t j = 0; j <= i; j++) {
            d->pairs[row(i) + j] += after * before[j];
        }
    }
}

/* Cholesky without roots, in place; every D is at least the rounding's variance but for rounding
 * errors of the sums, hence the floor. */
static void factor(float *a, uint32_t n) {
    for (uint32_t i = 0; i < n; i++) {
        for (uint32_t j = 0; j <= i; j++) {
            float sum = a[row(i) + j];
            for (uint32_t k = 0; k < j; k++) {
                sum -= a[row(i) + k] * a[row(j) + k] * a[row(k) + k];
            }
            if (i == j) {
                a[row(i) + i] = sum > ROUNDING_VARIANCE ? sum : ROUNDING_VARIANCE;
            } else {
                a[row(i) + j] = sum / a[row(j) + j];
            }
        }
    }
}

void distance_finish(struct distance *d) {
    for (uint32_t i = 0; i < d->features; i++) {
        for (uint32_t j = 0; j <= i; j++) {
            d->pairs[row(i) + j] /= (float)(d->count - 1);
        }
        d->pairs[row(i) + i] += ROUNDING_VARIANCE;
    }
    factor(d->pairs, d->features);
    d->ready = true;
}

/* Solves L y = x - mean row by row; the distance is the sum of y^2 / D. */
uint32_t distance_score(const struct distance *d, const int8_t *features) {
    float y[DISTANCE_FEATURES_MAX], sum = 0.0f;
    for (uint32_t i = 0; i < d->features; i++) {
        y[i] = (float)features[i] - d->mean[i];
        for (uint32_t j = 0; j < i; j++) {
            y[i] -= d->pairs[row(i) + j] * y[j];
        }
        sum += y[i] * y[i] / d->pairs[row(i) + i];
    }
    float score = sum * 256.0f;
    return score < 4294967040.0f ? (uint32_t)score : UINT32_MAX;
}
