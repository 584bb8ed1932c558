#include "network.h"

#include <string.h>

#include "bytes.h"

#define MAGIC 0x574E5450u /* "PTNW" */
#define VERSION 1u
#define HEADER 8u
#define ITEM 4u
#define KEY_SIZE 32u

enum item {
    ITEM_MAC = 1,
    ITEM_ADDRESS = 2, /* address, mask, router */
    ITEM_BROKER = 3,  /* address, port */
    ITEM_NAME = 4,
    ITEM_AUTHORITY = 5,
    ITEM_KEY = 6,
    ITEM_CERTIFICATE = 7,
    ITEM_ISSUED = 8,
};

static bool copy(void *out, uint32_t room, struct bytes value) {
    if (value.size == room) {
        memcpy(out, value.at, room);
    }
    return value.size == room;
}

static bool take_address(struct network *n, struct bytes value) {
    uint8_t all[12];
    bool right = copy(all, sizeof all, value);
    if (right) {
        memcpy(n->address, all, 4);
        memcpy(n->mask, all + 4, 4);
        memcpy(n->router, all + 8, 4);
    }
    return right;
}

static bool take_broker(struct network *n, struct bytes value) {
    uint8_t all[6];
    bool right = copy(all, sizeof all, value);
    if (right) {
        memcpy(n->broker, all, 4);
        n->port = (uint16_t)get_be16(all + 4);
    }
    return right && n->port != 0;
}

static bool take_name(struct network *n, struct bytes value) {
    bool right = value.size > 0 && value.size <= NAME_MAX;
    if (right) {
        memcpy(n->name, value.at, value.size);
    }
    return right && memchr(n->name, 0, value.size) == NULL;
}

static bool take_issued(struct network *n, struct bytes value) {
    bool right = value.size == sizeof n->issued;
    if (right) {
        n->issued = get_le32(value.at);
    }
    return right;
}

static bool append(struct bytes *list, uint32_t *count, uint32_t most, struct bytes value) {
    if (*count == most) {
        return false;
    }
    list[(*count)++] = value;
    return true;
}

static bool take(struct network *n, uint32_t type, struct bytes value) {
    switch ((enum item)type) {
    case ITEM_MAC:
        return copy(n->mac, sizeof n->mac, value);
    case ITEM_ADDRESS:
        return take_address(n, value);
    case ITEM_BROKER:
        return take_broker(n, value);
    case ITEM_NAME:
        return take_name(n, value);
    case ITEM_AUTHORITY:
        return append(n->authorities, &n->authority_count, AUTHORITIES_MAX, value);
    case ITEM_KEY:
        n->key = value;
        return value.size == KEY_SIZE;
    case ITEM_CERTIFICATE:
        return append(n->chain, &n->chain_length, CHAIN_MAX, value);
    case ITEM_ISSUED:
        return take_issued(n, value);
    }
    return true; /* of a later version, and no business of this one */
}

static bool take_all(struct network *n, const uint8_t *p, uint32_t size) {
    while (size >= ITEM) {
        struct bytes value = {p + ITEM, get_le16(p + 2)};
        if (value.size > size - ITEM || !take(n, get_le16(p), value)) {
            return false;
        }
        p += ITEM + value.size;
        size -= ITEM + value.size;
    }
    return size == 0;
}

/* A key without certificate or the other way round, or authorities without a name to compare, would
 * end in a connection that is less than what was meant. */
static bool is_whole(const struct network *n) {
    bool identity = (n->key.size > 0) == (n->chain_length > 0);
    bool secure = !network_is_secure(n) || (n->name[0] != 0 && n->issued != 0);
    return n->port != 0 && n->address[0] != 0 && identity && secure &&
           (network_is_secure(n) || n->chain_length == 0);
}

int network_load(const struct flash *flash, struct network *out) {
    const uint8_t *p = flash->base + flash->size - NETWORK_SECTORS * SECTOR_SIZE;
    uint32_t length = get_le16(p + 6);
    memset(out, 0, sizeof *out);
    bool valid = get_le32(p) == MAGIC && get_le16(p + 4) == VERSION && length >= HEADER &&
                 length <= SECTOR_SIZE - 4 && get_le32(p + length) == crc32(p, length);
    return valid && take_all(out, p + HEADER, length - HEADER) && is_whole(out) ? 0 : E_NETWORK;
}
