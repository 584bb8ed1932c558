/* The network sector of a board on a LAN, and what renewals leave beside it. Frame and CRC are made
 * to fit, so that the items are tried. Then the same bytes as a list of certificates. */
#include "../port/lan/der.c"
#include "../port/lan/network.c"

#include "fuzz.h"

#define TRIED 1024u /* bytes of items: more than that only takes time */

static void within(struct bytes part, const uint8_t *sector) {
    uint8_t sum = 0;
    for (uint32_t i = 0; i < part.size; i++) {
        sum = (uint8_t)(sum + part.at[i]);
    }
    *(volatile uint8_t *)&sum = sum;
    REQUIRE(part.at >= sector && part.at + part.size <= sector + SECTOR_SIZE - 4);
}

static void hold(const struct network *n, const uint8_t *sector) {
    REQUIRE(n->authority_count <= AUTHORITIES_MAX && n->chain_length <= CHAIN_MAX);
    for (uint32_t i = 0; i < n->authority_count; i++) {
        within(n->authorities[i], sector);
    }
    for (uint32_t i = 0; i < n->chain_length; i++) {
        within(n->chain[i], sector);
    }
    REQUIRE(strlen(n->name) <= NAME_MAX);
    REQUIRE(n->port != 0);
    REQUIRE((n->chain_length > 0) == (n->key.size == KEY_SIZE));
    if (n->chain_length > 0) { /* who is named to the broker must know that it is the broker */
        REQUIRE(network_is_secure(n));
        within(n->key, sector);
    }
    if (network_is_secure(n)) {
        REQUIRE(n->name[0] != 0 && n->issued != 0);
    }
}

static void fill(uint8_t *sector, const uint8_t *items, size_t size) {
    put_le32(sector, MAGIC);
    put_le32(sector + 4, VERSION | (uint32_t)(HEADER + size) << 16);
    if (size > 0) {
        memcpy(sector + HEADER, items, size);
    }
    put_le32(sector + HEADER + size, crc32(sector, HEADER + size));
}

static void try_sectors(const uint8_t *items, size_t size) {
    static uint8_t sectors[NETWORK_SECTORS * SECTOR_SIZE];
    static const uint8_t good[] = {
        2,  0,  12, 0, 10, 0, 2, 15, 255, 255, 255, 0,  10, 0,  2,  2, /* address */
        3,  0,  6,  0, 10, 0, 2, 2,  0,   1,                           /* broker */
        4,  0,  1,  0, 98, 8, 0, 4,  0,   1,   1,   1,  1,             /* name, issued */
        5,  0,  1,  0, 1,  7, 0, 1,  0,   1,                           /* authority, certificate */
        6,  0,  32, 0, 1,  2, 3, 4,  5,   6,   7,   8,  9,  10, 11, 12, 13, 14,
        15, 16, 1,  2, 3,  4, 5, 6,  7,   8,   9,   10, 11, 12, 13, 14, 15, 16, /* key */
    };
    struct flash flash = {.base = sectors, .size = sizeof sectors};
    struct network network;
    memset(sectors, 0xFF, sizeof sectors);
    fill(sectors + 2 * SECTOR_SIZE, items, size);
    if (network_load(&flash, &network) == 0) {
        hold(&network, sectors + 2 * SECTOR_SIZE);
    }
    fill(sectors + 2 * SECTOR_SIZE, good, sizeof good);
    fill(sectors, items, size);
    REQUIRE(network_load(&flash, &network) == 0);
    if (network.renewals > 0) {
        REQUIRE(network.chain_length > 0 && network_is_secure(&network));
        for (uint32_t i = 0; i < network.chain_length; i++) {
            within(network.chain[i], sectors);
        }
    }
}

static void try_list(const uint8_t *p, size_t size) {
    struct bytes list = {p, (uint32_t)size};
    for (struct bytes one = der_next(&list); one.size > 0; one = der_next(&list)) {
        REQUIRE(one.at >= p && one.at + one.size <= p + size && list.at == one.at + one.size);
        REQUIRE(one.size >= 2);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint8_t *exact = exact_copy(data, size);
    if (size <= TRIED) {
        try_sectors(exact, size);
    }
    try_list(exact, size);
    free(exact);
    return 0;
}
