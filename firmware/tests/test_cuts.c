/* An update is cut off at every flash operation, and again while it recovers. Whatever happens, the
 * device answers with a proven model, and ends with the new one or with the old one and a reason.
 *
 * Usage: test_cuts FLASH FIRST OLD NEW [PATCH]: a provisioned flash image and three artefacts.
 * FIRST is what the slot holds that NEW goes to; PATCH is what the grant says makes NEW of OLD. */
#include <string.h>

#include "bytes.h"
#include "check.h"
#include "device.h"
#include "nor.h"

#define BLOCK 512u
#define STEPS_MAX 2000

static struct nor nor;
static struct device device;
static uint8_t arena[32768], tx[MQTT_TX_SIZE], rx[MQTT_RX_SIZE], samples[SAMPLES_MEMORY];
static uint32_t now, releases;
static struct file old_artefact, new_artefact, patch;
static uint32_t whole_blocks; /* of an artefact itself that the broker sent */

/* --- a broker that has every block and answers at once -------------------------------------- */

static void feed(const uint8_t *p, size_t n) {
    device_receive(&device, p, n, now);
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

static void publish_window(const struct file *artefact) {
    const struct file *source = device.life.work.download.patch ? &patch : artefact;
    whole_blocks += source == artefact ? device.life.work.download.window_size : 0;
    for (uint32_t i = 0; i < device.life.work.download.window_size; i++) {
        char topic[160], hex[65] = {0};
        uint32_t number = device.life.work.download.window[i], start = number * BLOCK;
        uint32_t rest = source->size - start;
        put_hex(hex, device.life.work.download.artefact.digest, SHA256_SIZE);
        snprintf(topic, sizeof topic, "petiole/1/b/%s/%u", hex, number);
        publish(topic, source->data + start, rest < BLOCK ? rest : BLOCK);
    }
}

/* The grant itself is not the matter here, so it is put in its place. It holds the artefact back
 * until the device has proven it. */
static void grant(const struct file *artefact) {
    struct grant_message *g = &device.life.wish.grant;
    memset(g, 0, sizeof *g);
    strcpy(g->fleet, "default.test");
    g->interval_ms = 1000;
    g->has_artefact = true;
    g->hold = true;
    g->artefact.size = artefact->size;
    g->artefact.block_size = BLOCK;
    sha256(artefact->data, artefact->size, g->artefact.digest);
    if (artefact == &new_artefact && patch.size > 0) {
        g->patch.size = patch.size;
        sha256(patch.data, patch.size, g->patch.digest);
        sha256(old_artefact.data, old_artefact.size, g->patch.base);
    }
    device.life.wish.has_grant = true;
    device.life.wish.halt_known = true;
}

static void connect(void) {
    static const uint8_t connack[4] = {0x20, 2, 0, 0};
    device_link_up(&device, now);
    feed(connack, sizeof connack);
    CHECK(device.link.phase == LINK_ONLINE);
}

static void answer_device(const struct file *artefact) {
    if (device.link.window == STEP_SENT) {
        feed_numbered(0x90, device.link.window_id, device.life.work.download.window_size);
        publish_window(artefact);
    }
    if (device.link.state_in_flight) {
        feed_numbered(0x40, device.link.state_id, 0);
    }
}

/* --- the device ----------------------------------------------------------------------------- */

static struct hal test_hal(void) {
    return (struct hal){
        .flash = nor_flash(&nor),
        .tx = tx,
        .rx = rx,
        .samples = samples,
        .arena = arena,
        .arena_size = sizeof arena,
        .firmware_slot = SLOT_NONE,
    };
}

static void boot(void) {
    static const struct device_config config = DEVICE_DEFAULTS;
    struct hal hal = test_hal();
    CHECK(device_init(&device, &hal, &config, now) == 0);
}

static bool runs(const struct file *artefact) {
    uint8_t digest[SHA256_SIZE];
    sha256(artefact->data, artefact->size, digest);
    return device_model(&device) != NULL && memcmp(device_model(&device), digest, SHA256_SIZE) == 0;
}

static bool settled(void) {
    return device_phase(&device) == PHASE_CONFIRMED || device_phase(&device) == PHASE_FAILED ||
           device_phase(&device) == PHASE_ROLLEDBACK;
}

static void step(const struct file *artefact) {
    static const uint8_t input[64] = {7};
    uint8_t answer[ANSWER_SIZE];
    size_t n;
    now += 20;
    device_tick(&device, now);
    (void)device_output(&device, &n);
    device_sent(&device, n);
    answer_device(artefact);
    if (device_phase(&device) == PHASE_READY && device.life.wish.grant.hold) {
        device.life.wish.grant.hold = false;
        releases++;
    }
    device_input(&device, input, sizeof input, answer);
}

/* Brings the artefact to its end, or to the power cut. */
static void update(const struct file *artefact) {
    connect();
    grant(artefact);
    for (int i = 0; i < STEPS_MAX && !nor_dead(&nor); i++) {
        step(artefact);
        if (settled() && (device_phase(&device) != PHASE_CONFIRMED || runs(artefact))) {
            return;
        }
    }
    CHECK(nor_dead(&nor));
}

/* Power comes back, perhaps to fail again. Returns false when it fails before the start is over. */
static bool reboot(uint32_t cut, uint32_t part) {
    static const struct device_config config = DEVICE_DEFAULTS;
    struct hal hal = test_hal();
    nor_power(&nor, cut, part);
    int error = device_init(&device, &hal, &config, now);
    CHECK(error == 0 || nor_dead(&nor));
    return error == 0;
}

static void end_well(void) {
    CHECK(reboot(NOR_NEVER, 0));
    CHECK(runs(&old_artefact) || runs(&new_artefact));
    CHECK(device.life.shelf[SHELF_MODEL].record.trial == SLOT_NONE); /* nothing is on trial */
    update(&new_artefact);
    bool updated = device_phase(&device) == PHASE_CONFIRMED && runs(&new_artefact);
    bool kept = device_phase(&device) == PHASE_ROLLEDBACK &&
                device_reason(&device) == REASON_TRIAL_EXPIRED && runs(&old_artefact);
    CHECK(updated || kept);
    CHECK(device.life.shelf[SHELF_MODEL].record.floor == (updated ? 2u : 1u));
}

int main(int argc, char **argv) {
    static uint8_t before[NOR_SIZE], after_first[NOR_SIZE];
    CHECK(argc == 5 || argc == 6);
    struct file image = read_file(argv[1]);
    struct file first_artefact = read_file(argv[2]);
    old_artefact = read_file(argv[3]);
    new_artefact = read_file(argv[4]);
    if (argc == 6) {
        patch = read_file(argv[5]);
    }
    CHECK(image.size == NOR_SIZE);
    memcpy(nor.bytes, image.data, NOR_SIZE);
    free(image.data);
    nor_power(&nor, NOR_NEVER, 0);
    boot();
    update(&first_artefact);
    CHECK(device_phase(&device) == PHASE_CONFIRMED && runs(&first_artefact));
    update(&old_artefact);
    CHECK(device_phase(&device) == PHASE_CONFIRMED && runs(&old_artefact));
    memcpy(before, nor.bytes, NOR_SIZE);

    nor_power(&nor, NOR_NEVER, 0);
    boot();
    whole_blocks = 0;
    update(&new_artefact);
    uint32_t fetched = whole_blocks;
    CHECK(device_phase(&device) == PHASE_CONFIRMED && runs(&new_artefact));
    uint32_t operations = nor.operations, runs_done = 0;
    CHECK(releases == 3); /* each of the three waited for its release */

    for (uint32_t cut = 0; cut < operations; cut++) {
        for (uint32_t part = 0; part <= 4; part += 2) {
            memcpy(nor.bytes, before, NOR_SIZE);
            if (reboot(cut, part)) {
                update(&new_artefact);
            }
            CHECK(nor_dead(&nor));
            memcpy(after_first, nor.bytes, NOR_SIZE);
            end_well();
            for (uint32_t again = 0; again < operations; again++, runs_done++) {
                memcpy(nor.bytes, after_first, NOR_SIZE);
                if (reboot(again, 2)) {
                    update(&new_artefact);
                }
                end_well();
            }
        }
    }
    printf("cuts: %u operations, %u blocks, %u runs with two cuts\n", operations, fetched,
           runs_done);
    free(first_artefact.data);
    free(old_artefact.data);
    free(new_artefact.data);
    free(patch.data);
    return 0;
}
