#include "cbor.h"

#include <string.h>

enum { NUMBER = 0x00, BYTES = 0x40, TEXT = 0x60, ANY_LIST = 0x9F, ANY_MAP = 0xBF, BREAK = 0xFF };

void cbor_begin(struct cbor *c, uint8_t *p, size_t room) {
    *c = (struct cbor){p, room, 0};
}

static void put(struct cbor *c, uint8_t byte) {
    if (c->size < c->room) {
        c->start[c->size] = byte;
    }
    c->size++;
}

static void put_all(struct cbor *c, const uint8_t *p, size_t n) {
    for (size_t i = 0; i < n; i++) {
        put(c, p[i]);
    }
}

/* The shortest head: up to 23 in its first byte, else 1, 2, 4 or 8 bytes behind it. */
static void put_head(struct cbor *c, uint8_t kind, uint64_t value) {
    if (value < 24) {
        put(c, (uint8_t)(kind | value));
        return;
    }
    uint8_t power = 0; /* of two, bytes */
    while (power < 3 && value >> (8u << power) != 0) {
        power++;
    }
    put(c, (uint8_t)(kind | (24 + power)));
    for (unsigned shift = 8u << power; shift > 0;) {
        shift -= 8;
        put(c, (uint8_t)(value >> shift));
    }
}

void cbor_number(struct cbor *c, uint64_t value) {
    put_head(c, NUMBER, value);
}

void cbor_bytes(struct cbor *c, const uint8_t *p, size_t n) {
    put_head(c, BYTES, n);
    put_all(c, p, n);
}

void cbor_text(struct cbor *c, const char *text) {
    size_t n = strlen(text);
    put_head(c, TEXT, n);
    put_all(c, (const uint8_t *)text, n);
}

void cbor_open_map(struct cbor *c) {
    put(c, ANY_MAP);
}

void cbor_open_list(struct cbor *c) {
    put(c, ANY_LIST);
}

void cbor_close(struct cbor *c) {
    put(c, BREAK);
}
