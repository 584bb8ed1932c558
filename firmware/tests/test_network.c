/* A renewal of certificates is kept as a whole or not at all, wherever power fails. */
#include <string.h>

#include "../port/lan/network.c"
#include "check.h"
#include "nor.h"

#define RENEWALS 5u
#define OPERATIONS 20u /* more than a renewal takes */

static struct nor nor;

static const uint8_t KEY[KEY_SIZE] = {1};
static const uint8_t AUTHORITY[300] = {2};
static uint8_t certificate[400];

/* As provisioning leaves it: with TLS, and nothing renewed yet. */
static void provision(void) {
    memset(nor.bytes, 0xFF, sizeof nor.bytes);
    nor_power(&nor, NOR_NEVER, 0);
    struct flash flash = nor_flash(&nor);
    uint32_t base = flash.size - 2 * SECTOR_SIZE;
    struct place place = {&flash, base + HEADER, 0};
    put_item(&place, ITEM_ADDRESS,
             (struct bytes){(const uint8_t *)"\12\0\2\17\377\377\377\0\12\0\2\2", 12});
    put_item(&place, ITEM_BROKER, (struct bytes){(const uint8_t *)"\12\0\2\2\42\263", 6});
    put_item(&place, ITEM_NAME, (struct bytes){(const uint8_t *)"broker", 6});
    put_number(&place, ITEM_ISSUED, 1000);
    put_item(&place, ITEM_AUTHORITY, (struct bytes){AUTHORITY, sizeof AUTHORITY});
    put_item(&place, ITEM_KEY, (struct bytes){KEY, sizeof KEY});
    put_item(&place, ITEM_CERTIFICATE, (struct bytes){certificate, sizeof certificate});
    uint32_t size = place.at - base;
    uint8_t header[HEADER], crc[4];
    put_le32(header, MAGIC);
    put_le32(header + 4, VERSION | size << 16);
    place.at = base;
    put(&place, header, HEADER);
    put_le32(crc, crc32(flash.base + base, size));
    place.at = base + size;
    put(&place, crc, sizeof crc);
    CHECK(place.error == 0);
}

static int store(uint32_t renewals) {
    struct flash flash = nor_flash(&nor);
    struct network n;
    CHECK(network_load(&flash, &n) == 0);
    memset(certificate, (int)renewals, sizeof certificate);
    n.renewals = renewals;
    n.issued = 1000 + renewals;
    n.chain[0] = (struct bytes){certificate, sizeof certificate};
    return network_store(&flash, &n);
}

/* How many renewals the flash shows; all that belongs to them must fit. */
static uint32_t renewals(void) {
    struct flash flash = nor_flash(&nor);
    struct network n;
    CHECK(network_load(&flash, &n) == 0);
    CHECK(n.issued == 1000 + n.renewals);
    CHECK(n.chain_length == 1 && n.chain[0].size == sizeof certificate);
    CHECK(n.chain[0].at[0] == n.renewals && n.chain[0].at[399] == n.renewals);
    CHECK(n.authority_count == 1 && memcmp(n.authorities[0].at, AUTHORITY, 300) == 0);
    CHECK(memcmp(n.key.at, KEY, KEY_SIZE) == 0 && strcmp(n.name, "broker") == 0);
    return n.renewals;
}

/* Power fails in operation `cut` of renewal `last`; after that it is tried again. */
static bool cut_once(uint32_t last, uint32_t cut, uint32_t part) {
    memset(certificate, 0, sizeof certificate);
    provision();
    for (uint32_t i = 1; i < last; i++) {
        CHECK(store(i) == 0 && renewals() == i);
    }
    nor_power(&nor, cut, part);
    (void)store(last);
    bool dead = nor_dead(&nor);
    nor_power(&nor, NOR_NEVER, 0);
    uint32_t found = renewals();
    CHECK(found == last || (dead && found == last - 1));
    CHECK(store(found + 1) == 0 && renewals() == found + 1);
    return dead;
}

int main(void) {
    uint32_t cuts = 0;
    for (uint32_t last = 1; last <= RENEWALS; last++) {
        for (uint32_t cut = 0; cut < OPERATIONS; cut++) {
            for (uint32_t part = 0; part <= 4; part++) {
                cuts += cut_once(last, cut, part);
            }
        }
        CHECK(!cut_once(last, OPERATIONS, 0)); /* else there were more to cut */
    }
    CHECK(cuts >= RENEWALS * 5 * 10);
    return 0;
}
