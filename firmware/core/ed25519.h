/* Ed25519 verification, RFC 8032, with monocypher's curve and our SHA-512. */
#ifndef PETIOLE_ED25519_H
#define PETIOLE_ED25519_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool ed25519_verify(const uint8_t signature[64], const uint8_t key[32], const uint8_t *message,
                    size_t n);

#endif
