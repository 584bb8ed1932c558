#include "link.h"

#include <string.h>

#include "blocks.h"
#include "bytes.h"
#include "report.h"
#include "topics.h"

#define CONNACK_MIN_MS 2000u /* a serial line may have lost the CONNECT: soon again */
#define CONNACK_MAX_MS 16000u
#define BACKOFF_MIN_MS 3000u
#define BACKOFF_MAX_MS 60000u
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
static uint32_t backoff(struct link *l) {
    uint32_t delay = doubled(BACKOFF_MIN_MS, l->failures, BACKOFF_MAX_MS);
    return delay / 2 + host_random(l->host) % (delay / 2);
}

/* A third of the keepalive, less up to a quarter of that, so that a fleet does not ping in step. */
static uint32_t ping_delay(struct link *l) {
    uint32_t third = l->host->config.keepalive_s * 1000u / 3;
    return third - host_random(l->host) % (third / 4 + 1);
}

uint32_t link_silence(const struct link *l) {
    return l->host->config.keepalive_s * 1000u / 6 * 5;
}

static uint32_t report_interval(const struct link *l) {
    if (!l->life->wish.has_grant) {
        return REPORT_DEFAULT_MS;
    }
    return l->life->wish.grant.interval_ms < REPORT_MIN_MS ? REPORT_MIN_MS
                                                           : l->life->wish.grant.interval_ms;
}

void link_init(struct link *l, struct host *host, struct lifecycle *life, struct samples *samples,
               uint32_t now) {
    memset(l, 0, sizeof *l);
    l->host = host;
    l->life = life;
    l->samples = samples;
    mqtt_lend(&l->mqtt, host->hal.tx, host->hal.rx);
    mqtt_reset(&l->mqtt);
    l->phase = LINK_DOWN;
    l->retry_at = now;
    l->report_at = now + host_random(l->host) % REPORT_DEFAULT_MS;
}

static void drop(struct link *l, const char *why) {
    l->drop = true;
    host_log(l->host, "connection dropped", why);
}

void link_up(struct link *l, uint32_t now) {
    static const uint8_t offline[1] = {CBOR_FALSE};
    struct topic will;
    topic_device(&will, l->host->identity.device, "online");
    struct mqtt_session session = {
        .client = l->host->identity.device,
        .user = l->host->identity.user,
        .password = l->host->identity.password,
        .will_topic = will.text,
        .will = offline,
        .will_size = sizeof offline,
        .keepalive = l->host->config.keepalive_s,
    };
    mqtt_reset(&l->mqtt);
    (void)mqtt_connect(&l->mqtt, &session); /* always fits: the buffer is empty */
    l->phase = LINK_CONNECTING;
    l->drop = false;
    l->answer_by = now + doubled(CONNACK_MIN_MS, l->failures, CONNACK_MAX_MS);
}

/* What was known of the halts stays in force, but nothing new begins on old knowledge. */
void link_down(struct link *l, uint32_t now) {
    mqtt_reset(&l->mqtt);
    l->phase = LINK_DOWN;
    l->drop = false;
    l->retry_at = now + backoff(l);
    l->failures++;
    l->life->wish.halt_known = false;
}

static void connected(struct link *l, uint32_t now) {
    l->phase = LINK_ONLINE;
    l->failures = 0;
    l->inbox = STEP_NEEDED;
    l->halts = l->life->wish.has_grant ? STEP_NEEDED : STEP_IDLE;
    l->fence = STEP_IDLE;
    l->window = STEP_IDLE;
    l->say_online = true;
    l->say_state = true;
    l->state_in_flight = false;
    l->said_trial = false;
    l->ping_at = now + ping_delay(l);
    l->heard_at = now;
    host_log(l->host, "connected", "");
}

/* --- in ------------------------------------------------------------------------------------- */

static void take_grant(struct link *l, const struct mqtt_event *e, uint32_t now) {
    struct grant_message grant;
    if (e->payload_size == 0) {
        l->life->wish.has_grant = false; /* withdrawn: keep what is there */
        return;
    }
    if (grant_decode(e->payload, e->payload_size, &grant) != 0) {
        host_log(l->host, "grant ignored", "not a message of the protocol");
        return;
    }
    bool interval_changed =
        !l->life->wish.has_grant || grant.interval_ms != l->life->wish.grant.interval_ms;
    if (l->halts == STEP_IDLE || strcmp(grant.fleet, l->fleet) != 0) {
        l->life->wish.halt_known = false;
        l->life->wish.halt.count = 0;
        l->halts = STEP_NEEDED;
        l->fence = STEP_IDLE;
    }
    l->life->wish.grant = grant;
    l->life->wish.has_grant = true;
    if (interval_changed) {
        l->report_at = now + host_random(l->host) % report_interval(l);
    }
    samples_budget(l->samples, grant.samples_per_day, now);
    lifecycle_granted(l->life, l->said_trial && !e->retained);
}

static void take_halt(struct link *l, const struct mqtt_event *e) {
    struct halt_list halt;
    if (halt_decode(e->payload, e->payload_size, &halt) != 0) {
        host_log(l->host, "halt ignored", "not a message of the protocol");
        return;
    }
    l->life->wish.halt = halt;
}

static void take_ack(struct link *l, const struct mqtt_event *e) {
    struct ack_list ack;
    if (ack_decode(e->payload, e->payload_size, &ack) != 0) {
        return;
    }
    for (uint32_t i = 0; i < ack.count; i++) {
        samples_acknowledge(l->samples, ack.hash[i]);
    }
}

static void take_certificate(struct link *l, const struct mqtt_event *e) {
    const struct credentials *own = l->host->hal.credentials;
    if (own != NULL && own->take(e->payload, (uint32_t)e->payload_size)) {
        host_log(l->host, "certificate", "renewed");
    }
}

