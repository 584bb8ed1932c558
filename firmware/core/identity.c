#include "identity.h"

#include <stdbool.h>
#include <string.h>

#include "bytes.h"

#define MAGIC 0x44495450u /* "PTID" */
#define VERSION 1u

enum {
    AT_MAGIC = 0,
    AT_VERSION = 4,
    AT_DEVICE = 8,
    AT_USER = 72,
    AT_PASSWORD = 136,
    AT_TARGET = 200,
    AT_KEYS = 232,
    AT_SLOT_SIZE = 296,
    AT_ARENA_SIZE = 300,
    AT_SEED = 304,
    AT_CRC = 308,
};

/* False when the text is empty or lacks its terminator. */
static bool take_text(char *out, size_t room, const uint8_t *p) {
    memcpy(out, p, room);
    return out[0] != 0 && memchr(out, 0, room) != NULL;
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
    bool slots = out->slot_size > 0 && out->slot_size % SECTOR_SIZE == 0 &&
                 out->slot_size <= (flash->size - SLOTS_OFFSET) / SLOT_COUNT;
    return texts && slots ? 0 : E_IDENTITY;
}
