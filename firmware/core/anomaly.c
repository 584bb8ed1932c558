#include "anomaly.h"

#include "bytes.h"
#include "fixed.h"

#define STEP_MAX (16u << 16) /* squares of differences and their sums fit 64 bits */
#define INPUTS_MAX 1000000u

static bool is_possible(const struct anomaly *a) {
    bool ordered = a->threshold > 0 && a->release <= a->threshold;
    switch (a->task) {
    case TASK_RECONSTRUCTION:
        return ordered && a->step > 0 && a->step <= STEP_MAX && a->zero >= -128 && a->zero <= 127;
    case TASK_DISTANCE:
        return ordered && a->inputs > 1 && a->inputs <= INPUTS_MAX;
    case TASK_CLASSES:
    case TASKS:
        break;
    }
    return false;
}

bool anomaly_read(const uint8_t *p, struct anomaly *out) {
    uint32_t task = get_le32(p);
    *out = (struct anomaly){
        .task = task < TASKS ? (enum task)task : TASK_CLASSES,
        .threshold = get_le32(p + 4),
        .release = get_le32(p + 8),
        .step = get_le32(p + 12),
        .zero = (int32_t)get_le32(p + 16),
        .inputs = get_le32(p + 20),
    };
    return is_possible(out);
}

/* Differences have 8 bits behind the point, their squares 16. */
uint32_t anomaly_difference(const struct anomaly *a, const uint8_t *input, const int8_t *output,
                            uint32_t n) {
    uint64_t sum = 0;
    for (uint32_t i = 0; i < n; i++) {
        int64_t restored = ((int64_t)a->step * (output[i] - a->zero)) >> 8;
        int64_t apart = ((int64_t)input[i] << 8) - restored;
        sum += (uint64_t)(apart * apart);
    }
    uint64_t mean = (sum / n) >> 8;
    return mean < UINT32_MAX ? (uint32_t)mean : UINT32_MAX;
}

uint8_t anomaly_level(uint32_t score) {
    uint32_t level = fixed_log2((uint64_t)score + 1) >> (FIXED_LOG_BITS - 4);
    return level < 255 ? (uint8_t)level : 255;
}

struct verdict anomaly_verdict(const struct anomaly *a, uint32_t score, bool alarm) {
    uint8_t level = anomaly_level(score), limit = anomaly_level(a->threshold);
    return (struct verdict){
        .label = score >= (alarm ? a->release : a->threshold),
        .confidence = level,
        .margin = level > limit ? (uint8_t)(level - limit) : (uint8_t)(limit - level),
    };
}
