/* Reports as messages.cddl has them: a third of the size of the encoder that is generated from it,
 * with which firmware/tests/test_encode.c compares this one byte by byte. The keys are those of
 * messages.cddl. */
#include "cbor.h"
#include "messages.h"

static void number(struct cbor *c, uint32_t key, uint32_t value) {
    cbor_number(c, key);
    cbor_number(c, value);
}

/* One that is left out where it is 0. */
static void if_any(struct cbor *c, uint32_t key, uint32_t value) {
    if (value > 0) {
        number(c, key, value);
    }
}

static void sum(struct cbor *c, uint32_t key, uint64_t value) {
    cbor_number(c, key);
    cbor_number(c, value);
}

/* One that is left out where it is NULL. */
static void digest(struct cbor *c, uint32_t key, const uint8_t *p) {
    if (p != NULL) {
        cbor_number(c, key);
        cbor_bytes(c, p, SHA256_SIZE);
    }
}

static void text(struct cbor *c, uint32_t key, const char *value) {
    cbor_number(c, key);
    cbor_text(c, value);
}

static void map(struct cbor *c, uint32_t key) {
    cbor_number(c, key);
    cbor_open_map(c);
}

static void counts(struct cbor *c, uint32_t key, const uint32_t *from, uint32_t n) {
    cbor_number(c, key);
    cbor_open_list(c);
    for (uint32_t i = 0; i < n; i++) {
        cbor_number(c, from[i]);
    }
    cbor_close(c);
}

static int finish(struct cbor *c) {
    cbor_close(c);
    return c->size <= c->room ? (int)c->size : E_MESSAGE;
}

static void put_caps(struct cbor *c, const struct capabilities *from) {
    text(c, 1, from->target);
    number(c, 2, from->slot);
    number(c, 3, from->arena);
    number(c, 4, from->abi);
    number(c, 5, from->ops);
    text(c, 6, from->agent);
    if_any(c, 7, from->firmware);
    if_any(c, 8, from->block);
    cbor_close(c);
}

static void put_firmware(struct cbor *c, const struct state_report *r) {
    digest(c, 1, r->firmware);
    digest(c, 2, r->firmware_standby);
    number(c, 3, r->firmware_floor);
    cbor_close(c);
}

static void put_crash(struct cbor *c, const struct crash_report *from) {
    number(c, 1, from->boot);
    number(c, 2, from->cause);
    number(c, 3, from->pc);
    number(c, 4, from->lr);
    number(c, 5, from->fault);
    cbor_number(c, 6);
    cbor_bytes(c, from->firmware, CRASH_FIRMWARE_SIZE);
    cbor_close(c);
}

int state_encode(uint8_t *p, size_t room, const struct state_report *r) {
    struct cbor c;
    cbor_begin(&c, p, room);
    cbor_open_map(&c);
    number(&c, 1, r->boot);
    number(&c, 2, r->sequence);
    number(&c, 3, r->phase);
    number(&c, 4, r->reason);
    digest(&c, 5, r->active);
    digest(&c, 6, r->target);
    digest(&c, 7, r->standby);
    number(&c, 8, r->got);
    number(&c, 9, r->total);
    number(&c, 10, r->floor);
    map(&c, 11);
    put_caps(&c, &r->caps);
    if_any(&c, 12, r->attempt);
    if (r->firmware != NULL) {
        map(&c, 13);
        put_firmware(&c, r);
    }
    if (r->crash != NULL) {
        map(&c, 14);
        put_crash(&c, r->crash);
    }
    if_any(&c, 15, r->score);
    return finish(&c);
}

static void put_shadow(struct cbor *c, const struct shadow *from) {
    digest(c, 1, from->digest);
    number(c, 2, from->count);
    number(c, 3, from->disagreed);
    sum(c, 4, from->confidence_sum);
    cbor_close(c);
}

int stats_encode(uint8_t *p, size_t room, const struct stats_report *r) {
    const struct statistics *from = r->stats;
    struct cbor c;
    cbor_begin(&c, p, room);
    cbor_open_map(&c);
    number(&c, 1, r->boot);
    number(&c, 2, r->sequence);
    digest(&c, 3, r->artefact);
    number(&c, 4, from->count);
    counts(&c, 5, from->confidence, STATS_BINS);
    counts(&c, 6, from->margin, STATS_BINS);
    counts(&c, 7, from->classes, r->classes);
    sum(&c, 8, from->confidence_sum);
    sum(&c, 9, from->confidence_squares);
    sum(&c, 10, from->input_sum);
    if (r->timed) {
        sum(&c, 11, from->latency_sum);
    }
    counts(&c, 12, from->inputs, STATS_BINS);
    if (r->timed) {
        counts(&c, 13, from->latency, STATS_BINS);
    }
    if (r->reference != NULL) {
        number(&c, 14, stats_drift(from, r->reference));
    }
    if (r->shadow != NULL) {
        map(&c, 15);
        put_shadow(&c, r->shadow);
    }
    return finish(&c);
}

int sample_encode(uint8_t *p, size_t room, const struct sampled *s) {
    struct cbor c;
    cbor_begin(&c, p, room);
    cbor_open_map(&c);
    digest(&c, 1, s->artefact);
    cbor_number(&c, 2);
    cbor_bytes(&c, s->input, s->input_size);
    number(&c, 3, s->verdict.label);
    number(&c, 4, s->verdict.confidence);
    number(&c, 5, s->verdict.margin);
    number(&c, 6, s->why);
    return finish(&c);
}
