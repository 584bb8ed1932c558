#include "stand.h"

#include <string.h>

#include "bytes.h"
#include "choose.h"

#define BLOCK 512u
#define STEPS_MAX 2000

struct nor stand_nor;
struct device stand_device;
uint32_t stand_released, stand_sent_whole;

static uint8_t arena[32768], tx[MQTT_TX_SIZE], rx[MQTT_RX_SIZE], samples[SAMPLES_MEMORY];
static uint32_t now;
static bool resets; /* the device has asked for it */
static struct boot_starts starts;

/* --- files ---------------------------------------------------------------------------------- */

struct release stand_read(enum shelf_kind kind, const char *name) {
    struct release r = {0};
    char path[4096];
    for (int slot = 0; slot < (int)SLOT_COUNT; slot++) {
        snprintf(path, sizeof path, "%s%s", name,
                 kind == SHELF_MODEL ? ""
                 : slot == 0         ? ".a"
                                     : ".b");
        r.image[slot] = read_file(path);
    }
    return r;
}

void stand_free(struct release *r) {
    free(r->image[0].data);
    free(r->image[1].data);
    free(r->patch.data);
}

void stand_provision(const char *path) {
    struct file image = read_file(path);
    CHECK(image.size == NOR_SIZE);
    memcpy(stand_nor.bytes, image.data, NOR_SIZE);
    free(image.data);
}

/* --- broker and gateway --------------------------------------------------------------------- */

static void feed(const uint8_t *p, size_t n) {
    device_receive(&stand_device, p, n, now);
}

static void feed_numbered(uint8_t type, uint16_t id, size_t codes) {
    uint8_t packet[2 + 2 + WINDOW] = {type, (uint8_t)(2 + codes)};
    put_be16(packet + 2, id);
    feed(packet, 4 + codes);
}

static void publish(const char *topic, const uint8_t *payload, size_t n) {
    uint8_t packet[2048];
    size_t size = 2 + strlen(topic) + n, at = 0;
    packet[at++] = 0x30;
    packet[at++] = (uint8_t)(size % 128 | 0x80);
    packet[at++] = (uint8_t)(size / 128);
    put_be16(packet + at, (uint32_t)strlen(topic));
    memcpy(packet + at + 2, topic, strlen(topic));
    memcpy(packet + at + 2 + strlen(topic), payload, n);
    feed(packet, at + size);
}

static void publish_window(const struct release *r) {
    const struct download *d = &stand_device.life.work.download;
    const struct file *source = d->patch ? &r->patch : &r->image[d->slot];
    stand_sent_whole += d->patch ? 0 : d->window_size;
    for (uint32_t i = 0; i < d->window_size; i++) {
        char topic[160], hex[65] = {0};
        uint32_t start = d->window[i] * BLOCK, rest = source->size - start;
        put_hex(hex, d->artefact.digest, SHA256_SIZE);
        snprintf(topic, sizeof topic, "petiole/1/b/%s/%u", hex, d->window[i]);
        publish(topic, source->data + start, rest < BLOCK ? rest : BLOCK);
    }
}

static struct artefact_ref named(const struct file *file) {
    struct artefact_ref ref = {.size = file->size, .block_size = BLOCK};
    sha256(file->data, file->size, ref.digest);
    return ref;
}

/* The grant itself is not the matter here, so it is put in its place. It holds the artefact back
 * until the device has proven it. */
static void grant(enum shelf_kind kind, const struct release *r) {
    struct grant_message *g = &stand_device.life.wish.grant;
    memset(g, 0, sizeof *g);
    strcpy(g->fleet, "default.test");
    g->interval_ms = 1000;
    if (kind == SHELF_FIRMWARE) {
        g->has_firmware = true;
        g->firmware.hold = true;
        g->firmware.linked[0] = named(&r->image[0]);
        g->firmware.linked[1] = named(&r->image[1]);
    } else {
        g->has_artefact = true;
        g->hold = true;
        g->artefact = named(&r->image[0]);
    }
    if (r->patch.size > 0) {
        g->patch.size = r->patch.size;
        sha256(r->patch.data, r->patch.size, g->patch.digest);
        sha256(r->base->image[0].data, r->base->image[0].size, g->patch.base);
    }
    stand_device.life.wish.has_grant = true;
    stand_device.life.wish.halt_known = true;
}

