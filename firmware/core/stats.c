#include "stats.h"

void stats_add(struct statistics *s, const struct verdict *v, const uint8_t *input, uint32_t n,
               uint32_t latency) {
    uint64_t sum = 0;
    for (uint32_t i = 0; i < n; i++) {
        sum += input[i];
    }
    s->count++;
    s->confidence[v->confidence / 16]++;
    s->margin[v->margin / 16]++;
    s->classes[v->label]++;
    s->confidence_sum += v->confidence;
    s->confidence_squares += (uint64_t)v->confidence * v->confidence;
    s->input_sum += sum / n;
    s->latency_sum += latency;
}
