/* An update is cut off at every flash operation, and again while it recovers. Whatever happens, the
 * device has firmware that starts and a proven model that answers, and it ends with what was
 * granted; a model may be given up instead, for a reason, when its trial was cut off.
 *
 * Usage: test_cuts KIND PARTS AGAIN RECORDS FLASH MODEL FIRST OLD NEW [PATCH]
 * KIND is model or firmware: what is updated. PARTS, 1 to 5: of the operation at which the power
 * fails, so many of a half, nothing, all and the other quarters are tried; AGAIN: the same of a
 * second cut, or 0. RECORDS of the journal are there before: with nearly a sector full, the update
 * begins the next one; and their numbers are about to wrap.
 * FLASH is provisioned; the device takes MODEL, FIRST, OLD, and then NEW, which goes to the slot of
 * FIRST. PATCH is what the grant says makes NEW of OLD. */
#include <string.h>

#include "bytes.h"
#include "stand.h"

#define RECORDS_A_SECTOR 32u
#define RECORD_SIZE 128u

static const uint32_t PARTS[5] = {2, 0, 4, 1, 3};

static enum shelf_kind kind;
static uint32_t runs;
static struct release model, first, old, new;
static uint32_t floors[2]; /* of OLD and of NEW */

static const struct journal_record *record(void) {
    return &stand_device.life.shelf[kind].record;
}

static bool is_given_up(void) {
    return kind == SHELF_MODEL && device_phase(&stand_device) == PHASE_ROLLEDBACK &&
           device_reason(&stand_device) == REASON_TRIAL_EXPIRED && stand_runs(kind, &old);
}

/* Power is back for good. */
static void end_well(void) {
    CHECK(stand_power(NOR_NEVER, 0));
    CHECK(stand_runs(kind, &old) || stand_runs(kind, &new));
    CHECK(device_model(&stand_device) != NULL);
    CHECK(kind == SHELF_FIRMWARE || record()->trial == SLOT_NONE);
    stand_update(kind, &new);
    bool updated = stand_runs(kind, &new) && record()->trial == SLOT_NONE;
    CHECK(updated || is_given_up());
    CHECK(record()->floor == floors[updated ? 1 : 0]);
    CHECK(device_model(&stand_device) != NULL);
}

/* All cuts of what happens from the flash `before` on, and those of what happens after each. */
static void sweep(const uint8_t *before, uint32_t parts, uint32_t again) {
    uint8_t *after = malloc(NOR_SIZE);
    bool cut = true;
    CHECK(after != NULL);
    for (uint32_t operation = 0; cut; operation++) {
        for (uint32_t i = 0; i < parts && cut; i++) {
            memcpy(stand_nor.bytes, before, NOR_SIZE);
            if (stand_power(operation, PARTS[i])) {
                stand_update(kind, &new);
            }
            cut = nor_dead(&stand_nor);
            memcpy(after, stand_nor.bytes, NOR_SIZE);
            end_well();
            runs++;
            if (cut && again > 0) {
                sweep(after, again, 0);
            }
        }
    }
    free(after);
}

/* The journal goes on as it is, until its newest record is the `count`-th of its sector. */
static void fill_journal(uint32_t count) {
    struct flash flash = nor_flash(&stand_nor);
    struct shelf *s = &stand_device.life.shelf[kind];
    while (s->record.sequence % RECORDS_A_SECTOR != count % RECORDS_A_SECTOR) {
        CHECK(shelf_save(s, &flash) == REASON_NONE);
    }
}

/* Gives the newest record another number and spoils the older ones: as if it had come so far. */
static void number_journal(uint32_t number) {
    uint32_t at = stand_device.life.shelf[kind].places.journal;
    uint32_t place = (record()->sequence - 1) % (2 * RECORDS_A_SECTOR);
    uint8_t *p = stand_nor.bytes + at + place * RECORD_SIZE;
    for (uint32_t i = 0; i < 2 * RECORDS_A_SECTOR; i++) {
        uint8_t *other = stand_nor.bytes + at + i * RECORD_SIZE;
        *other = i == place || *other == 0xFF ? *other : 0;
    }
    put_le32(p + 4, number);
    put_le32(p + RECORD_SIZE - 4, crc32(p, RECORD_SIZE - 4));
}

static void take(enum shelf_kind which, const struct release *r) {
    stand_update(which, r);
    CHECK(stand_runs(which, r) && stand_device.life.shelf[which].record.trial == SLOT_NONE);
}

static void prepare(uint32_t records) {
    CHECK(stand_power(NOR_NEVER, 0));
    take(SHELF_MODEL, &model);
    take(kind, &first);
    take(kind, &old);
    floors[0] = record()->floor;
    if (records > 0) {
        fill_journal(records);
        number_journal(UINT32_MAX - 2);
    }
}

int main(int argc, char **argv) {
    static uint8_t before[NOR_SIZE];
    CHECK(argc == 10 || argc == 11);
    kind = strcmp(argv[1], "firmware") == 0 ? SHELF_FIRMWARE : SHELF_MODEL;
    uint32_t parts = (uint32_t)atoi(argv[2]), again = (uint32_t)atoi(argv[3]);
    CHECK(parts >= 1 && parts <= 5 && again <= 5);
    stand_provision(argv[5]);
    model = stand_read(SHELF_MODEL, argv[6]);
    first = stand_read(kind, argv[7]);
    old = stand_read(kind, argv[8]);
    new = stand_read(kind, argv[9]);
    if (argc == 11) {
        new.patch = read_file(argv[10]);
        new.base = &old;
    }
    prepare((uint32_t)atoi(argv[4]));
    memcpy(before, stand_nor.bytes, NOR_SIZE);

    stand_released = 0;
    stand_sent_whole = 0;
    CHECK(stand_power(NOR_NEVER, 0));
    take(kind, &new);
    floors[1] = record()->floor;
    uint32_t operations = stand_nor.operations, blocks = stand_sent_whole;
    CHECK(stand_released == 1 && floors[1] > floors[0]);

    sweep(before, parts, again);
    printf("cuts: %u operations, %u blocks, %u runs\n", operations, blocks, runs);
    stand_free(&model);
    stand_free(&first);
    stand_free(&old);
    stand_free(&new);
    return 0;
}
