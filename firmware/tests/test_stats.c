/* Histograms of what was answered, and the comparison of two models on the same inputs. */
#include <string.h>

#include "anomaly.h"
#include "check.h"
#include "shadow.h"
#include "stats.h"

static void counts_by_bins(void) {
    static const uint32_t latencies[] = {0, 1, 2, 3, 4, 1023, 1024, 32768, UINT32_MAX};
    static const uint32_t bins[] = {0, 0, 1, 1, 2, 9, 10, 15, 15};
    const struct verdict v = {3, 255, 16};
    const uint8_t input[4] = {0, 255, 255, 255}; /* mean 191 */
    for (uint32_t i = 0; i < sizeof latencies / sizeof latencies[0]; i++) {
        struct statistics s = {0};
        stats_add(&s, &v, input, sizeof input, latencies[i]);
        CHECK(s.count == 1 && s.confidence[15] == 1 && s.margin[1] == 1 && s.classes[3] == 1);
        CHECK(s.inputs[11] == 1 && s.input_sum == 191);
        CHECK(s.latency[bins[i]] == 1 && s.latency_sum == latencies[i]);
    }
}

static void merges_by_addition(void) {
    struct statistics s = {0};
    uint8_t input[2];
    for (uint32_t i = 0; i < 1000; i++) {
        struct verdict v = {(uint8_t)(i % 32), (uint8_t)i, (uint8_t)(i / 4)};
        input[0] = input[1] = (uint8_t)(7 * i);
        stats_add(&s, &v, input, sizeof input, i * i);
    }
    uint32_t sums[4] = {0};
    for (uint32_t i = 0; i < STATS_BINS; i++) {
        sums[0] += s.confidence[i];
        sums[1] += s.margin[i];
        sums[2] += s.inputs[i];
        sums[3] += s.latency[i];
    }
    CHECK(sums[0] == 1000 && sums[1] == 1000 && sums[2] == 1000 && sums[3] == 1000);
}

static void drifts_from_a_reference(void) {
    struct statistics s = {0};
    uint8_t reference[MODEL_REFERENCE_SIZE] = {0};
    const uint8_t input[1] = {0};
    struct verdict v = {0, 250, 0};
    for (uint32_t i = 0; i < 500; i++) {
        stats_add(&s, &v, input, 1, 0);
    }
    CHECK(stats_drift(&s, reference) == 0); /* which is empty */
    reference[0] = reference[4 + 4 * 15] = 200;
    CHECK(stats_drift(&s, reference) == 0);
    reference[4 + 4 * 15] = 0;
    reference[4 + 4 * 2] = 200;
    CHECK(stats_drift(&s, reference) > 5000);
}

static void compares_two_models(void) {
    const uint8_t one[SHA256_SIZE] = {1}, two[SHA256_SIZE] = {2};
    const struct verdict a = {0, 200, 9}, b = {1, 100, 9};
    struct shadow s = {0};
    CHECK(shadow_done(&s, one, 0) && !shadow_done(&s, one, 1));
    shadow_begin(&s, one);
    shadow_add(&s, &a, &a);
    shadow_add(&s, &a, &b);
    CHECK(s.count == 2 && s.disagreed == 1 && s.confidence_sum == 300);
    shadow_begin(&s, one); /* goes on */
    CHECK(s.count == 2 && shadow_done(&s, one, 2) && !shadow_done(&s, one, 3));
    CHECK(!shadow_done(&s, two, 2));
    shadow_begin(&s, two);
    CHECK(s.count == 0 && s.confidence_sum == 0);
}

static void alarms_until_released(void) {
    const struct anomaly a = {TASK_DISTANCE, 1024, 256, 0, 0, 10};
    static const uint32_t scores[] = {0, 1023, 1024, 300, 256, 255, 1023, 5000};
    static const uint8_t labels[] = {0, 0, 1, 1, 1, 0, 0, 1};
    bool alarm = false;
    for (uint32_t i = 0; i < sizeof labels; i++) {
        struct verdict v = anomaly_verdict(&a, scores[i], alarm);
        alarm = v.label == 1;
        CHECK(v.label == labels[i]);
    }
    struct verdict far = anomaly_verdict(&a, UINT32_MAX, false);
    CHECK(far.confidence == 255 && far.margin == 255 - anomaly_level(1024));
    CHECK(anomaly_level(0) == 0 && anomaly_level(1) == 16 && anomaly_level(255) == 128);
    CHECK(anomaly_verdict(&a, 0, false).margin == anomaly_level(1024));
}

int main(void) {
    counts_by_bins();
    merges_by_addition();
    drifts_from_a_reference();
    compares_two_models();
    alarms_until_released();
    return 0;
}
