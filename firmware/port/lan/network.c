#include "network.h"

#include <string.h>

#include "bytes.h"

#define MAGIC 0x574E5450u /* "PTNW" */
#define VERSION 1u
#define HEADER 8u
#define ITEM 4u
#define KEY_SIZE 32u
#define RENEW_DEFAULT_S 86400u
#define RENEW_MAX_S 1000000u /* milliseconds wrap after 49 days */

enum item {
    ITEM_MAC = 1,
    ITEM_ADDRESS = 2, /* address, mask, router */
    ITEM_BROKER = 3,  /* address, port */
    ITEM_NAME = 4,
    ITEM_AUTHORITY = 5,
    ITEM_KEY = 6,
    ITEM_CERTIFICATE = 7,
    ITEM_ISSUED = 8,
    ITEM_RENEW = 9,     /* seconds */
    ITEM_RENEWALS = 10, /* only where the device has written */
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

static bool take_number(uint32_t *out, struct bytes value) {
    bool right = value.size == sizeof *out;
    if (right) {
        *out = get_le32(value.at);
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
        return take_number(&n->issued, value);
    case ITEM_RENEW:
        return take_number(&n->renew_s, value) && n->renew_s > 0 && n->renew_s <= RENEW_MAX_S;
    case ITEM_RENEWALS:
        return take_number(&n->renewals, value);
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

/* --- reading -------------------------------------------------------------------------------- */

static bool load_sector(const uint8_t *p, struct network *out) {
    uint32_t length = get_le16(p + 6);
    memset(out, 0, sizeof *out);
    bool valid = get_le32(p) == MAGIC && get_le16(p + 4) == VERSION && length >= HEADER &&
                 length <= SECTOR_SIZE - 4 && get_le32(p + length) == crc32(p, length);
    return valid && take_all(out, p + HEADER, length - HEADER);
}

static void renew(struct network *n, const struct network *renewed) {
    memcpy(n->authorities, renewed->authorities, sizeof n->authorities);
    memcpy(n->chain, renewed->chain, sizeof n->chain);
    n->authority_count = renewed->authority_count;
    n->chain_length = renewed->chain_length;
    n->issued = renewed->issued;
    n->renewals = renewed->renewals;
}

static uint32_t renewed_at(const struct flash *flash, uint32_t renewals) {
    return flash->size - NETWORK_SECTORS * SECTOR_SIZE + renewals % 2 * SECTOR_SIZE;
}

int network_load(const struct flash *flash, struct network *out) {
    struct network renewed;
    const uint8_t *p = flash->base + flash->size - 2 * SECTOR_SIZE;
    if (!load_sector(p, out) || !is_whole(out) || out->renewals != 0) {
        return E_NETWORK;
    }
    out->renew_s = out->renew_s == 0 ? RENEW_DEFAULT_S : out->renew_s;
    for (uint32_t i = 0; i < 2; i++) {
        if (load_sector(flash->base + renewed_at(flash, i), &renewed) &&
            renewed.renewals > out->renewals && renewed.chain_length > 0 &&
            network_is_secure(&renewed) && out->chain_length > 0) {
            renew(out, &renewed);
        }
    }
    return 0;
}

/* --- writing -------------------------------------------------------------------------------- */

struct place {
    const struct flash *flash;
    uint32_t at;
    int error;
};

static void put(struct place *place, const uint8_t *p, uint32_t size) {
    if (place->error == 0) {
        place->error = place->flash->program(place->flash->ctx, place->at, p, size);
        place->at += size;
    }
}

static void put_item(struct place *place, enum item type, struct bytes value) {
    uint8_t header[ITEM];
    put_le32(header, (uint32_t)type | value.size << 16);
    put(place, header, sizeof header);
    put(place, value.at, value.size);
}

static void put_number(struct place *place, enum item type, uint32_t value) {
    uint8_t number[4];
    put_le32(number, value);
    put_item(place, type, (struct bytes){number, sizeof number});
}

static uint32_t size_of(const struct network *n) {
    uint32_t size = HEADER + 2 * (ITEM + 4);
    for (uint32_t i = 0; i < n->chain_length; i++) {
        size += ITEM + n->chain[i].size;
    }
    for (uint32_t i = 0; i < n->authority_count; i++) {
        size += ITEM + n->authorities[i].size;
    }
    return size;
}

int network_store(const struct flash *flash, const struct network *n) {
    uint32_t sector = renewed_at(flash, n->renewals), size = size_of(n);
    uint8_t header[HEADER], crc[4];
    if (size > SECTOR_SIZE - sizeof crc || flash->erase(flash->ctx, sector) != 0) {
        return E_FLASH;
    }
    struct place place = {flash, sector, 0};
    put_le32(header, MAGIC);
    put_le32(header + 4, VERSION | size << 16);
    put(&place, header, sizeof header);
    put_number(&place, ITEM_RENEWALS, n->renewals);
    put_number(&place, ITEM_ISSUED, n->issued);
    for (uint32_t i = 0; i < n->chain_length; i++) {
        put_item(&place, ITEM_CERTIFICATE, n->chain[i]);
    }
    for (uint32_t i = 0; i < n->authority_count; i++) {
        put_item(&place, ITEM_AUTHORITY, n->authorities[i]);
    }
    put_le32(crc, crc32(flash->base + sector, size)); /* nothing counts without it */
    put(&place, crc, sizeof crc);
    return place.error;
}