static void connect(void) {
    static const uint8_t connack[4] = {0x20, 2, 0, 0};
    device_link_up(&stand_device, now);
    feed(connack, sizeof connack);
    CHECK(stand_device.link.phase == LINK_ONLINE);
}

static void let_go(void) {
    struct grant_message *g = &stand_device.life.wish.grant;
    if (device_phase(&stand_device) == PHASE_READY && (g->hold || g->firmware.hold)) {
        g->hold = false;
        g->firmware.hold = false;
        stand_released++;
    }
}

/* The gateway answers a state that says "trial" with the grant, once more. */
static void answer_device(const struct release *r) {
    struct link *link = &stand_device.link;
    if (link->window == STEP_SENT) {
        feed_numbered(0x90, link->window_id, stand_device.life.work.download.window_size);
        publish_window(r);
    }
    if (link->state_in_flight) {
        feed_numbered(0x40, link->state_id, 0);
        lifecycle_granted(&stand_device.life, link->said_trial);
    }
    let_go();
}

/* --- the device ----------------------------------------------------------------------------- */

static void reboot(void *ctx) {
    (void)ctx;
    resets = true;
    memset(&starts, 0, sizeof starts);
}

/* What the boot loader and the agent do until the device runs. No flash may leave it without
 * firmware. */
static bool start(void) {
    static const struct device_config config = DEVICE_DEFAULTS;
    struct hal hal = {
        .flash = nor_flash(&stand_nor),
        .tx = tx,
        .rx = rx,
        .samples = samples,
        .arena = arena,
        .arena_size = sizeof arena,
        .firmware_slot = SLOT_NONE,
        .reboot = reboot,
    };
    struct identity identity;
    struct boot_choice choice;
    resets = false;
    CHECK(identity_load(&hal.flash, &identity) == 0);
    if (identity.firmware_size > 0) {
        boot_choose(&hal.flash, &identity, &starts, &choice);
        CHECK(choice.slot != SLOT_NONE);
        hal.firmware_slot = choice.slot;
    }
    if (nor_dead(&stand_nor)) {
        return false;
    }
    int error = device_init(&stand_device, &hal, &config, now);
    CHECK(error == 0 || nor_dead(&stand_nor));
    return error == 0 && !nor_dead(&stand_nor);
}

bool stand_power(uint32_t cut, uint32_t part) {
    nor_power(&stand_nor, cut, part);
    memset(&starts, 0, sizeof starts);
    return start();
}

bool stand_runs(enum shelf_kind kind, const struct release *r) {
    const uint8_t *running =
        kind == SHELF_MODEL ? device_model(&stand_device) : device_firmware(&stand_device);
    for (int slot = 0; slot < (int)SLOT_COUNT; slot++) {
        struct artefact_ref ref = named(&r->image[slot]);
        if (running != NULL && memcmp(running, ref.digest, SHA256_SIZE) == 0) {
            return true;
        }
    }
    return false;
}

static bool settled(void) {
    enum phase phase = device_phase(&stand_device);
    return phase == PHASE_IDLE || phase == PHASE_CONFIRMED || phase == PHASE_FAILED ||
           phase == PHASE_ROLLEDBACK;
}

static void step(const struct release *r) {
    static const uint8_t input[64] = {7};
    uint8_t answer[ANSWER_SIZE];
    size_t n;
    now += 20;
    device_tick(&stand_device, now);
    (void)device_output(&stand_device, &n);
    device_sent(&stand_device, n);
    answer_device(r);
    device_input(&stand_device, input, sizeof input, answer);
}

static bool is_over(enum shelf_kind kind, const struct release *r) {
    enum phase phase = device_phase(&stand_device);
    bool given_up = phase == PHASE_FAILED || phase == PHASE_ROLLEDBACK;
    return !resets && settled() && (given_up || stand_runs(kind, r));
}

static void go_on(enum shelf_kind kind, const struct release *r) {
    connect();
    grant(kind, r);
}

void stand_update(enum shelf_kind kind, const struct release *r) {
    go_on(kind, r);
    for (int i = 0; i < STEPS_MAX && !nor_dead(&stand_nor); i++) {
        step(r);
        if (resets && !nor_dead(&stand_nor) && start()) {
            go_on(kind, r);
        }
        if (!nor_dead(&stand_nor) && is_over(kind, r)) {
            return;
        }
    }
    CHECK(nor_dead(&stand_nor));
}
