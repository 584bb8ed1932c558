#include "ed25519.h"

#include "monocypher.h"
#include "sha512.h"

bool ed25519_verify(const uint8_t signature[64], const uint8_t key[32], const uint8_t *message,
                    size_t n) {
    struct sha512 s;
    uint8_t hash[SHA512_SIZE], scalar[32];
    sha512_init(&s);
    sha512_update(&s, signature, 32);
    sha512_update(&s, key, 32);
    sha512_update(&s, message, n);
    sha512_final(&s, hash);
    crypto_eddsa_reduce(scalar, hash);
    return crypto_eddsa_check_equation(signature, key, scalar) == 0;
}
