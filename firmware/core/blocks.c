#include "blocks.h"

#include "bytes.h"
#include "topics.h"

#define BLOCK_MS 10000u
#define STALLS_MAX 12u
#define PATCH_STALLS_MAX 3u

static void window_topics(const struct download *d, struct topic topics[WINDOW],
                          const char *texts[WINDOW]) {
    for (uint32_t i = 0; i < d->window_size; i++) {
        topic_block(&topics[i], d->artefact.digest, d->window[i]);
        texts[i] = topics[i].text;
    }
}

static void open_window(struct link *l, uint32_t now) {
    struct download *d = &l->life->work.download;
    struct topic topics[WINDOW];
    const char *texts[WINDOW];
    download_open_window(d, &l->host->hal.flash);
    if (d->window_size == 0) {
        return;
    }
    window_topics(d, topics, texts);
    if (mqtt_subscribe(&l->mqtt, texts, d->window_size, 0, &l->window_id) == 0) {
        l->window = STEP_SENT;
        l->block_by = now + BLOCK_MS;
    }
}

static void close_window(struct link *l) {
    struct download *d = &l->life->work.download;
    struct topic topics[WINDOW];
    const char *texts[WINDOW];
    uint16_t id;
    if (l->window >= STEP_SENT && d->window_size > 0) {
        window_topics(d, topics, texts);
        /* Without room the subscription stays: its retained blocks have been sent already. */
        (void)mqtt_unsubscribe(&l->mqtt, texts, d->window_size, &id);
    }
    l->window = STEP_IDLE;
}

static void count_stall(struct link *l, uint32_t now) {
    struct download *d = &l->life->work.download;
    d->stalls++;
    if (d->patch && d->stalls >= PATCH_STALLS_MAX) {
        lifecycle_event(l->life, EVENT_WHOLE, REASON_NONE, now);
    } else if (d->stalls >= STALLS_MAX) {
        lifecycle_event(l->life, EVENT_STALLED, REASON_TIMEOUT, now);
    }
}

/* A download that has just begun has no window, whatever was open before. */
void blocks_ask(struct link *l, uint32_t now) {
    const struct download *d = &l->life->work.download;
    if (l->life->work.phase != PHASE_DOWNLOADING) {
        close_window(l);
    } else if (l->window == STEP_IDLE || d->window_size == 0) {
        open_window(l, now);
    } else if (d->window_open == 0) {
        close_window(l);
        open_window(l, now);
    } else if (due(now, l->block_by)) {
        close_window(l);
        count_stall(l, now);
    }
}

void blocks_take(struct link *l, const struct mqtt_event *e, uint32_t now) {
    const struct work *work = &l->life->work;
    uint32_t number;
    if (work->phase != PHASE_DOWNLOADING ||
        !topic_is_block(e->topic, e->topic_size, work->download.artefact.digest, &number)) {
        return;
    }
    if (lifecycle_block(l->life, number, e->payload, (uint32_t)e->payload_size, now)) {
        l->block_by = now + BLOCK_MS;
        l->life->work.download.stalls = 0;
    }
}
