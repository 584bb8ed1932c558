#include "samples.h"

#include <string.h>

#include "bytes.h"
#include "stash.h"

#define DAY_MS 86400000u
#define RETRY_MS 30000u
#define GIST_BITS 32u

/* Of a budget of 1, the one sample is an uncertain one. */
static uint32_t share(uint32_t per_day, int why) {
    uint32_t random = per_day / 3;
    return why == SAMPLE_RANDOM ? random : per_day - random;
}

static uint32_t period(uint32_t per_day, int why) {
    uint32_t k = share(per_day, why);
    return k == 0 ? 0 : DAY_MS / k;
}

void samples_init(struct samples *s, uint8_t *memory) {
    memset(s, 0, sizeof *s);
    for (uint32_t i = 0; i < SAMPLE_WHYS; i++) {
        s->candidate[i].input = memory + i * SAMPLE_INPUT_MAX;
    }
    for (uint32_t i = 0; i < SAMPLE_KEPT; i++) {
        s->kept[i].input = memory + (SAMPLE_WHYS + i) * SAMPLE_INPUT_MAX;
    }
}

void samples_budget(struct samples *s, uint32_t per_day, uint32_t now) {
    if (s->per_day == per_day) {
        return;
    }
    s->per_day = per_day;
    s->seen = 0;
    for (int why = 0; why < SAMPLE_WHYS; why++) {
        s->candidate[why].input_size = 0;
        s->period_end[why] = now + period(per_day, why);
    }
}

static void take(struct sampled *out, int why, const struct verdict *v, const uint8_t *artefact,
                 const uint8_t *input, uint32_t n) {
    memcpy(out->artefact, artefact, SHA256_SIZE);
    memcpy(out->input, input, n);
    out->input_size = (uint16_t)n;
    out->verdict = *v;
    out->why = (uint8_t)why;
}

static bool is_better(const struct sampled *candidate, const struct verdict *v) {
    return v->margin < SAMPLE_MARGIN_MAX &&
           (candidate->input_size == 0 || v->margin < candidate->verdict.margin);
}

/* What an input looks like from afar: one bit for each 32nd of it, set where that is brighter than
 * the whole. */
static uint32_t gist(const uint8_t *input, uint32_t n) {
    uint32_t total = 0, parts[GIST_BITS] = {0};
    for (uint32_t i = 0; i < n; i++) {
        parts[i * GIST_BITS / n] += input[i];
        total += input[i];
    }
    uint32_t bits = 0;
    for (uint32_t i = 0; i < GIST_BITS; i++) {
        bits |= (uint32_t)(parts[i] * GIST_BITS > total) << i;
    }
    return bits;
}

/* Does it look like a sample taken before, but for one bit? Small inputs look too much alike. */
static bool is_known(const struct samples *s, const uint8_t *input, uint32_t n) {
    uint32_t bits = n < 2 * GIST_BITS ? 0 : gist(input, n);
    for (uint32_t i = 0; bits != 0 && i < SAMPLE_KNOWN; i++) {
        uint32_t other = s->known[i] ^ bits;
        if ((other & (other - 1)) == 0) {
            return true;
        }
    }
    return false;
}

static void remember(struct samples *s, const struct sampled *sample) {
    s->known[s->known_next] = gist(sample->input, sample->input_size);
    s->known_next = (s->known_next + 1) % SAMPLE_KNOWN;
}

void samples_offer(struct samples *s, const struct verdict *v, const uint8_t *artefact,
                   const uint8_t *input, uint32_t n, uint32_t chance) {
    if (s->per_day == 0 || n > SAMPLE_INPUT_MAX) {
        return;
    }
    struct sampled *uncertain = &s->candidate[SAMPLE_UNCERTAIN];
    if (is_better(uncertain, v) && !is_known(s, input, n)) {
        take(uncertain, SAMPLE_UNCERTAIN, v, artefact, input, n);
    }
    /* A reservoir of one (Vitter 1985, algorithm R): the i-th input replaces it one time in i. */
    s->seen++;
    if (share(s->per_day, SAMPLE_RANDOM) > 0 && chance % s->seen == 0) {
        take(&s->candidate[SAMPLE_RANDOM], SAMPLE_RANDOM, v, artefact, input, n);
    }
}

static bool is_kept(const struct samples *s, const uint8_t *hash) {
    for (uint32_t i = 0; i < SAMPLE_KEPT; i++) {
        if (s->kept[i].input_size > 0 && memcmp(s->kept[i].hash, hash, SAMPLE_HASH_SIZE) == 0) {
            return true;
        }
    }
    return false;
}

