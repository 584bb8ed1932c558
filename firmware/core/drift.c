#include "drift.h"

#include "fixed.h"

#define SHARE_BITS 30
#define LN2 45426 /* ln 2 with FIXED_LOG_BITS bits behind the point */

/* Natural logarithm of x > 0. */
static int64_t logarithm(uint64_t x) {
    return ((int64_t)fixed_log2(x) * LN2) >> FIXED_LOG_BITS;
}

static uint64_t total(const uint32_t bins[DRIFT_BINS]) {
    uint64_t sum = 0;
    for (uint32_t i = 0; i < DRIFT_BINS; i++) {
        sum += bins[i];
    }
    return sum;
}

/* Of two histograms: bins that are empty in both say nothing. */
static uint32_t bins_used(const uint32_t a[DRIFT_BINS], const uint32_t b[DRIFT_BINS]) {
    uint32_t bins = 0;
    for (uint32_t i = 0; i < DRIFT_BINS; i++) {
        bins += a[i] != 0 || b[i] != 0;
    }
    return bins;
}

/* One bin's term (p - q) ln(p / q). Counts are doubled, so that half a one can be added to each
 * bin; `n` and `m` are the sums of that. */
static int64_t term(uint32_t a, uint64_t n, uint32_t b, uint64_t m) {
    uint64_t p = 2 * (uint64_t)a + 1, q = 2 * (uint64_t)b + 1;
    int64_t apart = (int64_t)((p << SHARE_BITS) / n) - (int64_t)((q << SHARE_BITS) / m);
    return apart * (logarithm(p) - logarithm(n) - logarithm(q) + logarithm(m));
}

uint32_t drift_score(const uint32_t seen[DRIFT_BINS], const uint32_t reference[DRIFT_BINS]) {
    uint64_t n = total(seen), m = total(reference), bins = bins_used(seen, reference);
    if (n == 0 || m == 0) {
        return 0;
    }
    int64_t sum = 0;
    for (uint32_t i = 0; i < DRIFT_BINS; i++) {
        if (seen[i] != 0 || reference[i] != 0) {
            sum += term(seen[i], 2 * n + bins, reference[i], 2 * m + bins);
        }
    }
    /* Each term is positive but for rounding. */
    uint64_t score = sum > 0 ? (((uint64_t)sum >> FIXED_LOG_BITS) * 1000) >> SHARE_BITS : 0;
    /* What two samples of one distribution differ by on average: (k - 1) (1/n + 1/m) for k bins.
     * B. Yurdakul, "Statistical properties of population stability index", Western Michigan
     * University 2018. */
    uint64_t chance = (bins - 1) * 1000 / n + (bins - 1) * 1000 / m;
    return score > chance ? (uint32_t)(score - chance) : 0;
}
