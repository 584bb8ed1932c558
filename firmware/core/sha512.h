/* SHA-512, FIPS 180-4. */
#ifndef PETIOLE_SHA512_H
#define PETIOLE_SHA512_H

#include <stddef.h>
#include <stdint.h>

#define SHA512_SIZE 64u

struct sha512 {
    uint64_t h[8];
    uint64_t length; /* bytes so far */
    uint8_t block[128];
};

void sha512_init(struct sha512 *s);
void sha512_update(struct sha512 *s, const uint8_t *p, size_t n);
void sha512_final(struct sha512 *s, uint8_t out[SHA512_SIZE]);

#endif
