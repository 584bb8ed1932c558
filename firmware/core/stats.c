#include "stats.h"

#include "bytes.h"
#include "drift.h"

_Static_assert(STATS_BINS == DRIFT_BINS, "histograms of one form");

static uint32_t latency_bin(uint32_t microseconds) {
    uint32_t bin = 0;
    while (bin < STATS_BINS - 1 && microseconds >> (bin + 1) != 0) {
        bin++;
    }
    return bin;
}

void stats_add(struct statistics *s, const struct verdict *v, const uint8_t *input, uint32_t n,
               uint32_t latency) {
    uint64_t sum = 0;
    for (uint32_t i = 0; i < n; i++) {
        sum += input[i];
    }
    uint32_t mean = (uint32_t)(sum / n);
    s->count++;
    s->confidence[v->confidence / 16]++;
    s->margin[v->margin / 16]++;
    s->inputs[mean / 16]++;
    s->latency[latency_bin(latency)]++;
    s->classes[v->label]++;
    s->confidence_sum += v->confidence;
    s->confidence_squares += (uint64_t)v->confidence * v->confidence;
    s->input_sum += mean;
    s->latency_sum += latency;
}

uint32_t stats_drift(const struct statistics *s, const uint8_t *reference) {
    uint32_t bins[STATS_BINS];
    for (uint32_t i = 0; i < STATS_BINS; i++) {
        bins[i] = get_le32(reference + 4 + 4 * i);
    }
    return drift_score(s->confidence, bins);
}
