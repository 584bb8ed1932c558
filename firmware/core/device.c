#include "device.h"

#include <string.h>

#include "bytes.h"
#include "lifecycle.h"

int device_init(struct device *d, const struct hal *hal, const struct device_config *config,
                uint32_t now) {
    memset(d, 0, sizeof *d);
    d->hal = *hal;
    d->config = *config;
    int error = identity_load(&d->hal.flash, &d->identity);
    if (error != 0) {
        return error;
    }
    if (d->identity.arena_size > hal->arena_size) {
        d->identity.arena_size = hal->arena_size; /* a promise that this board cannot keep */
    }
    error = lifecycle_boot(d);
    /* Any start but zero serves xorshift; the boot number makes each one differ. */
    d->random = (d->identity.seed ^ d->record.boots * 0x9E3779B9u) | 1u;
    link_init(d, now);
    return error;
}

void device_tick(struct device *d, uint32_t now) {
    d->moved = false;
    samples_tick(&d->samples, now);
    lifecycle_tick(d, now);
    link_tick(d, now);
}

bool device_wants_link(const struct device *d, uint32_t now) {
    return d->link.phase == LINK_DOWN && due(now, d->link.retry_at);
}

bool device_drops_link(const struct device *d) {
    return d->link.drop;
}

void device_link_up(struct device *d, uint32_t now) {
    link_up(d, now);
}

void device_link_down(struct device *d, uint32_t now) {
    link_down(d, now);
}

void device_receive(struct device *d, const uint8_t *p, size_t n, uint32_t now) {
    link_receive(d, p, n, now);
}

const uint8_t *device_output(const struct device *d, size_t *n) {
    *n = d->link.mqtt.tx_size;
    return d->link.mqtt.tx;
}

void device_sent(struct device *d, size_t n) {
    mqtt_sent(&d->link.mqtt, n);
}

static uint32_t micros(const struct device *d) {
    return d->hal.micros != NULL ? d->hal.micros(d->hal.ctx) : 0;
}

void device_input(struct device *d, const uint8_t *input, uint32_t n, uint8_t answer[ANSWER_SIZE]) {
    memset(answer, 0, ANSWER_SIZE);
    d->answers++;
    put_le32(answer, d->answers);
    answer[4] = NO_MODEL;
    if (!d->has_model || n != d->model.nn.in_len) {
        return;
    }
    const uint8_t *digest = device_active_digest(d);
    uint32_t start = micros(d);
    struct verdict v = model_classify(&d->model, d->hal.arena, d->identity.arena_size, input);
    stats_add(&d->stats, &v, input, n, micros(d) - start);
    samples_offer(&d->samples, &v, digest, input, n, device_random(d));
    d->trial.answers++;
    answer[4] = v.label;
    answer[5] = v.confidence;
    memcpy(answer + 6, digest, SHA256_SIZE);
}

bool device_has_target(const struct device *d) {
    return d->phase != PHASE_IDLE && d->phase != PHASE_CONFIRMED;
}

uint8_t device_active_slot(const struct device *d) {
    return d->record.trial != SLOT_NONE ? d->record.trial : d->record.confirmed;
}

const uint8_t *device_active_digest(const struct device *d) {
    return d->has_model ? d->record.slot[device_active_slot(d)].digest : NULL;
}

/* xorshift32 (Marsaglia 2003): for jitter and sampling, never for secrets. */
uint32_t device_random(struct device *d) {
    d->random ^= d->random << 13;
    d->random ^= d->random >> 17;
    d->random ^= d->random << 5;
    return d->random;
}

void device_log(const struct device *d, const char *what, const char *detail) {
    if (d->hal.log != NULL) {
        d->hal.log(d->hal.ctx, what, detail);
    }
}