static void take_message(struct link *l, const struct mqtt_event *e, uint32_t now) {
    struct topic grant, ack, cert, halt;
    topic_device(&grant, l->host->identity.device, "grant");
    topic_device(&ack, l->host->identity.device, "ack");
    topic_device(&cert, l->host->identity.device, "cert");
    topic_halt(&halt, l->fleet);
    if (topic_is(e->topic, e->topic_size, &grant)) {
        take_grant(l, e, now);
    } else if (topic_is(e->topic, e->topic_size, &ack)) {
        take_ack(l, e);
    } else if (topic_is(e->topic, e->topic_size, &cert)) {
        take_certificate(l, e);
    } else if (topic_is(e->topic, e->topic_size, &halt)) {
        take_halt(l, e);
    } else {
        blocks_take(l, e, now);
    }
}

static void take_connack(struct link *l, const struct mqtt_event *e, uint32_t now) {
    if (e->code != 0) {
        drop(l, e->code >= 4 ? "broker refuses user or password" : "broker refuses connection");
        return;
    }
    connected(l, now);
}

static void take_suback(struct link *l, const struct mqtt_event *e) {
    if (e->refused) {
        host_log(l->host, "subscription refused", "see the broker's access list");
        return;
    }
    if (e->id == l->halts_id && l->halts == STEP_SENT) {
        l->halts = STEP_DONE;
        l->fence = STEP_NEEDED;
    }
    if (e->id == l->window_id && l->window == STEP_SENT) {
        l->window = STEP_DONE;
    }
}

static void take_puback(struct link *l, const struct mqtt_event *e) {
    if (!l->state_in_flight || e->id != l->state_id) {
        return;
    }
    l->state_in_flight = false;
    if (l->state_in_trial) {
        lifecycle_heard(l->life);
    }
}

static void take_event(struct link *l, const struct mqtt_event *e, uint32_t now) {
    switch (e->type) {
    case MQTT_CONNACK:
        take_connack(l, e, now);
        break;
    case MQTT_PUBLISH:
        take_message(l, e, now);
        break;
    case MQTT_PUBACK:
        take_puback(l, e);
        break;
    case MQTT_SUBACK:
        take_suback(l, e);
        break;
    case MQTT_PINGRESP:
        /* Retained messages of a subscription precede the answer to a ping sent behind it. */
        if (l->fence == STEP_SENT) {
            l->fence = STEP_DONE;
            l->life->wish.halt_known = true;
        }
        break;
    case MQTT_UNSUBACK:
        break;
    }
}

void link_receive(struct link *l, const uint8_t *p, size_t n, uint32_t now) {
    struct mqtt_event event;
    int got = 0;
    l->heard_at = now;
    while (!l->drop && l->phase != LINK_DOWN &&
           (got = mqtt_receive(&l->mqtt, &p, &n, &event)) > 0) {
        take_event(l, &event, now);
    }
    if (got < 0) {
        drop(l, "broker does not speak MQTT 3.1.1");
    }
}

/* --- out ------------------------------------------------------------------------------------ */

static void subscribe_inbox(struct link *l) {
    struct topic grant, ack, cert;
    uint16_t id;
    topic_device(&grant, l->host->identity.device, "grant");
    topic_device(&ack, l->host->identity.device, "ack");
    topic_device(&cert, l->host->identity.device, "cert");
    const char *topics[3] = {grant.text, ack.text, cert.text};
    size_t count = l->host->hal.credentials == NULL ? 2 : 3;
    if (mqtt_subscribe(&l->mqtt, topics, count, 1, &id) == 0) {
        l->inbox = STEP_DONE;
    }
}

/* The halts of a fleet it left stay subscribed until the next connection: they match no topic. */
static void subscribe_halts(struct link *l) {
    struct topic halt;
    topic_halt(&halt, l->life->wish.grant.fleet);
    const char *topics[1] = {halt.text};
    if (mqtt_subscribe(&l->mqtt, topics, 1, 1, &l->halts_id) == 0) {
        memcpy(l->fleet, l->life->wish.grant.fleet, sizeof l->fleet);
        l->halts = STEP_SENT;
    }
}

static void raise_fence(struct link *l) {
    if (mqtt_ping(&l->mqtt) == 0) {
        l->fence = STEP_SENT;
    }
}

bool link_has_news(const struct link *l) {
    return l->phase == LINK_ONLINE && (l->say_state || l->life->news);
}

static void ask(struct link *l, uint32_t now) {
    if (l->inbox == STEP_NEEDED) {
        subscribe_inbox(l);
    }
    if (l->halts == STEP_NEEDED) {
        subscribe_halts(l);
    }
    if (l->fence == STEP_NEEDED) {
        raise_fence(l);
    }
    blocks_ask(l, now);
}

static void keep_time(struct link *l, uint32_t now) {
    if (due(now, l->report_at)) {
        l->say_state = true;
        l->say_stats = true;
        l->report_at = now + report_interval(l);
    }
    if (due(now, l->ping_at) && mqtt_ping(&l->mqtt) == 0) {
        l->ping_at = now + ping_delay(l);
    }
    if (due(now, l->heard_at + link_silence(l))) {
        drop(l, "broker is silent");
    }
}

void link_tick(struct link *l, uint32_t now) {
    l->say_state |= l->life->news;
    l->say_stats |= l->life->news && l->life->runner->shadow.count > 0;
    l->life->news = false;
    if (l->phase == LINK_CONNECTING && due(now, l->answer_by)) {
        drop(l, "no answer to CONNECT");
    }
    if (l->phase != LINK_ONLINE || l->drop) {
        return;
    }
    keep_time(l, now);
    ask(l, now);
    report_say(l, now);
}