/* The first of kept is the oldest: free places are at the end. */
static void drop(struct samples *s, uint32_t index) {
    struct sampled dropped = s->kept[index];
    memmove(&s->kept[index], &s->kept[index + 1],
            (SAMPLE_KEPT - 1 - index) * sizeof(struct sampled));
    dropped.input_size = 0;
    s->kept[SAMPLE_KEPT - 1] = dropped;
}

static uint32_t free_place(const struct samples *s) {
    uint32_t place = 0;
    while (place < SAMPLE_KEPT && s->kept[place].input_size > 0) {
        place++;
    }
    return place;
}

static void keep(struct samples *s, struct sampled *candidate, uint32_t now) {
    uint8_t digest[SHA256_SIZE];
    sha256(candidate->input, candidate->input_size, digest);
    memcpy(candidate->hash, digest, SAMPLE_HASH_SIZE);
    if (is_kept(s, candidate->hash)) {
        return;
    }
    if (s->kept[SAMPLE_KEPT - 1].input_size > 0) {
        drop(s, 0);
        s->backlog = s->stash != NULL;
    }
    struct sampled *place = &s->kept[free_place(s)];
    struct sampled empty = *place; /* the two exchange their memory */
    *place = *candidate;
    *candidate = empty;
    place->sent = false;
    place->retry_at = now;
    if (place->why == SAMPLE_UNCERTAIN) {
        remember(s, place);
    }
    if (s->stash != NULL) {
        (void)stash_put(s->stash, place); /* else it is sent all the same, if power lasts */
    }
}

/* Takes from the stash what waits there, as far as there is room. */
static void refill(struct samples *s, uint32_t now) {
    uint32_t cursor = 0, place = free_place(s);
    while (s->backlog && place < SAMPLE_KEPT) {
        struct sampled *next = &s->kept[place];
        s->backlog = stash_next(s->stash, &cursor, next);
        uint16_t size = s->backlog ? next->input_size : 0;
        next->input_size = 0;
        if (size > 0 && !is_kept(s, next->hash)) {
            next->input_size = size;
            next->sent = false;
            next->retry_at = now;
            place++;
        }
    }
}

void samples_tick(struct samples *s, uint32_t now) {
    for (int why = 0; why < SAMPLE_WHYS; why++) {
        if (share(s->per_day, why) == 0 || !due(now, s->period_end[why])) {
            continue;
        }
        if (s->candidate[why].input_size > 0) {
            keep(s, &s->candidate[why], now);
            s->candidate[why].input_size = 0;
        }
        s->seen = why == SAMPLE_RANDOM ? 0 : s->seen;
        s->period_end[why] = now + period(s->per_day, why);
    }
    refill(s, now);
}

void samples_wait(const struct samples *s, uint32_t now, uint32_t *wait) {
    for (int why = 0; why < SAMPLE_WHYS; why++) {
        if (share(s->per_day, why) > 0) {
            sooner(wait, now, s->period_end[why]);
        }
    }
}

void samples_wait_due(const struct samples *s, uint32_t now, uint32_t *wait) {
    for (uint32_t i = 0; i < SAMPLE_KEPT; i++) {
        const struct sampled *sample = &s->kept[i];
        if (sample->input_size > 0) {
            sooner(wait, now, sample->sent ? sample->retry_at : now);
        }
    }
}

struct sampled *samples_due(struct samples *s, uint32_t now) {
    for (uint32_t i = 0; i < SAMPLE_KEPT; i++) {
        struct sampled *sample = &s->kept[i];
        if (sample->input_size > 0 && (!sample->sent || due(now, sample->retry_at))) {
            return sample;
        }
    }
    return NULL;
}

void samples_sent(struct sampled *sample, uint32_t now) {
    sample->sent = true;
    sample->retry_at = now + RETRY_MS;
}

void samples_acknowledge(struct samples *s, const uint8_t hash[SAMPLE_HASH_SIZE]) {
    if (s->stash != NULL) {
        (void)stash_done(s->stash, hash); /* else it is sent again after a reset */
    }
    for (uint32_t i = 0; i < SAMPLE_KEPT; i++) {
        if (s->kept[i].input_size > 0 && memcmp(s->kept[i].hash, hash, SAMPLE_HASH_SIZE) == 0) {
            drop(s, i);
            return;
        }
    }
}
