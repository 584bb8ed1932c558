#include "link.h"

#include <string.h>

#include "bytes.h"
#include "device.h"
#include "lifecycle.h"
#include "report.h"
#include "topics.h"

#define CONNACK_MIN_MS 2000u /* a serial line may have lost the CONNECT: soon again */
#define CONNACK_MAX_MS 16000u
#define BACKOFF_MIN_MS 3000u
#define BACKOFF_MAX_MS 60000u
#define BLOCK_MS 10000u
#define STALLS_MAX 12u
#define REPORT_DEFAULT_MS 300000u /* without a grant nobody asks */
#define REPORT_MIN_MS 100u
#define BLOCK_MESSAGE_MAX (BLOCK_SIZE_MAX + 128u)
#define CBOR_FALSE 0xF4

_Static_assert(BLOCK_MESSAGE_MAX <= MQTT_RX_SIZE, "a block with its topic fits the receive buffer");

/* --- connection ----------------------------------------------------------------------------- */

static uint32_t doubled(uint32_t start, uint32_t times, uint32_t most) {
    uint32_t value = start;
    for (uint32_t i = 0; i < times && value < most; i++) {
        value *= 2;
    }
    return value < most ? value : most;
}

/* Half of the delay is fixed and half is random, so that a fleet comes back spread out. */
static uint32_t backoff(struct device *d) {
    uint32_t delay = doubled(BACKOFF_MIN_MS, d->link.failures, BACKOFF_MAX_MS);
    return delay / 2 + device_random(d) % (delay / 2);
}

/* A third of the keepalive, less up to a quarter of that, so that a fleet does not ping in step. */
static uint32_t ping_delay(struct device *d) {
    uint32_t third = d->config.keepalive_s * 1000u / 3;
    return third - device_random(d) % (third / 4 + 1);
}

uint32_t link_silence(const struct device *d) {
    return d->config.keepalive_s * 1000u / 6 * 5;
}

static uint32_t report_interval(const struct device *d) {
    if (!d->has_grant) {
        return REPORT_DEFAULT_MS;
    }
    return d->grant.interval_ms < REPORT_MIN_MS ? REPORT_MIN_MS : d->grant.interval_ms;
}

void link_init(struct device *d, uint32_t now) {
    mqtt_reset(&d->link.mqtt);
    d->link.phase = LINK_DOWN;
    d->link.retry_at = now;
    d->link.report_at = now + device_random(d) % REPORT_DEFAULT_MS;
}

static void drop(struct device *d, const char *why) {
    d->link.drop = true;
    device_log(d, "connection dropped", why);
}

void link_up(struct device *d, uint32_t now) {
    static const uint8_t offline[1] = {CBOR_FALSE};
    struct topic will;
    topic_device(&will, d->identity.device, "online");
    struct mqtt_session session = {
        .client = d->identity.device,
        .user = d->identity.user,
        .password = d->identity.password,
        .will_topic = will.text,
        .will = offline,
        .will_size = sizeof offline,
        .keepalive = d->config.keepalive_s,
    };
    mqtt_reset(&d->link.mqtt);
    (void)mqtt_connect(&d->link.mqtt, &session); /* always fits: the buffer is empty */
    d->link.phase = LINK_CONNECTING;
    d->link.drop = false;
    d->link.answer_by = now + doubled(CONNACK_MIN_MS, d->link.failures, CONNACK_MAX_MS);
}

/* What was known of the halts stays in force, but nothing new begins on old knowledge. */
void link_down(struct device *d, uint32_t now) {
    mqtt_reset(&d->link.mqtt);
    d->link.phase = LINK_DOWN;
    d->link.drop = false;
    d->link.retry_at = now + backoff(d);
    d->link.failures++;
    d->halt_known = false;
}

static void connected(struct device *d, uint32_t now) {
    struct link *l = &d->link;
    l->phase = LINK_ONLINE;
    l->failures = 0;
    l->inbox = STEP_NEEDED;
    l->halts = d->has_grant ? STEP_NEEDED : STEP_IDLE;
    l->fence = STEP_IDLE;
    l->window = STEP_IDLE;
    l->say_online = true;
    l->say_state = true;
    l->state_in_flight = false;
    l->ping_at = now + ping_delay(d);
    l->heard_at = now;
    device_log(d, "connected", "");
}

/* --- in ------------------------------------------------------------------------------------- */

