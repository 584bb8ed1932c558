#include "journal.h"

#include <stdbool.h>
#include <string.h>

#include "bytes.h"
#include "status.h"

#define MAGIC 0x324Au /* "J2": the second layout; the first, without attempts, is not read */
#define SECTORS 2u
#define RECORD_SIZE 128u
#define RECORDS (SECTOR_SIZE / RECORD_SIZE)

enum {
    AT_MAGIC = 0,
    AT_ATTEMPT = 2,
    AT_SEQUENCE = 4,
    AT_BOOTS = 8,
    AT_FLOOR = 12,
    AT_CONFIRMED = 16,
    AT_TRIAL = 17,
    AT_REASON = 18,
    AT_PHASE = 19, /* low four bits; the high ones are boots_left */
    AT_SLOTS = 20,
    SLOT_RECORD_SIZE = SHA256_SIZE + 4,
    AT_REFUSED = AT_SLOTS + 2 * SLOT_RECORD_SIZE,
    AT_CRC = AT_REFUSED + SHA256_SIZE,
};

_Static_assert(AT_CRC + 4 == RECORD_SIZE, "a record fills its place");

static uint32_t place(uint32_t at, uint32_t sector, uint32_t index) {
    return at + sector * SECTOR_SIZE + index * RECORD_SIZE;
}

static bool valid(const uint8_t *p) {
    return get_le16(p + AT_MAGIC) == MAGIC && get_le32(p + AT_CRC) == crc32(p, AT_CRC);
}

static bool blank(const uint8_t *p) {
    for (uint32_t i = 0; i < RECORD_SIZE; i++) {
        if (p[i] != 0xFF) {
            return false;
        }
    }
    return true;
}

static void pack(const struct journal_record *r, uint8_t p[RECORD_SIZE]) {
    put_le32(p + AT_MAGIC, MAGIC | (uint32_t)r->attempt << 16);
    put_le32(p + AT_SEQUENCE, r->sequence);
    put_le32(p + AT_BOOTS, r->boots);
    put_le32(p + AT_FLOOR, r->floor);
    p[AT_CONFIRMED] = r->confirmed;
    p[AT_TRIAL] = r->trial;
    p[AT_REASON] = r->refused_reason;
    p[AT_PHASE] = (uint8_t)(r->refused_phase | r->boots_left << 4);
    for (uint32_t i = 0; i < SLOT_COUNT; i++) {
        uint8_t *slot = p + AT_SLOTS + i * SLOT_RECORD_SIZE;
        memcpy(slot, r->slot[i].digest, SHA256_SIZE);
        put_le32(slot + SHA256_SIZE, r->slot[i].size);
    }
    memcpy(p + AT_REFUSED, r->refused, SHA256_SIZE);
    put_le32(p + AT_CRC, crc32(p, AT_CRC));
}

static void unpack(const uint8_t *p, struct journal_record *r) {
    r->sequence = get_le32(p + AT_SEQUENCE);
    r->boots = get_le32(p + AT_BOOTS);
    r->floor = get_le32(p + AT_FLOOR);
    r->confirmed = p[AT_CONFIRMED];
    r->trial = p[AT_TRIAL];
    r->refused_reason = p[AT_REASON];
    r->refused_phase = p[AT_PHASE] & 0x0Fu;
    r->boots_left = p[AT_PHASE] >> 4;
    r->attempt = (uint16_t)get_le16(p + AT_ATTEMPT);
    for (uint32_t i = 0; i < SLOT_COUNT; i++) {
        const uint8_t *slot = p + AT_SLOTS + i * SLOT_RECORD_SIZE;
        memcpy(r->slot[i].digest, slot, SHA256_SIZE);
        r->slot[i].size = get_le32(slot + SHA256_SIZE);
    }
    memcpy(r->refused, p + AT_REFUSED, SHA256_SIZE);
}

/* Sequence numbers wrap; those in flash at a time are close together. */
static bool later(uint32_t a, uint32_t b) {
    return (int32_t)(a - b) > 0;
}

/* Offset of the newest valid record, or 0, which is none's: no journal starts there. */
static uint32_t newest(const struct flash *flash, uint32_t at) {
    uint32_t best = 0, best_sequence = 0;
    /* From the end, where the newer ones are: what is older needs no look at its CRC. */
    for (uint32_t i = SECTORS * RECORDS; i-- > 0;) {
        uint32_t offset = place(at, i / RECORDS, i % RECORDS);
        const uint8_t *p = flash->base + offset;
        if ((best == 0 || later(get_le32(p + AT_SEQUENCE), best_sequence)) && valid(p)) {
            best = offset;
            best_sequence = get_le32(p + AT_SEQUENCE);
        }
    }
    return best;
}

/* First place of a sector with nothing but blank places behind it. A torn record is not blank and
 * is stepped over. */
static uint32_t first_free(const struct flash *flash, uint32_t at, uint32_t sector) {
    uint32_t index = RECORDS;
    while (index > 0 && blank(flash->base + place(at, sector, index - 1))) {
        index--;
    }
    return index;
}

void journal_fresh(struct journal_record *r) {
    memset(r, 0, sizeof *r);
    r->confirmed = SLOT_NONE;
    r->trial = SLOT_NONE;
}

static uint8_t known_slot(uint8_t slot) {
    return slot < SLOT_COUNT ? slot : SLOT_NONE;
}

/* The checksum holds; but the slots may have been smaller when the record was written. */
static void keep_inside(struct journal_record *r, uint32_t slot_size) {
    for (uint32_t i = 0; i < SLOT_COUNT; i++) {
        r->slot[i].size = r->slot[i].size <= slot_size ? r->slot[i].size : 0;
    }
    r->confirmed = known_slot(r->confirmed);
    r->trial = known_slot(r->trial);
    if (r->refused_phase > PHASE_SHADOW || r->refused_reason > REASON_WRONG_SLOT) {
        r->refused_reason = REASON_NONE;
    }
}

int journal_load(const struct flash *flash, const struct places *places,
                 struct journal_record *out) {
    uint32_t offset = newest(flash, places->journal);
    if (offset == 0) {
        return E_JOURNAL_EMPTY;
    }
    unpack(flash->base + offset, out);
    keep_inside(out, places->slot_size);
    return 0;
}

int journal_save(const struct flash *flash, uint32_t at, struct journal_record *r) {
    uint32_t last = newest(flash, at);
    uint32_t sector = last == 0 ? 0 : (last - at) / SECTOR_SIZE;
    uint32_t index = first_free(flash, at, sector);
    uint8_t record[RECORD_SIZE];
    if (index == RECORDS) {
        /* The other sector holds nothing newer, so losing it costs nothing. */
        sector = last == 0 ? 0 : 1 - sector;
        index = 0;
        if (flash->erase(flash->ctx, place(at, sector, 0)) != 0) {
            return E_FLASH;
        }
    }
    r->sequence = last == 0 ? 1 : get_le32(flash->base + last + AT_SEQUENCE) + 1;
    pack(r, record);
    uint32_t offset = place(at, sector, index);
    if (flash->program(flash->ctx, offset, record, RECORD_SIZE) != 0) {
        return E_FLASH;
    }
    return memcmp(flash->base + offset, record, RECORD_SIZE) == 0 ? 0 : E_FLASH;
}
