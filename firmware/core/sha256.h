/* SHA-256, FIPS 180-4. */
#ifndef PETIOLE_SHA256_H
#define PETIOLE_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define SHA256_SIZE 32u

struct sha256 {
    uint32_t h[8];
    uint64_t length; /* bytes so far */
    uint8_t block[64];
};

void sha256_init(struct sha256 *s);
void sha256_update(struct sha256 *s, const uint8_t *p, size_t n);
void sha256_final(struct sha256 *s, uint8_t out[SHA256_SIZE]);

/* The digest of one byte string. */
void sha256(const uint8_t *p, size_t n, uint8_t out[SHA256_SIZE]);

#endif