static void take_grant(struct device *d, const struct mqtt_event *e, uint32_t now) {
    struct grant_message grant;
    if (e->payload_size == 0) {
        d->has_grant = false; /* withdrawn: keep what is there */
        return;
    }
    if (grant_decode(e->payload, e->payload_size, &grant) != 0) {
        device_log(d, "grant ignored", "not a message of the protocol");
        return;
    }
    bool interval_changed = !d->has_grant || grant.interval_ms != d->grant.interval_ms;
    if (d->link.halts == STEP_IDLE || strcmp(grant.fleet, d->link.fleet) != 0) {
        d->halt_known = false;
        d->halt.count = 0;
        d->link.halts = STEP_NEEDED;
        d->link.fence = STEP_IDLE;
    }
    d->grant = grant;
    d->has_grant = true;
    if (interval_changed) {
        d->link.report_at = now + device_random(d) % report_interval(d);
    }
    samples_budget(&d->samples, grant.samples_per_day, now);
    lifecycle_granted(d);
}

static void take_halt(struct device *d, const struct mqtt_event *e) {
    struct halt_list halt;
    if (halt_decode(e->payload, e->payload_size, &halt) != 0) {
        device_log(d, "halt ignored", "not a message of the protocol");
        return;
    }
    d->halt = halt;
}

static void take_ack(struct device *d, const struct mqtt_event *e) {
    struct ack_list ack;
    if (ack_decode(e->payload, e->payload_size, &ack) != 0) {
        return;
    }
    for (uint32_t i = 0; i < ack.count; i++) {
        samples_acknowledge(&d->samples, ack.hash[i]);
    }
}

static void take_block(struct device *d, const struct mqtt_event *e, uint32_t now) {
    uint32_t number;
    if (d->phase != PHASE_DOWNLOADING ||
        !topic_is_block(e->topic, e->topic_size, d->target.digest, &number)) {
        return;
    }
    uint32_t before = d->download.got;
    if (download_block(&d->download, &d->hal.flash, number, e->payload,
                       (uint32_t)e->payload_size) != 0) {
        lifecycle_event(d, EVENT_REFUSED, REASON_FLASH_ERROR, now);
        return;
    }
    if (d->download.got != before) {
        d->link.block_by = now + BLOCK_MS;
        d->link.stalls = 0;
    }
}

static void take_message(struct device *d, const struct mqtt_event *e, uint32_t now) {
    struct topic grant, ack, halt;
    topic_device(&grant, d->identity.device, "grant");
    topic_device(&ack, d->identity.device, "ack");
    topic_halt(&halt, d->link.fleet);
    if (topic_is(e->topic, e->topic_size, &grant)) {
        take_grant(d, e, now);
    } else if (topic_is(e->topic, e->topic_size, &ack)) {
        take_ack(d, e);
    } else if (topic_is(e->topic, e->topic_size, &halt)) {
        take_halt(d, e);
    } else {
        take_block(d, e, now);
    }
}

static void take_connack(struct device *d, const struct mqtt_event *e, uint32_t now) {
    if (e->code != 0) {
        drop(d, e->code >= 4 ? "broker refuses user or password" : "broker refuses connection");
        return;
    }
    connected(d, now);
}

static void take_suback(struct device *d, const struct mqtt_event *e) {
    if (e->refused) {
        device_log(d, "subscription refused", "see the broker's access list");
        return;
    }
    if (e->id == d->link.halts_id && d->link.halts == STEP_SENT) {
        d->link.halts = STEP_DONE;
        d->link.fence = STEP_NEEDED;
    }
    if (e->id == d->link.window_id && d->link.window == STEP_SENT) {
        d->link.window = STEP_DONE;
    }
}

static void take_puback(struct device *d, const struct mqtt_event *e) {
    if (!d->link.state_in_flight || e->id != d->link.state_id) {
        return;
    }
    d->link.state_in_flight = false;
    if (d->link.state_in_trial && d->phase == PHASE_TRIAL) {
        d->trial.heard = true;
    }
}

static void take_event(struct device *d, const struct mqtt_event *e, uint32_t now) {
    switch (e->type) {
    case MQTT_CONNACK:
        take_connack(d, e, now);
        break;
    case MQTT_PUBLISH:
        take_message(d, e, now);
        break;
    case MQTT_PUBACK:
        take_puback(d, e);
        break;
    case MQTT_SUBACK:
        take_suback(d, e);
        break;
    case MQTT_PINGRESP:
        /* Retained messages of a subscription precede the answer to a ping sent behind it. */
        if (d->link.fence == STEP_SENT) {
            d->link.fence = STEP_DONE;
            d->halt_known = true;
        }
        break;
    case MQTT_UNSUBACK:
        break;
    }
}

void link_receive(struct device *d, const uint8_t *p, size_t n, uint32_t now) {
    struct mqtt_event event;
    int got = 0;
    d->link.heard_at = now;
    while (!d->link.drop && d->link.phase != LINK_DOWN &&
           (got = mqtt_receive(&d->link.mqtt, &p, &n, &event)) > 0) {
        take_event(d, &event, now);
    }
    if (got < 0) {
        drop(d, "broker does not speak MQTT 3.1.1");
    }
}

