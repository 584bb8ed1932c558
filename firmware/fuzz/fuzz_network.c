/* The network sector of a board on a LAN. Its frame and CRC are made to fit, so that the items in
 * it are tried. */
#include "../port/lan/network.c"

#include "fuzz.h"

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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static uint8_t sectors[NETWORK_SECTORS * SECTOR_SIZE];
    struct flash flash = {.base = sectors, .size = sizeof sectors};
    struct network network;
    if (size > SECTOR_SIZE - HEADER - 4) {
        return 0;
    }
    memset(sectors, 0xFF, sizeof sectors);
    put_le32(sectors, MAGIC);
    put_le32(sectors + 4, VERSION | (uint32_t)(HEADER + size) << 16);
    if (size > 0) {
        memcpy(sectors + HEADER, data, size);
    }
    put_le32(sectors + HEADER + size, crc32(sectors, HEADER + size));
    if (network_load(&flash, &network) == 0) {
        hold(&network, sectors);
    }
    return 0;
}
