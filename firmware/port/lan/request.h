/* A request for a certificate: PKCS #10 (RFC 2986), in DER. */
#ifndef PETIOLE_REQUEST_H
#define PETIOLE_REQUEST_H

#include <stdint.h>

#include "network.h"

#define REQUEST_MAX 384u /* bytes */

struct request {
    const char *device;
    const uint8_t *point; /* public key on P-256, uncompressed: 65 bytes */
    struct bytes key;     /* private */
};

/* Writes it to the end of `out`: subject CN=<device>, signed by its key with ECDSA and SHA-256.
 * Returns its size, or 0. */
uint32_t request_write(uint8_t out[REQUEST_MAX], const struct request *r);

#endif