/* --- out ------------------------------------------------------------------------------------ */

static void subscribe_inbox(struct device *d) {
    struct topic grant, ack;
    uint16_t id;
    topic_device(&grant, d->identity.device, "grant");
    topic_device(&ack, d->identity.device, "ack");
    const char *topics[2] = {grant.text, ack.text};
    if (mqtt_subscribe(&d->link.mqtt, topics, 2, 1, &id) == 0) {
        d->link.inbox = STEP_DONE;
    }
}

/* The halts of a fleet it left stay subscribed until the next connection: they match no topic. */
static void subscribe_halts(struct device *d) {
    struct topic halt;
    topic_halt(&halt, d->grant.fleet);
    const char *topics[1] = {halt.text};
    if (mqtt_subscribe(&d->link.mqtt, topics, 1, 1, &d->link.halts_id) == 0) {
        memcpy(d->link.fleet, d->grant.fleet, sizeof d->link.fleet);
        d->link.halts = STEP_SENT;
    }
}

static void raise_fence(struct device *d) {
    if (mqtt_ping(&d->link.mqtt) == 0) {
        d->link.fence = STEP_SENT;
    }
}

static void window_topics(const struct device *d, struct topic topics[WINDOW],
                          const char *texts[WINDOW]) {
    for (uint32_t i = 0; i < d->download.window_size; i++) {
        topic_block(&topics[i], d->download.artefact.digest, d->download.window[i]);
        texts[i] = topics[i].text;
    }
}

static void open_window(struct device *d, uint32_t now) {
    struct topic topics[WINDOW];
    const char *texts[WINDOW];
    download_open_window(&d->download, &d->hal.flash);
    if (d->download.window_size == 0) {
        return;
    }
    window_topics(d, topics, texts);
    if (mqtt_subscribe(&d->link.mqtt, texts, d->download.window_size, 0, &d->link.window_id) == 0) {
        d->link.window = STEP_SENT;
        d->link.block_by = now + BLOCK_MS;
    }
}

void link_close_window(struct device *d) {
    struct topic topics[WINDOW];
    const char *texts[WINDOW];
    uint16_t id;
    if (d->link.phase != LINK_ONLINE || d->link.window < STEP_SENT ||
        d->download.window_size == 0) {
        return;
    }
    window_topics(d, topics, texts);
    /* Without room the subscription stays: its retained blocks have been sent already. */
    (void)mqtt_unsubscribe(&d->link.mqtt, texts, d->download.window_size, &id);
    d->link.window = STEP_IDLE;
}

static void fetch(struct device *d, uint32_t now) {
    struct link *l = &d->link;
    if (d->phase != PHASE_DOWNLOADING) {
        return;
    }
    if (l->window == STEP_IDLE) {
        open_window(d, now);
    } else if (d->download.window_open == 0) {
        link_close_window(d);
        open_window(d, now);
    } else if (due(now, l->block_by)) {
        link_close_window(d);
        l->stalls++;
        if (l->stalls >= STALLS_MAX) {
            lifecycle_event(d, EVENT_STALLED, REASON_TIMEOUT, now);
        }
    }
}

bool link_has_news(const struct device *d) {
    return d->link.phase == LINK_ONLINE && d->link.say_state;
}

static void ask(struct device *d, uint32_t now) {
    struct link *l = &d->link;
    if (l->inbox == STEP_NEEDED) {
        subscribe_inbox(d);
    }
    if (l->halts == STEP_NEEDED) {
        subscribe_halts(d);
    }
    if (l->fence == STEP_NEEDED) {
        raise_fence(d);
    }
    fetch(d, now);
}

static void keep_time(struct device *d, uint32_t now) {
    struct link *l = &d->link;
    if (due(now, l->report_at)) {
        l->say_state = true;
        l->say_stats = true;
        l->report_at = now + report_interval(d);
    }
    if (due(now, l->ping_at) && mqtt_ping(&l->mqtt) == 0) {
        l->ping_at = now + ping_delay(d);
    }
    if (due(now, l->heard_at + link_silence(d))) {
        drop(d, "broker is silent");
    }
}

void link_tick(struct device *d, uint32_t now) {
    if (d->link.phase == LINK_CONNECTING && due(now, d->link.answer_by)) {
        drop(d, "no answer to CONNECT");
    }
    if (d->link.phase != LINK_ONLINE || d->link.drop) {
        return;
    }
    keep_time(d, now);
    ask(d, now);
    report_say(d, now);
}
