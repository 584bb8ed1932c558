/* A flash that says anything: identity, both journals, download maps. A checksum protects from
 * accidents, not from the device's own faults, so here all checksums fit. The device starts from
 * it, and its boot loader does, or both refuse. */
#include "bytes.h"
#include "choose.h"
#include "device.h"
#include "fuzz_memory.h"

#define FLASH_SIZE 0xC000u
#define IDENTITY_SIZE 316u
#define RECORD_SIZE 128u
#define ARENA_SIZE 4096u

static void seal_identity(uint8_t *p) {
    put_le32(p, 0x44495450u);
    p[4] = 2;
    p[5] = 0;
    put_le32(p + IDENTITY_SIZE, crc32(p, IDENTITY_SIZE));
}

/* Of a journal of two sectors. */
static void seal_records(uint8_t *p) {
    for (uint32_t at = 0; at < 2 * SECTOR_SIZE; at += RECORD_SIZE) {
        if (p[at] == 0x4A && p[at + 1] == 0x32) {
            put_le32(p + at + RECORD_SIZE - 4, crc32(p + at, RECORD_SIZE - 4));
        }
    }
}

/* Four records a sector say as much as thirty. */
static size_t spread(uint8_t *flash, uint32_t at, const uint8_t *data, size_t size) {
    size_t used = 0;
    for (uint32_t i = 0; i < 8 && used < size; i++) {
        uint32_t place = at + i / 4 * SECTOR_SIZE + i % 4 * RECORD_SIZE;
        size_t n = size - used < RECORD_SIZE ? size - used : RECORD_SIZE;
        memcpy(flash + place, data + used, n);
        used += n;
    }
    seal_records(flash + at);
    return used;
}

static void fill(uint8_t *flash, const uint8_t *data, size_t size) {
    size_t n = size < IDENTITY_SIZE ? size : IDENTITY_SIZE;
    memcpy(flash, data, n);
    seal_identity(flash);
    data += n, size -= n;
    n = spread(flash, JOURNAL_OFFSET, data, size);
    data += n, size -= n;
    uint32_t firmware = get_le32(flash + 308);
    if (firmware >= SLOTS_OFFSET && firmware <= FLASH_SIZE - 2 * SECTOR_SIZE) {
        n = spread(flash, firmware, data, size);
        data += n, size -= n;
    }
    n = size < 512 ? size : 512;
    memcpy(flash + DOWNLOAD_OFFSET, data, n);
}

static void reboot(void *ctx) {
    (void)ctx;
}

static void start(const struct flash *flash, uint8_t *arena) {
    static const struct device_config config = DEVICE_DEFAULTS;
    static uint8_t tx[MQTT_TX_SIZE], rx[MQTT_RX_SIZE], samples[SAMPLES_MEMORY];
    struct hal hal = {
        .flash = *flash,
        .tx = tx,
        .rx = rx,
        .samples = samples,
        .arena = arena,
        .arena_size = ARENA_SIZE,
        .firmware_slot = 0,
        .reboot = reboot,
    };
    struct identity identity;
    struct boot_choice choice;
    struct boot_starts starts = {0};
    static struct device device;
    uint8_t answer[ANSWER_SIZE];
    if (identity_load(flash, &identity) != 0) {
        return;
    }
    if (identity.firmware_size > 0) {
        boot_choose(flash, &identity, &starts, &choice);
        REQUIRE(choice.slot == SLOT_NONE || choice.slot < SLOT_COUNT);
    }
    if (device_init(&device, &hal, &config, 0) == 0) {
        device_tick(&device, 10);
        device_input(&device, arena, 16, answer);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint8_t *base = malloc(FLASH_SIZE), *arena = malloc(ARENA_SIZE);
    REQUIRE(base != NULL && arena != NULL);
    memset(base, 0xFF, FLASH_SIZE);
    memset(arena, 0, ARENA_SIZE);
    fill(base, data, size);
    struct memory memory = {base, FLASH_SIZE};
    const struct flash flash = memory_flash(&memory);
    start(&flash, arena);
    free(arena);
    free(base);
    return 0;
}
