/* A whole device and a gateway that may say anything at any time: grants, halts, blocks, answers,
 * silence. The input is a list of steps: what, how many bytes, the bytes. */
#include "bytes.h"
#include "device.h"
#include "fuzz_memory.h"

#define FLASH_SIZE 0xA000u
#define IDENTITY_SIZE 316u
#define ARENA_SIZE 1024u
#define STEPS_MAX 24u

enum step_kind { GRANT, HALT, ACK, BLOCK, PACKET, INPUT, TIME, LINK, STEP_KINDS };

struct world {
    uint8_t flash[FLASH_SIZE];
    uint8_t arena[ARENA_SIZE];
    struct device device;
    uint32_t now;
};

static void provision(uint8_t *p) {
    memset(p, 0, IDENTITY_SIZE);
    put_le32(p, 0x44495450u);
    p[4] = 2;
    p[8] = p[72] = p[136] = p[200] = 'x'; /* device, user, password, target */
    p[232] = 1;                           /* a key */
    put_le32(p + 296, SECTOR_SIZE);       /* a model slot */
    put_le32(p + 300, ARENA_SIZE);
    put_le32(p + 308, 0x6000u); /* no room for firmware slots, but for their journal */
    put_le32(p + IDENTITY_SIZE, crc32(p, IDENTITY_SIZE));
}

static void connect(struct world *w) {
    static const uint8_t connack[4] = {0x20, 2, 0, 0};
    device_link_up(&w->device, w->now);
    device_receive(&w->device, connack, sizeof connack, w->now);
}

/* What the device said is on its way; a broker acknowledges all that it may have asked. */
static void answer(struct world *w) {
    size_t n;
    (void)device_output(&w->device, &n);
    device_sent(&w->device, n);
    for (uint16_t id = 1; id < 4; id++) {
        uint8_t puback[4] = {0x40, 2, 0, (uint8_t)id}, suback[5] = {0x90, 3, 0, (uint8_t)id, 0};
        device_receive(&w->device, puback, sizeof puback, w->now);
        device_receive(&w->device, suback, sizeof suback, w->now);
    }
    static const uint8_t pingresp[2] = {0xD0, 0};
    device_receive(&w->device, pingresp, sizeof pingresp, w->now);
}

static void publish(struct world *w, const char *topic, const uint8_t *p, size_t n) {
    uint8_t packet[4 + 160 + 256];
    size_t length = strlen(topic), size = 2 + length + n;
    packet[0] = 0x30;
    packet[1] = (uint8_t)(size % 128 | 0x80);
    packet[2] = (uint8_t)(size / 128);
    put_be16(packet + 3, (uint32_t)length);
    memcpy(packet + 5, topic, length);
    memcpy(packet + 5 + length, p, n);
    device_receive(&w->device, packet, 3 + size, w->now);
}

static void publish_block(struct world *w, const uint8_t *p, size_t n) {
    char topic[160] = "petiole/1/b/";
    const uint8_t *target = device_target(&w->device);
    if (target == NULL || n == 0) {
        return;
    }
    put_hex(topic + 12, target, 32);
    snprintf(topic + 76, sizeof topic - 76, "/%u", p[0]);
    publish(w, topic, p + 1, n - 1);
}

static void step(struct world *w, enum step_kind kind, const uint8_t *p, size_t n) {
    uint8_t said[ANSWER_SIZE];
    switch (kind) {
    case GRANT:
        publish(w, "petiole/1/d/x/grant", p, n);
        break;
    case HALT:
        publish(w, "petiole/1/f/a.b/halt", p, n);
        break;
    case ACK:
        publish(w, "petiole/1/d/x/ack", p, n);
        break;
    case BLOCK:
        publish_block(w, p, n);
        break;
    case PACKET:
        device_receive(&w->device, p, n, w->now);
        break;
    case INPUT:
        device_input(&w->device, p, (uint32_t)n, said);
        break;
    case TIME:
        w->now += n > 1 ? get_le16(p) * 10u : 1u;
        break;
    default:
        device_link_down(&w->device, w->now);
        connect(w);
        break;
    }
    device_tick(&w->device, w->now);
    answer(w);
    REQUIRE(device_wait(&w->device, w->now) <= 60000u);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const struct device_config config = DEVICE_DEFAULTS;
    struct world *w = malloc(sizeof *w);
    REQUIRE(w != NULL);
    memset(w->flash, 0xFF, FLASH_SIZE);
    provision(w->flash);
    w->now = 0;
    struct memory memory = {w->flash, FLASH_SIZE};
    static uint8_t tx[MQTT_TX_SIZE], rx[MQTT_RX_SIZE], samples[SAMPLES_MEMORY];
    const struct hal hal = {
        .flash = memory_flash(&memory),
        .tx = tx,
        .rx = rx,
        .samples = samples,
        .arena = w->arena,
        .arena_size = ARENA_SIZE,
        .firmware_slot = SLOT_NONE,
    };
    REQUIRE(device_init(&w->device, &hal, &config, 0) == 0);
    connect(w);
    for (uint32_t i = 0; i < STEPS_MAX && size >= 2; i++) {
        size_t n = data[1] < size - 2 ? data[1] : size - 2;
        step(w, (enum step_kind)(data[0] % STEP_KINDS), data + 2, n);
        data += 2 + n;
        size -= 2 + n;
    }
    free(w);
    return 0;
}
