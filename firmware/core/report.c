#include "report.h"

#include <string.h>

#include "device.h"
#include "topics.h"

#define CBOR_TRUE 0xF5
#define STATE_MAX 512u
#define STATS_MAX 768u
#define SAMPLE_MAX (SAMPLE_INPUT_MAX + 64u)

_Static_assert(SAMPLE_MAX + TOPIC_MAX + 64u <= MQTT_TX_SIZE, "a sample fits the send buffer");

static void say_online(struct device *d) {
    static const uint8_t online[1] = {CBOR_TRUE};
    struct topic topic;
    uint16_t id;
    topic_device(&topic, d->identity.device, "online");
    struct mqtt_message m = {topic.text, online, sizeof online, 1, true};
    if (mqtt_publish(&d->link.mqtt, &m, &id) == 0) {
        d->link.say_online = false;
    }
}

static struct state_report state_of(const struct device *d) {
    const struct slot_record *slots = d->record.slot;
    uint8_t active = device_active_slot(d);
    uint8_t other = active == 0 ? 1 : 0;
    return (struct state_report){
        .boot = d->record.boots,
        .sequence = d->sequence,
        .phase = d->phase,
        .reason = d->reason,
        .active = device_active_digest(d),
        .target = device_has_target(d) ? d->target.digest : NULL,
        .standby = slots[other].size != 0 ? slots[other].digest : NULL,
        .attempt = device_has_target(d) ? d->attempt : 0,
        .got = d->phase == PHASE_DOWNLOADING ? d->download.got : 0,
        .total = d->phase == PHASE_DOWNLOADING ? d->download.total : 0,
        .floor = d->record.floor,
        .caps = {d->identity.target, AGENT_VERSION, d->identity.slot_size, d->identity.arena_size,
                 NN_ABI, NN_OPS, 0, BLOCK_SIZE_MAX},
    };
}

static void say_state(struct device *d) {
    uint8_t payload[STATE_MAX];
    struct topic topic;
    d->sequence++;
    struct state_report report = state_of(d);
    int size = state_encode(payload, sizeof payload, &report);
    topic_device(&topic, d->identity.device, "state");
    struct mqtt_message m = {topic.text, payload, (size_t)size, 1, true};
    if (size > 0 && mqtt_publish(&d->link.mqtt, &m, &d->link.state_id) == 0) {
        d->link.say_state = false;
        d->link.state_in_flight = true;
        d->link.state_in_trial = d->phase == PHASE_TRIAL;
    }
}

static void say_stats(struct device *d) {
    uint8_t payload[STATS_MAX];
    struct topic topic;
    uint16_t id;
    d->link.say_stats = false;
    if (!d->has_model) {
        return;
    }
    d->sequence++;
    struct stats_report report = {
        .boot = d->record.boots,
        .sequence = d->sequence,
        .artefact = device_active_digest(d),
        .stats = &d->stats,
        .classes = d->model.nn.out_len,
        .timed = d->hal.micros != NULL,
        .reference = d->model.reference,
    };
    int size = stats_encode(payload, sizeof payload, &report);
    topic_device(&topic, d->identity.device, "stats");
    struct mqtt_message m = {topic.text, payload, (size_t)size, 0, false};
    if (size > 0 && mqtt_publish(&d->link.mqtt, &m, &id) != 0) {
        d->link.say_stats = true;
    }
}

static void say_sample(struct device *d, uint32_t now) {
    uint8_t payload[SAMPLE_MAX];
    struct topic topic;
    uint16_t id;
    struct sampled *sample = samples_due(&d->samples, now);
    if (sample == NULL) {
        return;
    }
    int size = sample_encode(payload, sizeof payload, sample);
    topic_sample(&topic, d->identity.device, sample->hash);
    struct mqtt_message m = {topic.text, payload, (size_t)size, 0, false};
    if (size > 0 && mqtt_publish(&d->link.mqtt, &m, &id) == 0) {
        samples_sent(sample, now);
    }
}

void report_say(struct device *d, uint32_t now) {
    struct link *l = &d->link;
    if (l->say_online) {
        say_online(d);
    }
    if (l->say_state && !l->state_in_flight) {
        say_state(d);
    }
    if (l->say_stats) {
        say_stats(d);
    }
    say_sample(d, now);
}
