/* Samples stay within their budget, the random ones are uniform, and each waits for its ack. */
#include <string.h>

#include "check.h"
#include "nor.h"
#include "samples.h"
#include "stash.h"

#define DAY_MS 86400000u
#define MINUTE_MS 60000u

static struct samples samples;
static uint8_t memory[SAMPLES_MEMORY];
static const uint8_t ARTEFACT[SHA256_SIZE];

static void offer(uint32_t number, uint8_t margin, uint32_t chance) {
    struct verdict v = {1, 200, margin};
    uint8_t input[4];
    memcpy(input, &number, sizeof input);
    samples_offer(&samples, &v, ARTEFACT, input, sizeof input, chance);
}

static uint32_t next_random(uint32_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

/* One input a minute for a day, acknowledged at once. Counts what came, by kind. */
static void run_day(uint32_t per_day, uint8_t margin, uint32_t counts[2]) {
    uint32_t random = 7, number = 0;
    samples_init(&samples, memory);
    samples_budget(&samples, per_day, 0);
    counts[0] = counts[1] = 0;
    for (uint32_t now = 0; now <= DAY_MS; now += MINUTE_MS) {
        offer(number++, margin, next_random(&random));
        samples_tick(&samples, now);
        struct sampled *s;
        while ((s = samples_due(&samples, now)) != NULL) {
            uint8_t hash[SAMPLE_HASH_SIZE];
            counts[s->why]++;
            memcpy(hash, s->hash, sizeof hash);
            samples_acknowledge(&samples, hash);
        }
    }
}

static void stays_within_the_budget(void) {
    uint32_t counts[2];
    run_day(9, 10, counts);
    CHECK(counts[SAMPLE_UNCERTAIN] == 6 && counts[SAMPLE_RANDOM] == 3);
    run_day(9, SAMPLE_MARGIN_MAX, counts);
    CHECK(counts[SAMPLE_UNCERTAIN] == 0 && counts[SAMPLE_RANDOM] == 3);
    run_day(1, 10, counts);
    CHECK(counts[SAMPLE_UNCERTAIN] == 1 && counts[SAMPLE_RANDOM] == 0);
    run_day(0, 10, counts);
    CHECK(counts[SAMPLE_UNCERTAIN] == 0 && counts[SAMPLE_RANDOM] == 0);
}

static void keeps_the_most_uncertain(void) {
    samples_init(&samples, memory);
    samples_budget(&samples, 1, 0);
    offer(1, 30, 1);
    offer(2, 5, 1);
    offer(3, 20, 1);
    samples_tick(&samples, DAY_MS);
    struct sampled *s = samples_due(&samples, DAY_MS);
    CHECK(s != NULL && s->verdict.margin == 5 && s->input[0] == 2);
}

static void repeats_until_acknowledged(void) {
    struct sampled *s = samples_due(&samples, DAY_MS);
    CHECK(s != NULL);
    samples_sent(s, DAY_MS);
    CHECK(samples_due(&samples, DAY_MS + 29000) == NULL);
    CHECK(samples_due(&samples, DAY_MS + 30000) == s);
    uint8_t hash[SAMPLE_HASH_SIZE];
    memcpy(hash, s->hash, sizeof hash);
    hash[0] ^= 1;
    samples_acknowledge(&samples, hash);
    CHECK(samples_due(&samples, DAY_MS + 30000) == s);
    hash[0] ^= 1;
    samples_acknowledge(&samples, hash);
    CHECK(samples_due(&samples, DAY_MS + 30000) == NULL);
}

/* Ten inputs a period: each must be drawn about as often. 2,000 draws, 200 expected, 5 sigma 67. */
static void draws_uniformly(void) {
    uint32_t random = 3, drawn[10] = {0}, now = 0;
    samples_init(&samples, memory);
    samples_budget(&samples, 3, 0);
    for (int period = 0; period < 2000; period++) {
        for (uint32_t i = 0; i < 10; i++) {
            offer(i, 255, next_random(&random));
        }
        now += DAY_MS;
        samples_tick(&samples, now);
        struct sampled *s = samples_due(&samples, now);
        CHECK(s != NULL && s->why == SAMPLE_RANDOM);
        drawn[s->input[0]]++;
        uint8_t hash[SAMPLE_HASH_SIZE];
        memcpy(hash, s->hash, sizeof hash);
        samples_acknowledge(&samples, hash);
    }
    for (int i = 0; i < 10; i++) {
        CHECK(drawn[i] > 133 && drawn[i] < 267);
    }
}

static void the_oldest_makes_room(void) {
    samples_init(&samples, memory);
    samples_budget(&samples, 1, 0);
    for (uint32_t i = 1; i <= SAMPLE_KEPT + 2; i++) {
        offer(i, 5, 1);
        samples_tick(&samples, i * DAY_MS);
    }
    CHECK(samples.kept[0].input[0] == 3);
    CHECK(samples.kept[SAMPLE_KEPT - 1].input[0] == SAMPLE_KEPT + 2);
}

static void draw(uint8_t *input, uint32_t n, uint32_t seed) {
    for (uint32_t i = 0; i < n; i++) {
        input[i] = (uint8_t)(next_random(&seed) >> 8);
    }
}

/* What looks like a sample taken before is not taken again, but for a random one. */
static void passes_over_what_it_knows(void) {
    const struct verdict v = {1, 100, 5};
    uint8_t input[256];
    samples_init(&samples, memory);
    samples_budget(&samples, 3, 0);
    draw(input, sizeof input, 1);
    samples_offer(&samples, &v, ARTEFACT, input, sizeof input, 1);
    samples_tick(&samples, DAY_MS);
    CHECK(samples.kept[0].input_size > 0);
    for (uint32_t i = 0; i < sizeof input; i++) {
        input[i] = input[i] < 255 ? input[i] + 1 : 255; /* a little brighter */
    }
    samples_offer(&samples, &v, ARTEFACT, input, sizeof input, 1);
    CHECK(samples.candidate[SAMPLE_UNCERTAIN].input_size == 0);
    CHECK(samples.candidate[SAMPLE_RANDOM].input_size == sizeof input);
    draw(input, sizeof input, 2);
    samples_offer(&samples, &v, ARTEFACT, input, sizeof input, 1);
    CHECK(samples.candidate[SAMPLE_UNCERTAIN].input_size == sizeof input);
}

static uint32_t count_kept(void) {
    uint32_t count = 0;
    while (count < SAMPLE_KEPT && samples.kept[count].input_size > 0) {
        count++;
    }
    return count;
}

/* Seven samples on a device that nobody hears; then a reset, and all are sent and acknowledged. */
static void what_waits_outlives_a_reset(void) {
    static struct nor nor;
    static struct stash stash;
    memset(nor.bytes, 0xFF, sizeof nor.bytes);
    nor_power(&nor, UINT32_MAX, 0);
    struct flash flash = nor_flash(&nor);
    stash_open(&stash, &flash, 0x8000, 2 * SECTOR_SIZE);
    samples_init(&samples, memory);
    samples.stash = &stash;
    samples_budget(&samples, 1, 0);
    for (uint32_t i = 1; i <= 7; i++) {
        offer(i, 5, 1);
        samples_tick(&samples, i * DAY_MS);
    }
    samples_init(&samples, memory);
    stash_open(&stash, &flash, 0x8000, 2 * SECTOR_SIZE);
    samples.stash = &stash;
    samples.backlog = true;
    samples_tick(&samples, 0);
    CHECK(count_kept() == SAMPLE_KEPT);
    for (uint8_t i = 1; i <= 7; i++) {
        struct sampled *s = samples_due(&samples, 0);
        CHECK(s != NULL && s->input[0] == i && s->verdict.margin == 5);
        uint8_t hash[SAMPLE_HASH_SIZE];
        memcpy(hash, s->hash, sizeof hash);
        samples_acknowledge(&samples, hash);
        samples_tick(&samples, 0);
    }
    CHECK(samples_due(&samples, 0) == NULL && !samples.backlog);
    uint32_t cursor = 0;
    static uint8_t room[SAMPLE_INPUT_MAX];
    struct sampled left = {.input = room};
    CHECK(!stash_next(&stash, &cursor, &left));
}

int main(void) {
    stays_within_the_budget();
    keeps_the_most_uncertain();
    repeats_until_acknowledged();
    draws_uniformly();
    the_oldest_makes_room();
    passes_over_what_it_knows();
    what_waits_outlives_a_reset();
    return 0;
}
