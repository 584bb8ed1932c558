#include "identity.h"

#include <stdbool.h>
#include <string.h>

#include "bytes.h"

#define MAGIC 0x44495450u /* "PTID" */
#define VERSION 2u

enum {
    AT_MAGIC = 0,
    AT_VERSION = 4,
    AT_ARCHIVE = 6, /* sectors */
    AT_DEVICE = 8,
    AT_USER = 72,
    AT_PASSWORD = 136,
    AT_TARGET = 200,
    AT_KEYS = 232,
    AT_SLOT_SIZE = 296,
    AT_ARENA_SIZE = 300,
    AT_SEED = 304,
    AT_FIRMWARE_OFFSET = 308,
    AT_FIRMWARE_SIZE = 312,
    AT_CRC = 316,
};

/* False when the text is empty or lacks its terminator. */
static bool take_text(char *out, size_t room, const uint8_t *p) {
    memcpy(out, p, room);
    return out[0] != 0 && memchr(out, 0, room) != NULL;
}

static bool has_model_slots(const struct identity *id, uint32_t flash_size) {
    return id->slot_size > 0 && id->slot_size % SECTOR_SIZE == 0 &&
           id->slot_size <= (flash_size - SLOTS_OFFSET) / SLOT_COUNT;
}

uint32_t identity_archive(const struct identity *identity) {
    return SLOTS_OFFSET + SLOT_COUNT * identity->slot_size;
}

static bool archive_fits(const struct identity *id, uint32_t flash_size) {
    return id->archive_size <= flash_size - identity_archive(id);
}

/* Behind model slots and archive and inside the flash, or not at all. */
static bool firmware_fits(const struct identity *id, uint32_t flash_size) {
    uint32_t first = identity_archive(id) + id->archive_size;
    if (id->firmware_size == 0) {
        return true;
    }
    return (id->firmware_size | id->firmware_offset) % SECTOR_SIZE == 0 &&
           id->firmware_offset >= first && id->firmware_offset < flash_size &&
           flash_size - id->firmware_offset > FIRMWARE_SLOTS_AT &&
           id->firmware_size <= (flash_size - id->firmware_offset - FIRMWARE_SLOTS_AT) / SLOT_COUNT;
}

int identity_load(const struct flash *flash, struct identity *out) {
    const uint8_t *p = flash->base + IDENTITY_OFFSET;
    if (get_le32(p + AT_MAGIC) != MAGIC || get_le16(p + AT_VERSION) != VERSION ||
        get_le32(p + AT_CRC) != crc32(p, AT_CRC)) {
        return E_IDENTITY;
    }
    bool texts = take_text(out->device, sizeof out->device, p + AT_DEVICE) &&
                 take_text(out->user, sizeof out->user, p + AT_USER) &&
                 take_text(out->password, sizeof out->password, p + AT_PASSWORD) &&
                 take_text(out->target, sizeof out->target, p + AT_TARGET);
    memcpy(out->keys, p + AT_KEYS, sizeof out->keys);
    out->slot_size = get_le32(p + AT_SLOT_SIZE);
    out->arena_size = get_le32(p + AT_ARENA_SIZE);
    out->seed = get_le32(p + AT_SEED);
    out->firmware_offset = get_le32(p + AT_FIRMWARE_OFFSET);
    out->firmware_size = get_le32(p + AT_FIRMWARE_SIZE);
    out->archive_size = get_le16(p + AT_ARCHIVE) * SECTOR_SIZE;
    bool fits = has_model_slots(out, flash->size) && archive_fits(out, flash->size) &&
                firmware_fits(out, flash->size);
    return texts && fits ? 0 : E_IDENTITY;
}

struct places identity_model_places(const struct identity *identity) {
    return (struct places){JOURNAL_OFFSET, DOWNLOAD_OFFSET, SLOTS_OFFSET, identity->slot_size};
}

struct places identity_firmware_places(const struct identity *identity) {
    uint32_t at = identity->firmware_offset;
    if (identity->firmware_size == 0) {
        return (struct places){0};
    }
    return (struct places){at, at + FIRMWARE_MAP_AT, at + FIRMWARE_SLOTS_AT,
                           identity->firmware_size};
}
