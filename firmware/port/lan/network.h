/* What a device needs to reach its broker by itself: the network sector.
 *
 * It is the last but one sector of the flash; the last one is the seed (entropy.h). The two before
 * it are for renewals, which the device writes in turn: the newest that is whole stands in for what
 * provisioning wrote of the same. All are behind what the device's core may use. The layout of the
 * three, written first by operator/petiole/artifact/network.py:
 *
 *   0  "PTNW", u16 version 1, u16 length of all up to the CRC
 *   8  items: u16 type, u16 length, then so many bytes
 *   length  CRC-32 of what is before
 *
 * Numbers are little endian; addresses and ports are in network order. */
#ifndef PETIOLE_NETWORK_H
#define PETIOLE_NETWORK_H

#include <stdbool.h>
#include <stdint.h>

#include "layout.h"

#define NETWORK_SECTORS 4u /* at the end of the flash */
#define E_NETWORK (-20)    /* no valid network sector, or material that does not fit together */

#define AUTHORITIES_MAX 4u
#define CHAIN_MAX 3u
#define NAME_MAX 63u

struct bytes {
    const uint8_t *at; /* in the flash */
    uint32_t size;
};

struct network {
    uint8_t mac[6];
    uint8_t address[4], mask[4], router[4];
    uint8_t broker[4];
    uint16_t port;
    char name[NAME_MAX + 1];                   /* that the broker's certificate must have */
    struct bytes authorities[AUTHORITIES_MAX]; /* certificates in DER */
    struct bytes chain[CHAIN_MAX];             /* the device's own first, in DER */
    struct bytes key;                          /* its private key: a number on P-256, 32 bytes */
    uint32_t authority_count, chain_length;
    uint32_t issued;   /* seconds since 1970: it was not earlier when this was written */
    uint32_t renew_s;  /* between two requests for the next certificate */
    uint32_t renewals; /* so far */
};

/* Reads the sector. Returns 0 or E_NETWORK. */
int network_load(const struct flash *flash, struct network *out);

/* Writes what a renewal brought: `chain`, `authorities` and `issued` of `n`, whose `renewals` is
 * one more than before. Power may fail at any time: then what was before stays in force. Returns 0
 * or E_FLASH. */
int network_store(const struct flash *flash, const struct network *n);

/* Is the connection to be by TLS? It is when there is an authority to believe. */
static inline bool network_is_secure(const struct network *n) {
    return n->authority_count > 0;
}

#endif
