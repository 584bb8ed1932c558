#include "report.h"

#include <string.h>

#include "topics.h"

#define AGENT_VERSION "petiole-agent 0.1.0"
#define CBOR_TRUE 0xF5
#define STATE_MAX 512u
#define STATS_MAX 768u
#define REQUEST_MAX 384u
#define SAMPLE_MAX (SAMPLE_INPUT_MAX + 64u)

_Static_assert(SAMPLE_MAX + TOPIC_MAX + 64u <= MQTT_TX_SIZE, "a sample fits the send buffer");

static void say_online(struct link *l) {
    static const uint8_t online[1] = {CBOR_TRUE};
    struct topic topic;
    uint16_t id;
    topic_device(&topic, l->host->identity.device, "online");
    struct mqtt_message m = {topic.text, online, sizeof online, 1, true};
    if (mqtt_publish(&l->mqtt, &m, &id) == 0) {
        l->say_online = false;
    }
}

/* Of a device with firmware slots. */
static void add_firmware(struct state_report *r, const struct link *l) {
    const struct shelf *s = &l->life->shelf[SHELF_FIRMWARE];
    uint8_t active = shelf_active_slot(s);
    if (s->places.slot_size > 0) {
        r->caps.firmware = s->places.slot_size;
        r->firmware = shelf_digest(s, active);
        r->firmware_standby = shelf_digest(s, active == 0 ? 1 : 0);
        r->firmware_floor = s->record.floor;
    }
}

static struct state_report state_of(const struct link *l) {
    const struct identity *id = &l->host->identity;
    const struct work *work = &l->life->work;
    const struct shelf *models = &l->life->shelf[SHELF_MODEL];
    bool fetching = work->phase == PHASE_DOWNLOADING, busy = lifecycle_has_target(l->life);
    struct state_report r = {
        .boot = models->record.boots,
        .sequence = l->sequence,
        .phase = work->phase,
        .reason = work->reason,
        .active = lifecycle_model(l->life),
        .target = busy ? work->target.digest : NULL,
        .standby = shelf_digest(models, shelf_active_slot(models) == 0 ? 1 : 0),
        .attempt = busy ? work->attempt : 0,
        .got = fetching ? work->download.got : 0,
        .total = fetching ? work->download.total : 0,
        .floor = models->record.floor,
        .caps = {id->target, AGENT_VERSION, id->slot_size, id->arena_size, NN_ABI, NN_OPS, 0,
                 BLOCK_SIZE_MAX},
        .crash = l->host->hal.crash,
        .score = work->phase == PHASE_SHADOW ? l->life->runner->shadow.count : 0,
    };
    add_firmware(&r, l);
    return r;
}

static void say_state(struct link *l) {
    uint8_t payload[STATE_MAX];
    struct topic topic;
    l->sequence++;
    struct state_report report = state_of(l);
    int size = state_encode(payload, sizeof payload, &report);
    topic_device(&topic, l->host->identity.device, "state");
    struct mqtt_message m = {topic.text, payload, (size_t)size, 1, true};
    if (size > 0 && mqtt_publish(&l->mqtt, &m, &l->state_id) == 0) {
        l->say_state = false;
        l->state_in_flight = true;
        l->state_in_trial = l->life->work.phase == PHASE_TRIAL;
        l->said_trial |= l->state_in_trial;
    }
}

/* Of an anomaly model: normal and alarm. */
static uint32_t classes_of(const struct model *m) {
    return m->anomaly.task == TASK_CLASSES ? m->nn.out_len : 2;
}

static void say_stats(struct link *l) {
    uint8_t payload[STATS_MAX];
    struct topic topic;
    uint16_t id;
    const struct runner *runner = l->life->runner;
    l->say_stats = false;
    if (!runner->has_model) {
        return;
    }
    l->sequence++;
    struct stats_report report = {
        .boot = l->life->shelf[SHELF_MODEL].record.boots,
        .sequence = l->sequence,
        .artefact = lifecycle_model(l->life),
        .stats = &runner->stats,
        .classes = classes_of(&runner->model),
        .timed = l->host->hal.micros != NULL,
        .reference = runner->model.reference,
        .shadow = runner->shadow.count > 0 ? &runner->shadow : NULL,
    };
    int size = stats_encode(payload, sizeof payload, &report);
    topic_device(&topic, l->host->identity.device, "stats");
    struct mqtt_message m = {topic.text, payload, (size_t)size, 0, false};
    if (size > 0 && mqtt_publish(&l->mqtt, &m, &id) != 0) {
        l->say_stats = true;
    }
}

static void say_sample(struct link *l, uint32_t now) {
    uint8_t payload[SAMPLE_MAX];
    struct topic topic;
    uint16_t id;
    struct sampled *sample = samples_due(l->samples, now);
    if (sample == NULL) {
        return;
    }
    int size = sample_encode(payload, sizeof payload, sample);
    topic_sample(&topic, l->host->identity.device, sample->hash);
    struct mqtt_message m = {topic.text, payload, (size_t)size, 0, false};
    if (size > 0 && mqtt_publish(&l->mqtt, &m, &id) == 0) {
        samples_sent(sample, now);
    }
}

static void say_request(struct link *l, uint32_t now) {
    const struct credentials *own = l->host->hal.credentials;
    uint8_t payload[REQUEST_MAX];
    struct topic topic;
    uint16_t id;
    if (own == NULL || !own->is_due(now)) {
        return;
    }
    uint32_t size = own->request(l->host->identity.device, payload, sizeof payload);
    topic_device(&topic, l->host->identity.device, "csr");
    struct mqtt_message m = {topic.text, payload, size, 1, false};
    if (size == 0 || mqtt_publish(&l->mqtt, &m, &id) == 0) {
        own->asked(now);
    }
}

void report_say(struct link *l, uint32_t now) {
    if (l->say_online) {
        say_online(l);
    }
    if (l->say_state && !l->state_in_flight) {
        say_state(l);
    }
    if (l->say_stats) {
        say_stats(l);
    }
    say_sample(l, now);
    say_request(l, now);
}
