/* Reports come out byte for byte as the encoder that is generated from messages.cddl makes them, or
 * not at all where there is no room. */
#include <string.h>

#include "check.h"
#include "generated.h"
#include "messages.h"

#define ROOM 8192u
#define TIMES 3000

static uint8_t ours[ROOM], theirs[ROOM];
static uint32_t seed = 1;

/* xorshift32 */
static uint32_t any(void) {
    seed ^= seed << 13;
    seed ^= seed >> 17;
    seed ^= seed << 5;
    return seed;
}

/* Of any length in CBOR, up to `most`. */
static uint32_t number(uint32_t most) {
    static const uint32_t edges[] = {0, 1, 23, 24, 255, 256, 65535, 65536, UINT32_MAX};
    uint32_t value = any() % 2 == 0 ? any() >> any() % 32 : edges[any() % 9];
    return value < most ? value : most;
}

static uint64_t wide(void) {
    return any() % 2 == 0 ? number(UINT32_MAX) : ((uint64_t)any() << 32 | any()) >> any() % 64;
}

static bool maybe(void) {
    return any() % 2 == 0;
}

static void fill(void *p, size_t n) {
    for (uint8_t *byte = p; n-- > 0; byte++) {
        *byte = (uint8_t)any();
    }
}

/* Exact room is enough; a byte less is not, and nothing behind it is touched. */
#define SAME(encode, generated, report)                                                            \
    do {                                                                                           \
        int size = generated(theirs, ROOM, report);                                                \
        CHECK(size > 0);                                                                           \
        uint8_t *exact = malloc((size_t)size);                                                     \
        CHECK(encode(exact, (size_t)size, report) == size);                                        \
        CHECK(memcmp(exact, theirs, (size_t)size) == 0);                                           \
        CHECK(encode(exact, (size_t)size - 1, report) == E_MESSAGE);                               \
        free(exact);                                                                               \
        CHECK(encode(ours, any() % (uint32_t)size, report) == E_MESSAGE);                          \
    } while (0)

static void states(void) {
    uint8_t digests[5][SHA256_SIZE];
    struct crash_report crash = {
        number(UINT32_MAX), (enum cause)(any() % 3), any(), any(), number(UINT32_MAX), {0}};
    fill(digests, sizeof digests);
    fill(crash.firmware, sizeof crash.firmware);
    struct state_report r = {
        .boot = number(UINT32_MAX),
        .sequence = number(UINT32_MAX),
        .got = number(65535),
        .total = number(65535),
        .floor = number(UINT32_MAX),
        .attempt = number(65535),
        .phase = (enum phase)(any() % (PHASE_SHADOW + 1)),
        .reason = (enum reason)(any() % (REASON_WRONG_SLOT + 1)),
        .active = maybe() ? digests[0] : NULL,
        .target = maybe() ? digests[1] : NULL,
        .standby = maybe() ? digests[2] : NULL,
        .caps = {"cortex-m4", maybe() ? "a" : "an agent, 24 characters!", number(UINT32_MAX),
                 number(UINT32_MAX), number(UINT32_MAX), number(UINT32_MAX), number(UINT32_MAX),
                 number(65535)},
        .firmware = maybe() ? digests[3] : NULL,
        .firmware_standby = maybe() ? digests[4] : NULL,
        .firmware_floor = number(UINT32_MAX),
        .crash = maybe() ? &crash : NULL,
        .score = number(UINT32_MAX),
    };
    SAME(state_encode, generated_state, &r);
}

static void counts(uint32_t *p, size_t n) {
    for (size_t i = 0; i < n; i++) {
        p[i] = number(UINT32_MAX);
    }
}

static void statistics(void) {
    uint8_t artefact[SHA256_SIZE], reference[MODEL_REFERENCE_SIZE];
    struct shadow shadow = {{0}, number(UINT32_MAX), number(UINT32_MAX), wide()};
    struct statistics s = {
        .count = number(UINT32_MAX),
        .confidence_sum = wide(),
        .confidence_squares = wide(),
        .input_sum = wide(),
        .latency_sum = wide(),
    };
    fill(artefact, sizeof artefact);
    fill(reference, sizeof reference);
    fill(shadow.digest, sizeof shadow.digest);
    counts(s.confidence, STATS_BINS);
    counts(s.margin, STATS_BINS);
    counts(s.inputs, STATS_BINS);
    counts(s.latency, STATS_BINS);
    counts(s.classes, MODEL_CLASSES_MAX);
    struct stats_report r = {
        .boot = number(UINT32_MAX),
        .sequence = number(UINT32_MAX),
        .artefact = artefact,
        .stats = &s,
        .classes = 1 + any() % MODEL_CLASSES_MAX,
        .timed = maybe(),
        .reference = maybe() ? reference : NULL,
        .shadow = maybe() ? &shadow : NULL,
    };
    SAME(stats_encode, generated_stats, &r);
}

static void one_sample(void) {
    static uint8_t input[4096];
    struct sampled s = {.input = input, .input_size = 1 + any() % SAMPLE_INPUT_MAX};
    fill(input, s.input_size);
    fill(s.artefact, sizeof s.artefact);
    s.verdict = (struct verdict){(uint8_t)any(), (uint8_t)any(), (uint8_t)any()};
    s.why = any() % 2 == 0 ? SAMPLE_UNCERTAIN : SAMPLE_RANDOM;
    SAME(sample_encode, generated_sample, &s);
}

int main(void) {
    for (int i = 0; i < TIMES; i++) {
        states();
        statistics();
        one_sample();
    }
    return 0;
}
