#include "device.h"

#include <string.h>

#include "bytes.h"

/* The archive begins with a sector for what a model has learned. */
static void open_stash(struct device *d) {
    const struct identity *id = &d->host.identity;
    if (id->archive_size > SECTOR_SIZE) {
        stash_open(&d->stash, &d->host.hal.flash, identity_archive(id) + SECTOR_SIZE,
                   id->archive_size - SECTOR_SIZE);
        d->samples.stash = &d->stash;
        d->samples.backlog = true;
    }
}

int device_init(struct device *d, const struct hal *hal, const struct device_config *config,
                uint32_t now) {
    memset(d, 0, sizeof *d);
    int error = host_init(&d->host, hal, config);
    if (error != 0) {
        return error;
    }
    runner_init(&d->runner, &d->host);
    error = lifecycle_init(&d->life, &d->host, &d->runner, now);
    host_seed(&d->host, device_boots(d));
    samples_init(&d->samples, hal->samples);
    open_stash(d);
    link_init(&d->link, &d->host, &d->life, &d->samples, now);
    return error;
}

/* Nothing that would come to nothing: the port is about to reset the device. */
void device_tick(struct device *d, uint32_t now) {
    d->life.moved = false;
    if (d->life.ending) {
        return;
    }
    samples_tick(&d->samples, now);
    lifecycle_tick(&d->life, link_has_news(&d->link), now);
    if (d->life.ending) {
        d->host.hal.reboot(d->host.hal.ctx);
        return;
    }
    link_tick(&d->link, now);
}

bool device_wants_link(const struct device *d, uint32_t now) {
    return d->link.phase == LINK_DOWN && due(now, d->link.retry_at);
}

bool device_drops_link(const struct device *d) {
    return d->link.drop;
}

void device_link_up(struct device *d, uint32_t now) {
    link_up(&d->link, now);
}

void device_link_down(struct device *d, uint32_t now) {
    link_down(&d->link, now);
}

void device_receive(struct device *d, const uint8_t *p, size_t n, uint32_t now) {
    link_receive(&d->link, p, n, now);
}

const uint8_t *device_output(const struct device *d, size_t *n) {
    *n = d->link.mqtt.tx_size;
    return d->link.mqtt.tx;
}

void device_sent(struct device *d, size_t n) {
    mqtt_sent(&d->link.mqtt, n);
}

static uint32_t micros(const struct host *h) {
    return h->hal.micros != NULL ? h->hal.micros(h->hal.ctx) : 0;
}

void device_input(struct device *d, const uint8_t *input, uint32_t n, uint8_t answer[ANSWER_SIZE]) {
    const struct host *h = &d->host;
    struct runner *r = &d->runner;
    memset(answer, 0, ANSWER_SIZE);
    d->answers++;
    put_le32(answer, d->answers);
    answer[4] = NO_MODEL;
    if (!r->has_model || n != r->model.nn.in_len) {
        return;
    }
    const uint8_t *digest = device_model(d);
    uint32_t start = micros(h);
    bool learning = runner_is_learning(r);
    struct verdict v = runner_answer(r, input);
    if (!learning) {
        stats_add(&r->stats, &v, input, n, micros(h) - start);
        samples_offer(&d->samples, &v, digest, input, n, host_random(&d->host));
    }
    if (device_phase(d) == PHASE_SHADOW) {
        runner_compare(r, input, &v);
    }
    d->life.work.trial.answers++;
    answer[4] = v.label;
    answer[5] = v.confidence;
    memcpy(answer + 6, digest, SHA256_SIZE);
}

enum phase device_phase(const struct device *d) {
    return d->life.work.phase;
}

enum reason device_reason(const struct device *d) {
    return d->life.work.reason;
}

const uint8_t *device_target(const struct device *d) {
    return lifecycle_has_target(&d->life) ? d->life.work.target.digest : NULL;
}

const uint8_t *device_model(const struct device *d) {
    return lifecycle_model(&d->life);
}

const uint8_t *device_firmware(const struct device *d) {
    const struct shelf *s = &d->life.shelf[SHELF_FIRMWARE];
    return shelf_digest(s, shelf_active_slot(s));
}

uint32_t device_boots(const struct device *d) {
    return d->life.shelf[SHELF_MODEL].record.boots;
}
