/* Little and big endian numbers in byte strings, the checksum, and time that wraps. */
#ifndef PETIOLE_BYTES_H
#define PETIOLE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline uint32_t get_le16(const uint8_t *p) {
    return (uint32_t)p[0] | (uint32_t)p[1] << 8;
}

static inline uint32_t get_le32(const uint8_t *p) {
    return get_le16(p) | get_le16(p + 2) << 16;
}

static inline void put_le32(uint8_t *p, uint32_t v) {
    for (int i = 0; i < 4; i++) {
        p[i] = (uint8_t)(v >> (8 * i));
    }
}

static inline uint32_t get_be16(const uint8_t *p) {
    return (uint32_t)p[0] << 8 | (uint32_t)p[1];
}

static inline void put_be16(uint8_t *p, uint32_t v) {
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

/* Has `now` reached `deadline`? Milliseconds that wrap after 49 days; right within half of that. */
static inline bool due(uint32_t now, uint32_t deadline) {
    return (int32_t)(now - deadline) >= 0;
}

/* Shortens the `wait` from `now` so that it ends at `deadline` at the latest. */
static inline void sooner(uint32_t *wait, uint32_t now, uint32_t deadline) {
    uint32_t left = due(now, deadline) ? 0 : deadline - now;
    *wait = left < *wait ? left : *wait;
}

/* CRC-32 as in zlib, over `n` bytes. */
uint32_t crc32(const uint8_t *p, size_t n);

/* The same over what gave `crc` and the `n` bytes behind it. */
uint32_t crc32_more(uint32_t crc, const uint8_t *p, size_t n);

/* Writes 2 * n lower case hex digits, and no terminator. */
void put_hex(char *out, const uint8_t *p, size_t n);

#endif
